//! A table: named columns, and all cells one behind the other in a single text.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::Serde;

use super::error::{DataError, DataProblem};
use crate::limits::{DATA_BYTES_MAX, DATA_COLUMNS_MAX, DATA_ROWS_MAX};

/// A table that does not change. It has at least one row and one column.
pub struct Table {
    columns: Vec<Arc<str>>,
    /// The number of each column by its name.
    numbers: BTreeMap<Arc<str>, usize>,
    /// The cells, row by row.
    text: String,
    /// Where each cell ends in it.
    ends: Vec<u32>,
    kind: CellKind,
}

/// How cells are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellKind {
    /// Each is a text.
    Text,
    /// Each is the JSON of a value.
    Json,
}

impl Table {
    /// The names of the columns, in the order of the file.
    #[must_use]
    pub fn columns(&self) -> &[Arc<str>] {
        &self.columns
    }

    /// The number of rows, at least 1.
    #[must_use]
    pub fn rows(&self) -> u64 {
        (self.ends.len() / self.columns.len()) as u64
    }

    /// The number of a column, from 0.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// The value of a cell: a text, or with JSON what stood there. `None` outside the table.
    #[must_use]
    pub fn value(&self, row: u64, column: usize) -> Option<Value> {
        let cell = self.cell(row, column)?;
        match self.kind {
            CellKind::Text => Some(Value::from(cell)),
            CellKind::Json => {
                serde_json::from_str::<serde_json::Value>(cell).ok().map(|value| Value::from(Serde(value)))
            }
        }
    }

    /// The text of a cell as it is kept.
    fn cell(&self, row: u64, column: usize) -> Option<&str> {
        if row >= self.rows() || column >= self.columns.len() {
            return None;
        }
        let at = usize::try_from(row).ok()? * self.columns.len() + column;
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(from as usize..self.ends[at] as usize)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("columns", &self.columns).field("rows", &self.rows()).finish_non_exhaustive()
    }
}

/// A table whose rows are added one after the other.
pub(super) struct TableBuilder {
    columns: Vec<Arc<str>>,
    numbers: BTreeMap<Arc<str>, usize>,
    text: String,
    ends: Vec<u32>,
    kind: CellKind,
}

impl TableBuilder {
    /// A table with these columns and no rows.
    pub(super) fn new<'n>(names: impl ExactSizeIterator<Item = &'n str>, kind: CellKind) -> Result<Self, DataProblem> {
        if names.len() > DATA_COLUMNS_MAX {
            return Err(DataProblem::TooManyColumns(names.len()));
        }
        let mut table =
            Self { columns: Vec::new(), numbers: BTreeMap::new(), text: String::new(), ends: Vec::new(), kind };
        for (at, name) in names.enumerate() {
            if name.trim().is_empty() {
                return Err(DataProblem::UnnamedColumn(at + 1));
            }
            let shared: Arc<str> = name.into();
            if table.numbers.insert(Arc::clone(&shared), at).is_some() {
                return Err(DataProblem::DuplicateColumn { number: at + 1, name: name.to_owned() });
            }
            table.columns.push(shared);
        }
        Ok(table)
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> &[Arc<str>] {
        &self.columns
    }

    /// The number of a column, from 0.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// Adds a row with one cell for each column.
    pub(super) fn row<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>) -> Result<(), DataProblem> {
        if (self.ends.len() / self.columns.len()) as u64 >= DATA_ROWS_MAX {
            return Err(DataProblem::TooManyRows);
        }
        for cell in cells {
            self.text.push_str(cell);
            self.ends.push(self.text.len() as u32);
        }
        debug_assert!(self.ends.len().is_multiple_of(self.columns.len()), "one cell for each column");
        // A value may take more bytes here than in the file. A row is far smaller than what the ends can still tell apart.
        if self.text.len() > DATA_BYTES_MAX { Err(DataProblem::TooLarge(self.text.len())) } else { Ok(()) }
    }

    /// The complete table of a file.
    pub(super) fn finish(mut self, file: &str) -> Result<Table, DataError> {
        if self.ends.is_empty() {
            return Err(DataError::of(file, None, DataProblem::NoRows));
        }
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
        let Self { columns, numbers, text, ends, kind } = self;
        Ok(Table { columns, numbers, text, ends, kind })
    }
}
