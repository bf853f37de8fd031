//! What a worker asks the leader for when its users draw rows that only one user may have.

use std::collections::BTreeMap;

use crate::data::ranges::RowRange;
use crate::ids::RunId;
use crate::wire::FromWorker;

/// The requests of a run that are not answered, by feeder. One at a time each, numbered, so that a repeat is harmless.
#[derive(Debug, Default)]
pub(super) struct RowRequests {
    feeders: BTreeMap<u32, FeederRequests>,
}

#[derive(Debug, Default)]
struct FeederRequests {
    /// The number of the last request.
    last: u64,
    pending: Option<Wanted>,
    /// What was not used, once the feeder is done with.
    unused: Option<Vec<RowRange>>,
}

#[derive(Debug)]
struct Wanted {
    used: Vec<RowRange>,
    want: u64,
}

impl RowRequests {
    /// Users want more rows.
    pub(super) fn ask(&mut self, run: RunId, feeder: u32, used: Vec<RowRange>, want: u64) -> FromWorker {
        let requests = self.feeders.entry(feeder).or_default();
        requests.last += 1;
        let message = FromWorker::LeaseRows { run, feeder, request: requests.last, used: used.clone(), want };
        requests.pending = Some(Wanted { used, want });
        message
    }

    /// A leader has answered. False for an answer that came before.
    pub(super) fn answered(&mut self, feeder: u32, request: u64) -> bool {
        let asked = self.feeders.get_mut(&feeder).filter(|requests| requests.last == request);
        asked.is_some_and(|requests| requests.pending.take().is_some())
    }

    /// The users are done with a feeder.
    pub(super) fn close(&mut self, run: RunId, feeder: u32, unused: Vec<RowRange>) -> FromWorker {
        let requests = self.feeders.entry(feeder).or_default();
        requests.pending = None;
        requests.unused = Some(unused.clone());
        FromWorker::CloseRows { run, feeder, unused }
    }

    /// Everything that no leader is known to have heard.
    pub(super) fn unanswered(&self, run: RunId) -> Vec<FromWorker> {
        let message = |(&feeder, requests): (&u32, &FeederRequests)| match (&requests.pending, &requests.unused) {
            (_, Some(unused)) => Some(FromWorker::CloseRows { run, feeder, unused: unused.clone() }),
            (Some(Wanted { used, want }), None) => {
                let (request, used) = (requests.last, used.clone());
                Some(FromWorker::LeaseRows { run, feeder, request, used, want: *want })
            }
            (None, None) => None,
        };
        self.feeders.iter().filter_map(message).collect()
    }
}
