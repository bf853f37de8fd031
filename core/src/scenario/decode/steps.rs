//! Lists of steps.

use super::Decoder;
use super::cursor::{Cursor, Object};
use super::keys::{GROUP_STEP, IF_STEP, REPEAT_STEP, STEPS};
use crate::document::node::{Entry, NodeValue};
use crate::limits::REPEAT_MAX;
use crate::scenario::model::Step;
use crate::scenario::template::{Condition, Template};

impl<'n> Decoder<'n> {
    /// A list of steps that may be empty.
    pub(super) fn steps(&mut self, cursor: &Cursor<'n>) -> Option<Vec<Step>> {
        let Some(items) = cursor.items() else {
            self.wrong_kind(cursor, "a list of steps");
            return None;
        };
        self.all(items, |decoder, item| decoder.step(&item))
    }

    /// A list of at least one step.
    pub(super) fn some_steps(&mut self, cursor: &Cursor<'n>) -> Option<Vec<Step>> {
        let steps = self.steps(cursor)?;
        if steps.is_empty() {
            self.problem(cursor, "found an empty list, expected at least one step");
            return None;
        }
        Some(steps)
    }

    fn step(&mut self, cursor: &Cursor<'n>) -> Option<Step> {
        match &cursor.node.value {
            NodeValue::Text(text) if text == "interrupt" => self.interrupt(cursor),
            NodeValue::Text(text) if text == "stop_user" => Some(Step::StopUser),
            NodeValue::Text(_) => self.request_text(cursor).map(|request| Step::Request(Box::new(request))),
            NodeValue::Map(entries) => {
                let kind = self.step_kind(cursor, entries)?;
                self.step_of_kind(cursor, kind)
            }
            _ => {
                self.wrong_kind(cursor, "a step: an object such as `{ get: / }` or a text such as `GET /`");
                None
            }
        }
    }

    /// The one key that says what a step does.
    fn step_kind(&mut self, cursor: &Cursor<'n>, entries: &'n [Entry]) -> Option<&'static str> {
        let kinds: Vec<&'static str> = STEPS.iter().map(|(kind, _)| *kind).collect();
        let mut found =
            entries.iter().filter_map(|entry| kinds.iter().find(|kind| **kind == entry.key).map(|kind| (*kind, entry)));
        let Some((kind, _)) = found.next() else {
            let known = |key: &str| STEPS.iter().any(|(_, keys)| keys.keys.contains(&key));
            let unknown: Vec<&Entry> = entries.iter().filter(|entry| !known(&entry.key)).collect();
            if unknown.is_empty() {
                self.problem(cursor, format!("the step does nothing, expected one of {}", kinds.join(", ")));
            }
            for entry in unknown {
                self.unknown_key(cursor, entry, &kinds);
            }
            return None;
        };
        if let Some((other, entry)) = found.next() {
            let message = format!("a step does one thing, found `{kind}` and `{other}`");
            self.problems.add(entry.at, &cursor.path, message);
            return None;
        }
        Some(kind)
    }

    fn step_of_kind(&mut self, cursor: &Cursor<'n>, kind: &'static str) -> Option<Step> {
        let (_, keys) = STEPS.iter().find(|(known, _)| *known == kind)?;
        match kind {
            "websocket" => return self.websocket_step(cursor).map(|socket| Step::WebSocket(Box::new(socket))),
            "if" => return self.if_step(cursor),
            "repeat" => return self.repeat_step(cursor),
            "group" => return self.group_step(cursor),
            "wait" | "log" | "set" | "interrupt" | "stop_user" => {}
            _ => return self.request_step(cursor, kind).map(|request| Step::Request(Box::new(request))),
        }
        let object = self.object(cursor, keys)?;
        let at = object.get(kind)?;
        match kind {
            "wait" => self.wait_of_step(&at).map(Step::Wait),
            "log" => self.template(&at, "a text").map(Step::Log),
            "set" => self.variables(&at).map(Step::Set),
            "interrupt" => {
                self.confirmed(&at)?;
                self.interrupt(cursor)
            }
            _ => self.confirmed(&at).map(|()| Step::StopUser),
        }
    }

    /// `true`, which is all that `interrupt` and `stop_user` take.
    fn confirmed(&mut self, cursor: &Cursor<'n>) -> Option<()> {
        if matches!(cursor.node.value, NodeValue::Bool(true)) {
            return Some(());
        }
        self.wrong_kind(cursor, "`true`");
        None
    }

    fn interrupt(&mut self, cursor: &Cursor<'n>) -> Option<Step> {
        if self.set_depth >= 2 {
            return Some(Step::Interrupt);
        }
        self.problem(cursor, "`interrupt` leaves a nested task set, and there is none around this step");
        None
    }

    fn if_step(&mut self, cursor: &Cursor<'n>) -> Option<Step> {
        let object = self.object(cursor, &IF_STEP)?;
        let condition = object.get("if").and_then(|at| self.condition(&at));
        let then = self.required_steps(&object, "then");
        let otherwise = self.optional(&object, "else", Self::steps);
        Some(Step::If { condition: condition?, then: then?, otherwise: otherwise?.unwrap_or_default() })
    }

    fn condition(&mut self, cursor: &Cursor<'n>) -> Option<Condition> {
        let text = self.text(cursor, "a condition such as `\"{{ status == 'paid' }}\"`")?;
        let compiled = self.templates.condition(text);
        self.compiled(cursor, compiled)
    }

    fn repeat_step(&mut self, cursor: &Cursor<'n>) -> Option<Step> {
        let object = self.object(cursor, &REPEAT_STEP)?;
        let times = object.get("repeat").and_then(|at| self.times(&at));
        let steps = self.required_steps(&object, "steps");
        Some(Step::Repeat { times: times?, steps: steps? })
    }

    fn times(&mut self, cursor: &Cursor<'n>) -> Option<Template> {
        if let NodeValue::Text(text) = &cursor.node.value {
            let template = self.compile(cursor, text)?;
            let is_count = text.parse::<u64>().is_ok_and(|count| count <= REPEAT_MAX);
            if matches!(template, Template::Dynamic(_)) || is_count {
                return Some(template);
            }
        }
        let count = self.whole(cursor, 0, REPEAT_MAX)?;
        Some(Template::Literal(count.to_string().into()))
    }

    fn group_step(&mut self, cursor: &Cursor<'n>) -> Option<Step> {
        let object = self.object(cursor, &GROUP_STEP)?;
        let name = object.get("group").and_then(|at| {
            let text = self.text(&at, "the name of the transaction")?;
            self.name(&at, text, "a group")
        });
        let steps = self.required_steps(&object, "steps");
        Some(Step::Group { name: name?, steps: steps? })
    }

    fn required_steps(&mut self, object: &Object<'n>, key: &str) -> Option<Vec<Step>> {
        match object.get(key) {
            Some(at) => self.some_steps(&at),
            None => {
                self.problem(&object.cursor, format!("expected the key `{key}`"));
                None
            }
        }
    }
}
