//! Which percentiles the outputs show, and their column titles.

use akrida_core::stats::histogram::Histogram;

/// The columns of the console table and of the CSV files, as Locust has them.
pub const REPORTED: [(f64, &str); 11] = [
    (0.5, "50%"),
    (0.66, "66%"),
    (0.75, "75%"),
    (0.8, "80%"),
    (0.9, "90%"),
    (0.95, "95%"),
    (0.98, "98%"),
    (0.99, "99%"),
    (0.999, "99.9%"),
    (0.9999, "99.99%"),
    (1.0, "100%"),
];

/// The columns of the HTML report: Locust's, and the tail that it leaves out.
pub const IN_HTML: [(f64, &str); 10] = [
    (0.5, "50%"),
    (0.6, "60%"),
    (0.7, "70%"),
    (0.8, "80%"),
    (0.9, "90%"),
    (0.95, "95%"),
    (0.99, "99%"),
    (0.999, "99.9%"),
    (0.9999, "99.99%"),
    (1.0, "100%"),
];

/// The keys of a distribution in the summary.
pub const IN_SUMMARY: [(f64, &str); 7] =
    [(0.5, "p50"), (0.75, "p75"), (0.9, "p90"), (0.95, "p95"), (0.99, "p99"), (0.999, "p99.9"), (0.9999, "p99.99")];

/// The percentile in microseconds, or 0 where Locust shows 0 for want of samples.
#[must_use]
pub fn or_zero_us(histogram: &Histogram, quantile: f64) -> u64 {
    histogram.quantile_us(quantile).unwrap_or(0)
}
