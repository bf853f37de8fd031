//! Tables from CSV: a header, then rows; RFC 4180, with a delimiter of choice, and blank lines left out.

use ::csv::{Reader, ReaderBuilder, StringRecord};

use super::error::{DataError, DataProblem, Place, text_of};
use super::table::{CellKind, Table, TableBuilder};

/// Reads a CSV file. Every value is a text. Names of columns lose the blanks around them, values keep theirs.
///
/// # Errors
/// What is wrong with the file, and on which line.
pub fn parse(file: &str, bytes: &[u8], delimiter: u8) -> Result<Table, DataError> {
    let text = text_of(file, bytes)?;
    let mut rows = Rows::of(text, delimiter);
    let failed = |line, problem| DataError::of(file, Some(Place { line, column: 1 }), problem);
    if !rows.next().map_err(|problem| failed(rows.line, problem))? {
        return Err(DataError::of(file, None, DataProblem::Empty));
    }
    let names = rows.record.iter().map(str::trim).collect::<Vec<_>>();
    let table = TableBuilder::new(names.into_iter(), CellKind::Text);
    let mut table = table.map_err(|problem| failed(rows.line, problem))?;
    loop {
        match rows.next().map_err(|problem| failed(rows.line, problem))? {
            true => rows.add_to(&mut table).map_err(|problem| failed(rows.line, problem))?,
            false => return table.finish(file),
        }
    }
}

/// The rows of a text, one after the other.
struct Rows<'t> {
    text: &'t str,
    delimiter: u8,
    reader: Reader<&'t [u8]>,
    record: StringRecord,
    /// Where the current row begins, in bytes.
    begins_at: usize,
    /// The line on which it begins.
    line: u64,
}

impl<'t> Rows<'t> {
    fn of(text: &'t str, delimiter: u8) -> Self {
        let reader = reader(text, delimiter);
        Self { text, delimiter, reader, record: StringRecord::new(), begins_at: 0, line: 1 }
    }

    /// Reads the next row; `false` at the end.
    fn next(&mut self) -> Result<bool, DataProblem> {
        let before = self.reader.position().clone();
        let rest = &self.text[before.byte() as usize..];
        let blank = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        self.begins_at = self.text.len() - rest.len() + blank;
        self.line = before.line() + rest[..blank].matches('\n').count() as u64;
        let read = self.reader.read_record(&mut self.record).map_err(|error| DataProblem::Syntax(error.to_string()))?;
        if read {
            self.check_quotes()?
        }
        Ok(read)
    }

    fn add_to(&self, table: &mut TableBuilder) -> Result<(), DataProblem> {
        let (found, expected) = (self.record.len(), table.columns().len());
        if found != expected {
            let ends_on_line = Some(self.last_line()).filter(|line| *line > self.line);
            return Err(DataProblem::Width { found, expected, ends_on_line });
        }
        table.row(self.record.iter())
    }

    fn ends_at(&self) -> usize {
        self.reader.position().byte() as usize
    }

    /// The line on which the current row ends.
    fn last_line(&self) -> u64 {
        let row = self.text[self.begins_at..self.ends_at()].trim_end_matches(['\r', '\n']);
        self.line + row.matches('\n').count() as u64
    }

    /// The reader takes a quote that is never closed as closed at the end of the file. Whether one is open there shows
    /// by whether a further line becomes a row of its own.
    fn check_quotes(&self) -> Result<(), DataProblem> {
        if self.ends_at() < self.text.len() {
            return Ok(());
        }
        let with_another = format!("{}\nx", &self.text[self.begins_at..]);
        let rows = reader(&with_another, self.delimiter).into_records().count();
        if rows < 2 { Err(DataProblem::OpenQuote) } else { Ok(()) }
    }
}

fn reader(text: &str, delimiter: u8) -> Reader<&[u8]> {
    // Lengths are compared here, so that the message can say more.
    ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(table: &Table) -> Vec<Vec<String>> {
        let width = table.columns().len();
        let row = |row| (0..width).map(|column| table.value(row, column).expect("a cell").to_string()).collect();
        (0..table.rows()).map(row).collect()
    }

    #[test]
    fn a_header_and_rows_become_a_table() {
        let text = "\u{feff}name, city ,note\r\nann,\"Bath, \"\"UK\"\"\",\n\nbo, Łódź,\"two\nlines\"\n";
        let table = parse("f", text.as_bytes(), b',').expect("a table");
        assert_eq!(table.columns().iter().map(|name| &**name).collect::<Vec<_>>(), ["name", "city", "note"]);
        assert_eq!(cells(&table), [["ann", "Bath, \"UK\"", ""], ["bo", " Łódź", "two\nlines"]]);
        assert_eq!((table.column("city"), table.column("cit")), (Some(1), None));
        assert!(table.value(2, 0).is_none() && table.value(0, 3).is_none());
        let table = parse("f", b"a\tb\n1\t2,5", b'\t').expect("a table");
        assert_eq!(cells(&table), [["1", "2,5"]]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, message) in [
            ("", "f: the file is empty"),
            ("\n\n", "f: the file is empty"),
            ("a,b\n", "f: there are no rows"),
            ("a,b\n1,2\n\n1\n3,4\n", "f:4:1: values in the row: 1, columns in the header: 2"),
            ("a,b\n1,2,3\n", "f:2:1: values in the row: 3, columns in the header: 2"),
            (
                "a,b\n1,\"2\n3,4\n5,6\n\",7\n",
                "f:2:1: values in the row: 3, columns in the header: 2; it ends on line 5, is a quote left open?",
            ),
            ("a,b\n1,2\n3,\"4\n5,6\n", "f:3:1: a quote is opened in this row and never closed"),
            ("\"a,b\n1,2\n", "f:1:1: a quote is opened in this row and never closed"),
            ("a,b\n1,2\n3,4\"", ""),
            ("a,b\n1,2\n3,\"4\"", ""),
            ("a,,c\n1,2,3\n", "f:1:1: column 2 has no name"),
            ("\n\na, a\n1,2\n", "f:3:1: column 2 is named `a`, as one before it"),
        ] {
            let error = parse("f", text.as_bytes(), b',').err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(error, message, "{text:?}");
        }
        let error = parse("f", b"a,b\n1,2\n3,\xc3\xa4\xff\n", b',').expect_err("no text");
        assert_eq!(error.to_string(), "f:3:4: not valid UTF-8");
        let wide = vec!["x"; crate::limits::DATA_COLUMNS_MAX + 1].join(",");
        let error = parse("f", wide.as_bytes(), b',').expect_err("too wide");
        assert_eq!(error.to_string(), "f:1:1: there are 1001 columns, at most 1000 are allowed");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_written_is_read(rows in prop::collection::vec(prop::collection::vec("[a \",\n\r;ä]{0,6}", 3), 1..20)) {
            let mut writer = ::csv::WriterBuilder::new().from_writer(Vec::new());
            writer.write_record(["a", "b", "c"]).expect("written");
            rows.iter().for_each(|row| writer.write_record(row).expect("written"));
            let table = parse("f", &writer.into_inner().expect("flushed"), b',').expect("a table");
            prop_assert_eq!(cells(&table), rows);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(
            bytes in prop::collection::vec(prop::sample::select(b"a,\"\n\r;\xc3\xa4\xff".to_vec()), 0..60),
        ) {
            if let Ok(table) = parse("f", &bytes, b',') {
                prop_assert!(table.rows() > 0 && !table.columns().is_empty());
            }
        }
    }
}
