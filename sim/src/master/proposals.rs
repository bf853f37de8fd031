//! What a coordinator has proposed and does not know to be applied.

use std::collections::BTreeMap;

use akrida_core::ids::ProposalId;
use akrida_core::limits;
use akrida_core::state::command::Command;

use crate::workload::ActionId;

/// Proposals of this life of a master, oldest first.
#[derive(Debug)]
pub(crate) struct Proposals {
    next: ProposalId,
    waiting: BTreeMap<ProposalId, Waiting>,
}

/// A proposal that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) command: Command,
    /// The action of a client that it carries out.
    pub(crate) action: Option<ActionId>,
    since_us: u64,
}

impl Proposals {
    pub(crate) fn new(seed: u64) -> Self {
        Self { next: ProposalId(seed), waiting: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, command: Command, action: Option<ActionId>, now_us: u64) -> ProposalId {
        let id = self.next;
        self.next = ProposalId(id.0.wrapping_add(1));
        self.waiting.insert(id, Waiting { command, action, since_us: now_us });
        id
    }

    pub(crate) fn take(&mut self, id: ProposalId) -> Option<Waiting> {
        self.waiting.remove(&id)
    }

    pub(crate) fn take_overdue(&mut self, now_us: u64) -> Vec<Waiting> {
        let limit_us = limits::PROPOSAL_WAIT.as_micros() as u64;
        let is_overdue = |waiting: &mut Waiting| now_us.saturating_sub(waiting.since_us) > limit_us;
        self.waiting.extract_if(.., |_, waiting| is_overdue(waiting)).map(|(_, waiting)| waiting).collect()
    }

    pub(crate) fn take_all(&mut self) -> Vec<Waiting> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}
