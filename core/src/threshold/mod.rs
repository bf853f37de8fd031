//! Thresholds: what a run is held to, as data.
//!
//! A threshold is written as `p95(/products/[id]) < 300ms for 30s` ([`parse`]). It is judged on merged statistics alone,
//! once a second behind the watermark and finally at the end of the run ([`evaluate`]), so that every master comes to
//! the same verdict. Limits are whole numbers of small units and comparisons are exact: nothing here is a float.

mod decimal;
pub mod evaluate;
mod measure;
pub mod names;
pub mod parse;
pub mod quantity;
pub mod result;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use quantity::{Quantity, Unit};

/// A condition that a run has to meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// The expression as it was written.
    pub text: Arc<str>,
    /// What is measured.
    pub metric: Metric,
    /// What it is measured of: the name of requests or of a transaction, possibly with the method in front (`GET /a`,
    /// `GROUP checkout`); all requests when `None`.
    pub target: Option<Arc<str>>,
    /// How the figure compares with the limit.
    pub operator: Operator,
    /// The limit, in the unit of the metric.
    pub limit: Quantity,
    /// When it is judged.
    pub judged: Judged,
    /// Whether the run is stopped as soon as the threshold has failed.
    pub abort: bool,
    /// Seconds since the start of the statistics in which nothing is judged.
    pub after_s: u32,
}

/// When a threshold is judged, and on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Judged {
    /// On everything that the run measured, at its end.
    AtEnd,
    /// On everything measured so far, every second, and at the end.
    Continuously,
    /// On the current window (`limits::CURRENT_WINDOW`), every second: it fails once it was violated for so many seconds
    /// without a break.
    Sustained {
        /// So many seconds, at least 1.
        violated_s: u32,
    },
}

/// What a threshold looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Metric {
    /// A percentile of the latencies, in thousandths of a percent (99 900 is p99.9), as `Histogram::quantile_us`.
    Percentile(u32),
    /// The mean latency.
    Mean,
    /// The shortest latency.
    Min,
    /// The longest latency.
    Max,
    /// Failed requests among all.
    FailRatio,
    /// Requests per second.
    Rps,
    /// Failed requests per second.
    FailuresPerS,
    /// Requests, failed ones included.
    Requests,
    /// Failed requests.
    Failures,
    /// Arrivals of an open model that were planned and not started.
    MissedArrivals,
}

/// How a figure has to compare with the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
}

impl Metric {
    /// The unit of its figures and limits.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self {
            Self::Percentile(_) | Self::Mean | Self::Min | Self::Max => Unit::Microseconds,
            Self::FailRatio => Unit::PartsPerMillion,
            Self::Rps | Self::FailuresPerS => Unit::MillionthsPerSecond,
            Self::Requests | Self::Failures | Self::MissedArrivals => Unit::Count,
        }
    }

    /// Whether the figure of a whole run can only grow.
    #[must_use]
    pub fn only_grows(self) -> bool {
        matches!(self, Self::Requests | Self::Failures | Self::MissedArrivals | Self::Max)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
