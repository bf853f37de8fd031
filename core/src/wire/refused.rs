//! Callers that are refused again and again: said now and then, with how often, and shown for a while.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::limits;

/// Callers that were refused, by who they are and why. Of further ones than [`limits::REFUSED_KINDS_MAX`] it is only told
/// that there are some.
#[derive(Debug, Default)]
pub struct RefusedCallers {
    known: BTreeMap<(Arc<str>, Arc<str>), Tally>,
}

#[derive(Clone, Copy, Debug)]
struct Tally {
    /// Since it was said last.
    unsaid: u64,
    said_at: Duration,
    /// Since it was first shown.
    times: u64,
    last_at: Duration,
}

/// A caller that was refused of late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCaller {
    /// Who: an address, or a name.
    pub caller: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// How often, since it was not refused for [`limits::REFUSED_SHOWN`].
    pub times: u64,
}

const OTHERS: &str = "other addresses";

impl RefusedCallers {
    /// Notes a caller that is refused `now`, the time since any instant. Gives how often that has happened since it was
    /// said last, if it is to be said now.
    pub fn note(&mut self, caller: &str, reason: &str, now: Duration) -> Option<u64> {
        let mut key = (Arc::from(caller), Arc::from(reason));
        if !self.known.contains_key(&key) && self.known.len() >= limits::REFUSED_KINDS_MAX {
            self.known.retain(|_, tally| tally.is_shown(now));
            if self.known.len() >= limits::REFUSED_KINDS_MAX {
                key = (OTHERS.into(), "for several reasons".into());
            }
        }
        let fresh = Tally { unsaid: 0, said_at: now, times: 0, last_at: now };
        let tally = self.known.entry(key).or_insert(fresh);
        if !tally.is_shown(now) {
            *tally = fresh;
        }
        (tally.times, tally.unsaid, tally.last_at) = (tally.times + 1, tally.unsaid + 1, now);
        let is_due = tally.times == 1 || now.saturating_sub(tally.said_at) >= limits::REFUSED_SAID_EVERY;
        is_due.then(|| {
            tally.said_at = now;
            std::mem::take(&mut tally.unsaid)
        })
    }

    /// Who was refused of late, the latest first.
    #[must_use]
    pub fn recent(&self, now: Duration) -> Vec<RefusedCaller> {
        let mut shown: Vec<_> = self.known.iter().filter(|(_, tally)| tally.is_shown(now)).collect();
        shown.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.last_at));
        let refused = |((caller, reason), tally): (&(Arc<str>, Arc<str>), &Tally)| RefusedCaller {
            caller: Arc::clone(caller),
            reason: Arc::clone(reason),
            times: tally.times,
        };
        shown.into_iter().map(refused).collect()
    }
}

impl Tally {
    fn is_shown(&self, now: Duration) -> bool {
        now.saturating_sub(self.last_at) < limits::REFUSED_SHOWN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_refusal_is_said_at_once_and_then_now_and_then_with_how_often() {
        let mut refused = RefusedCallers::default();
        assert_eq!(refused.note("10.0.0.1", "wrong secret", at(100)), Some(1));
        for second in 101..110 {
            assert_eq!(refused.note("10.0.0.1", "wrong secret", at(second)), None);
        }
        assert_eq!(refused.note("10.0.0.1", "another reason", at(109)), Some(1));
        assert_eq!(refused.note("10.0.0.2", "wrong secret", at(109)), Some(1));
        assert_eq!(
            refused.note("10.0.0.1", "wrong secret", at(110)),
            Some(10),
            "the nine that were not said, and this"
        );
        assert_eq!(refused.note("10.0.0.1", "wrong secret", at(111)), None);
    }

    #[test]
    fn who_was_refused_is_shown_for_a_minute() {
        let mut refused = RefusedCallers::default();
        refused.note("10.0.0.1", "wrong secret", at(0));
        refused.note("10.0.0.1", "wrong secret", at(20));
        refused.note("10.0.0.2", "wrong secret", at(30));
        let shown =
            |now| refused.recent(at(now)).iter().map(|one| (one.caller.to_string(), one.times)).collect::<Vec<_>>();
        assert_eq!(shown(30), [("10.0.0.2".to_owned(), 1), ("10.0.0.1".to_owned(), 2)]);
        assert_eq!(shown(80), [("10.0.0.2".to_owned(), 1)]);
        assert_eq!(shown(90), []);
    }

    #[test]
    fn a_flood_of_addresses_takes_no_more_room_than_allowed_and_no_more_lines() {
        let mut refused = RefusedCallers::default();
        let mut lines = 0;
        for number in 0..10_000 {
            lines += usize::from(refused.note(&format!("2001:db8::{number:x}"), "no frame", at(5)).is_some());
        }
        assert_eq!(refused.known.len(), limits::REFUSED_KINDS_MAX + 1);
        assert_eq!(lines, limits::REFUSED_KINDS_MAX + 1);
        assert_eq!(refused.note("10.0.0.1", "later", at(100)), Some(1), "room is made");
        assert_eq!(refused.known.len(), 1);
    }
}
