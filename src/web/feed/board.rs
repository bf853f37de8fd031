//! The picture that all live feeds of a master show.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use akrida_core::ids::LogIndex;
use akrida_core::limits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::picture::{Event, Picture};
use crate::web::cluster_handle::ClusterHandle;
use crate::web::site::WebSetup;

/// The picture, and what tells feeds to look at it.
#[derive(Debug)]
pub(in crate::web) struct Board {
    shown: Mutex<Shown>,
    beats: watch::Sender<Beat>,
    places: Arc<Semaphore>,
}

#[derive(Debug)]
struct Shown {
    picture: Picture,
    /// The event that was made last, and for whom: most feeds are at the same entry.
    made: Option<(Option<LogIndex>, Event)>,
}

/// That there is something to say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beat {
    /// Whether it is the last, because this master is about to end.
    pub(super) is_last: bool,
}

impl Board {
    /// The board of a master.
    pub(in crate::web) fn new(setup: &WebSetup) -> Self {
        let picture = Picture::new(Arc::clone(&setup.name), setup.renderers, setup.cluster.leadership());
        let places = Arc::new(Semaphore::new(limits::WEB_FEEDS_MAX));
        Self { shown: Mutex::new(Shown { picture, made: None }), beats: watch::channel(Beat::default()).0, places }
    }

    /// The place of one more feed, if there is one.
    pub(super) fn take_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Tells when there is something to say.
    pub(super) fn beats(&self) -> watch::Receiver<Beat> {
        self.beats.subscribe()
    }

    /// What to tell whoever knows everything up to an entry, or nothing.
    pub(super) fn event(&self, after: Option<LogIndex>) -> Event {
        let mut shown = self.shown();
        match &shown.made {
            Some((whom, event)) if *whom == after => event.clone(),
            _ => {
                let event = shown.picture.event(after);
                shown.made = Some((after, event.clone()));
                event
            }
        }
    }

    /// Up to where this master has applied the log.
    pub(super) fn index(&self) -> LogIndex {
        self.shown().picture.index()
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the picture, and says whether that is worth telling at once.
    fn change(&self, change: impl FnOnce(&mut Picture) -> bool) -> bool {
        let mut shown = self.shown();
        shown.made = None;
        change(&mut shown.picture)
    }
}

/// Keeps the picture true for as long as the master lives, and tells all feeds to look.
pub(in crate::web) async fn follow(board: Arc<Board>, cluster: ClusterHandle) {
    let mut views = cluster.placed_views();
    // What was published before is worth a look, too.
    views.mark_changed();
    let mut look = interval(limits::WEB_FEED_LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut told = Instant::now();
    loop {
        let is_urgent = tokio::select! {
            published = views.changed() => {
                if published.is_err() {
                    return;
                }
                let placed = views.borrow_and_update().clone();
                board.change(|picture| picture.look(placed.index, placed.view))
            }
            _ = look.tick() => board.change(|picture| picture.lead(cluster.leadership())),
        };
        let is_last = cluster.health().is_draining;
        if is_urgent || is_last || told.elapsed() >= limits::WEB_FEED_EVERY {
            told = Instant::now();
            board.beats.send_replace(Beat { is_last });
        }
    }
}
