//! The raft thread before there is a group.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use actix::Recipient;
use akrida_actors::coordinator::log::{LogEvent, Told};
use akrida_core::ids::{ClusterId, RaftId};
use akrida_core::limits;
use akrida_core::replica::change::ChangeRefused;
use akrida_core::replica::formation::{Formation, FormationConfig, FormationMessage, FormationOutput};
use akrida_core::replica::stored::Stored;

use super::inbox::Inbox;
use super::peers::{PeerFrame, PeerSender};
use super::status::Phase;
use super::store::{Identity, LogStore, StoreError};
use super::thread::{RaftOptions, Show};

/// Who this master is: what the data folder says, or a new id that is written before anybody hears of it.
pub(super) fn identify(store: &mut dyn LogStore, name: &Arc<str>) -> Result<Identity, StoreError> {
    if let Some(identity) = store.identity() {
        if identity.name != *name {
            tracing::warn!(was = %identity.name, is = %name, "this data folder belonged to a master of another name");
        }
        return Ok(identity);
    }
    let identity = Identity { cluster_id: None, raft_id: RaftId(fastrand::u64(1..)), name: name.clone() };
    store.set_identity(identity.clone())?;
    Ok(identity)
}

/// A master without a cluster.
pub(super) struct Forming<'a> {
    pub(super) options: &'a RaftOptions,
    pub(super) identity: &'a Identity,
    pub(super) store: &'a mut dyn LogStore,
    pub(super) peers: &'a dyn PeerSender,
    pub(super) inbox: &'a Receiver<Inbox>,
    pub(super) events: &'a Recipient<Told>,
    pub(super) show: &'a Show,
}

impl Forming<'_> {
    /// Waits until this master belongs to a cluster, and has written so. `None` if it is stopped before.
    pub(super) fn run(mut self) -> Result<Option<ClusterId>, StoreError> {
        // Whatever is in the log was written by a founding that nobody was told of.
        self.store.purge()?;
        self.events.do_send(Told(LogEvent::Follows { term: 0, leader: None }));
        let mut formation = Formation::new(FormationConfig {
            name: self.options.name.clone(),
            id: self.identity.raft_id,
            masters: self.options.masters.clone(),
            cluster: ClusterId(fastrand::u64(1..)),
        });
        let mut next_step = Instant::now();
        let mut next_word = Instant::now() + limits::FORMATION_STEP * 4;
        loop {
            let now = Instant::now();
            let mut due = Vec::new();
            if now >= next_step {
                next_step = now + limits::FORMATION_STEP;
                due = formation.step();
                self.show.phase(Phase::Waiting(formation.waiting().to_string()));
            }
            if now >= next_word {
                next_word = now + limits::FORMATION_SAYS_EVERY;
                tracing::warn!("{}", formation.waiting());
            }
            if let Some(cluster) = self.carry_out(due)? {
                return Ok(Some(cluster));
            }
            match self.inbox.recv_timeout(next_step.saturating_duration_since(Instant::now())) {
                Ok(Inbox::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(what) => {
                    let due = self.take(what, &mut formation);
                    if let Some(cluster) = self.carry_out(due)? {
                        return Ok(Some(cluster));
                    }
                }
            }
        }
    }

    fn take(&self, what: Inbox, formation: &mut Formation) -> Vec<FormationOutput> {
        match what {
            Inbox::Peer { from, kind: PeerFrame::Formation, body } => match FormationMessage::from_bytes(&body) {
                Ok(message) => return formation.receive(&from, message),
                Err(error) => tracing::warn!(%from, %error, "a message was ignored"),
            },
            Inbox::Propose(proposal, _) => self.events.do_send(Told(LogEvent::Dropped(proposal))),
            Inbox::Change(_, reply) => drop(reply.send(Err(ChangeRefused::NotLeader))),
            Inbox::Replace(_, reply) => drop(reply.send(Err(ChangeRefused::NotLeader.into()))),
            _ => {}
        }
        Vec::new()
    }

    /// Tells the cluster that this master now belongs to. It is written before anybody is told.
    fn carry_out(&mut self, due: Vec<FormationOutput>) -> Result<Option<ClusterId>, StoreError> {
        let mut belongs = None;
        for output in due {
            match output {
                FormationOutput::Send { to, message } => {
                    self.peers.send(&to, PeerFrame::Formation, message.to_bytes().into());
                }
                FormationOutput::Founded { cluster, voters } => {
                    tracing::info!(%cluster, masters = voters.len(), "the cluster is founded");
                    belongs = Some(self.write(cluster, &Stored::founded(&voters))?);
                }
                FormationOutput::Joined { cluster } => {
                    tracing::info!(%cluster, "this master joins the cluster with an empty log");
                    belongs = Some(self.write(cluster, &Stored::joining())?);
                }
            }
        }
        Ok(belongs)
    }

    fn write(&mut self, cluster: ClusterId, stored: &Stored) -> Result<ClusterId, StoreError> {
        self.store.append(&stored.entries, Some(stored.hard_state.clone()))?;
        self.store.set_identity(Identity { cluster_id: Some(cluster), ..self.identity.clone() })?;
        Ok(cluster)
    }
}
