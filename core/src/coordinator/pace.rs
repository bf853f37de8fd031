//! How soon one entry of statistics follows another.

use crate::limits;

/// What was proposed of late, as a debt that is paid off at `limits::MERGE_BYTES_PER_S_MAX`. Up to what a second pays off,
/// entries follow each other at once; beyond that the interval between them widens, so that more deltas are merged into
/// each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    debt_bytes: u64,
    since_us: u64,
}

impl Pace {
    /// Notes an entry.
    pub(super) fn propose(&mut self, bytes: u64, now_us: u64) {
        self.debt_bytes = self.debt_bytes(now_us).saturating_add(bytes);
        self.since_us = now_us;
    }

    /// Whether the next entry may follow.
    pub(super) fn allows(&self, now_us: u64) -> bool {
        self.debt_bytes(now_us) <= limits::MERGE_BYTES_PER_S_MAX
    }

    fn debt_bytes(&self, now_us: u64) -> u64 {
        let passed_us = u128::from(now_us.saturating_sub(self.since_us));
        let paid = passed_us * u128::from(limits::MERGE_BYTES_PER_S_MAX) / 1_000_000;
        self.debt_bytes.saturating_sub(u64::try_from(paid).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_goes_at_once_and_much_waits_until_it_is_paid_off() {
        let mut pace = Pace::default();
        assert!(pace.allows(0));
        pace.propose(limits::MERGE_BYTES_PER_S_MAX, 0);
        assert!(pace.allows(0), "what a second pays off");
        pace.propose(limits::MERGE_BYTES_PER_S_MAX, 0);
        assert!(!pace.allows(999_999));
        assert!(pace.allows(1_000_000));
        pace.propose(u64::MAX, 1_000_000);
        assert!(!pace.allows(3_600_000_000));
    }

    #[test]
    fn below_the_limit_no_entry_ever_waits() {
        let mut pace = Pace::default();
        for tenth in 0..1_000 {
            assert!(pace.allows(tenth * 100_000));
            pace.propose(limits::MERGE_BYTES_PER_S_MAX / 10, tenth * 100_000);
        }
    }
}
