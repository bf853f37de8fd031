//! Events as lines of text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use akrida_actors::http::response::Response;
use akrida_actors::observe::{Event, Sent, Took};
use minijinja::Value;

use super::secrets::masked;

/// Bytes of a body that are shown.
const BODY_SHOWN_BYTES_MAX: usize = 16 * 1024;

/// Characters of a variable's value that are shown.
const VALUE_SHOWN_CHARS_MAX: usize = 1_000;

/// The lines of an event that needs no memory of the ones before.
pub(super) fn of(event: &Event<'_>, shows_secrets: bool) -> String {
    match event {
        Event::Begins(name) => format!("\n== {name}\n"),
        Event::Sends(sent) => request(sent, shows_secrets),
        Event::Receives(reply, took) => response(reply, *took, shows_secrets),
        Event::Fails(error, took) => format!("< no response: {error}\n{}", times(*took)),
        Event::Checks { check, failure: None } => format!("  ok      {check}\n"),
        Event::Checks { check, failure: Some(failure) } => format!("  FAILED  {check}: {failure}\n"),
        Event::Extracts { variable, value: Ok(value) } => {
            format!("  extract {variable} = {}\n", cut(&value.to_string()))
        }
        Event::Extracts { value: Err(reason), .. } => format!("  FAILED  {reason}\n"),
        Event::Samples { latency, failure: None } => format!("  passed in {}\n", milliseconds(*latency)),
        Event::Samples { latency, failure: Some(failure) } => {
            format!("  FAILED in {}: {failure}\n", milliseconds(*latency))
        }
        Event::SendsMessage(text) => format!("\n> message\n{}", body(text.as_bytes(), false, '>')),
        Event::ReceivesMessage(content) => format!("< message\n{}", body(content, false, '<')),
        Event::Waits(pause) => format!("  wait    {pause:?}\n"),
        Event::Logs(text) => format!("  log     {text}\n"),
        Event::Raises(message) => format!("  FAILED  {message}\n"),
        Event::Limited(fault) => format!("  FAILED  this machine is at its limit: {fault}\n"),
        Event::StopsUser => "  stop_user\n".to_owned(),
        Event::Variables(_) => String::new(),
    }
}

/// The variables that are not as they were shown last.
pub(super) fn changes(shown: &mut BTreeMap<String, String>, variables: &[(Arc<str>, Value)]) -> String {
    let mut lines = String::new();
    for (name, value) in variables {
        let value = cut(&value_text(value));
        if shown.get(&**name) != Some(&value) {
            let _ = writeln!(lines, "  set     {name} = {value}");
            shown.insert(name.to_string(), value);
        }
    }
    shown.retain(|name, _| {
        let is_set = variables.iter().any(|(known, _)| **known == **name);
        if !is_set {
            let _ = writeln!(lines, "  unset   {name}");
        }
        is_set
    });
    lines
}

/// As JSON, so that the text `7` and the number 7 look different.
fn value_text(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| value.to_string())
}

fn request(sent: &Sent<'_>, shows_secrets: bool) -> String {
    let mut lines = format!("\n> {}\n", sent.url);
    for line in sent.head.trim_end().lines() {
        match line.split_once(": ") {
            Some((name, value)) => {
                let _ = writeln!(lines, "> {name}: {}", masked(name, value, shows_secrets));
            }
            None => {
                let _ = writeln!(lines, "> {line}");
            }
        }
    }
    if let Some(content) = sent.body {
        lines.push_str(&body(content, false, '>'));
    }
    lines
}

fn response(response: &Response, took: Took, shows_secrets: bool) -> String {
    let mut lines = format!("< {}\n", response.status);
    for (name, value) in response.headers.all() {
        let _ = writeln!(lines, "< {name}: {}", masked(&name, &value, shows_secrets));
    }
    lines.push_str(&body(&response.body, response.body_cut, '<'));
    lines.push_str(&times(took));
    lines
}

/// A body with a mark before each line, cut where it is long, and its size alone where it is no text.
fn body(content: &[u8], longer: bool, mark: char) -> String {
    if content.is_empty() {
        return String::new();
    }
    let Ok(text) = std::str::from_utf8(content) else {
        return format!("{mark}\n{mark} ({} bytes that are no text)\n", content.len());
    };
    let end = text.floor_char_boundary(BODY_SHOWN_BYTES_MAX);
    let mut lines = format!("{mark}\n");
    for line in text[..end].lines() {
        let _ = writeln!(lines, "{mark} {line}");
    }
    if longer || end < text.len() {
        let _ = writeln!(
            lines,
            "{mark} ({end} bytes of {}{} are shown)",
            content.len(),
            if longer { " or more" } else { "" }
        );
    }
    lines
}

fn times(took: Took) -> String {
    let mut parts = Vec::new();
    let named = [("connect", took.connect), ("tls", took.tls), ("first byte", took.first_byte)];
    for (name, span) in named.into_iter().chain([("total", Some(took.total))]) {
        parts.extend(span.map(|span| format!("{name} {}", milliseconds(span))));
    }
    format!("  {}\n", parts.join(", "))
}

fn milliseconds(span: Duration) -> String {
    format!("{:.1} ms", span.as_secs_f64() * 1e3)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(VALUE_SHOWN_CHARS_MAX) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_shown() {
        let mut shown = BTreeMap::new();
        let named = |name: &str, value: Value| (Arc::from(name), value);
        let first = [named("a", Value::from(7)), named("b", Value::from("7"))];
        assert_eq!(changes(&mut shown, &first), "  set     a = 7\n  set     b = \"7\"\n");
        assert_eq!(changes(&mut shown, &first), "");
        assert_eq!(changes(&mut shown, &[named("b", Value::from(8))]), "  set     b = 8\n  unset   a\n");
    }

    #[test]
    fn bodies_are_cut_and_what_is_no_text_is_counted() {
        assert_eq!(body(b"a\nb", false, '<'), "<\n< a\n< b\n");
        assert_eq!(body(&[0xff, 0xfe], false, '<'), "<\n< (2 bytes that are no text)\n");
        let long = "ä".repeat(BODY_SHOWN_BYTES_MAX);
        let lines = body(long.as_bytes(), false, '>');
        assert!(lines.ends_with(&format!("> ({BODY_SHOWN_BYTES_MAX} bytes of {} are shown)\n", long.len())), "{lines}");
    }
}
