//! Places for connections of workers: as many as are allowed, less those that other masters need.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use akrida_core::wire::handshake::refusal::Refusal;

/// Counts the connections of workers.
#[derive(Clone, Debug)]
pub(super) struct Places {
    taken: Arc<AtomicUsize>,
    connections_max: usize,
}

/// A place; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<AtomicUsize>);

impl Places {
    pub(super) fn new(connections_max: usize) -> Self {
        Self { taken: Arc::default(), connections_max }
    }

    /// Takes a place for a worker, if one is left beside those reserved for other masters.
    pub(super) fn take(&self, reserved: usize) -> Result<Place, Refusal> {
        let workers_max = self.connections_max.saturating_sub(reserved);
        let take = |taken| (taken < workers_max).then_some(taken + 1);
        match self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, take) {
            Ok(_) => Ok(Place(Arc::clone(&self.taken))),
            Err(_) => Err(Refusal::Full { connections_max: self.connections_max as u64 }),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back_and_some_are_reserved() {
        let places = Places::new(3);
        let first = places.take(1).expect("free");
        let _second = places.take(1).expect("free");
        assert_eq!(places.take(1).err(), Some(Refusal::Full { connections_max: 3 }));
        drop(first);
        assert!(places.take(1).is_ok());
        assert!(places.take(9).is_err(), "more reserved than there are");
    }
}
