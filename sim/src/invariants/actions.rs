//! H: an action that a client was told is done took effect exactly once, however often it was tried.

use std::collections::BTreeMap;

use akrida_core::ids::ProposalId;
use akrida_core::state::Applied;
use akrida_core::state::record::Record;

use super::{Counts, Invariant};
use crate::workload::ActionId;

/// Which proposals carry out which actions, and which of them took effect.
#[derive(Debug, Default)]
pub(crate) struct ActionWatch {
    proposals: BTreeMap<ProposalId, ActionId>,
    effects: BTreeMap<ActionId, u32>,
}

impl ActionWatch {
    pub(crate) fn proposed(&mut self, proposal: ProposalId, action: Option<ActionId>) {
        self.proposals.extend(action.map(|action| (proposal, action)));
    }

    /// An entry was applied for the first time. What has effects has taken effect.
    pub(crate) fn applied(
        &mut self,
        record: &Record,
        applied: &Applied,
        counts: &mut Counts,
    ) -> Result<(), (Invariant, String)> {
        let Some(action) = self.proposals.get(&record.proposal).filter(|_| applied.reply.is_ok()) else {
            return Ok(());
        };
        if applied.effects.is_empty() {
            counts.repeats += 1;
            return Ok(());
        }
        let effects = self.effects.entry(*action).or_default();
        *effects += 1;
        if *effects > 1 {
            return Err((Invariant::H, format!("{action:?} took effect twice: {:?}", record.command)));
        }
        Ok(())
    }

    /// A client is told that its action is done.
    pub(crate) fn acknowledged(&self, action: ActionId) -> Result<(), (Invariant, String)> {
        match self.effects.get(&action) {
            Some(1) => Ok(()),
            effects => Err((Invariant::H, format!("{action:?} is done, and took effect {effects:?} times"))),
        }
    }
}
