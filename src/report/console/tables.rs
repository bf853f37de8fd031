//! Statistics, percentiles and errors as aligned text.

use akrida_core::stats::histogram::Histogram;
use akrida_core::view::{EndpointView, ErrorView};

use super::{Layout, Rates, printable, shortened};
use crate::report::milliseconds;
use crate::report::numbers::finite;
use crate::report::percentiles::{REPORTED, or_zero_us};

/// Locust's width of the type column.
const TYPE_WIDTH: usize = 8;
/// Locust's width of the name column of the requests table.
const REQUESTS_NAME_WIDTH: usize = 76;
/// Locust's width of the name column of the percentiles table.
const PERCENTILES_NAME_WIDTH: usize = 80;
/// The longest line of the error report in Locust's layout without a terminal.
const ERRORS_LINE_WIDTH: usize = 160;

/// Requests, failures, times and rates of each line, and of all together if there is a total.
pub(super) fn requests(lines: &[EndpointView], total: Option<&EndpointView>, rates: Rates, layout: Layout) -> String {
    const TITLES: [&str; 8] = ["# reqs", "# fails", "Avg", "Min", "Max", "Med", "req/s", "failures/s"];
    const WIDTHS: [usize; 8] = [7, 12, 7, 7, 7, 7, 7, 11];
    let cells = |line: &EndpointView| request_cells(line, rates);
    let table = Table::of(lines.iter(), total, &TITLES, &WIDTHS, cells);
    let [kind, reqs, fails, avg, min, max, med, rps, failed] = table.widths();
    let others = kind + reqs + fails + avg + min + max + med + rps + failed + 11;
    let name = layout.name_width(others, REQUESTS_NAME_WIDTH, table.longest_name());
    let separator = [kind, name, reqs, fails + 1, avg, min, max, med, rps + 1, failed].map(|width| "-".repeat(width));
    table.to_text(name, &separator.join("|"), |label, cells| {
        let [c_reqs, c_fails, c_avg, c_min, c_max, c_med, c_rps, c_failed] = cells;
        format!(
            "{label} {c_reqs:>reqs$} {c_fails:>fails$} |{c_avg:>avg$} {c_min:>min$} {c_max:>max$}{c_med:>med$} | \
             {c_rps:>rps$} {c_failed:>failed$}"
        )
    })
}

/// Percentiles of a latency of each line that has samples of it, and of all together if there is a total.
pub(super) fn percentiles(
    title: &str,
    lines: &[EndpointView],
    total: Option<&EndpointView>,
    latency: impl Fn(&EndpointView) -> Option<&Histogram>,
    layout: Layout,
) -> String {
    const COLUMNS: usize = REPORTED.len() + 1;
    let mut titles = ["# reqs"; COLUMNS];
    REPORTED.iter().zip(&mut titles).for_each(|((_, label), title)| *title = *label);
    let mut widths = [6; COLUMNS];
    widths[0] = 8;
    let sampled = |line: &&EndpointView| latency(line).is_some_and(|latency| !latency.is_empty());
    let cells = |line: &EndpointView| percentile_cells(line.requests, latency(line));
    let table = Table::of(lines.iter().filter(sampled), total.filter(sampled), &titles, &widths, cells);
    let all: [usize; COLUMNS + 1] = table.widths();
    let others = all.iter().map(|width| width + 1).sum::<usize>();
    let name = layout.name_width(others, PERCENTILES_NAME_WIDTH, table.longest_name());
    let (kind, figures) = (all[0], &all[1..]);
    let separator: Vec<_> = [kind, name].iter().chain(figures).map(|width| "-".repeat(*width)).collect();
    let body = table.to_text(name, &separator.join("|"), |label, cells| {
        let cells = cells.iter().zip(figures).map(|(cell, width)| format!(" {cell:>width$}"));
        label.to_owned() + &cells.collect::<String>()
    });
    format!("{title}\n{body}")
}

/// What went wrong, and how often.
pub(super) fn errors(errors: &[ErrorView], layout: Layout) -> String {
    let rows = errors.iter().map(|error| {
        let method = if error.method.is_empty() { String::new() } else { format!("{} ", error.method) };
        (error.occurrences, format!("{method}{}: {}", error.name, error.error))
    });
    occurrences("Error report", "Error", rows, layout)
}

/// A table of counts and texts.
pub(super) fn occurrences(
    title: &str,
    column: &str,
    rows: impl Iterator<Item = (u64, String)>,
    layout: Layout,
) -> String {
    let line_width = match layout {
        Layout::Pipe => ERRORS_LINE_WIDTH,
        Layout::Terminal { columns } => columns.clamp(40, ERRORS_LINE_WIDTH),
    };
    let separator = format!("{}|{}\n", "-".repeat(18), "-".repeat(line_width - 19));
    let rows = rows.map(|(count, text)| format!("{count:<18} {}\n", printable(&text))).collect::<String>();
    format!("{title}\n{:<18} {column}\n{separator}{rows}{separator}", "# occurrences")
}

fn request_cells(line: &EndpointView, rates: Rates) -> [String; 8] {
    let time = |us: Option<u64>| milliseconds::for_table(us.unwrap_or(0));
    let (rps, failures_per_s) = match rates {
        Rates::Current => (line.current_rps, line.current_failures_per_s),
        Rates::WholeRun => (line.total_rps, line.total_failures_per_s),
    };
    [
        line.requests.to_string(),
        format!("{}({:.2}%)", line.failures, line.fail_ratio() * 100.0),
        time(mean_us(&line.latency)),
        time(line.latency.min_us()),
        time(line.latency.max_us()),
        time(line.latency.quantile_us(0.5)),
        format!("{:.2}", finite(rps)),
        format!("{:.2}", finite(failures_per_s)),
    ]
}

fn mean_us(histogram: &Histogram) -> Option<u64> {
    histogram.mean_us().map(|us| us.round() as u64)
}

fn percentile_cells(requests: u64, latency: Option<&Histogram>) -> [String; REPORTED.len() + 1] {
    let mut cells = [const { String::new() }; REPORTED.len() + 1];
    for ((quantile, _), cell) in REPORTED.iter().zip(&mut cells) {
        *cell = milliseconds::for_table(latency.map_or(0, |latency| or_zero_us(latency, *quantile)));
    }
    cells[REPORTED.len()] = requests.to_string();
    cells
}

/// Rows of a type, a name and `N` figures.
struct Table<const N: usize> {
    titles: [String; N],
    rows: Vec<Row<N>>,
    total: Option<Row<N>>,
    least_widths: [usize; N],
}

struct Row<const N: usize> {
    kind: String,
    name: String,
    cells: [String; N],
}

impl<const N: usize> Table<N> {
    fn of<'a>(
        lines: impl Iterator<Item = &'a EndpointView>,
        total: Option<&EndpointView>,
        titles: &[&str; N],
        least_widths: &[usize; N],
        cells: impl Fn(&EndpointView) -> [String; N],
    ) -> Self {
        let row = |line: &EndpointView| Row {
            kind: printable(&line.method),
            name: printable(&line.name),
            cells: cells(line),
        };
        Self {
            titles: titles.map(str::to_owned),
            rows: lines.map(row).collect(),
            total: total.map(row),
            least_widths: *least_widths,
        }
    }

    fn all_rows(&self) -> impl Iterator<Item = &Row<N>> {
        self.rows.iter().chain(&self.total)
    }

    fn longest_name(&self) -> usize {
        self.all_rows().map(|row| row.name.chars().count()).max().unwrap_or(0)
    }

    /// The width of the type column and of each figure: Locust's, or what the longest cell needs.
    fn widths<const M: usize>(&self) -> [usize; M] {
        let kind = self.all_rows().map(|row| row.kind.chars().count()).max().unwrap_or(0);
        let mut widths = [kind.max(TYPE_WIDTH); M];
        for (at, width) in widths.iter_mut().skip(1).enumerate() {
            let longest = self.all_rows().map(|row| row.cells[at].len()).max().unwrap_or(0);
            *width = longest.max(self.least_widths[at]);
        }
        widths
    }

    /// Title, separator, rows, separator, total.
    fn to_text(&self, name_width: usize, separator: &str, figures: impl Fn(&str, &[String; N]) -> String) -> String {
        let kind_width = self.widths::<1>()[0];
        let line = |kind: &str, name: &str, cells: &[String; N]| {
            let name = shortened(name, name_width);
            figures(&format!("{kind:<kind_width$} {name:<name_width$}"), cells) + "\n"
        };
        let mut text = line("Type", "Name", &self.titles);
        text += &format!("{separator}\n");
        self.rows.iter().for_each(|row| text += &line(&row.kind, &row.name, &row.cells));
        if let Some(total) = &self.total {
            text += &format!("{separator}\n{}", line(&total.kind, &total.name, &total.cells));
        }
        text
    }
}
