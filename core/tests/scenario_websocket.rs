//! WebSocket steps of a scenario.

#![allow(clippy::unwrap_used, reason = "tests")]

use akrida_core::scenario::model::{Step, TaskBody};
use akrida_core::scenario::websocket::{WebSocket, WebSocketStep};
use akrida_core::scenario::{Format, Source, load};

fn loaded(step: &str) -> Result<WebSocket, Vec<String>> {
    let text = format!("users: {{ A: {{ variables: {{ v: 1 }}, tasks: {{ t: [ {{ {step} }} ] }} }} }}");
    let scenario = load(&Source { name: "f", text: &text, format: Format::Yaml }, |_| ()).map_err(|problems| {
        problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect::<Vec<_>>()
    })?;
    match &scenario.classes[0].tasks.tasks[0].body {
        TaskBody::Steps(steps) => match &steps[0] {
            Step::WebSocket(socket) => Ok((**socket).clone()),
            other => panic!("{other:?}"),
        },
        _ => panic!("steps"),
    }
}

#[test]
fn names_are_those_of_the_conversation_unless_they_are_given() {
    let steps = "steps: [ { send: 'a {{ v }}' }, { expect: b }, { expect: [c, d], name: own }, { wait: 1s } ]";
    for (head, name) in
        [("websocket: '/x/{{ v }}'", "/x/{{ v }}"), ("websocket: 'wss://x.test/y', name: 'n-{{ v }}'", "n-{{ v }}")]
    {
        let socket = loaded(&format!("{head}, {steps}")).unwrap();
        assert_eq!(socket.opening.name.source(), format!("connect {name}"));
        let names: Vec<_> = socket
            .steps
            .iter()
            .filter_map(|step| match step {
                WebSocketStep::Expect(expected) => Some((expected.name.source(), expected.checks.len())),
                WebSocketStep::Send(_) | WebSocketStep::Wait(_) => None,
            })
            .collect();
        assert_eq!(names, [(name, 1), ("own", 2)]);
        assert_eq!(socket.steps.len(), 4);
    }
    assert!(loaded("websocket: /x").unwrap().steps.is_empty(), "it is opened and closed");
}

#[test]
fn what_is_wrong_is_said_where_it_is() {
    let at = "users.A.tasks.t[0]";
    for (step, path, message) in [
        ("websocket: ftp://x/", ".websocket", "\"ftp://x/\" is neither a path"),
        ("websocket: /x, check: {}", ".check", "unknown key `check`"),
        ("websocket: /x, steps: {}", ".steps", "found an object, expected a list, each item an object with `send`"),
        ("websocket: /x, steps: [ hello ]", ".steps[0]", "found the text \"hello\", expected an object with `send`"),
        (
            "websocket: /x, steps: [ { timeout: 1s } ]",
            ".steps[0]",
            "the step does nothing, expected an object with `send`",
        ),
        ("websocket: /x, steps: [ { send: a, expect: b } ]", ".steps[0].expect", "unknown key `expect`"),
        ("websocket: /x, steps: [ { expect: { status: 1 } } ]", ".steps[0].expect.status", "unknown key `status`"),
        (
            "websocket: /x, steps: [ { expect: { regex: '(' } } ]",
            ".steps[0].expect.regex",
            "\"(\" is no regular expression",
        ),
        (
            "websocket: /x, steps: [ { expect: a, extract: { b: { header: c } } } ]",
            ".steps[0]",
            "a message has neither headers nor cookies",
        ),
        ("websocket: /x, steps: [ { send: '{{ nowhere }}' } ]", ".steps[0].send", "no variable or function `nowhere`"),
    ] {
        let problems = loaded(step).unwrap_err();
        let expected = format!("{at}{path}: {message}");
        assert!(problems.len() == 1 && problems[0].starts_with(&expected), "{step}: {problems:?}");
    }
}
