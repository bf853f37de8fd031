//! What follows Locust's tables: transactions, exceptions, and what the figures are worth.

use akrida_core::view::RunView;

use super::{Layout, Rates, printable, tables};

/// The width of the labels.
const LABEL_WIDTH: usize = 18;

pub(super) fn block(view: &RunView, layout: Layout) -> String {
    let mut text = String::new();
    if !view.groups.is_empty() {
        text += "Transactions (not part of the aggregate)\n";
        text += &tables::requests(&view.groups, None, Rates::WholeRun, layout);
        text += "\n";
    }
    if !view.exceptions.is_empty() {
        let rows = view.exceptions.iter().map(|exception| (exception.count, exception.message.to_string()));
        text += &tables::occurrences("Exceptions", "Message", rows, layout);
        text += "\n";
    }
    text += &line("HTTP exchanges", &view.http_exchanges.to_string());
    text += &line("Interrupted", &view.interrupted.to_string());
    text += &generator_errors(view);
    text += &line("Validity", view.validity.verdict.as_str());
    for (verdict, reason) in &view.validity.reasons {
        text += &line("", &format!("{}: {}", verdict.as_str(), printable(reason)));
    }
    text
}

fn generator_errors(view: &RunView) -> String {
    let sum = view.generator_errors.iter().map(|(_, count)| count).sum::<u64>();
    if sum == 0 {
        return String::new();
    }
    let kinds: Vec<_> =
        view.generator_errors.iter().map(|(kind, count)| format!("{} {count}", printable(kind))).collect();
    line("Generator errors", &format!("{sum} ({})", kinds.join(", ")))
}

fn line(label: &str, value: &str) -> String {
    format!("{label:<LABEL_WIDTH$} {value}\n")
}
