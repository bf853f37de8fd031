//! The life of the raft threads.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use actix::Recipient;
use akrida_actors::coordinator::log::Told;
use akrida_core::ids::ClusterId;
use akrida_core::limits;
use akrida_core::replica::fail_back::FailBackRule;
use akrida_core::replica::{Replica, ReplicaConfig};
use tokio::sync::watch;

use super::driver::Driver;
use super::forming::{Forming, identify};
use super::handle::RaftHandle;
use super::inbox::{Inbox, Shared};
use super::peers::PeerSender;
use super::process_end::{end_process, or_end_process};
use super::status::{Phase, RaftStatus};
use super::store::{Identity, LogStore, StoreError};
use super::writer::write_all;

/// How a master takes part.
#[derive(Clone, Debug)]
pub struct RaftOptions {
    /// Its configured name.
    pub name: Arc<str>,
    /// The names of all configured masters, in the same order everywhere; this one's among them.
    pub masters: Vec<Arc<str>>,
    /// How finely time is counted.
    pub tick: Duration,
    /// Lower bound of the election time-out: each is drawn from one to two times as long.
    pub election_timeout: Duration,
    /// Time between heartbeats.
    pub heartbeat_interval: Duration,
    /// Of two masters that could lead, the one with the higher priority does. Different for each master.
    pub priority: i64,
    /// When a better master gets the lead back; `None` for never.
    pub fail_back: Option<FailBackAfter>,
}

/// How patient a leader is with a better master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailBackAfter {
    /// How long the better one must have been healthy and caught up.
    pub steady: Duration,
    /// Least time between two transfers by one master.
    pub rest: Duration,
}

impl Default for FailBackAfter {
    fn default() -> Self {
        Self { steady: limits::FAIL_BACK_STEADY, rest: limits::FAIL_BACK_REST }
    }
}

impl RaftOptions {
    /// The defaults of the program: ticks of 20 ms, an election after 0.5 to 1 s.
    #[must_use]
    pub fn new(name: Arc<str>, masters: Vec<Arc<str>>, priority: i64) -> Self {
        Self {
            name,
            masters,
            tick: Duration::from_millis(20),
            election_timeout: Duration::from_millis(500),
            heartbeat_interval: Duration::from_millis(100),
            priority,
            fail_back: Some(FailBackAfter::default()),
        }
    }

    fn ticks(&self, span: Duration) -> u64 {
        let tick = self.tick.as_micros().max(1);
        span.as_micros().div_ceil(tick).max(1) as u64
    }

    pub(super) fn election_ticks(&self) -> usize {
        self.ticks(self.election_timeout).max(2) as usize
    }

    fn replica(&self, identity: &Identity) -> ReplicaConfig {
        let election = self.election_ticks();
        let heartbeat = (self.ticks(self.heartbeat_interval) as usize).min(election - 1);
        let mut config = ReplicaConfig::new(identity.raft_id, election, heartbeat, self.priority, fastrand::u64(..));
        config.fail_back = self
            .fail_back
            .map(|after| FailBackRule { steady_ticks: self.ticks(after.steady), rest_ticks: self.ticks(after.rest) });
        config
    }
}

/// Ends when the raft threads do.
#[derive(Debug)]
pub struct RaftThread(JoinHandle<()>);

impl RaftThread {
    /// Waits until both threads have ended.
    pub fn join(self) {
        // A panic in the thread has ended the process.
        let _ = self.0.join();
    }
}

/// Starts the raft threads. The store belongs to this master alone.
///
/// # Errors
/// When the system gives no threads.
pub fn start(
    options: RaftOptions,
    store: Box<dyn LogStore>,
    peers: Box<dyn PeerSender>,
    events: Recipient<Told>,
) -> std::io::Result<(RaftHandle, RaftThread)> {
    let (sender, inbox) = sync_channel(limits::RAFT_INBOX);
    let (status, status_receiver) = watch::channel(RaftStatus::starting(options.name.clone()));
    let shared = Arc::new(Shared::default());
    let handle =
        RaftHandle { inbox: sender.clone(), shared: shared.clone(), events: events.clone(), status: status_receiver };
    let life = Life { options, peers, events, show: Show(status), shared, sender, inbox };
    let work = move || or_end_process("raft", || life.live(store));
    Ok((handle, RaftThread(Builder::new().name("raft".to_owned()).spawn(work)?)))
}

/// Shows the status to others.
#[derive(Debug)]
pub(super) struct Show(watch::Sender<RaftStatus>);

impl Show {
    pub(super) fn phase(&self, phase: Phase) {
        self.change(|status| status.phase = phase);
    }

    /// Tells others only if something changed.
    pub(super) fn change(&self, change: impl FnOnce(&mut RaftStatus)) {
        self.0.send_if_modified(|status| {
            let before = status.clone();
            change(status);
            *status != before
        });
    }
}

/// What the raft thread holds all its life.
pub(super) struct Life {
    pub(super) options: RaftOptions,
    pub(super) peers: Box<dyn PeerSender>,
    pub(super) events: Recipient<Told>,
    pub(super) show: Show,
    pub(super) shared: Arc<Shared>,
    pub(super) sender: SyncSender<Inbox>,
    pub(super) inbox: Receiver<Inbox>,
}

impl Life {
    fn live(self, mut store: Box<dyn LogStore>) {
        match self.begin(store.as_mut()) {
            Ok(Some((replica, cluster))) => self.take_part(store, replica, cluster),
            Ok(None) => self.show.phase(Phase::Stopped),
            Err(error) => end_process(&error.to_string()),
        }
    }

    /// Finds or joins a cluster, and reads the log. `None` if it is stopped before.
    fn begin(&self, store: &mut dyn LogStore) -> Result<Option<(Replica, ClusterId)>, StoreError> {
        let identity = identify(store, &self.options.name)?;
        self.show.change(|status| status.id = identity.raft_id);
        let cluster = match identity.cluster_id {
            Some(cluster) => Some(cluster),
            None => self.form(store, &identity)?,
        };
        let Some(cluster) = cluster else { return Ok(None) };
        let replica = Replica::new(self.options.replica(&identity), store.load()?)
            .map_err(|error| StoreError::Contradictory(error.to_string()))?;
        Ok(Some((replica, cluster)))
    }

    fn form(&self, store: &mut dyn LogStore, identity: &Identity) -> Result<Option<ClusterId>, StoreError> {
        let forming = Forming {
            options: &self.options,
            identity,
            store,
            peers: self.peers.as_ref(),
            inbox: &self.inbox,
            events: &self.events,
            show: &self.show,
        };
        forming.run()
    }

    fn take_part(self, store: Box<dyn LogStore>, replica: Replica, cluster: ClusterId) {
        let (jobs, work) = sync_channel(limits::RAFT_WRITES_MAX);
        let (shared, inbox) = (self.shared.clone(), self.sender.clone());
        let write = move || or_end_process("raft-log", || write_all(store, &work, &shared, &inbox));
        let writer = match Builder::new().name("raft-log".to_owned()).spawn(write) {
            Ok(writer) => writer,
            Err(error) => end_process(&format!("no thread for the log: {error}")),
        };
        let life = Driver::new(self, replica, cluster, jobs).run();
        // The last sender of jobs is gone, so the writer ends once it has written them.
        let _ = writer.join();
        life.show.phase(Phase::Stopped);
    }
}
