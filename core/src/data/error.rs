//! What is wrong with a data file, and where.

use std::fmt;
use std::sync::Arc;

use crate::limits::{DATA_BYTES_MAX, DATA_COLUMNS_MAX, DATA_ROWS_MAX};

/// Why a file is no table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataError {
    /// The file as the scenario names it.
    pub file: Arc<str>,
    /// Where in the file, unless the whole of it is meant.
    pub at: Option<Place>,
    /// What is wrong.
    pub problem: DataProblem,
}

/// A place in a data file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
}

/// What is wrong with a data file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataProblem {
    /// The file or its cells exceed `limits::DATA_BYTES_MAX`.
    #[error("there are {0} bytes, at most {DATA_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// There are more than `limits::DATA_ROWS_MAX` rows.
    #[error("there are more than {DATA_ROWS_MAX} rows")]
    TooManyRows,
    /// There are more than `limits::DATA_COLUMNS_MAX` columns.
    #[error("there are {0} columns, at most {DATA_COLUMNS_MAX} are allowed")]
    TooManyColumns(usize),
    /// The bytes are not text.
    #[error("not valid UTF-8")]
    NotUtf8,
    /// There is nothing in the file.
    #[error("the file is empty")]
    Empty,
    /// There is a header or an empty list and nothing else.
    #[error("there are no rows")]
    NoRows,
    /// The first JSON row has no values.
    #[error("the first row has no values")]
    NoColumns,
    /// A column without a name, by its number from 1.
    #[error("column {0} has no name")]
    UnnamedColumn(usize),
    /// Two columns of one name, the later by its number from 1.
    #[error("column {number} is named `{name}`, as one before it")]
    DuplicateColumn {
        /// Its number.
        number: usize,
        /// The name.
        name: String,
    },
    /// A row of the wrong length.
    #[error("values in the row: {found}, columns in the header: {expected}{}", goes_on(*.ends_on_line))]
    Width {
        /// Values of the row.
        found: usize,
        /// Columns.
        expected: usize,
        /// The line on which the row ends, when it is not the one on which it begins.
        ends_on_line: Option<u64>,
    },
    /// A quoted value that the file ends in.
    #[error("a quote is opened in this row and never closed")]
    OpenQuote,
    /// A JSON row without a value that the first row has.
    #[error("the row lacks `{0}`, which the first row has")]
    MissingKey(String),
    /// A JSON row with a value that the first row does not have.
    #[error("the row has `{0}`, which the first row lacks")]
    UnknownKey(String),
    /// A JSON row that gives a value twice.
    #[error("the row has `{0}` twice")]
    DuplicateKey(String),
    /// What the parser of the format says.
    #[error("{0}")]
    Syntax(String),
}

fn goes_on(ends_on_line: Option<u64>) -> String {
    ends_on_line.map(|line| format!("; it ends on line {line}, is a quote left open?")).unwrap_or_default()
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Place { line, column }) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for DataError {}

impl DataError {
    pub(super) fn of(file: &str, at: Option<Place>, problem: DataProblem) -> Self {
        Self { file: file.into(), at, problem }
    }
}

/// The text of a file, without a byte order mark.
pub(super) fn text_of<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, DataError> {
    if bytes.len() > DATA_BYTES_MAX {
        return Err(DataError::of(file, None, DataProblem::TooLarge(bytes.len())));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = valid.matches('\n').count() as u64 + 1;
        let column = valid.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
        DataError::of(file, Some(Place { line, column }), DataProblem::NotUtf8)
    })
}
