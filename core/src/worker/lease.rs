//! How long users may go on without word from a leader.

use crate::limits;

/// Stands for "without end".
const FOREVER: u64 = u64::MAX;

/// The time that a worker's users have. Counted from when the worker *sent* what a leader answered, on the worker's own
/// monotonic clock: so it ends here no later than a leader reckons, however long the answer took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    length_us: Option<u64>,
    until_us: u64,
}

impl Lease {
    /// One without end, until a leader says otherwise.
    pub(super) const ENDLESS: Self = Self { length_us: None, until_us: FOREVER };

    /// A leader says how long leases are from now on; without end if `None`.
    pub(super) fn set_length(&mut self, length_ms: Option<u64>) {
        let length_us = length_ms.map(|ms| ms.saturating_mul(1_000));
        match (self.length_us, length_us) {
            (_, None) => self.until_us = FOREVER,
            // It has ended as long as nothing is known of when it began: whoever sets a length renews it, too.
            (None, Some(_)) => self.until_us = 0,
            (Some(_), Some(_)) => {}
        }
        self.length_us = length_us;
    }

    /// A leader has answered what was sent at this time.
    pub(super) fn renew(&mut self, sent_us: u64) {
        if let Some(length_us) = self.length_us {
            self.until_us = self.until_us.max(sent_us.saturating_add(length_us));
        }
    }

    /// Whether users may go on.
    pub(super) fn holds(&self, now_us: u64) -> bool {
        now_us < self.until_us
    }

    /// When it ends; `u64::MAX` if never.
    pub(super) fn until_us(&self) -> u64 {
        self.until_us
    }

    /// When the users of a lease that has ended must be gone.
    pub(super) fn drained_by_us(&self) -> u64 {
        self.until_us.saturating_add(limits::DRAIN_MAX.as_micros() as u64)
    }
}
