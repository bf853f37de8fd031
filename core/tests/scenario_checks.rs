//! Checks and extractions, from the text of a scenario to their verdicts on responses.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use akrida_core::limits::ERROR_TEXT_CHARS_MAX;
use akrida_core::scenario::body::ParsedBody;
use akrida_core::scenario::model::{Request, Scenario, Step, TaskBody};
use akrida_core::scenario::render::Renderer;
use akrida_core::scenario::response::{Headers, ResponseView};
use akrida_core::scenario::{Format, Source, load};
use serde_json::{Value, json};

struct Fixed(Vec<(&'static str, &'static str)>);

impl Headers for Fixed {
    fn header(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    fn set_cookie(&self, name: &str) -> Option<String> {
        let value = self.header("set-cookie")?.strip_prefix(name)?.strip_prefix('=')?;
        value.split(';').next().map(str::to_owned)
    }
}

/// A response of status 200 with a JSON content type, a cookie and this body.
struct Response {
    status: u16,
    body: Vec<u8>,
    cut: bool,
    headers: Fixed,
}

impl Response {
    fn of(body: impl Into<Vec<u8>>) -> Self {
        let headers = Fixed(vec![("Content-Type", "application/json"), ("Set-Cookie", "sid=abc; Path=/")]);
        Self { status: 200, body: body.into(), cut: false, headers }
    }

    fn view(&self) -> ResponseView<'_> {
        ResponseView {
            status: self.status,
            headers: &self.headers,
            body: &self.body,
            body_cut: self.cut,
            elapsed: Duration::from_millis(300),
        }
    }
}

fn scenario(options: &str) -> Arc<Scenario> {
    let text =
        format!("variables: {{ id: 7, word: two }}\nusers: {{ A: {{ tasks: {{ t: [ {{ get: /, {options} }} ] }} }} }}");
    load(&Source { name: "f", text: &text, format: Format::Yaml }, |_| ())
        .unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn request(scenario: &Scenario) -> &Request {
    let TaskBody::Steps(steps) = &scenario.classes[0].tasks.tasks[0].body else { panic!("steps") };
    let Step::Request(request) = &steps[0] else { panic!("a request") };
    request
}

/// What the checks find wrong with a response.
fn failures(check: &str, response: &Response) -> Vec<String> {
    let scenario = scenario(&format!("check: {check}"));
    let variables = minijinja::context! { id => 7, word => "two" };
    let renderer = Renderer { templates: &scenario.templates, variables: &variables };
    let view = response.view();
    let body = ParsedBody::of(&view);
    let checks = &request(&scenario).checks;
    assert!(!checks.is_empty(), "{check}");
    checks.iter().filter_map(|check| check.evaluate(&view, &body, &renderer).err()).collect()
}

fn extracted(from: &str, response: &Response) -> Result<Value, String> {
    let scenario = scenario(&format!("extract: {{ v: {from} }}"));
    let view = response.view();
    request(&scenario).extracts[0].apply(&view, &ParsedBody::of(&view))
}

const BODY: &str = r#"{"id": 7, "name": "one two", "items": [{"n": 1.0}, {"n": 2}], "none": null}"#;

#[test]
fn checks_that_hold_say_nothing() {
    let response = Response::of(BODY);
    for check in [
        "{ status: 200 }",
        "{ status: [404, 2xx] }",
        "{ status: 200..204 }",
        "{ header: { content-type: application/json } }",
        "{ header: { content-type: { contains: json, regex: '^app', present: true }, x-none: { present: false } } }",
        "{ body: one two }",
        "{ body: [one, '{{ word }}'] }",
        "{ body: { contains: one, not_contains: [three, four] } }",
        "{ regex: 'o.e\\s' }",
        "{ json: { $.id: 7, $.name: 'one {{ word }}', '$.items[*].n': [1, 2], $.none: null } }",
        "{ json: { $.id: '{{ id }}' } }",
        "{ json: { $.name: { contains: two, regex: '^one', exists: true }, $.x: { exists: false } } }",
        "{ json: { '$.items[0]': { equals: { n: 1 } } } }",
        "{ time: 301ms }",
    ] {
        assert_eq!(failures(check, &response), [] as [&str; 0], "{check}");
    }
}

#[test]
fn checks_that_fail_say_what_was_found_and_expected() {
    let response = Response { status: 500, ..Response::of(BODY) };
    for (check, message) in [
        ("{ status: 404 }", "status was 500, expected 404"),
        ("{ status: [2xx, 404, 300..302] }", "status was 500, expected 2xx or 404 or 300..302"),
        ("{ header: { x-none: a } }", "header x-none is missing"),
        ("{ header: { content-type: a } }", r#"header content-type was "application/json", expected "a""#),
        ("{ header: { content-type: { present: false } } }", "header content-type is present, expected none"),
        ("{ body: '{{ word }} three' }", r#"body does not contain "two three""#),
        ("{ body: { not_contains: one } }", r#"body contains "one""#),
        ("{ regex: '^x' }", r#"body does not match "^x""#),
        ("{ json: { $.id: '8' } }", r#"$.id was 7, expected "8""#),
        ("{ json: { $.id: 8 } }", "$.id was 7, expected 8"),
        ("{ json: { $.x: 8 } }", "$.x found nothing"),
        ("{ json: { $.id: { exists: false } } }", "$.id was 7, expected nothing"),
        ("{ json: { $.name: { contains: x } } }", r#"$.name was "one two", expected it to contain "x""#),
        ("{ time: 300ms }", "response took too long, expected less than 300ms"),
    ] {
        assert_eq!(failures(check, &response), [message], "{check}");
    }
}

#[test]
fn bodies_that_cannot_be_read_are_failures_with_a_reason() {
    let json = "{ json: { $.id: 7 } }";
    assert_eq!(failures(json, &Response::of("")), ["body is empty, expected JSON"]);
    assert_eq!(failures(json, &Response::of(b"\xff\xfe".to_vec())), ["body is not UTF-8, expected JSON"]);
    assert_eq!(failures(json, &Response::of("<p>")), ["body is not JSON: expected value at line 1 column 1"]);
    let cut = Response { cut: true, ..Response::of(BODY) };
    assert_eq!(
        failures(json, &cut),
        [format!("body is longer than the {} bytes kept, so it is not read as JSON", BODY.len())]
    );
    let text = format!(r#"body does not contain "x" in its first {} bytes, and the rest was not kept"#, BODY.len());
    assert_eq!(failures("{ body: x }", &cut), [text.as_str()]);
    assert_eq!(failures("{ body: { not_contains: x } }", &cut), [text.as_str()]);
    assert!(failures("{ body: one, regex: two }", &cut).is_empty());
    let mixed = Response::of(b"\xffone\xfe".to_vec());
    assert!(failures("{ body: one, regex: 'o.e' }", &mixed).is_empty());
    assert_eq!(failures("{ body: two }", &mixed), [r#"body does not contain "two""#]);
    let deep = Response::of("[".repeat(100_000));
    assert_eq!(failures(json, &deep), ["body is not JSON: recursion limit exceeded at line 1 column 128"]);
}

#[test]
fn messages_are_bounded() {
    let response = Response::of(json!({"id": "x".repeat(100_000)}).to_string());
    for message in failures("{ json: { $.id: 7 } }", &response) {
        assert!(message.chars().count() <= ERROR_TEXT_CHARS_MAX && message.contains('…'), "{message}");
    }
    let long = format!("{{ regex: '{}' }}", "y".repeat(10_000));
    assert!(failures(&long, &response).iter().all(|message| message.chars().count() <= ERROR_TEXT_CHARS_MAX));
}

#[test]
fn extractions_take_values_from_everywhere() {
    let response = Response::of(BODY);
    let html = Response::of("<h1> One <b>two</b> </h1><a class=next href='/2'>x</a><input name=csrf value=t>");
    for (from, response, value) in [
        ("$.id", &response, json!(7)),
        ("'$.items[*].n'", &response, json!([1.0, 2])),
        ("{ json: $.none, default: 1 }", &response, Value::Null),
        ("{ json: $.x, default: [1] }", &response, json!([1])),
        ("{ regex: 'one \\w+' }", &response, json!("one two")),
        ("{ regex: 'one (\\w+)' }", &response, json!("two")),
        ("{ regex: '(o)ne (?<second>\\w+)', group: second }", &response, json!("two")),
        ("{ regex: '(o)ne (\\w+)', group: 2 }", &response, json!("two")),
        ("{ header: content-type }", &response, json!("application/json")),
        ("{ cookie: sid }", &response, json!("abc")),
        ("{ css: h1 }", &html, json!("One two")),
        ("{ css: a.next, attribute: href }", &html, json!("/2")),
        ("{ css: 'input[name=csrf]', attribute: value }", &html, json!("t")),
        ("{ json: $.x, default: 0 }", &html, json!(0)),
    ] {
        assert_eq!(extracted(from, response), Ok(value), "{from}");
    }
}

#[test]
fn extractions_that_find_nothing_say_why() {
    let response = Response::of(BODY);
    let binary = Response::of(b"a\xffb".to_vec());
    for (from, response, message) in [
        ("$.x", &response, "cannot extract v: $.x found nothing"),
        ("{ regex: nope }", &response, r#"cannot extract v: "nope" does not match the body"#),
        ("{ regex: 'o|(x)', group: 1 }", &response, r#"cannot extract v: group 1 of "o|(x)" took no part"#),
        ("{ css: a.next }", &response, r#"cannot extract v: "a.next" finds no element"#),
        ("{ css: html, attribute: lang }", &response, r#"cannot extract v: element "html" has no attribute lang"#),
        ("{ header: x-none }", &response, "cannot extract v: header x-none is missing"),
        ("{ cookie: other }", &response, "cannot extract v: response sets no cookie other"),
        ("{ css: a }", &binary, "cannot extract v: body is not UTF-8, expected HTML"),
        ("{ regex: '(?-u)a(.)' }", &binary, r#"cannot extract v: what "(?-u)a(.)" matches is not UTF-8"#),
    ] {
        assert_eq!(extracted(from, response), Err(message.to_owned()), "{from}");
    }
}
