//! From merged statistics to the figure of a metric, exactly.

use std::cmp::Ordering;

use super::{Metric, Operator, Threshold};
use crate::limits::CURRENT_WINDOW;
use crate::stats::endpoint::{EndpointKey, EndpointKind};
use crate::stats::histogram::Histogram;
use crate::stats::measurements::EndpointMeasurements;
use crate::stats::run::RunStats;

/// What thresholds are judged on.
#[derive(Clone, Copy, Debug)]
pub struct Figures<'a> {
    /// The merged statistics.
    pub stats: &'a RunStats,
    /// Arrivals of an open model that were planned since the start of the statistics and not started.
    pub missed_arrivals: u64,
}

/// A figure as a fraction: a mean or a rate need not be a whole number of its unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fraction {
    numerator: u128,
    /// Never 0.
    denominator: u128,
}

/// What a threshold found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    /// A figure.
    Figure(Fraction),
    /// There were no requests to take it from.
    NoRequests,
    /// No request or transaction of that name occurred since the start of the statistics.
    NoSuchName,
}

/// Requests, and the time in which they ended.
#[derive(Default)]
struct Sample {
    measured: EndpointMeasurements,
    width_us: u64,
}

impl Fraction {
    fn whole(value: u64) -> Self {
        Self { numerator: u128::from(value), denominator: 1 }
    }

    /// `part × scale / whole`; nothing when the whole is 0.
    fn of(part: u64, scale: u64, whole: u64) -> Option<Self> {
        let numerator = u128::from(part) * u128::from(scale);
        (whole > 0).then_some(Self { numerator, denominator: u128::from(whole) })
    }

    /// The next whole number of the unit.
    pub(super) fn rounded(self) -> u64 {
        let rounded = (self.numerator + self.denominator / 2) / self.denominator;
        u64::try_from(rounded).unwrap_or(u64::MAX)
    }

    /// How the figure compares with a limit.
    fn compared(self, limit: u64) -> Ordering {
        self.numerator.cmp(&(u128::from(limit) * self.denominator))
    }

    /// Whether the figure keeps the limit.
    pub(super) fn keeps(self, operator: Operator, limit: u64) -> bool {
        let order = self.compared(limit);
        match operator {
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Equal => order.is_eq(),
        }
    }

    /// Whether a figure that can only grow may still come to keep the limit.
    pub(super) fn may_still_keep(self, operator: Operator, limit: u64) -> bool {
        let order = self.compared(limit);
        match operator {
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual | Operator::Equal => order.is_le(),
            Operator::Greater | Operator::GreaterOrEqual => true,
        }
    }
}

impl Threshold {
    /// The figure since the start of the statistics.
    pub(super) fn total(&self, figures: &Figures<'_>) -> Found {
        let stats = figures.stats;
        let keys = self.keys(stats);
        let mut sample = Sample { width_us: stats.until_us.saturating_sub(stats.since_us), ..Sample::default() };
        for key in &keys {
            if let Some(measured) = stats.total.endpoints.get(key) {
                sample.measured.merge(measured);
            }
        }
        self.figure(figures, &keys, &sample)
    }

    /// The figure in the window that ends with the first `complete_s` seconds of plan time.
    pub(super) fn in_window(&self, figures: &Figures<'_>, complete_s: u64) -> Found {
        let stats = figures.stats;
        let keys = self.keys(stats);
        let from_s = complete_s.saturating_sub(CURRENT_WINDOW.as_secs());
        let from_us = stats.since_us.max(from_s * 1_000_000);
        let width_us = (complete_s * 1_000_000).saturating_sub(from_us);
        let mut sample = Sample { width_us, ..Sample::default() };
        for endpoints in stats.recent.range(from_s..complete_s).map(|(_, endpoints)| endpoints) {
            for measured in keys.iter().filter_map(|key| endpoints.get(key)) {
                sample.measured.merge(measured);
            }
        }
        self.figure(figures, &keys, &sample)
    }

    /// The endpoints that the target names: all requests without a target; transactions only where no request has the
    /// name.
    fn keys<'s>(&self, stats: &'s RunStats) -> Vec<&'s EndpointKey> {
        let named = |kind| {
            let of_kind = stats.total.endpoints.keys().filter(move |key| key.kind == kind);
            of_kind.filter(|key| self.target.as_deref().is_none_or(|target| names(key, target))).collect::<Vec<_>>()
        };
        let requests = named(EndpointKind::Request);
        if requests.is_empty() && self.target.is_some() { named(EndpointKind::Group) } else { requests }
    }

    fn figure(&self, figures: &Figures<'_>, keys: &[&EndpointKey], sample: &Sample) -> Found {
        if self.metric == Metric::MissedArrivals {
            return Found::Figure(Fraction::whole(figures.missed_arrivals));
        }
        if self.target.is_some() && keys.is_empty() {
            return Found::NoSuchName;
        }
        let fraction = sample.fraction(self.metric);
        fraction.map_or(Found::NoRequests, Found::Figure)
    }
}

impl Sample {
    fn fraction(&self, metric: Metric) -> Option<Fraction> {
        let measured = &self.measured;
        let (requests, failures) = (measured.requests(), measured.failures());
        let per_s = |count| Fraction::of(count, 1_000_000_000_000, self.width_us);
        let latency = |figure: fn(&Histogram) -> Option<u64>| figure(&measured.latency()).map(Fraction::whole);
        match metric {
            Metric::Percentile(thousandths) => {
                let quantile = f64::from(thousandths) / 100_000.0;
                measured.latency().quantile_us(quantile).map(Fraction::whole)
            }
            Metric::Mean => {
                let latency = measured.latency();
                Fraction::of(latency.sum_us(), 1, latency.count())
            }
            Metric::Min => latency(Histogram::min_us),
            Metric::Max => latency(Histogram::max_us),
            Metric::FailRatio => Fraction::of(failures, 1_000_000, requests),
            Metric::Rps => per_s(requests),
            Metric::FailuresPerS => per_s(failures),
            Metric::Requests => Some(Fraction::whole(requests)),
            Metric::Failures => Some(Fraction::whole(failures)),
            Metric::MissedArrivals => None,
        }
    }
}

/// Whether a target names an endpoint: its name, or its method and its name.
fn names(key: &EndpointKey, target: &str) -> bool {
    let with_method = || target.strip_prefix(&*key.method).and_then(|rest| rest.strip_prefix(' '));
    *key.name == *target || with_method() == Some(&key.name)
}
