//! What is wrong with a document, and where.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use crate::limits::SCENARIO_PROBLEMS_MAX;

/// One problem of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The place in the document, such as `users.Visitor.tasks.home.steps[0].get`; empty for the document itself.
    pub path: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// Turns byte offsets of a text into positions. Offsets that come in order cost one walk over the text altogether,
/// even when the text is a single long line.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// The last offset that was asked for, and its position.
    last: Cell<(usize, Position)>,
}

impl<'a> Lines<'a> {
    /// Finds the lines of a text.
    pub(crate) fn of(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts, last: Cell::new((0, Position::START)) }
    }

    /// The position of a byte; of the end when the text is shorter.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let (mut from, mut column) = (self.starts[line - 1], 1);
        let (last, last_position) = self.last.get();
        if last_position.line == line && last <= offset {
            (from, column) = (last, last_position.column);
        }
        column += self.text.as_bytes()[from..offset].iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
        let position = Position { line, column };
        self.last.set((offset, position));
        position
    }
}

/// The problems found so far in one file, up to a bound; further ones are counted.
#[derive(Debug)]
pub struct Problems {
    file: Arc<str>,
    list: Vec<Problem>,
    left_out: usize,
}

impl Problems {
    /// No problems yet.
    #[must_use]
    pub fn of(file: &str) -> Self {
        Self { file: file.into(), list: Vec::new(), left_out: 0 }
    }

    /// Adds a problem.
    pub fn add(&mut self, at: Position, path: &str, message: impl Into<String>) {
        if self.is_full() {
            self.left_out += 1;
            return;
        }
        self.list.push(Problem {
            file: self.file.clone(),
            line: at.line,
            column: at.column,
            path: path.to_owned(),
            message: message.into(),
        });
    }

    /// Whether further problems are only counted, so that there is no use in finding words for them.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.list.len() >= SCENARIO_PROBLEMS_MAX
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The problems in the order of the file's lines.
    #[must_use]
    pub fn in_order(mut self) -> Vec<Problem> {
        self.list.sort_by_key(|problem| (problem.line, problem.column));
        if let Some(last) = self.list.last_mut().filter(|_| self.left_out > 0) {
            last.message.push_str(&format!(" (and {} more problems)", self.left_out));
        }
        self.list
    }
}

/// Characters of a file's own text that a message repeats.
const SHOWN_CHARS_MAX: usize = 60;

/// A text from the file, cut so that a message stays readable.
#[must_use]
pub fn shown(text: &str) -> String {
    cut_text(text, SHOWN_CHARS_MAX)
}

/// A text of at most `chars_max` characters, with an ellipsis where it was cut.
pub(crate) fn cut_text(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    kept.push('…');
    kept
}
