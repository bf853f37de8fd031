//! Files of `key = value` or `key: value` lines, such as `locust.conf`.
//!
//! Comments start with `#` or `;`, at the start of a line or after white space. A value may stand in quotes. Lines
//! such as `[section]` and `---` are skipped, as Locust does.

use super::entry::{Entry, EntryValue};
use crate::cli::Problem;

/// Reads the lines of `text`, the content of the file `name`.
pub(super) fn entries(name: &str, text: &str) -> (Vec<Entry>, Vec<Problem>) {
    let mut entries = Vec::new();
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (line_number, line) = (index + 1, line.trim());
        if line.is_empty() || line.starts_with(['#', ';', '[']) || line.starts_with("---") {
            continue;
        }
        match key_and_value(line) {
            Ok((key, value)) => {
                let value = EntryValue::Text(value.to_owned());
                entries.push(Entry { key: key.to_owned(), value, line: line_number });
            }
            Err(message) => problems.push(Problem::in_file(name, line_number, message)),
        }
    }
    (entries, problems)
}

fn key_and_value(line: &str) -> Result<(&str, &str), String> {
    let separated = line.split_once(['=', ':']).map(|(key, value)| (key.trim(), value.trim()));
    match separated {
        Some((key, value)) if !key.is_empty() && !key.contains(char::is_whitespace) => {
            Ok((key.strip_prefix("--").unwrap_or(key), without_quotes(without_comment(value))?))
        }
        _ => Err(format!("\"{line}\" sets nothing; allowed: key = value, key: value, and comments after # or ;")),
    }
}

/// The value up to a comment: a `#` or `;` after white space and outside quotes.
fn without_comment(value: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, character) in value.char_indices() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            // A quote in the middle of a word, as in `o'clock`, opens nothing.
            (None, '"' | '\'') if before.is_whitespace() || matches!(before, '[' | ',') => quote = Some(character),
            (None, '#' | ';') if before.is_whitespace() => return value[..at].trim_end(),
            (None, _) => {}
        }
        before = character;
    }
    value
}

/// The value without the quotes around it, if what they enclose is all of it.
fn without_quotes(value: &str) -> Result<&str, String> {
    let Some(quote) = value.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
        return Ok(value);
    };
    match value[1..].split_once(quote) {
        Some((inner, "")) => Ok(inner),
        // Several quoted items: a list, which reads its own quotes.
        Some(_) => Ok(value),
        None => Err(format!("{value} has a quote without its end")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(usize, String, String)> {
        let (entries, problems) = entries("locust.conf", text);
        assert_eq!(problems, []);
        entries
            .into_iter()
            .map(|entry| match entry.value {
                EntryValue::Text(value) => (entry.line, entry.key, value),
                other => panic!("{other:?} in a file of plain lines"),
            })
            .collect()
    }

    #[test]
    fn both_separators_comments_and_quotes() {
        let text = "# one\n; two\n[section]\n---\n\nusers = 5\nhost: http://a:80/ # why\r\nprofile = \"a # b\" ; c\n--tags=[a, 'b;c']\nhtml = it's #1.html\n";
        let expected = [
            (6, "users", "5"),
            (7, "host", "http://a:80/"),
            (8, "profile", "a # b"),
            (9, "tags", "[a, 'b;c']"),
            (10, "html", "it's"),
        ];
        let expected: Vec<_> =
            expected.iter().map(|(line, key, value)| (*line, (*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(read(text), expected);
    }

    #[test]
    fn an_equals_sign_in_a_value_belongs_to_it() {
        assert_eq!(read("profile = a=b:c"), [(1, "profile".to_owned(), "a=b:c".to_owned())]);
    }

    #[test]
    fn a_line_that_sets_nothing_is_named() {
        let (entries, problems) = entries("locust.conf", "users 5\nheadless\n= 3\nhost = \"a\n");
        assert_eq!(entries, []);
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(lines[0].starts_with("locust.conf:1: \"users 5\" sets nothing; allowed: key = value"), "{lines:?}");
        assert!(lines[3].starts_with("locust.conf:4: "), "{lines:?}");
        assert_eq!(lines.len(), 4);
    }
}
