//! Texts, numbers, switches and times. Each function returns `None` when it has reported a problem.

use std::time::Duration;

use super::cursor::Cursor;
use super::node::NodeValue;
use super::problem::{Problems, shown};
use super::span::duration_of;

impl Problems {
    /// The text of a scalar; numbers and switches as they are written.
    pub fn text<'n>(&mut self, cursor: &Cursor<'n>, what: &str) -> Option<&'n str> {
        match &cursor.node.value {
            NodeValue::Text(text) | NodeValue::Number(_, text) => Some(text),
            NodeValue::Bool(true) => Some("true"),
            NodeValue::Bool(false) => Some("false"),
            _ => {
                self.wrong_kind(cursor, what);
                None
            }
        }
    }

    /// True or false.
    pub fn switch(&mut self, cursor: &Cursor<'_>) -> Option<bool> {
        match &cursor.node.value {
            NodeValue::Bool(value) => Some(*value),
            _ => {
                self.wrong_kind(cursor, "`true` or `false`");
                None
            }
        }
    }

    /// A whole number within bounds.
    pub fn whole(&mut self, cursor: &Cursor<'_>, low: u64, high: u64) -> Option<u64> {
        let number = match &cursor.node.value {
            NodeValue::Number(number, _) => number.as_u64().filter(|value| (low..=high).contains(value)),
            _ => None,
        };
        if number.is_none() {
            self.wrong_kind(cursor, &format!("a whole number from {low} to {high}"));
        }
        number
    }

    /// A time, at most `longest`.
    pub fn duration(&mut self, cursor: &Cursor<'_>, what: &str, longest: Duration) -> Option<Duration> {
        let text = self.text(cursor, what)?;
        match duration_of(text) {
            Ok(duration) if duration <= longest => Some(duration),
            Ok(_) => {
                self.of_node(cursor, format!("{:?} is too long, at most {longest:?} are allowed", shown(text)));
                None
            }
            Err(reason) => {
                self.of_node(cursor, format!("{reason}, expected {what}"));
                None
            }
        }
    }
}
