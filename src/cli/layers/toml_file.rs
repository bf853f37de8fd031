//! The section `[tool.locust]` of a TOML file, such as `pyproject.toml`.

use toml_edit::{Document, Item, TableLike, Value};

use super::entry::{Entry, EntryValue};
use crate::cli::Problem;

/// Reads the section of `text`, the content of the file `name`; `None` if there is no such section.
///
/// # Errors
/// If the file is no TOML, or the section no table.
pub(super) fn entries(name: &str, text: &str) -> Result<Option<Vec<Entry>>, Problem> {
    let line_at = |position: usize| text.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1;
    let document = Document::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(span.start));
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        Problem::in_file(name, line, format!("not valid TOML: {message}"))
    })?;
    let Some(section) = document.as_table().get("tool").and_then(|tool| tool.get("locust")) else {
        return Ok(None);
    };
    let Some(table) = section.as_table_like() else {
        let line = section.span().map_or(1, |span| line_at(span.start));
        return Err(Problem::in_file(name, line, "tool.locust is not a table"));
    };
    let entry = |key: &str, item: &Item| Entry {
        key: key.to_owned(),
        value: value(item),
        line: key_position(table, key).or(item.span().map(|span| span.start)).map_or(1, line_at),
    };
    Ok(Some(table.iter().map(|(key, item)| entry(key, item)).collect()))
}

fn key_position(table: &dyn TableLike, key: &str) -> Option<usize> {
    table.key(key).and_then(toml_edit::Key::span).map(|span| span.start)
}

fn value(item: &Item) -> EntryValue {
    match item {
        Item::Value(Value::Array(array)) => {
            let items: Option<Vec<String>> = array.iter().map(scalar).collect();
            items.map_or(EntryValue::Other("a list of lists or tables"), EntryValue::List)
        }
        Item::Value(value) => scalar(value).map_or(EntryValue::Other("a table"), EntryValue::Text),
        Item::Table(_) | Item::ArrayOfTables(_) | Item::None => EntryValue::Other("a table"),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.value().clone()),
        Value::Integer(number) => Some(number.value().to_string()),
        Value::Float(number) => Some(number.value().to_string()),
        Value::Boolean(flag) => Some(flag.value().to_string()),
        Value::Datetime(time) => Some(time.value().to_string()),
        Value::Array(_) | Value::InlineTable(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scalar_becomes_text_and_keeps_its_line() {
        let text = "[project]\nname = \"x\"\n[tool.locust]\nusers = 5\nspawn-rate = 0.5\nheadless = true\ntags = [\"a\", \"b\"]\nhost = { a = 1 }\n";
        let entries = entries("pyproject.toml", text).expect("valid").expect("has the section");
        let text = |text: &str| EntryValue::Text(text.to_owned());
        let expected = [
            ("users", 4, text("5")),
            ("spawn-rate", 5, text("0.5")),
            ("headless", 6, text("true")),
            ("tags", 7, EntryValue::List(vec!["a".to_owned(), "b".to_owned()])),
            ("host", 8, EntryValue::Other("a table")),
        ];
        let expected = expected.map(|(key, line, value)| Entry { key: key.to_owned(), value, line });
        assert_eq!(entries, expected);
    }

    #[test]
    fn a_file_without_the_section_sets_nothing() {
        assert_eq!(entries("pyproject.toml", "[tool.other]\nusers = 5\n"), Ok(None));
    }

    #[test]
    fn broken_toml_names_its_line() {
        let problem = entries("pyproject.toml", "[tool.locust]\nusers = \n").expect_err("broken");
        assert!(problem.to_string().starts_with("pyproject.toml:2: not valid TOML: "), "{problem}");
        let problem = entries("pyproject.toml", "\n[tool]\nlocust = 5\n").expect_err("no table");
        assert_eq!(problem.to_string(), "pyproject.toml:3: tool.locust is not a table");
    }
}
