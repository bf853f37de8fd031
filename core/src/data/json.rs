//! Tables from JSON: a list of objects with the same keys.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::error::{DataError, DataProblem, Place, text_of};
use super::table::{CellKind, Table, TableBuilder};

/// Reads a JSON file. Values keep their types. The keys of the first object are the columns, and every further object has
/// the same keys in any order.
///
/// # Errors
/// What is wrong with the file, and where.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Table, DataError> {
    let text = text_of(file, bytes)?;
    if text.trim().is_empty() {
        return Err(DataError::of(file, None, DataProblem::Empty));
    }
    let mut rows = Rows::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_any(RowsVisitor(&mut rows)).and_then(|()| reader.end());
    if let Err(error) = read {
        let at = Place { line: error.line() as u64, column: error.column().max(1) as u64 };
        let problem = rows.problem.unwrap_or_else(|| DataProblem::Syntax(without_place(&error)));
        return Err(DataError::of(file, Some(at), problem));
    }
    match rows.table {
        Some(table) => table.finish(file),
        None => Err(DataError::of(file, None, DataProblem::NoRows)),
    }
}

/// The message of an error, whose place is said elsewhere.
fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&place).unwrap_or(&message).to_owned()
}

/// The rows that were read, one value in memory beside them at a time.
#[derive(Default)]
struct Rows {
    /// There once the first row was read.
    table: Option<TableBuilder>,
    /// Why reading ended, if not because of the syntax.
    problem: Option<DataProblem>,
}

impl Rows {
    /// Adds a row with these values.
    fn add(&mut self, row: Vec<(String, String)>) -> Result<(), DataProblem> {
        let Some(table) = &mut self.table else {
            let first = first_row(&row)?;
            self.table = Some(first);
            return Ok(());
        };
        let mut cells: Vec<Option<String>> = vec![None; table.columns().len()];
        for (key, cell) in row {
            let Some(column) = table.column(&key) else { return Err(DataProblem::UnknownKey(key)) };
            if cells[column].replace(cell).is_some() {
                return Err(DataProblem::DuplicateKey(key));
            }
        }
        if let Some(missing) = cells.iter().position(Option::is_none) {
            return Err(DataProblem::MissingKey(table.columns()[missing].to_string()));
        }
        table.row(cells.iter().flatten().map(String::as_str))
    }
}

/// A table with the columns and the values of its first row.
fn first_row(row: &[(String, String)]) -> Result<TableBuilder, DataProblem> {
    if row.is_empty() {
        return Err(DataProblem::NoColumns);
    }
    let mut table = TableBuilder::new(row.iter().map(|(key, _)| key.as_str()), CellKind::Json)?;
    table.row(row.iter().map(|(_, cell)| cell.as_str()))?;
    Ok(table)
}

struct RowsVisitor<'r>(&'r mut Rows);

impl<'de> Visitor<'de> for RowsVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(RowVisitor(self.0))?.is_some() {}
        Ok(())
    }
}

struct RowVisitor<'r>(&'r mut Rows);

impl<'de> DeserializeSeed<'de> for RowVisitor<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut row = Vec::new();
        while let Some((key, value)) = entries.next_entry::<String, Value>()? {
            row.push((key, value.to_string()));
        }
        self.0.add(row).map_err(|problem| {
            let message = problem.to_string();
            self.0.problem = Some(problem);
            A::Error::custom(message)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn rows(table: &Table) -> Vec<Vec<Value>> {
        let value = |row, column| serde_json::to_value(table.value(row, column).expect("a cell")).expect("JSON");
        let width = table.columns().len();
        (0..table.rows()).map(|row| (0..width).map(|column| value(row, column)).collect()).collect()
    }

    #[test]
    fn values_keep_their_types_and_keys_their_places() {
        let text = r#"[{"id": 7, "name": "ä\n", "tags": [1, {"x": null}]}, {"tags": null, "id": -1.5, "name": true}]"#;
        let table = parse("f", text.as_bytes()).expect("a table");
        assert_eq!(table.columns().iter().map(|name| &**name).collect::<Vec<_>>(), ["id", "name", "tags"]);
        assert_eq!(
            rows(&table),
            [vec![json!(7), json!("ä\n"), json!([1, {"x": null}])], vec![json!(-1.5), json!(true), json!(null)]]
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, message) in [
            ("", "f: the file is empty"),
            ("[]", "f: there are no rows"),
            ("[{}]", "f:1:3: the first row has no values"),
            ("{\"a\": 1}", "f:1:1: invalid type: map, expected a list of objects"),
            ("[\n  {\"a\": 1},\n  7\n]", "f:3:3: invalid type: integer `7`, expected an object"),
            ("[\n  {\"a\": 1},\n  {}\n]", "f:3:4: the row lacks `a`, which the first row has"),
            ("[\n  {\"a\": 1},\n  {\"a\": 2, \"b\": 3}]", "f:3:18: the row has `b`, which the first row lacks"),
            ("[{\"a\": 1}, {\"a\": 2, \"a\": 3}]", "f:1:27: the row has `a` twice"),
            ("[{\"a\": 1, \"a\": 3}]", "f:1:17: column 2 is named `a`, as one before it"),
            ("[{\" \": 1}]", "f:1:9: column 1 has no name"),
            ("[{\"a\": 1},\n{\"a\": }]", "f:2:7: expected value"),
            ("[{\"a\": 1}] x", "f:1:12: trailing characters"),
            ("[{\"a\": 1}", "f:1:9: EOF while parsing a list"),
        ] {
            let error = parse("f", text.as_bytes()).err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(error, message, "{text:?}");
        }
        let error = parse("f", b"[{\"a\": \"\xff\"}]").expect_err("no text");
        assert_eq!(error.to_string(), "f:1:9: not valid UTF-8");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_written_is_read(written in prop::collection::vec((any::<i64>(), ".{0,9}", any::<bool>()), 1..20)) {
            let objects: Vec<Value> =
                written.iter().map(|(a, b, c)| json!({"a": a, "b": b, "c": [c]})).collect();
            let table = parse("f", Value::Array(objects).to_string().as_bytes()).expect("a table");
            let expected: Vec<Vec<Value>> = written.iter().map(|(a, b, c)| vec![json!(a), json!(b), json!([c])]).collect();
            prop_assert_eq!(rows(&table), expected);
        }
    }
}
