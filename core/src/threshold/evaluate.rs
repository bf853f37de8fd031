//! Judging thresholds, once a second while a run goes on and finally at its end.
//!
//! Pure and cheap to replicate: a handful of whole numbers a threshold, advanced from merged statistics. Whoever advances
//! the watch says how many seconds of plan time are complete, that is behind the watermark.

use serde::{Deserialize, Serialize};

pub use super::measure::Figures;
use super::measure::{Found, Fraction};
use super::quantity::Quantity;
use super::result::{ThresholdResult, Verdict, Violation};
use super::{Judged, Operator, Threshold};
use crate::limits::CURRENT_WINDOW;

/// Where the thresholds of a run stand. It begins anew with each segment of the statistics: what was measured before a
/// reset no longer counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThresholdWatch {
    segment: u32,
    /// Up to where thresholds were judged, in seconds of plan time; `None` before the first time.
    judged_until_s: Option<u64>,
    /// By the order of the thresholds.
    states: Vec<ThresholdState>,
}

/// Where one threshold stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct ThresholdState {
    /// Violated since then without a break, in seconds of plan time.
    violated_since_s: Option<u64>,
    /// Seconds of that in which there was something to judge.
    violated_s: u64,
    /// The figure that kept the limit least, of windows.
    worst: Option<Quantity>,
    /// When it failed and on what.
    failed: Option<(Violation, Quantity)>,
}

/// A second of plan time that is about to be judged.
#[derive(Clone, Copy)]
struct Moment {
    /// Complete seconds of plan time.
    complete_s: u64,
    /// Seconds since the last time.
    width_s: u64,
}

impl ThresholdWatch {
    /// Judges the thresholds at the end of a second. `complete_s` is the number of seconds of plan time whose statistics
    /// are complete. Seconds that were judged already change nothing; when several are new the last one speaks for all.
    /// Seconds in which users were already told to stop are not to be judged.
    pub fn advance(&mut self, thresholds: &[Threshold], figures: &Figures<'_>, complete_s: u64) {
        let stats = figures.stats;
        if self.segment != stats.segment {
            *self = Self { segment: stats.segment, ..Self::default() };
        }
        self.states.resize(thresholds.len(), ThresholdState::default());
        let since_s = stats.since_us / 1_000_000;
        let last_s = self.judged_until_s.unwrap_or(since_s);
        if complete_s <= last_s {
            return;
        }
        let width_s = (complete_s - last_s).min(CURRENT_WINDOW.as_secs());
        let moment = Moment { complete_s, width_s };
        self.judged_until_s = Some(complete_s);
        for (threshold, state) in thresholds.iter().zip(&mut self.states) {
            let first_us = stats.since_us.saturating_add(u64::from(threshold.after_s) * 1_000_000);
            if complete_s.saturating_mul(1_000_000) >= first_us && state.failed.is_none() {
                state.advance(threshold, figures, moment);
            }
        }
    }

    /// The first threshold that has failed and stops the run, by its place in the list.
    #[must_use]
    pub fn aborting(&self, thresholds: &[Threshold]) -> Option<usize> {
        thresholds.iter().zip(&self.states).position(|(threshold, state)| threshold.abort && state.failed.is_some())
    }

    /// The verdicts if the run ended now, in the order of the thresholds.
    #[must_use]
    pub fn results(&self, thresholds: &[Threshold], figures: &Figures<'_>) -> Vec<ThresholdResult> {
        let current = self.segment == figures.stats.segment;
        let state = |at: usize| self.states.get(at).filter(|_| current).copied().unwrap_or_default();
        thresholds.iter().enumerate().map(|(at, threshold)| state(at).result(threshold, figures)).collect()
    }
}

impl ThresholdState {
    fn advance(&mut self, threshold: &Threshold, figures: &Figures<'_>, moment: Moment) {
        match threshold.judged {
            Judged::AtEnd => {}
            Judged::Continuously => {
                let Found::Figure(figure) = threshold.total(figures) else { return };
                let kept = if threshold.metric.only_grows() {
                    figure.may_still_keep(threshold.operator, threshold.limit.value)
                } else {
                    figure.keeps(threshold.operator, threshold.limit.value)
                };
                self.note(threshold, figure, kept, moment, 1);
            }
            Judged::Sustained { violated_s } => {
                // A window without requests is no sign of recovery, and none of a violation either: the streak pauses.
                let Found::Figure(figure) = threshold.in_window(figures, moment.complete_s) else { return };
                let observed = threshold.limit.unit.of(figure.rounded());
                self.worst = Some(self.worst.map_or(observed, |worst| worse(threshold, worst, observed)));
                let kept = figure.keeps(threshold.operator, threshold.limit.value);
                self.note(threshold, figure, kept, moment, violated_s.into());
            }
        }
    }

    /// Notes whether the limit was kept, and fails after so many seconds without a break in which it was not.
    fn note(&mut self, threshold: &Threshold, figure: Fraction, kept: bool, moment: Moment, fails_after_s: u64) {
        if kept {
            (self.violated_since_s, self.violated_s) = (None, 0);
            return;
        }
        let since_s = *self.violated_since_s.get_or_insert(moment.complete_s.saturating_sub(moment.width_s));
        self.violated_s += moment.width_s;
        if self.violated_s >= fails_after_s {
            let violation = Violation { since_s, failed_at_s: moment.complete_s };
            self.failed = Some((violation, threshold.limit.unit.of(figure.rounded())));
        }
    }

    fn result(&self, threshold: &Threshold, figures: &Figures<'_>) -> ThresholdResult {
        let result = |verdict, observed, violation, reason: Option<&str>| ThresholdResult {
            text: threshold.text.clone(),
            verdict,
            observed,
            violation,
            reason: reason.map(Into::into),
        };
        if let Some((violation, observed)) = self.failed {
            let verdict = if threshold.abort { Verdict::Aborted } else { Verdict::Failed };
            return result(verdict, Some(observed), Some(violation), None);
        }
        let sustained = matches!(threshold.judged, Judged::Sustained { .. });
        let stats = figures.stats;
        let ended_before = stats.until_us < stats.since_us.saturating_add(u64::from(threshold.after_s) * 1_000_000);
        match threshold.total(figures) {
            Found::NoSuchName => result(Verdict::Failed, None, None, Some("no requests of that name")),
            Found::Figure(_) if sustained && self.worst.is_some() => result(Verdict::Passed, self.worst, None, None),
            Found::Figure(_) if sustained && ended_before => {
                result(Verdict::Passed, None, None, Some("the run was over before it was judged"))
            }
            Found::Figure(_) if sustained => {
                result(Verdict::NoData, None, None, Some("nothing was measured while it was judged"))
            }
            Found::NoRequests => result(Verdict::NoData, None, None, Some("no requests")),
            Found::Figure(figure) => {
                let kept = figure.keeps(threshold.operator, threshold.limit.value);
                let verdict = if kept { Verdict::Passed } else { Verdict::Failed };
                result(verdict, Some(threshold.limit.unit.of(figure.rounded())), None, None)
            }
        }
    }
}

/// The one of two figures that keeps a limit less.
fn worse(threshold: &Threshold, one: Quantity, other: Quantity) -> Quantity {
    let limit = threshold.limit.value;
    let other_is_worse = match threshold.operator {
        Operator::Less | Operator::LessOrEqual => other.value > one.value,
        Operator::Greater | Operator::GreaterOrEqual => other.value < one.value,
        Operator::Equal => other.value.abs_diff(limit) > one.value.abs_diff(limit),
    };
    if other_is_worse { other } else { one }
}

#[cfg(test)]
mod tests;
