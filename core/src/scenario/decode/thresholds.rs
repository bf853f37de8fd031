//! `thresholds`: texts, or objects that also say when to judge and whether to stop the run.

use super::Decoder;
use super::cursor::Cursor;
use super::keys::THRESHOLD;
use crate::document::node::NodeValue;
use crate::limits::{THRESHOLD_SPAN_MAX, THRESHOLDS_MAX};
use crate::threshold::Threshold;
use crate::threshold::parse::{Options, parse};

const EXAMPLE: &str = "a threshold such as `p95(/path) < 300ms`";

impl<'n> Decoder<'n> {
    /// The value of `thresholds`.
    pub(super) fn thresholds(&mut self, cursor: &Cursor<'n>) -> Option<Vec<Threshold>> {
        let Some(items) = cursor.items() else {
            self.wrong_kind(cursor, "a list of thresholds");
            return None;
        };
        if items.len() > THRESHOLDS_MAX {
            self.problem(cursor, format!("found {} thresholds, at most {THRESHOLDS_MAX} are allowed", items.len()));
            return None;
        }
        self.all(items, |decoder, item| decoder.threshold(&item))
    }

    fn threshold(&mut self, cursor: &Cursor<'n>) -> Option<Threshold> {
        if !matches!(cursor.node.value, NodeValue::Map(_)) {
            return self.expression(cursor, Options::default());
        }
        let object = self.object(cursor, &THRESHOLD)?;
        let abort = self.optional(&object, "abort", Self::switch);
        let after_s = self.optional(&object, "after", Self::whole_seconds);
        let Some(expression) = object.get("expr") else {
            self.problem(cursor, "expected the key `expr`");
            return None;
        };
        // Of an option with a problem nothing is known, but the expression is looked at all the same.
        let options = Options { abort: abort.flatten().unwrap_or(false), after_s: after_s.flatten() };
        let threshold = self.expression(&expression, options);
        abort.and(after_s).and(threshold)
    }

    fn expression(&mut self, cursor: &Cursor<'n>, options: Options) -> Option<Threshold> {
        let text = self.text(cursor, EXAMPLE)?;
        match parse(text, options) {
            Ok(threshold) => Some(threshold),
            Err(error) => {
                self.problem(cursor, error.to_string());
                None
            }
        }
    }

    fn whole_seconds(&mut self, cursor: &Cursor<'n>) -> Option<u32> {
        let duration = self.duration(cursor, "a time in whole seconds such as `10s`", THRESHOLD_SPAN_MAX)?;
        if duration.subsec_nanos() > 0 {
            self.problem(cursor, "thresholds are judged once a second, expected a time in whole seconds such as `10s`");
            return None;
        }
        Some(duration.as_secs() as u32)
    }
}
