//! The rows of the CSV files.
//!
//! Number formats are Locust's: averages, extremes and sizes as the shortest exact fraction, percentiles as whole
//! milliseconds, rates of the history with six decimals. The median is the one percentile that Locust does not force to
//! be whole, so it has two decimals below 10 ms.

use akrida_core::stats::histogram::Histogram;
use akrida_core::view::{EndpointView, ErrorView, RunView};

use crate::report::numbers::{finite, shortest};
use crate::report::percentiles::{REPORTED, or_zero_us};
use crate::report::{milliseconds, utc};

/// `PREFIX_stats.csv`: a row for each endpoint, and the aggregate.
#[must_use]
pub fn stats(view: &RunView) -> String {
    let rows = view.endpoints.iter().chain([&view.total]).map(|line| {
        let mut row = vec![line.method.to_string(), line.name.to_string()];
        row.extend(totals(line));
        row.extend([shortest(line.total_rps), shortest(line.total_failures_per_s)]);
        row.extend(percentiles(line.requests, &line.latency));
        row
    });
    stats_header() + &text(rows)
}

/// The column titles of [`stats`].
pub(super) fn stats_header() -> String {
    let titles =
        ["Type", "Name"].into_iter().chain(TOTALS).chain(["Requests/s", "Failures/s"]).chain(percentile_titles());
    header(titles)
}

/// `PREFIX_failures.csv`: a row for each kind of failure of requests.
#[must_use]
pub fn failures(view: &RunView) -> String {
    let is_group = |error: &&ErrorView| {
        view.groups.iter().any(|group| (&group.method, &group.name) == (&error.method, &error.name))
    };
    let rows = view.errors.iter().filter(|error| !is_group(error)).map(|error| {
        vec![
            error.method.to_string(),
            error.name.to_string(),
            error.error.to_string(),
            error.occurrences.to_string(),
            utc::to_seconds(error.first_seen_unix_ms),
            utc::to_seconds(error.last_seen_unix_ms),
        ]
    });
    failures_header() + &text(rows)
}

/// The column titles of [`failures`].
pub(super) fn failures_header() -> String {
    header(["Method", "Name", "Error", "Occurrences", "First Seen", "Last Seen"])
}

/// `PREFIX_exceptions.csv`: a row for each kind of exception.
#[must_use]
pub fn exceptions(view: &RunView) -> String {
    let rows = view.exceptions.iter().map(|exception| {
        let (count, nodes) = (exception.count.to_string(), exception.nodes.join(", "));
        vec![count, exception.message.to_string(), exception.traceback.to_string(), nodes]
    });
    exceptions_header() + &text(rows)
}

/// The column titles of [`exceptions`].
pub(super) fn exceptions_header() -> String {
    header(["Count", "Message", "Traceback", "Nodes"])
}

/// The column titles of `PREFIX_stats_history.csv`.
#[must_use]
pub fn history_header() -> String {
    let titles = ["Timestamp", "User Count", "Type", "Name", "Requests/s", "Failures/s"].into_iter();
    let totals = TOTALS.iter().map(|title| format!("Total {title}"));
    header(titles.chain(percentile_titles()).map(str::to_owned).chain(totals))
}

/// The rows of one moment: the aggregate, preceded by one for each endpoint if the history is full. As in Locust,
/// percentiles are then those of the current window, and otherwise of the whole run.
#[must_use]
pub fn history_rows(view: &RunView, full: bool) -> String {
    let endpoints = if full { &view.endpoints[..] } else { &[] };
    let rows = endpoints.iter().chain([&view.total]).map(|line| {
        let mut row = vec![
            (utc::moment_unix_ms(view) / 1_000).to_string(),
            view.user_count.to_string(),
            line.method.to_string(),
            line.name.to_string(),
            format!("{:.6}", finite(line.current_rps)),
            format!("{:.6}", finite(line.current_failures_per_s)),
        ];
        row.extend(percentiles(line.requests, if full { &line.current_latency } else { &line.latency }));
        row.extend(totals(line));
        row
    });
    text(rows)
}

/// The whole history of a run from its time series, in the columns of `PREFIX_stats_history.csv`: a row for each second of
/// the aggregate, more apart in the older half of a long run. Percentiles are those of that time, and only three are kept;
/// what nobody knows any more is `N/A`.
#[must_use]
pub fn history(view: &RunView) -> String {
    let (mut requests, mut failures, mut sum_us) = (0_u64, 0_u64, 0.0);
    let rows = view.history.iter().map(|point| {
        requests += point.requests;
        failures += point.failures;
        sum_us += point.mean_us.map_or(0.0, |mean| finite(mean) * point.requests as f64);
        let mean_ms = if requests == 0 { 0.0 } else { sum_us / requests as f64 / 1e3 };
        let mut row = vec![
            (point.unix_ms / 1_000).to_string(),
            point.users.to_string(),
            String::new(),
            "Aggregated".to_owned(),
            format!("{:.6}", finite(point.rps)),
            format!("{:.6}", finite(point.failures_per_s)),
        ];
        row.extend(REPORTED.iter().map(|(_, title)| {
            let known = match *title {
                "50%" => point.p50_us,
                "95%" => point.p95_us,
                "99%" => point.p99_us,
                _ => None,
            };
            known.map_or_else(unknown, |us| milliseconds::whole(us).to_string())
        }));
        row.extend([requests.to_string(), failures.to_string(), unknown(), shortest(mean_ms)]);
        row.extend([unknown(), unknown(), unknown()]);
        row
    });
    history_header() + &text(rows)
}

fn unknown() -> String {
    "N/A".to_owned()
}

const TOTALS: [&str; 7] = [
    "Request Count",
    "Failure Count",
    "Median Response Time",
    "Average Response Time",
    "Min Response Time",
    "Max Response Time",
    "Average Content Size",
];

fn percentile_titles() -> impl Iterator<Item = &'static str> {
    REPORTED.iter().map(|(_, title)| *title)
}

fn totals(line: &EndpointView) -> [String; 7] {
    let exact = |us: Option<u64>| us.map_or_else(|| "0".to_owned(), |us| shortest(milliseconds::exact(us)));
    let content = if line.requests == 0 { "0".to_owned() } else { shortest(line.mean_content_bytes()) };
    [
        line.requests.to_string(),
        line.failures.to_string(),
        line.latency.quantile_us(0.5).map_or_else(|| "0".to_owned(), |us| milliseconds::as_json(us).to_string()),
        shortest(line.latency.mean_us().unwrap_or(0.0) / 1e3),
        exact(line.latency.min_us()),
        exact(line.latency.max_us()),
        content,
    ]
}

fn percentiles(requests: u64, latency: &Histogram) -> [String; REPORTED.len()] {
    REPORTED.map(|(quantile, _)| match requests {
        0 => "N/A".to_owned(),
        _ => milliseconds::whole(or_zero_us(latency, quantile)).to_string(),
    })
}

fn header<T: Into<String>>(titles: impl IntoIterator<Item = T>) -> String {
    text(std::iter::once(titles.into_iter().map(T::into).collect()))
}

/// Rows as text with CRLF, quoted where a field needs it.
fn text(rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).expect("rows are of equal length and memory takes all of them");
    }
    let bytes = writer.into_inner().expect("memory takes all rows");
    String::from_utf8(bytes).expect("fields are UTF-8, and so are quotes and commas")
}
