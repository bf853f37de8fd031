//! Tasks, task sets, and the named sets that `use` refers to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Decoder;
use super::cursor::{Cursor, Object};
use super::keys::{TASK, TASK_SET};
use crate::document::closest;
use crate::document::node::{Entry, NodeValue};
use crate::document::problem::shown;
use crate::limits::{REPEAT_MAX, TAGS_MAX, TASK_SET_DEPTH_MAX, WEIGHT_MAX};
use crate::scenario::model::{Iterations, Step, Task, TaskBody, TaskOrder, TaskSet, WaitTime};

/// Keys of a task that only a nested set has a use for.
const SET_KEYS: &[&str] = &["order", "sequential", "wait_time", "iterations"];

/// The sets under `task_sets`, decoded when they are first used.
#[derive(Default)]
pub(super) struct NamedSets<'n> {
    by_name: BTreeMap<&'n str, NamedSet<'n>>,
    /// The sets that are being decoded, each used by the one before it.
    stack: Vec<&'n str>,
    /// Size of the set that is being decoded, with the sets it uses.
    current_bytes: usize,
}

struct NamedSet<'n> {
    cursor: Cursor<'n>,
    state: SetState<'n>,
}

enum SetState<'n> {
    Waiting,
    Decoding,
    Refused,
    Done {
        set: TaskSet,
        bytes: usize,
        /// The data feeders that its templates draw from.
        drawn: BTreeSet<&'n str>,
    },
}

/// What a nested set says about itself beside its tasks.
struct SetOptions {
    order: Option<TaskOrder>,
    wait_time: Option<WaitTime>,
    iterations: Option<Iterations>,
}

impl<'n> Decoder<'n> {
    /// The value of `task_sets`: every set is decoded, used or not, so that all problems are found.
    pub(super) fn task_sets(&mut self, cursor: &Cursor<'n>) {
        let Some(entries) = self.entries(cursor, "an object of named task sets") else { return };
        for entry in entries {
            let set = NamedSet { cursor: cursor.entry(entry), state: SetState::Waiting };
            self.name(&set.cursor, &entry.key, "a task set");
            self.sets.by_name.insert(&entry.key, set);
        }
        for entry in entries {
            self.decode_named(&entry.key);
        }
    }

    fn decode_named(&mut self, name: &'n str) {
        let Some(set) = self.sets.by_name.get_mut(name).filter(|set| matches!(set.state, SetState::Waiting)) else {
            return;
        };
        set.state = SetState::Decoding;
        let cursor = set.cursor.clone();
        // A named set is always used inside another set.
        let depth = std::mem::replace(&mut self.set_depth, 1);
        let outer_bytes = std::mem::replace(&mut self.sets.current_bytes, cursor.node.bytes());
        let outer_drawn = std::mem::take(&mut self.names.drawn);
        self.sets.stack.push(name);
        let set = self.named_set(&cursor);
        self.sets.stack.pop();
        let bytes = std::mem::replace(&mut self.sets.current_bytes, outer_bytes);
        let drawn = std::mem::replace(&mut self.names.drawn, outer_drawn);
        self.set_depth = depth;
        let state = set.map_or(SetState::Refused, |set| SetState::Done { set, bytes, drawn });
        self.sets.by_name.insert(name, NamedSet { cursor, state });
    }

    fn named_set(&mut self, cursor: &Cursor<'n>) -> Option<TaskSet> {
        let object = self.object(cursor, &TASK_SET)?;
        let options = self.set_options(&object);
        let tasks = self.required_tasks(&object);
        let (options, tasks) = (options?, tasks?);
        Some(options.around(tasks))
    }

    /// The tasks of an object that must have some.
    pub(super) fn required_tasks(&mut self, object: &Object<'n>) -> Option<Vec<Task>> {
        match object.get("tasks") {
            Some(at) => self.tasks(&at),
            None => {
                self.problem(&object.cursor, "expected the key `tasks`");
                None
            }
        }
    }

    fn tasks(&mut self, cursor: &Cursor<'n>) -> Option<Vec<Task>> {
        let entries = self.entries(cursor, "an object of named tasks")?;
        if entries.is_empty() {
            self.problem(cursor, "expected at least one task");
            return None;
        }
        if self.set_depth >= TASK_SET_DEPTH_MAX {
            self.too_deep(cursor);
            return None;
        }
        self.set_depth += 1;
        let tasks = self.all(entries, |decoder, entry| decoder.task(cursor, entry));
        self.set_depth -= 1;
        let tasks = tasks?;
        if tasks.iter().all(|task| task.weight == 0) {
            self.problem(cursor, "every task has weight 0, so there is none to run");
            return None;
        }
        Some(tasks)
    }

    fn too_deep(&mut self, cursor: &Cursor<'n>) {
        self.problem(cursor, format!("task sets are nested more than {TASK_SET_DEPTH_MAX} deep"));
    }

    fn task(&mut self, tasks: &Cursor<'n>, entry: &'n Entry) -> Option<Task> {
        let cursor = tasks.entry(entry);
        let name = self.name(&cursor, &entry.key, "a task");
        let plain = |name, steps| Task { name, weight: 1, tags: Vec::new(), body: TaskBody::Steps(steps) };
        match &cursor.node.value {
            NodeValue::List(_) => {
                let steps = self.some_steps(&cursor);
                Some(plain(name?, steps?))
            }
            NodeValue::Text(_) => {
                let request = self.request_text(&cursor);
                Some(plain(name?, vec![Step::Request(Box::new(request?))]))
            }
            NodeValue::Map(_) => {
                let object = self.object(&cursor, &TASK)?;
                let weight = self.optional(&object, "weight", |decoder, at| decoder.whole(at, 0, WEIGHT_MAX.into()));
                let tags = self.optional(&object, "tags", Self::tags);
                let body = self.task_body(&object);
                let weight = weight?.map_or(1, |weight| weight as u32);
                Some(Task { name: name?, weight, tags: tags?.unwrap_or_default(), body: body? })
            }
            _ => {
                self.wrong_kind(&cursor, "a task: an object, a list of steps or a text such as `GET /`");
                None
            }
        }
    }

    fn task_body(&mut self, object: &Object<'n>) -> Option<TaskBody> {
        let given = object.given(&["steps", "tasks", "use"]);
        let [(kind, at)] = given.as_slice() else {
            self.problem(&object.cursor, "expected exactly one of `steps`, `tasks` and `use`");
            return None;
        };
        if *kind == "steps" {
            for (key, misplaced) in object.given(SET_KEYS) {
                self.problem(&misplaced, format!("`{key}` has a meaning only beside `tasks` or `use`"));
            }
            return self.some_steps(at).map(TaskBody::Steps);
        }
        let options = self.set_options(object);
        if *kind == "use" {
            let set = self.used_set(at);
            return Some(TaskBody::Set(options?.over(set?)));
        }
        let tasks = self.tasks(at);
        Some(TaskBody::Set(options?.around(tasks?)))
    }

    fn set_options(&mut self, object: &Object<'n>) -> Option<SetOptions> {
        let order = self.order(object);
        let wait_time = self.optional(object, "wait_time", Self::wait_time);
        let iterations = self.optional(object, "iterations", Self::iterations);
        Some(SetOptions { order: order?, wait_time: wait_time?, iterations: iterations? })
    }

    /// The value of `order` or of its short form `sequential: true`.
    pub(super) fn order(&mut self, object: &Object<'n>) -> Option<Option<TaskOrder>> {
        if let (Some(_), Some(sequential)) = (object.get("order"), object.get("sequential")) {
            self.problem(&sequential, "`order` and `sequential` say the same, expected one of them");
            return None;
        }
        let order = self.optional(object, "order", |decoder, at| match &at.node.value {
            NodeValue::Text(text) if text == "random" => Some(TaskOrder::Random),
            NodeValue::Text(text) if text == "sequential" => Some(TaskOrder::Sequential),
            _ => {
                decoder.wrong_kind(at, "`random` or `sequential`");
                None
            }
        });
        let sequential = self.optional(object, "sequential", Self::switch);
        let from_switch = |sequential| if sequential { TaskOrder::Sequential } else { TaskOrder::Random };
        Some(order?.or(sequential?.map(from_switch)))
    }

    fn iterations(&mut self, cursor: &Cursor<'n>) -> Option<Iterations> {
        match &cursor.node.value {
            NodeValue::Text(text) if text == "forever" => Some(Iterations::Forever),
            NodeValue::Number(..) => self.whole(cursor, 1, REPEAT_MAX).map(Iterations::Count),
            _ => {
                self.wrong_kind(cursor, &format!("a whole number from 1 to {REPEAT_MAX} or `forever`"));
                None
            }
        }
    }

    /// One tag or a list of tags.
    pub(super) fn tags(&mut self, cursor: &Cursor<'n>) -> Option<Vec<Arc<str>>> {
        let texts = self.texts(cursor, "a tag or a list of tags")?;
        if texts.len() > TAGS_MAX {
            self.problem(cursor, format!("found {} tags, at most {TAGS_MAX} are allowed", texts.len()));
            return None;
        }
        self.all(texts, |decoder, (at, text)| decoder.name(&at, text, "a tag"))
    }

    /// A copy of the set that `use` names.
    fn used_set(&mut self, cursor: &Cursor<'n>) -> Option<TaskSet> {
        let name = self.text(cursor, "the name of a set under `task_sets`")?;
        match self.sets.by_name.get(name).map(|set| &set.state) {
            None => {
                self.unknown_set(cursor, name);
                return None;
            }
            Some(SetState::Decoding) => {
                let from = self.sets.stack.iter().position(|used| *used == name).unwrap_or(0);
                let cycle: Vec<&str> = self.sets.stack[from..].iter().copied().chain([name]).collect();
                self.problem(cursor, format!("task sets use each other in a circle: {}", shown_cycle(&cycle)));
                return None;
            }
            Some(SetState::Waiting) if self.sets.stack.len() >= TASK_SET_DEPTH_MAX => {
                self.too_deep(cursor);
                return None;
            }
            Some(_) => self.decode_named(name),
        }
        let SetState::Done { set, bytes, .. } = &self.sets.by_name.get(name)?.state else { return None };
        let (height, bytes) = (height(set), *bytes);
        if self.set_depth + height > TASK_SET_DEPTH_MAX {
            self.too_deep(cursor);
            return None;
        }
        self.copied(cursor, bytes)?;
        self.sets.current_bytes = self.sets.current_bytes.saturating_add(bytes);
        match &self.sets.by_name.get(name)?.state {
            SetState::Done { set, drawn, .. } => {
                self.names.drawn.extend(drawn);
                Some(set.clone())
            }
            _ => None,
        }
    }

    fn unknown_set(&mut self, cursor: &Cursor<'n>, name: &str) {
        let mut known: Vec<&str> = self.sets.by_name.keys().copied().collect();
        known.sort_unstable();
        let meant = closest(name, known.iter().copied()).map(|meant| format!(", did you mean `{}`?", shown(meant)));
        let known = if known.is_empty() {
            "there are none".to_owned()
        } else {
            format!("there are {}", shown(&known.join(", ")))
        };
        let message = format!("no set `{}` under `task_sets`{} ({known})", shown(name), meant.unwrap_or_default());
        self.problem(cursor, message);
    }
}

impl SetOptions {
    /// A nested set of these tasks: one pick or one pass unless it says otherwise.
    fn around(self, tasks: Vec<Task>) -> TaskSet {
        TaskSet {
            order: self.order.unwrap_or(TaskOrder::Random),
            wait_time: self.wait_time,
            iterations: self.iterations.unwrap_or(Iterations::Count(1)),
            tasks,
        }
    }

    /// A named set with what its user says differently.
    fn over(self, set: TaskSet) -> TaskSet {
        TaskSet {
            order: self.order.unwrap_or(set.order),
            wait_time: self.wait_time.or(set.wait_time),
            iterations: self.iterations.unwrap_or(set.iterations),
            tasks: set.tasks,
        }
    }
}

/// How many sets are nested in this one, itself included.
fn height(set: &TaskSet) -> usize {
    let inner = set.tasks.iter().map(|task| match &task.body {
        TaskBody::Steps(_) | TaskBody::Native(_) => 0,
        TaskBody::Set(set) => height(set),
    });
    1 + inner.max().unwrap_or(0)
}

/// The names of a circle, its first one at both ends.
fn shown_cycle(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| shown(name)).collect();
    names.join(" -> ")
}
