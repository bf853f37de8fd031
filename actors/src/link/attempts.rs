//! How often a worker has tried in vain to reach its masters.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::LinkId;

/// Counts attempts of all links of one worker.
#[derive(Clone, Debug)]
pub(super) struct Attempts {
    links: Arc<Mutex<Vec<Tried>>>,
    cycles: watch::Sender<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tried {
    in_vain: u32,
    is_up: bool,
    is_given_up: bool,
}

impl Attempts {
    /// Counts for links `0..links`.
    pub(super) fn new(links: usize) -> Self {
        Self { links: Arc::new(Mutex::new(vec![Tried::default(); links])), cycles: watch::channel(0).0 }
    }

    /// Counts for one more link; gives its number.
    pub(super) fn add(&self) -> LinkId {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.push(Tried::default());
        LinkId(u16::try_from(links.len() - 1).expect("links are bounded by `limits::MASTER_ADDRESSES_MAX`"))
    }

    /// Cycles over all masters since one of them was last reached: how often each was tried in vain at least.
    /// `u32::MAX` once all are given up.
    pub(super) fn cycles(&self) -> watch::Receiver<u32> {
        self.cycles.subscribe()
    }

    /// A link is up: counting starts afresh when it is down again.
    pub(super) fn up(&self, link: LinkId) {
        self.change(|links| {
            links.iter_mut().for_each(|tried| tried.in_vain = 0);
            at(links, link, |tried| tried.is_up = true);
        });
    }

    /// A link that was up is down.
    pub(super) fn down(&self, link: LinkId) {
        self.change(|links| at(links, link, |tried| tried.is_up = false));
    }

    /// An attempt was in vain. It counts only while no master is reached.
    pub(super) fn failed(&self, link: LinkId) {
        self.change(|links| {
            if links.iter().all(|tried| !tried.is_up) {
                at(links, link, |tried| tried.in_vain = tried.in_vain.saturating_add(1));
            }
        });
    }

    /// A link makes no more attempts.
    pub(super) fn given_up(&self, link: LinkId) {
        self.change(|links| at(links, link, |tried| tried.is_given_up = true));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Tried>)) {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut links);
        let open = links.iter().filter(|tried| !tried.is_given_up);
        let cycles = open.map(|tried| tried.in_vain).min().unwrap_or(u32::MAX);
        self.cycles.send_if_modified(|known| std::mem::replace(known, cycles) != cycles);
    }
}

fn at(links: &mut [Tried], link: LinkId, change: impl FnOnce(&mut Tried)) {
    if let Some(tried) = links.get_mut(usize::from(link.0)) {
        change(tried);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_every_master_tried_in_vain() {
        let attempts = Attempts::new(2);
        let cycles = attempts.cycles();
        let (a, b) = (LinkId(0), LinkId(1));
        attempts.failed(a);
        attempts.failed(a);
        assert_eq!(*cycles.borrow(), 0);
        attempts.failed(b);
        assert_eq!(*cycles.borrow(), 1);
        attempts.failed(b);
        assert_eq!(*cycles.borrow(), 2);
        attempts.up(a);
        attempts.failed(b);
        assert_eq!(*cycles.borrow(), 0, "one is reached");
        attempts.down(a);
        attempts.failed(a);
        assert_eq!(*cycles.borrow(), 0, "b was not tried since");
        attempts.given_up(b);
        assert_eq!(*cycles.borrow(), 1, "nobody waits for b");
        attempts.given_up(a);
        assert_eq!(*cycles.borrow(), u32::MAX);
    }
}
