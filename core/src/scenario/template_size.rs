//! The amount of code in a template, measured before it is parsed.
//!
//! The template engine bounds how deep brackets nest, but not chains such as `a.b.b.b` or `not not not x`, which it
//! follows with one stack frame or more a link: a long one would overflow the stack and end the process. The measure
//! follows the engine's own tokens, so that no text can look shorter than it is.

use crate::limits::TEMPLATE_CODE_BYTES_MAX;

/// Checks a text with `{{ … }}` and `{% … %}` in it.
///
/// # Errors
/// When one expression, or all statements together, are too long. Strings in them do not count.
pub(super) fn check_text(source: &str) -> Result<(), String> {
    let mut scan = Scan { rest: source, balance: 0 };
    let mut statements = 0;
    while let Some(mark) = scan.next_mark() {
        match mark {
            b'#' => scan.skip_past("#}"),
            b'%' if scan.skip_raw() => {}
            b'%' => statements += scan.code("%}"),
            _ => bounded(scan.code("}}"))?,
        }
    }
    bounded(statements)
}

/// Checks an expression without braces around it.
///
/// # Errors
/// When it is too long.
pub(super) fn check_expression(source: &str) -> Result<(), String> {
    bounded(Scan { rest: source, balance: 0 }.code(""))
}

fn bounded(bytes: usize) -> Result<(), String> {
    if bytes <= TEMPLATE_CODE_BYTES_MAX {
        return Ok(());
    }
    Err(format!("its code is longer than {TEMPLATE_CODE_BYTES_MAX} bytes, strings aside"))
}

struct Scan<'a> {
    rest: &'a str,
    /// Brackets that are open; a mark ends code only when none is.
    balance: i64,
}

impl Scan<'_> {
    /// Moves past the next `{{`, `{%` or `{#` and gives its second byte.
    fn next_mark(&mut self) -> Option<u8> {
        let mark = loop {
            self.rest = &self.rest[self.rest.find('{')? + 1..];
            if let Some(mark @ (b'{' | b'%' | b'#')) = self.rest.as_bytes().first() {
                break *mark;
            }
        };
        self.rest = &self.rest[1..];
        if let Some(rest) = self.rest.strip_prefix(['-', '+']) {
            self.rest = rest;
        }
        Some(mark)
    }

    fn skip_past(&mut self, end: &str) {
        self.rest = self.rest.find(end).map_or("", |at| &self.rest[at + end.len()..]);
    }

    /// After `{%`: whether this is a raw block, which is skipped.
    fn skip_raw(&mut self) -> bool {
        let Some(mut rest) = after_tag(self.rest, "raw") else { return false };
        while let Some(at) = rest.find("{%") {
            rest = &rest[at + 2..];
            let tag = rest.strip_prefix(['-', '+']).unwrap_or(rest);
            if let Some(after) = after_tag(tag, "endraw") {
                self.rest = after;
                return true;
            }
        }
        self.rest = "";
        true
    }

    /// Moves past the code up to its end mark and gives its length without blanks and strings.
    fn code(&mut self, end: &str) -> usize {
        let mut bytes = 0;
        loop {
            if self.balance == 0 && !end.is_empty() && self.rest.starts_with(end) {
                self.rest = &self.rest[end.len()..];
                return bytes;
            }
            let Some(character) = self.rest.chars().next() else { return bytes };
            self.rest = &self.rest[character.len_utf8()..];
            match character {
                '"' | '\'' => self.skip_string(character),
                '(' | '[' | '{' => self.balance += 1,
                ')' | ']' | '}' => self.balance -= 1,
                _ => {}
            }
            bytes += if character.is_ascii_whitespace() { 0 } else { character.len_utf8() };
        }
    }

    fn skip_string(&mut self, delimiter: char) {
        let mut escaped = false;
        for (at, character) in self.rest.char_indices() {
            match (escaped, character) {
                (true, _) => escaped = false,
                (false, '\\') => escaped = true,
                (false, _) if character == delimiter => {
                    self.rest = &self.rest[at + 1..];
                    return;
                }
                _ => {}
            }
        }
        self.rest = "";
    }
}

/// What follows a tag that is nothing but this word.
fn after_tag<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let blank = |character: char| character.is_ascii_whitespace();
    let rest = text.trim_start_matches(blank).strip_prefix(word)?.trim_start_matches(blank);
    rest.strip_prefix(['-', '+']).unwrap_or(rest).strip_prefix("%}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_templates_are_short_enough() {
        let items = vec!["'a long string of a list'"; 400].join(", ");
        for text in [
            String::new(),
            "a {{ b }} c".repeat(1_000),
            format!("{{{{ random_choice([{items}]) }}}}"),
            "{# comment {{ #}{{ {'a': {'b': 1}} }} {% raw %}{{ ' {% endraw %}".to_owned(),
        ] {
            assert_eq!(check_text(&text), Ok(()), "{text}");
        }
        assert_eq!(check_expression("a == 'x' and not b"), Ok(()));
    }

    #[test]
    fn long_chains_are_refused_wherever_they_hide() {
        let chain = "-".repeat(TEMPLATE_CODE_BYTES_MAX);
        for text in [
            format!("{{{{ {chain}1 }}}}"),
            format!("{{{{ '}}}}' {chain}1 }}}}"),
            format!("{{{{ {{'a': {{'b': 1}}}} {chain}1 }}}}"),
            format!("{{% raw %}}{{{{ ' {{% endraw %}}{{{{ {chain}1 }}}}"),
            format!("{{# ' #}}{{{{ {chain}1 }}}}"),
            format!("{{%- if {chain}1 %}}{{% endif %}}"),
            format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(TEMPLATE_CODE_BYTES_MAX)),
        ] {
            assert!(check_text(&text).is_err(), "{text}");
        }
        assert!(check_expression(&format!("{chain}1")).is_err());
        assert!(check_expression(&"not ".repeat(TEMPLATE_CODE_BYTES_MAX)).is_err());
    }
}
