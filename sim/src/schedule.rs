//! What happens when: a queue of events by true time, and by the order in which they were planned.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::event::Event;

/// True time, and everything that is to happen.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    now_us: u64,
    planned: u64,
    queue: BinaryHeap<Due>,
}

#[derive(Debug)]
struct Due {
    at_us: u64,
    order: u64,
    event: Event,
}

impl Schedule {
    /// True time in microseconds.
    pub(crate) fn now_us(&self) -> u64 {
        self.now_us
    }

    /// Plans an event for a time, at once if that is over.
    pub(crate) fn at(&mut self, at_us: u64, event: Event) {
        self.planned += 1;
        self.queue.push(Due { at_us: at_us.max(self.now_us), order: self.planned, event });
    }

    /// Plans an event.
    pub(crate) fn after(&mut self, wait_us: u64, event: Event) {
        self.at(self.now_us + wait_us, event);
    }

    /// Lets time pass until the next event.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let due = self.queue.pop()?;
        self.now_us = due.at_us;
        Some(due.event)
    }
}

impl Ord for Due {
    /// The greatest is what comes first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_us, other.order).cmp(&(self.at_us, self.order))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}
