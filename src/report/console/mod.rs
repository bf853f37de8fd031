//! The tables on the console, laid out as Locust's.
//!
//! Periodic tables show current rates, the final ones those of the whole run. Unlike Locust's, percentiles come from
//! the full histogram, times below 10 ms have decimals, columns widen for what would not fit, and a closing block says
//! what the run's figures are worth. In an open model, where latency counts from when a request was due, a second table
//! of percentiles counts from when it was sent.

mod closing;
mod tables;
#[cfg(test)]
mod tests;

use akrida_core::view::RunView;

use super::load_text::{LATENCY_FROM_DUE, SERVICE_TIME};

/// What the tables are written to; it decides how wide names may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A pipe or file: columns as wide as Locust's, wider if a name needs it.
    Pipe,
    /// A terminal with this many columns: the name column gives way, long names are shortened in the middle.
    Terminal {
        /// Its width in characters.
        columns: usize,
    },
}

/// The name column never gets narrower than this; on a very narrow terminal lines wrap.
const NAME_WIDTH_MIN: usize = 20;

impl Layout {
    /// The width of a name column, beside which a line needs `others` characters and which Locust makes `usual` wide.
    fn name_width(self, others: usize, usual: usize, longest_name: usize) -> usize {
        match self {
            Self::Pipe => usual.max(longest_name),
            Self::Terminal { columns } => columns.saturating_sub(others).min(usual).max(NAME_WIDTH_MIN),
        }
    }
}

/// Which rates a table shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rates {
    Current,
    WholeRun,
}

/// The table that is printed every few seconds while a run lasts.
#[must_use]
pub fn periodic(view: &RunView, layout: Layout) -> String {
    tables::requests(&view.endpoints, Some(&view.total), Rates::Current, layout) + "\n"
}

/// Everything that is printed at the end of a run.
#[must_use]
pub fn summary(view: &RunView, layout: Layout) -> String {
    let mut text = tables::requests(&view.endpoints, Some(&view.total), Rates::WholeRun, layout);
    text += "\n";
    text += &percentiles(view, layout);
    text += "\n";
    if !view.errors.is_empty() {
        text += &tables::errors(&view.errors, layout);
        text += "\n";
    }
    text + &closing::block(view, layout)
}

fn percentiles(view: &RunView, layout: Layout) -> String {
    let (lines, total) = (&view.endpoints, Some(&view.total));
    let from_due = tables::percentiles("Response time percentiles", lines, total, |line| Some(&line.latency), layout);
    if view.arrivals.is_none() {
        return from_due;
    }
    let from_sent = tables::percentiles(SERVICE_TIME, lines, total, |line| line.service_latency.as_ref(), layout);
    format!("{from_due}{LATENCY_FROM_DUE}\n\n{from_sent}")
}

/// The text with control characters made visible, since names and errors come from outside and could otherwise steer
/// the terminal or break the table.
fn printable(text: &str) -> String {
    let visible = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(visible).collect()
}

/// The text in at most `width` characters, the middle of a longer one replaced by "…".
fn shortened(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let head: String = text.chars().take(kept.div_ceil(2)).collect();
    let tail: String = text.chars().skip(length - kept / 2).collect();
    format!("{head}…{tail}")
}
