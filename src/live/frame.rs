//! What the live view shows: a function of the run's view, the moment and the size of the terminal.

use std::time::Duration;

use akrida_core::limits::CURRENT_WINDOW;
use akrida_core::threshold::result::{ThresholdResult, Verdict};
use akrida_core::view::validity;
use akrida_core::view::{EndpointView, RunView, Status};

use super::figures::{clock, count, max_ms, percent, quantile_ms, rate, sparkline};
use super::limits::{ERROR_LINES_MAX, OLD_FIGURES, SPARKLINE_S};
use super::line::{Line, Style, left_aligned};

/// What the view knows and the run does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// How long ago the figures arrived.
    pub since_view: Duration,
    /// Whether the user has already asked for the end of the run.
    pub stop_asked: bool,
}

/// Rows from which there is room for the long form.
const ROOMY_ROWS: usize = 16;

/// The lines to show: not more than there are rows, none wider than the columns. `size` is (columns, rows).
#[must_use]
pub fn frame(view: &RunView, moment: Moment, size: (u16, u16)) -> Vec<Line> {
    let (columns, rows) = (usize::from(size.0), usize::from(size.1));
    let roomy = rows >= ROOMY_ROWS;
    let above_help = rows.saturating_sub(if roomy { 2 } else { 1 });

    let mut lines = vec![header(view, columns), progress(view, moment, columns), users(view)];
    lines.extend(arrivals(view, roomy));
    lines.extend(roomy.then(|| requests(view)));
    lines.push(rates(view, columns));
    lines.extend(if roomy { latency_table(view) } else { vec![latency_line(&view.total)] });
    lines.extend(thresholds(view, roomy));
    lines.extend(doubt(view));
    let left = above_help.saturating_sub(lines.len());
    lines.extend(details(view, roomy, columns, left));
    lines.truncate(above_help);
    lines.extend(roomy.then(Line::default));
    lines.push(help(view.status, moment.stop_asked));
    lines.into_iter().take(rows).map(|line| line.fit(columns)).collect()
}

/// What is shown before the first figures arrive.
#[must_use]
pub fn waiting(stop_asked: bool, size: (u16, u16)) -> Vec<Line> {
    let lines = [Line::of(Style::Dim, "waiting for the first figures"), help(Status::Ready, stop_asked)];
    lines.into_iter().take(usize::from(size.1)).map(|line| line.fit(usize::from(size.0))).collect()
}

fn header(view: &RunView, columns: usize) -> Line {
    let mut name = Line::of(Style::Strong, &view.run.scenario);
    if let Some(host) = &view.run.host {
        name = name.and(Style::Dim, "  ").and(Style::Plain, host);
    }
    if let Some(profile) = &view.run.profile {
        name = name.and(Style::Dim, &format!("  profile {profile}"));
    }
    let state = Line::of(Style::Strong, view.status.as_str()).and(Style::Plain, "  ");
    let verdict = view.validity.verdict;
    name.and_right(state.and(style_of(verdict), verdict.as_str()), columns)
}

fn style_of(verdict: validity::Verdict) -> Style {
    match verdict {
        validity::Verdict::Valid => Style::Good,
        validity::Verdict::Degraded => Style::Warning,
        validity::Verdict::Invalid => Style::Bad,
    }
}

/// The first of the weightiest reasons to doubt the figures.
fn doubt(view: &RunView) -> Option<Line> {
    let worst = view.validity.reasons.iter().find(|(verdict, _)| *verdict == view.validity.verdict)?;
    Some(Line::of(style_of(worst.0), &worst.1))
}

fn progress(view: &RunView, moment: Moment, columns: usize) -> Line {
    let active = matches!(view.status, Status::Spawning | Status::Running);
    let before_reset_ms = view.run.statistics_since_unix_ms.saturating_sub(view.run.started_unix_ms);
    let known_s = before_reset_ms as f64 / 1e3 + view.elapsed_s;
    let now_s = if active { known_s + moment.since_view.as_secs_f64() } else { known_s };
    let now_s = now_s.min(view.run.run_time_s.unwrap_or(f64::INFINITY));

    let time = match view.run.run_time_s {
        Some(run_time_s) => format!("{} of {}", clock(now_s), clock(run_time_s)),
        None => format!("running for {}", clock(now_s)),
    };
    let mut right = Line::of(Style::Strong, &time);
    if active && view.run.is_warming_up() {
        right = right.and(Style::Warning, "  warm-up");
    }
    if active && moment.since_view >= OLD_FIGURES {
        let age = format!("  figures are {} s old", moment.since_view.as_secs());
        right = right.and(Style::Warning, &age);
    }
    let Some(run_time_s) = view.run.run_time_s.filter(|run_time_s| *run_time_s > 0.0) else { return right };
    let room = columns.saturating_sub(right.width() + 1);
    let done = ((now_s / run_time_s).clamp(0.0, 1.0) * room as f64) as usize;
    let bar = Line::of(Style::Accent, &"━".repeat(done)).and(Style::Dim, &"╌".repeat(room - done));
    bar.and_right(right, columns)
}

fn users(view: &RunView) -> Line {
    let mut line = label("users").and(Style::Strong, &count(view.user_count));
    line = line.and(Style::Plain, &format!(" of {}", count(view.run.target_users)));
    if view.status == Status::Spawning {
        line = line.and(Style::Dim, &format!(" at {}/s", rate(view.run.spawn_rate_per_s)));
    }
    let classes: Vec<_> =
        view.users_per_class.iter().map(|(class, users)| format!("{class} {}", count(*users))).collect();
    line.and(Style::Dim, "  ").and(Style::Dim, &classes.join(", "))
}

/// In an open model how arrivals come and what became of them; without much room only when users are wanting.
fn arrivals(view: &RunView, roomy: bool) -> Option<Line> {
    let arrivals = view.arrivals.as_ref()?;
    if !roomy && arrivals.late == 0 && arrivals.dropped == 0 {
        return None;
    }
    let peak = format!(", up to {}/s: ", rate(arrivals.peak.as_per_second()));
    let line = label("open").and(Style::Strong, arrivals.distribution.as_str()).and(Style::Plain, &peak);
    let line = line.and(Style::Plain, &format!("{} arrivals started", count(arrivals.started)));
    let wanting = [(arrivals.late, "late", Style::Warning), (arrivals.dropped, "dropped", Style::Bad)];
    let wanting = wanting.into_iter().filter(|(arrivals, ..)| *arrivals > 0);
    Some(wanting.fold(line, |line, (arrivals, what, style)| {
        line.and(Style::Plain, ", ").and(style, &format!("{} {what}", count(arrivals)))
    }))
}

/// How many thresholds are kept so far, and the first that is not; without much room only when one has failed.
fn thresholds(view: &RunView, roomy: bool) -> Option<Line> {
    let (failed, others): (Vec<_>, Vec<_>) = view.thresholds.iter().partition(|result| has_failed(result, view.status));
    if view.thresholds.is_empty() || (!roomy && failed.is_empty()) {
        return None;
    }
    let of = |verdict| others.iter().filter(move |result| result.verdict == verdict);
    let kept = format!("{} of {} thresholds", of(Verdict::Passed).count(), view.thresholds.len());
    let mut line = label("kept").and(Style::Plain, &kept);
    let behind = of(Verdict::Failed).count();
    let kinds = [
        (of(Verdict::NoData).count(), "without data", Style::Dim),
        (behind, "not so far", Style::Warning),
        (failed.len(), "failed", Style::Bad),
    ];
    for (results, what, style) in kinds.into_iter().filter(|(results, ..)| *results > 0) {
        line = line.and(Style::Plain, ", ").and(style, &format!("{results} {what}"));
    }
    let first = failed.first().or_else(|| of(Verdict::Failed).next());
    Some(first.into_iter().fold(line, |line, first| line.and(Style::Plain, &format!(": {}", first.text))))
}

/// Whether a threshold has failed for good: what is judged at the end may still come to be kept.
fn has_failed(result: &ThresholdResult, status: Status) -> bool {
    match result.verdict {
        Verdict::Aborted => true,
        Verdict::Failed => result.violation.is_some() || status == Status::Stopped,
        Verdict::Passed | Verdict::NoData => false,
    }
}

fn requests(view: &RunView) -> Line {
    let failed = format!("{} failed ({})", count(view.total.failures), percent(view.total.fail_ratio()));
    let line = label("requests").and(Style::Strong, &count(view.total.requests));
    line.and(Style::Plain, ", ").and(style_of_failures(view.total.failures), &failed)
}

fn rates(view: &RunView, columns: usize) -> Line {
    let failing = view.total.current_failures_per_s;
    let line = label("req/s").and(Style::Strong, &rate(view.total.current_rps)).and(Style::Plain, ", ");
    let line = line.and(style_of_failures(failing.ceil() as u64), &format!("{} failed/s", rate(failing)));
    let line = line.and(Style::Plain, "  ");

    let newest = view.history.last().map_or(0, |point| point.second);
    let recent = view.history.iter().rev().take_while(|point| point.second + SPARKLINE_S > newest);
    let room = columns.saturating_sub(line.width());
    let mut rps: Vec<f64> = recent.map(|point| point.rps).take(room).collect();
    rps.reverse();
    line.and(Style::Accent, &sparkline(&rps))
}

fn style_of_failures(failures: u64) -> Style {
    if failures == 0 { Style::Plain } else { Style::Bad }
}

fn latency_table(view: &RunView) -> Vec<Line> {
    let window = format!("last {} s", CURRENT_WINDOW.as_secs());
    let row = |name: &str, figures: [String; 4]| {
        let figures: String = figures.iter().map(|figure| format!("{figure:>9}")).collect();
        label(name).and(Style::Plain, &figures)
    };
    let title = ["p50", "p95", "p99", "max"].map(|name| format!("{name:>9}")).concat();
    vec![
        label("latency").and(Style::Dim, &title).and(Style::Dim, "  ms"),
        row(&window, quantiles(&view.total.current_latency)),
        row("total", quantiles(&view.total.latency)),
    ]
}

fn latency_line(total: &EndpointView) -> Line {
    let named = ["p50", "p95", "p99", "max"].into_iter().zip(quantiles(&total.current_latency));
    named.fold(Line::of(Style::Dim, "ms"), |line, (name, figure)| {
        line.and(Style::Dim, &format!(" {name} ")).and(Style::Plain, &figure)
    })
}

fn quantiles(latency: &akrida_core::stats::histogram::Histogram) -> [String; 4] {
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|quantile| quantile_ms(latency, quantile));
    [p50, p95, p99, max_ms(latency)]
}

fn label(name: &str) -> Line {
    Line::of(Style::Dim, &left_aligned(name, 10))
}

/// Endpoints and errors in at most `rows` lines. Errors get what the endpoints leave, at least a quarter.
fn details(view: &RunView, roomy: bool, columns: usize, rows: usize) -> Vec<Line> {
    let errors = errors(view);
    let blank = usize::from(roomy);
    let wanted = if view.endpoints.is_empty() { 0 } else { blank + 1 + view.endpoints.len() };
    let for_errors = rows.saturating_sub(wanted).max(rows / 4).min(errors.len() + blank);
    let for_endpoints = rows - for_errors.min(rows);

    let mut lines = Vec::new();
    if wanted > 0 && for_endpoints > blank + 1 {
        lines.extend(roomy.then(Line::default));
        lines.extend(endpoints(view, columns, for_endpoints - blank));
    }
    if for_errors > blank && !errors.is_empty() {
        lines.extend(roomy.then(Line::default));
        lines.extend(errors.into_iter().take(for_errors - blank));
    }
    lines
}

/// A column of figures: its title, width and content.
type Column = (&'static str, usize, fn(&EndpointView) -> String);

/// In the order in which they are shown, with their rank: the highest go first when there is no room.
const COLUMNS: [(u8, Column); 8] = [
    (0, ("# reqs", 8, |e| count(e.requests))),
    (1, (FAILURES, 9, |e| count(e.failures))),
    (3, ("%", 7, |e| percent(e.fail_ratio()))),
    (4, ("med ms", 7, |e| quantile_ms(&e.latency, 0.5))),
    (6, ("p95", 7, |e| quantile_ms(&e.latency, 0.95))),
    (5, ("p99", 7, |e| quantile_ms(&e.latency, 0.99))),
    (7, ("max", 7, |e| max_ms(&e.latency))),
    (2, ("req/s", 8, |e| rate(e.current_rps))),
];
const FAILURES: &str = "# fails";
const METHOD_COLUMNS: usize = 8;
const NAME_COLUMNS_MIN: usize = 12;

/// The title and the busiest endpoints, in at most `rows` lines.
fn endpoints(view: &RunView, columns: usize, rows: usize) -> Vec<Line> {
    let room = columns.saturating_sub(METHOD_COLUMNS + NAME_COLUMNS_MIN);
    let needed =
        |rank: u8| COLUMNS.iter().filter(|(other, _)| *other <= rank).map(|(_, column)| column.1).sum::<usize>();
    let shown: Vec<Column> =
        COLUMNS.into_iter().filter(|(rank, _)| needed(*rank) <= room).map(|(_, column)| column).collect();
    let name_columns = columns.saturating_sub(METHOD_COLUMNS + shown.iter().map(|column| column.1).sum::<usize>());

    let mut busiest: Vec<&EndpointView> = view.endpoints.iter().collect();
    busiest.sort_by(|a, b| b.requests.cmp(&a.requests).then_with(|| (&a.name, &a.method).cmp(&(&b.name, &b.method))));
    let title: String = shown.iter().map(|(title, width, _)| format!("{title:>width$}")).collect();
    let left = left_aligned("method", METHOD_COLUMNS) + &left_aligned("name", name_columns);
    let row = |endpoint: &&EndpointView| {
        let method = left_aligned(&endpoint.method, METHOD_COLUMNS - 1);
        let line = Line::of(Style::Dim, &method).and(Style::Plain, " ");
        let line = line.and(Style::Plain, &left_aligned(&endpoint.name, name_columns));
        shown.iter().fold(line, |line, (title, width, content)| {
            let bad = *title == FAILURES && endpoint.failures > 0;
            line.and(if bad { Style::Bad } else { Style::Plain }, &format!("{:>width$}", content(endpoint)))
        })
    };
    std::iter::once(Line::of(Style::Dim, &(left + &title))).chain(busiest.iter().map(row)).take(rows).collect()
}

/// The most frequent failures and exceptions.
fn errors(view: &RunView) -> Vec<Line> {
    let failures = view.errors.iter().map(|e| (e.occurrences, format!("{} {}: {}", e.method, e.name, e.error)));
    let exceptions = view.exceptions.iter().map(|e| (e.count, format!("exception: {}", e.message)));
    let mut all: Vec<_> = failures.chain(exceptions).collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let line = |(times, text): (u64, String)| {
        Line::of(Style::Bad, &format!("{:>8}× ", count(times))).and(Style::Plain, text.trim_start())
    };
    all.into_iter().take(ERROR_LINES_MAX).map(line).collect()
}

fn help(status: Status, stop_asked: bool) -> Line {
    if stop_asked || status == Status::Stopping {
        return Line::of(Style::Warning, "stopping; q again leaves at once");
    }
    let for_users = if status == Status::Running { Style::Plain } else { Style::Dim };
    Line::of(for_users, "w +1 W +10  s -1 S -10 users").and(Style::Plain, "  q stop")
}

#[cfg(test)]
#[path = "frame_tests.rs"]
pub(super) mod tests;
