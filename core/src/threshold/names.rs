//! Names in thresholds that no request and no transaction of a scenario has.

use std::sync::Arc;

use super::Threshold;
use crate::document::closest;
use crate::scenario::model::{Scenario, Step, TaskBody, TaskSet, UserClass};
use crate::scenario::template::Template;
use crate::scenario::websocket::{METHOD, WebSocketStep};

/// A threshold whose name the scenario does not know. It is no error: a Rust client or a redirect may record the name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("threshold `{threshold}`: no request or group of the scenario is named `{target}`{}", .meant.as_deref().map(|meant| format!(", did you mean `{meant}`?")).unwrap_or_default())]
pub struct UnknownName {
    /// The threshold as it was written.
    pub threshold: Arc<str>,
    /// The name in it.
    pub target: Arc<str>,
    /// The known name most like it.
    pub meant: Option<String>,
}

/// The names in thresholds that the scenario does not know. Names with templates in them match whatever these may give,
/// and code of the program may record any name.
#[must_use]
pub fn unknown_names(thresholds: &[Threshold], scenario: &Scenario) -> Vec<UnknownName> {
    if scenario.classes.iter().any(UserClass::is_native) {
        return Vec::new();
    }
    let mut known = Known::default();
    for class in &scenario.classes {
        known.steps(&class.on_start);
        known.set(&class.tasks);
        known.steps(&class.on_stop);
        known.steps(&class.on_unauthorized);
    }
    let unknown = thresholds.iter().filter_map(|threshold| {
        let target = threshold.target.clone().filter(|target| !known.has(target))?;
        let meant = closest(&target, known.names.iter().map(|(_, name)| name.source())).map(str::to_owned);
        Some(UnknownName { threshold: threshold.text.clone(), target, meant })
    });
    unknown.collect()
}

/// The methods and names of a scenario.
#[derive(Default)]
struct Known {
    names: Vec<(Arc<str>, Template)>,
}

impl Known {
    fn set(&mut self, set: &TaskSet) {
        for task in &set.tasks {
            match &task.body {
                TaskBody::Steps(steps) => self.steps(steps),
                TaskBody::Set(set) => self.set(set),
                TaskBody::Native(_) => {}
            }
        }
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Request(request) => self.names.push((request.method.0.clone(), request.name.clone())),
                Step::WebSocket(socket) => {
                    self.names.push((METHOD.into(), socket.opening.name.clone()));
                    let names = socket.steps.iter().filter_map(|step| match step {
                        WebSocketStep::Expect(expected) => Some((METHOD.into(), expected.name.clone())),
                        WebSocketStep::Send(_) | WebSocketStep::Wait(_) => None,
                    });
                    self.names.extend(names);
                }
                Step::Group { name, steps } => {
                    self.names.push(("GROUP".into(), Template::Literal(name.clone())));
                    self.steps(steps);
                }
                Step::If { then, otherwise, .. } => [then, otherwise].iter().for_each(|steps| self.steps(steps)),
                Step::Repeat { steps, .. } => self.steps(steps),
                Step::Wait(_) | Step::Log(_) | Step::Set(_) | Step::Interrupt | Step::StopUser => {}
            }
        }
    }

    fn has(&self, target: &str) -> bool {
        self.names.iter().any(|(method, name)| {
            let bare = target.strip_prefix(&**method).and_then(|rest| rest.strip_prefix(' '));
            may_be(name, target) || bare.is_some_and(|bare| may_be(name, bare))
        })
    }
}

/// Whether a name may come out as this text: equal, or with the parts around its expressions in order.
fn may_be(name: &Template, text: &str) -> bool {
    let source = name.source();
    if matches!(name, Template::Literal(_)) {
        return source == text;
    }
    if source.contains("{%") || source.contains("{#") {
        return true;
    }
    let mut parts = source.split("{{").map(|part| part.split_once("}}").map_or(part, |(_, after)| after));
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::super::parse::{Options, parse};
    use super::*;
    use crate::scenario::{Format, Source, load};

    #[test]
    fn names_that_nothing_in_the_scenario_has_are_found() {
        let text = "users: { A: { on_start: [ 'POST /login' ], tasks: { t: [ { get: '/p/{{ user.index }}' },\
            { group: checkout, steps: [ { if: '1', then: [ { repeat: 2, steps: [ { get: /r,\
            name: 'r-{{ user.index }}-{{ user.index }}-end' } ] } ] } ] } ] } } }";
        let scenario = load(&Source { name: "f", text, format: Format::Yaml }, |_| ()).expect("loads");
        let unknown = |target: &str| {
            let threshold = parse(&format!("rps({target}) > 1"), Options::default()).expect("parses");
            unknown_names(&[threshold], &scenario).pop()
        };
        for target in [
            "/login",
            "POST /login",
            "/p/{{ user.index }}",
            "GET /p/{{ user.index }}",
            "checkout",
            "GROUP checkout",
            "r-1-2-end",
            "GET r-1-2-end",
        ] {
            assert_eq!(unknown(target), None, "{target}");
        }
        for (target, meant) in [
            ("/logn", Some("/login")),
            ("GET /login", None),
            ("/p/7", None),
            ("r-1-end", None),
            ("r-1-2-end-", None),
            ("GROUP check", None),
        ] {
            let found = unknown(target).expect(target);
            assert_eq!((&*found.target, found.meant.as_deref()), (target, meant));
        }
        let all = parse("rps > 1", Options::default()).expect("parses");
        assert_eq!(unknown_names(&[all], &scenario), []);
    }
}
