//! What a scenario says of connections.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use akrida_core::scenario::connection::{ConnectionRules, Proxy};
use akrida_core::scenario::{Format, Source, load};

const USERS: &str = "users: { A: { tasks: { t: / } }, B: { connection: { CLASS }, tasks: { t: / } } }";

fn rules(document: &str, class: &str) -> Result<Vec<ConnectionRules>, Vec<String>> {
    let text = format!("connection: {{ {document} }}\n{}", USERS.replace("CLASS", class));
    match load(&Source { name: "f", text: &text, format: Format::Yaml }, |_| ()) {
        Ok(scenario) => Ok(scenario.classes.iter().map(|class| class.connection.clone()).collect()),
        Err(problems) => Err(problems.iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn a_class_takes_what_it_does_not_say_from_the_document() {
    let found = rules("max_age: 60s, source: 127.0.0.1", "max_requests: 5, source: ['::1', 10.0.0.1]").unwrap();
    let document = ConnectionRules {
        max_age: Some(Duration::from_secs(60)),
        sources: ["127.0.0.1".parse().unwrap()].into(),
        ..ConnectionRules::default()
    };
    let class = ConnectionRules {
        max_requests: Some(5),
        sources: ["::1", "10.0.0.1"].map(|text| text.parse().unwrap()).into(),
        ..document.clone()
    };
    assert_eq!(found, [document, class]);
    let found = rules("proxy: 'http://a.test:1'", "proxy: 'http://b.test:2'").unwrap();
    let proxy = |text| Some(Proxy::parse(text).unwrap());
    let found: Vec<_> = found.into_iter().map(|rules| rules.proxy).collect();
    assert_eq!(found, [proxy("http://a.test:1"), proxy("http://b.test:2")]);
}

#[test]
fn what_makes_no_sense_is_refused_with_what_is_allowed() {
    for (text, problem) in [
        (
            "max_age: 0s",
            "f:1:24: connection.max_age: an age is longer than nothing; `max_requests: 1` keeps no connection",
        ),
        ("max_requests: 0", "f:1:29: connection.max_requests: "),
        ("source: []", "f:1:23: connection.source: expected 1 to 4096 IP addresses"),
        ("source: localhost", "f:1:23: connection.source: \"localhost\" is no IP address"),
        ("proxy: 'socks5://a:1'", "f:1:22: connection.proxy: no proxy: a proxy is spoken to over http://, expected "),
        ("http2: yes please", "f:1:22: connection.http2: found \"yes please\", expected `auto` or `never`"),
        ("max_agee: 1s", "f:1:15: connection.max_agee: unknown key `max_agee`, did you mean `max_age`?"),
        ("max_age: 100000h", "f:1:24: connection.max_age: \"100000h\" is too long"),
    ] {
        let problems = rules(text, "max_age: 1s").unwrap_err();
        assert!(problems.len() == 1 && problems[0].starts_with(problem), "{text}: {problems:?}");
    }
}
