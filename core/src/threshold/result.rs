//! What came of a threshold.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::quantity::Quantity;

/// The verdict on one threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThresholdResult {
    /// The threshold as it was written.
    pub text: Arc<str>,
    /// Whether it was kept.
    pub verdict: Verdict,
    /// The figure that decided: that of the whole run, or with `for` that of the window in which it failed, or else of
    /// the window that came closest to it or went furthest beyond it.
    pub observed: Option<Quantity>,
    /// When it failed in the course of the run.
    pub violation: Option<Violation>,
    /// Why there is no figure.
    pub reason: Option<Arc<str>>,
}

/// Whether a threshold was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was kept.
    Passed,
    /// It was not.
    Failed,
    /// It was not, and the run was stopped because of it.
    Aborted,
    /// Nothing was measured that could tell.
    NoData,
}

/// When a threshold was violated, in seconds of plan time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Violated since then without a break.
    pub since_s: u64,
    /// Failed then.
    pub failed_at_s: u64,
}

impl Verdict {
    /// Whether the threshold lets the run pass. One without data does not: what nobody measured is not kept.
    #[must_use]
    pub fn is_kept(self) -> bool {
        self == Self::Passed
    }

    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Aborted => "aborted the run",
            Self::NoData => "no data",
        }
    }
}

/// `p95(/a) < 300ms for 30s: failed, was 412ms, violated from 61s to 91s`
impl fmt::Display for ThresholdResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.text, self.verdict.as_str())?;
        if let Some(observed) = self.observed {
            write!(f, ", was {observed}")?;
        }
        if let Some(Violation { since_s, failed_at_s }) = self.violation {
            write!(f, ", violated from {since_s}s to {failed_at_s}s")?;
        }
        if let Some(reason) = &self.reason {
            write!(f, ", {reason}")?;
        }
        Ok(())
    }
}
