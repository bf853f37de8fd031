//! The requests that the target received.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// The class of requests to paths that the target does not know.
const UNKNOWN: &str = "(unknown)";

/// Status codes from 0 to 999.
const STATUSES: usize = 1_000;

/// What was counted, also the body of `GET /_count`.
///
/// Once no request is in flight, `received` is the sum of `by_path` and the sum of `by_status` plus `abandoned`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests that were received to their last byte.
    pub received: u64,
    /// Those whose client went away before they were answered.
    pub abandoned: u64,
    /// Requests whose body broke off or was too large. They are counted nowhere else.
    pub refused: u64,
    /// Received requests by path, for example `/status/{code}`.
    pub by_path: BTreeMap<String, u64>,
    /// Answered requests by status code.
    pub by_status: BTreeMap<u16, u64>,
}

/// Counts requests from any thread.
#[derive(Debug)]
pub(super) struct Counter {
    paths: &'static [&'static str],
    /// One a path, and one more for paths that are not known.
    by_path: Vec<AtomicU64>,
    by_status: Vec<AtomicU64>,
    abandoned: AtomicU64,
    refused: AtomicU64,
}

impl Counter {
    /// A counter that tells these paths apart.
    pub(super) fn new(paths: &'static [&'static str]) -> Self {
        let zeros = |length| (0..length).map(|_| AtomicU64::new(0)).collect();
        Self {
            paths,
            by_path: zeros(paths.len() + 1),
            by_status: zeros(STATUSES),
            abandoned: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Counts a received request. Until [`Visit::answered`] is called it counts as one that will be abandoned.
    pub(super) fn received(&self, path: Option<&str>) -> Visit<'_> {
        let known = path.and_then(|path| self.paths.iter().position(|known| *known == path));
        add_one(&self.by_path[known.unwrap_or(self.paths.len())]);
        Visit { counter: self, answered: false }
    }

    /// Counts a request that was not received as a whole.
    pub(super) fn refused(&self) {
        add_one(&self.refused);
    }

    /// Sets everything to zero. A request in flight is afterwards counted by its status only.
    pub(super) fn reset(&self) {
        let single = [&self.abandoned, &self.refused];
        for count in self.by_path.iter().chain(&self.by_status).chain(single) {
            count.store(0, Ordering::SeqCst);
        }
    }

    /// What was counted so far, without what is zero.
    pub(super) fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        let names = self.paths.iter().copied().chain([UNKNOWN]);
        let by_path: BTreeMap<String, u64> = names
            .zip(&self.by_path)
            .map(|(name, count)| (name.to_owned(), read(count)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let by_status =
            (0u16..).zip(&self.by_status).map(|(status, count)| (status, read(count))).filter(|(_, count)| *count > 0);
        Counts {
            received: by_path.values().sum(),
            abandoned: read(&self.abandoned),
            refused: read(&self.refused),
            by_status: by_status.collect(),
            by_path,
        }
    }
}

fn add_one(count: &AtomicU64) {
    count.fetch_add(1, Ordering::SeqCst);
}

/// A received request on its way to an answer.
#[derive(Debug)]
pub(super) struct Visit<'a> {
    counter: &'a Counter,
    answered: bool,
}

impl Visit<'_> {
    /// Counts the answer.
    pub(super) fn answered(mut self, status: u16) {
        self.answered = true;
        add_one(&self.counter.by_status[usize::from(status).min(STATUSES - 1)]);
    }
}

/// The server drops a request's future when its connection ends.
impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if !self.answered {
            add_one(&self.counter.abandoned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_counted_once_by_path_and_once_by_its_end() {
        let counter = Counter::new(&["/", "/json"]);
        counter.received(Some("/")).answered(200);
        counter.received(Some("/")).answered(500);
        counter.received(Some("/elsewhere")).answered(404);
        drop(counter.received(None));
        counter.refused();
        let counts = counter.counts();
        assert_eq!(counts.received, 4);
        assert_eq!(counts.by_path, BTreeMap::from([("/".to_owned(), 2), (UNKNOWN.to_owned(), 2)]));
        assert_eq!(counts.by_status, BTreeMap::from([(200, 1), (404, 1), (500, 1)]));
        assert_eq!((counts.abandoned, counts.refused), (1, 1));

        counter.reset();
        assert_eq!(counter.counts(), Counts::default());
    }
}
