//! What was proposed and is not yet known to be applied.

use std::collections::BTreeMap;

use akrida_core::ids::ProposalId;
use akrida_core::limits;
use akrida_core::state::command::{Command, Refusal};
use akrida_core::state::request::Reply;
use tokio::sync::oneshot;

/// What became of an order.
pub type Outcome = Result<Reply, OrderError>;

/// Why an order was not carried out, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// It was refused, and changed nothing.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// This master does not lead. Nothing was changed.
    #[error("this master does not lead")]
    NotLeading,
    /// The leader changed, or did not answer in time, before the order was known to be carried out. It may still be:
    /// whoever repeats it with the same key does no harm.
    #[error("nobody knows yet whether the order was carried out")]
    Unknown,
}

/// Proposals of this master, oldest first.
#[derive(Debug)]
pub(super) struct Proposals {
    next: ProposalId,
    waiting: BTreeMap<ProposalId, Waiting>,
}

/// A proposal that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) command: Command,
    pub(super) reply: Option<oneshot::Sender<Outcome>>,
    since_us: u64,
}

impl Waiting {
    /// Tells whoever asked for it, if anybody did.
    pub(super) fn answer(reply: Option<oneshot::Sender<Outcome>>, outcome: Outcome) {
        // Whoever stopped waiting has no use for the answer.
        let _ = reply.map(|reply| reply.send(outcome));
    }
}

impl Proposals {
    /// None yet. The ids of different lives of a master differ, so that an entry from before a restart is nobody's.
    pub(super) fn new(seed: u64) -> Self {
        Self { next: ProposalId(seed), waiting: BTreeMap::new() }
    }

    /// Takes note of a proposal.
    pub(super) fn add(&mut self, command: Command, reply: Option<oneshot::Sender<Outcome>>, now_us: u64) -> ProposalId {
        let id = self.next;
        self.next = ProposalId(id.0.wrapping_add(1));
        self.waiting.insert(id, Waiting { command, reply, since_us: now_us });
        id
    }

    /// The proposal with this id, which no longer waits then.
    pub(super) fn take(&mut self, id: ProposalId) -> Option<Waiting> {
        self.waiting.remove(&id)
    }

    /// Those that have waited too long.
    pub(super) fn take_overdue(&mut self, now_us: u64) -> Vec<Waiting> {
        let limit_us = limits::PROPOSAL_WAIT.as_micros() as u64;
        let overdue = |waiting: &Waiting| now_us.saturating_sub(waiting.since_us) > limit_us;
        let ids: Vec<_> = self.waiting.iter().filter(|(_, waiting)| overdue(waiting)).map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| self.waiting.remove(&id)).collect()
    }

    /// All of them.
    pub(super) fn take_all(&mut self) -> Vec<Waiting> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}
