//! Rows of the `unique` feeders of a run, as workers lease them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command::UniqueFeeder;
use crate::data::leases::{NotLeased, RowLeases};
use crate::data::ranges::RowRange;
use crate::ids::WorkerId;

/// The rows of one feeder and the last answer to each worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeederRows {
    leases: RowLeases,
    answers: BTreeMap<WorkerId, Answer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    request: u64,
    rows: Vec<RowRange>,
}

impl FeederRows {
    pub(super) fn new(feeder: UniqueFeeder) -> Self {
        Self { leases: RowLeases::new(feeder.rows, feeder.recycles), answers: BTreeMap::new() }
    }

    /// Settles the rows that a worker used and leases it more. The last request again is answered as before; an earlier
    /// one not at all.
    pub(super) fn lease(
        &mut self,
        worker: &WorkerId,
        request: u64,
        used: &[RowRange],
        want: u64,
    ) -> Result<Option<Vec<RowRange>>, NotLeased> {
        let last = self.answers.get(worker);
        if let Some(last) = last.filter(|last| last.request >= request) {
            return Ok((last.request == request).then(|| last.rows.clone()));
        }
        self.leases.settle(worker, used)?;
        let rows = self.leases.lease(worker, want);
        self.answers.insert(worker.clone(), Answer { request, rows: rows.clone() });
        Ok(Some(rows))
    }

    /// A worker gives back what it did not use.
    pub(super) fn close(&mut self, worker: &WorkerId, unused: &[RowRange]) -> Result<(), NotLeased> {
        self.leases.close(worker, unused)
    }

    /// A worker is gone: what it had is burnt, and what it was told is forgotten.
    pub(super) fn lose(&mut self, worker: &WorkerId) {
        self.answers.remove(worker);
        self.leases.lost(worker);
    }

    /// Who has which rows.
    #[must_use]
    pub fn leases(&self) -> &RowLeases {
        &self.leases
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(name: &str) -> WorkerId {
        WorkerId(name.into())
    }

    fn rows(low: u64, high: u64) -> Vec<RowRange> {
        vec![RowRange { low, high }]
    }

    #[test]
    fn a_repeated_request_gets_the_same_rows_and_an_older_one_no_answer() {
        let mut feeder = FeederRows::new(UniqueFeeder { rows: 10, recycles: false });
        assert_eq!(feeder.lease(&worker("a"), 1, &[], 3), Ok(Some(rows(0, 3))));
        assert_eq!(feeder.lease(&worker("a"), 1, &[], 3), Ok(Some(rows(0, 3))));
        assert_eq!(feeder.lease(&worker("a"), 2, &rows(0, 2), 3), Ok(Some(rows(3, 6))));
        assert_eq!(feeder.lease(&worker("a"), 1, &[], 3), Ok(None));
        assert_eq!((feeder.leases().leased(), feeder.leases().free()), (4, 4));
    }

    #[test]
    fn a_lost_worker_burns_its_rows_and_begins_anew() {
        let mut feeder = FeederRows::new(UniqueFeeder { rows: 10, recycles: false });
        feeder.lease(&worker("a"), 5, &[], 3).expect("leases");
        feeder.lose(&worker("a"));
        assert_eq!((feeder.leases().burnt(), feeder.leases().leased()), (3, 0));
        assert_eq!(feeder.lease(&worker("a"), 1, &[], 2), Ok(Some(rows(3, 5))), "a new life counts from 1");
    }

    #[test]
    fn what_was_not_used_is_leased_again() {
        let mut feeder = FeederRows::new(UniqueFeeder { rows: 3, recycles: false });
        feeder.lease(&worker("a"), 1, &[], 3).expect("leases");
        assert_eq!(feeder.lease(&worker("b"), 1, &[], 3), Ok(Some(Vec::new())), "none is left");
        feeder.close(&worker("a"), &rows(1, 3)).expect("holds them");
        assert!(feeder.close(&worker("a"), &rows(1, 3)).is_err(), "once");
        assert_eq!(feeder.lease(&worker("b"), 2, &[], 3), Ok(Some(rows(1, 3))));
    }
}
