//! Random work, compared with a store in memory.

use akrida::raft::store::{LogStore, StoreError, Stored};
use proptest::prelude::*;

use super::{entries, entry, hard_state, open, snapshot};

#[derive(Clone, Debug)]
enum Step {
    /// Replace what follows an entry that is not committed, and commit a share of the log.
    Append {
        back: u64,
        count: u64,
        commit: u64,
    },
    /// A vote in a new term.
    Vote,
    /// A snapshot of a committed entry.
    Snapshot {
        back: u64,
    },
    /// A snapshot of a master that is ahead.
    Received {
        ahead: u64,
    },
    Compact {
        back: u64,
    },
    Reopen,
    Purge,
    /// Something that would leave a gap.
    Gap,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_u64..4, 0_u64..5, 0_u64..6).prop_map(|(back, count, commit)| Step::Append { back, count, commit }),
        2 => Just(Step::Vote),
        3 => (0_u64..3).prop_map(|back| Step::Snapshot { back }),
        1 => (0_u64..9).prop_map(|ahead| Step::Received { ahead }),
        3 => (0_u64..4).prop_map(|back| Step::Compact { back }),
        3 => Just(Step::Reopen),
        1 => Just(Step::Purge),
        1 => Just(Step::Gap),
    ]
}

/// The store as it should be.
#[derive(Default)]
struct Model {
    stored: Stored,
    /// The last entry that was dropped.
    start: u64,
    term: u64,
}

impl Model {
    fn last(&self) -> u64 {
        self.stored.entries.last().map_or(self.start, |entry| entry.index)
    }

    fn term_of(&self, index: u64) -> Option<u64> {
        self.stored.entries.iter().find(|entry| entry.index == index).map(|entry| entry.term)
    }

    /// Does a step in both; the store must agree to it, or refuse it as it should.
    fn take(&mut self, store: &mut impl LogStore, step: &Step) -> Result<(), StoreError> {
        match *step {
            Step::Append { back, count, commit } => {
                self.term += u64::from(back > 0);
                let settled = self.stored.hard_state.commit;
                let first = (self.last() + 1).saturating_sub(back).max(settled + 1);
                let added = entries(first..=first + count - u64::from(count > 0), self.term.max(1));
                let added = if count == 0 { Vec::new() } else { added };
                if count > 0 {
                    self.stored.entries.retain(|entry| entry.index < first);
                    self.stored.entries.extend(added.clone());
                }
                let commit = (settled + commit).min(self.last());
                self.stored.hard_state = hard_state(self.term.max(1), 0, commit);
                store.append(&added, Some(self.stored.hard_state.clone()))
            }
            Step::Vote => {
                self.term += 1;
                self.stored.hard_state = hard_state(self.term.max(1), 2, self.stored.hard_state.commit);
                store.append(&[], Some(self.stored.hard_state.clone()))
            }
            Step::Snapshot { back } => {
                let index = self.stored.hard_state.commit.saturating_sub(back);
                let Some(term) = self.term_of(index) else { return Ok(()) };
                if self.stored.snapshot.as_ref().is_none_or(|newest| newest.index < index) {
                    self.stored.snapshot = Some(snapshot(index, term));
                }
                store.save_snapshot(&snapshot(index, term))
            }
            Step::Received { ahead } => {
                self.term += 1;
                let index = self.last() + ahead + 1;
                self.start = index;
                self.stored = Stored {
                    hard_state: hard_state(self.term, 0, index),
                    snapshot: Some(snapshot(index, self.term)),
                    entries: Vec::new(),
                };
                store.save_snapshot(&snapshot(index, self.term))
            }
            Step::Compact { back } => {
                let covered = self.stored.snapshot.as_ref().map_or(0, |newest| newest.index);
                let up_to = covered.saturating_sub(back);
                self.start = self.start.max(up_to);
                self.stored.entries.retain(|entry| entry.index > up_to);
                store.compact(up_to)
            }
            Step::Purge => {
                *self = Self::default();
                store.purge()
            }
            Step::Gap => {
                let refused = store.append(&[entry(self.last() + 2, self.term)], None).unwrap_err();
                assert!(matches!(refused, StoreError::OutOfPlace { .. }), "{refused}");
                Ok(())
            }
            Step::Reopen => Ok(()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_store_holds_what_a_store_in_memory_would(steps in prop::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        let mut model = Model::default();
        for step in &steps {
            if matches!(step, Step::Reopen) {
                drop(store);
                store = open(folder.path());
                prop_assert_eq!(&store.load().unwrap(), &model.stored, "after a restart");
            }
            model.take(&mut store, step).unwrap();
            prop_assert_eq!(&store.load().unwrap(), &model.stored, "after {:?}", step);
        }
        drop(store);
        prop_assert_eq!(&open(folder.path()).load().unwrap(), &model.stored);
    }
}
