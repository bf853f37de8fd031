//! What follows Locust's tables: transactions, exceptions, thresholds, and what the figures are worth.

use akrida_core::plan::arrivals::Distribution;
use akrida_core::view::{ArrivalsView, RunView};

use super::{Layout, Rates, printable, tables};
use crate::report::load_text;

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
    text += &thresholds(view);
    text += &load_text::warm_up(&view.run).map_or_else(String::new, |warm_up| line("Warm-up", &warm_up));
    text += &view.arrivals.map_or_else(String::new, |arrivals| line("Arrivals", &arrivals_text(arrivals)));
    let lag = view.schedule_lag.as_ref().and_then(load_text::schedule_lag);
    text += &lag.map_or_else(String::new, |lag| line("Schedule lag", &lag));
    text += &line("HTTP exchanges", &view.http_exchanges.to_string());
    text += &line("Interrupted", &view.interrupted.to_string());
    text += &generator_errors(view);
    text += &left_out(view);
    text += &line("Validity", view.validity.verdict.as_str());
    for (verdict, reason) in &view.validity.reasons {
        text += &line("", &format!("{}: {}", verdict.as_str(), printable(reason)));
    }
    text
}

/// A line for each threshold, with a mark in front of those that were not kept.
fn thresholds(view: &RunView) -> String {
    if view.thresholds.is_empty() {
        return String::new();
    }
    let mark = |kept| if kept { ' ' } else { '!' };
    let results = view.thresholds.iter();
    let lines =
        results.map(|result| format!("{} {}\n", mark(result.verdict.is_kept()), printable(&result.to_string())));
    format!("Thresholds\n{}\n", lines.collect::<String>())
}

fn arrivals_text(arrivals: ArrivalsView) -> String {
    let ArrivalsView { due, started, late, dropped, missed, .. } = arrivals;
    let about = match arrivals.distribution {
        Distribution::Uniform => "",
        Distribution::Poisson => "about ",
    };
    format!("{about}{due} due, {started} started, {late} late, {dropped} dropped, {missed} missed")
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

fn left_out(view: &RunView) -> String {
    let workers = view.incidents.excluded_workers.iter();
    let lines = workers.enumerate().map(|(number, (worker, reason))| {
        let label = if number == 0 { "Left out" } else { "" };
        line(label, &printable(&format!("{worker}: {reason}")))
    });
    lines.collect()
}

fn line(label: &str, value: &str) -> String {
    format!("{label:<LABEL_WIDTH$} {value}\n")
}
