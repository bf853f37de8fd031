//! Which interval of plan time is open, and when it is sealed.

use super::Sealed;
use crate::ids::{Incarnation, RunId, Seq, WorkerId};
use crate::limits;
use crate::stats::delta::{Delta, Interval};

const INTERVAL_US: u64 = limits::INTERVAL.as_micros() as u64;

/// The open interval of a run and the number of the last sealed one.
#[derive(Debug)]
pub(super) struct Sealing {
    seq: Seq,
    segment: u32,
    /// A segment that opens once what belongs to the current one is sealed.
    next_segment: Option<u32>,
    /// Start of the open interval.
    open_from_us: u64,
    asked: Option<Seal>,
    /// Whether nothing is open any more.
    is_over: bool,
}

/// A seal that was asked for.
#[derive(Clone, Copy, Debug)]
struct Seal {
    to_us: u64,
    /// Nothing follows.
    closes: bool,
    opens_segment: Option<u32>,
}

/// Why an interval may end now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pressure {
    /// No regular interval may end: too many are not safe yet.
    Full,
    /// Intervals end when they are over.
    Regular,
    /// No user is left: the open one is the last.
    Closing,
}

impl Sealing {
    /// Nothing is sealed yet.
    pub(super) fn new(segment: u32) -> Self {
        Self { seq: Seq::default(), segment, next_segment: None, open_from_us: 0, asked: None, is_over: false }
    }

    /// The open interval starts at this time.
    pub(super) fn open_at(&mut self, at_us: u64) {
        self.open_from_us = at_us;
    }

    /// The statistics segment is this one from now on. Segments only grow.
    pub(super) fn open_segment(&mut self, segment: u32) {
        if segment > self.segment {
            self.next_segment = Some(segment);
        }
    }

    /// Whether the last delta is sealed.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// When an interval ends, in plan time.
    pub(super) fn next_us(&self, pressure: Pressure) -> Option<u64> {
        if self.asked.is_some() || self.is_over {
            return None;
        }
        if self.next_segment.is_some() || pressure == Pressure::Closing {
            return Some(self.open_from_us);
        }
        (pressure == Pressure::Regular).then(|| (self.open_from_us / INTERVAL_US + 1) * INTERVAL_US)
    }

    /// Whether the open interval ends now; then what was measured is to be drained.
    pub(super) fn takes_end(&mut self, now_us: u64, pressure: Pressure) -> bool {
        if self.asked.is_some() || self.is_over {
            return false;
        }
        let closes = pressure == Pressure::Closing;
        let boundary_us = now_us / INTERVAL_US * INTERVAL_US;
        let regular = boundary_us > self.open_from_us && pressure == Pressure::Regular;
        if !closes && self.next_segment.is_none() && !regular {
            return false;
        }
        let at_once = closes || self.next_segment.is_some();
        let to_us = if at_once { now_us.max(self.open_from_us) } else { boundary_us };
        self.asked = Some(Seal { to_us, closes, opens_segment: self.next_segment });
        true
    }

    /// The delta of what was drained; `last` says whether the one that closes is the worker's last of the run. `None`
    /// if nothing was asked for.
    pub(super) fn seal(&mut self, of: (&WorkerId, Incarnation, RunId), sealed: Sealed, last: bool) -> Option<Delta> {
        let Seal { to_us, closes, opens_segment } = self.asked.take()?;
        self.seq = self.seq.next();
        let interval = Interval {
            from_us: self.open_from_us,
            to_us,
            segment: self.segment,
            users: sealed.users,
            cpu_permille: sealed.cpu_permille,
            measurements: sealed.measurements,
        };
        self.open_from_us = to_us;
        self.is_over = closes;
        if let Some(segment) = opens_segment {
            self.segment = segment;
            self.next_segment = self.next_segment.filter(|next| *next > segment);
        }
        let (worker, incarnation, run) = of;
        Some(Delta { run, worker: worker.clone(), incarnation, seq: self.seq, interval, last: closes && last })
    }
}
