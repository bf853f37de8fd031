//! Slots: which worker runs which users.
//!
//! User `k` belongs to slot `k mod 65 536`, and slots belong to workers. When workers come or go, only the slots
//! concerned change hands.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::SLOTS;

/// [`SLOTS`] as a 64-bit number.
pub const SLOTS_U64: u64 = SLOTS as u64;

const WORDS: usize = SLOTS / 64;

/// A set of slots, with fast counting.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SlotWords", into = "SlotWords")]
pub struct SlotSet {
    words: Box<[u64]>,
    /// Slots in the words before each word.
    before: Box<[u32]>,
    len: u64,
}

impl fmt::Debug for SlotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SlotSet({} slots)", self.len)
    }
}

/// A set of slots as it is sent: one bit for each, 64 to a word. Missing words are empty.
#[derive(Serialize, Deserialize)]
struct SlotWords(Vec<u64>);

impl From<SlotSet> for SlotWords {
    fn from(slots: SlotSet) -> Self {
        Self(slots.words.into_vec())
    }
}

impl From<SlotWords> for SlotSet {
    fn from(SlotWords(mut words): SlotWords) -> Self {
        words.resize(WORDS, 0);
        Self::from_words(words.into_boxed_slice())
    }
}

impl SlotSet {
    /// The set of all slots for which `belongs` holds.
    #[must_use]
    pub fn from_fn(belongs: impl Fn(u16) -> bool) -> Self {
        let mut words = vec![0_u64; WORDS].into_boxed_slice();
        for slot in 0..=u16::MAX {
            words[usize::from(slot) / 64] |= u64::from(belongs(slot)) << (slot % 64);
        }
        Self::from_words(words)
    }

    fn from_words(words: Box<[u64]>) -> Self {
        let mut before = vec![0_u32; WORDS].into_boxed_slice();
        let mut len = 0;
        for (word, before) in words.iter().zip(&mut before) {
            *before = len;
            len += word.count_ones();
        }
        Self { words, before, len: u64::from(len) }
    }

    /// All slots.
    #[must_use]
    pub fn all() -> Self {
        Self::from_fn(|_| true)
    }

    /// The number of slots.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether user `index` belongs to one of the slots.
    #[must_use]
    pub fn owns_user(&self, index: u64) -> bool {
        let slot = (index % SLOTS_U64) as usize;
        self.words[slot / 64] >> (slot % 64) & 1 == 1
    }

    /// Users with an index below `users` that belong to one of the slots.
    #[must_use]
    pub fn users_below(&self, users: u64) -> u64 {
        let (rounds, rest) = (users / SLOTS_U64, (users % SLOTS_U64) as usize);
        let partial = self.words[rest / 64] & ((1_u64 << (rest % 64)) - 1);
        rounds * self.len + u64::from(self.before[rest / 64]) + u64::from(partial.count_ones())
    }
}

/// An owner, by number, for every slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dealing {
    owners: Box<[u16]>,
    workers: usize,
}

impl Dealing {
    /// Deals the slots in turn to `workers` workers (at least 1, at most 65 536), so that their shares of any number
    /// of users up to 65 536 differ by at most one.
    #[must_use]
    pub fn round_robin(workers: usize) -> Self {
        let workers = workers.clamp(1, SLOTS);
        Self { owners: (0..SLOTS).map(|slot| (slot % workers) as u16).collect(), workers }
    }

    /// The slots of one worker, by its number.
    #[must_use]
    pub fn set_of(&self, worker: usize) -> SlotSet {
        SlotSet::from_fn(|slot| usize::from(self.owners[usize::from(slot)]) == worker)
    }

    /// The slots of each worker.
    #[must_use]
    pub fn sets(&self) -> Vec<SlotSet> {
        (0..self.workers).map(|worker| self.set_of(worker)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_slots_own_all_users() {
        let all = SlotSet::all();
        assert_eq!(
            [0, 1, 65_535, 65_536, 1_000_000].map(|users| all.users_below(users)),
            [0, 1, 65_535, 65_536, 1_000_000]
        );
    }

    proptest! {
        #[test]
        fn counting_equals_asking_user_by_user(modulus in 1_u16..500, rest in 0_u16..500, users in 0_u64..70_000) {
            let slots = SlotSet::from_fn(|slot| slot % modulus == rest % modulus);
            let asked = (0..users).filter(|user| slots.owns_user(*user)).count() as u64;
            prop_assert_eq!(slots.users_below(users), asked);
        }
    }
}
