//! Changes of the members, in steps: who is new first learns the log without a vote, then all votes change at once.

use std::collections::BTreeSet;

use raft::eraftpb::{ConfChangeSingle, ConfChangeType, ConfChangeV2, ConfState};

use super::inputs::Replica;
use super::leadership::TransferReason;
use super::members::{MemberNames, ids};
use super::stored::NamedMember;
use crate::ids::RaftId;
use crate::limits;

/// Who comes and who goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberChange {
    /// New voters.
    pub add: Vec<NamedMember>,
    /// Members that are none afterwards.
    pub remove: Vec<RaftId>,
}

/// Why the members are not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// Only the leader changes members.
    #[error("this master does not lead")]
    NotLeader,
    /// The leader would be removed. It is giving the lead to another master, which must be asked again.
    #[error("this master leads; the lead goes to another one first")]
    RemovesLeader,
    /// The one before is not finished.
    #[error("the members are being changed already")]
    UnderWay,
    /// It changes nothing, contradicts itself, or leaves nobody.
    #[error("the change makes no sense: {0}")]
    Senseless(&'static str),
}

/// A change that is under way.
#[derive(Clone, Debug)]
pub(super) struct ChangePlan {
    change: MemberChange,
}

impl Replica {
    /// Begins to change the members. It is finished when `status` shows them; a change of leader ends it half-way,
    /// and it may then be asked for again. Asked for while new members are still learning, it takes the place of the
    /// one before.
    ///
    /// # Errors
    /// When it cannot begin.
    pub fn change(&mut self, change: MemberChange) -> Result<(), ChangeRefused> {
        if !self.leads() {
            return Err(ChangeRefused::NotLeader);
        }
        let conf = self.node.raft.prs().conf().to_conf_state();
        if !conf.voters_outgoing.is_empty() || self.node.raft.has_pending_conf() {
            return Err(ChangeRefused::UnderWay);
        }
        makes_sense(&change, &conf)?;
        if change.remove.contains(&self.config.id) {
            let heir = self.voters().find(|voter| !change.remove.contains(&RaftId(*voter)) && self.is_healthy(*voter));
            let heir = heir.ok_or(ChangeRefused::Senseless("no other healthy voter would be left"))?;
            self.transfer_because(RaftId(heir), TransferReason::Own);
            self.proceed();
            return Err(ChangeRefused::RemovesLeader);
        }
        self.change = Some(ChangePlan { change });
        self.go_on_with_change();
        self.proceed();
        Ok(())
    }

    /// Takes the next step of a change, if the one before is done.
    pub(super) fn go_on_with_change(&mut self) {
        if !self.leads() || self.node.raft.has_pending_conf() {
            return;
        }
        let conf = self.node.raft.prs().conf().to_conf_state();
        if !conf.voters_outgoing.is_empty() && !conf.voters.contains(&self.config.id.0) {
            // It was elected while it was being removed.
            let heir = conf.voters.iter().find(|voter| self.is_healthy(**voter) && self.is_caught_up(**voter));
            if let Some(heir) = heir {
                self.transfer_because(RaftId(*heir), TransferReason::Own);
            }
            return;
        }
        if !conf.voters_outgoing.is_empty() {
            // raft-rs leaves the joint configuration by itself, but forgets to if the lead changed at the wrong moment.
            self.propose_members(ConfChangeV2::default());
            return;
        }
        let Some(plan) = &self.change else { return };
        let change = plan.change.clone();
        let unknown: Vec<ConfChangeSingle> = change
            .add
            .iter()
            .filter(|member| !conf.voters.contains(&member.id.0) && !conf.learners.contains(&member.id.0))
            .map(|member| single(ConfChangeType::AddLearnerNode, member.id.0))
            .collect();
        if !unknown.is_empty() {
            self.propose_members(with_names(unknown, &change.add));
            return;
        }
        // In a young log everybody is nearly caught up, also somebody who is not there.
        let has_learned = |id| self.is_healthy(id) && self.has_answered(id) && self.is_caught_up(id);
        let learns = |member: &&NamedMember| !conf.voters.contains(&member.id.0) && !has_learned(member.id.0);
        if change.add.iter().any(|member| learns(&member)) {
            return;
        }
        let swap = swap(&change, &conf);
        if swap.is_empty() {
            self.change = None;
        } else {
            self.propose_members(with_names(swap, &change.add));
        }
    }

    fn propose_members(&mut self, change: ConfChangeV2) {
        // Dropped only during a transfer, and then tried again with the next tick.
        let _ = self.node.propose_conf_change(Vec::new(), change);
    }

    /// Whether a change is under way.
    pub(super) fn is_changing(&self) -> bool {
        self.change.is_some() || !self.node.raft.prs().conf().to_conf_state().voters_outgoing.is_empty()
    }
}

/// All votes at once, and learners that an abandoned change left behind.
fn swap(change: &MemberChange, conf: &ConfState) -> Vec<ConfChangeSingle> {
    let wanted: BTreeSet<u64> = change.add.iter().map(|member| member.id.0).collect();
    let added = wanted.iter().filter(|id| !conf.voters.contains(id)).map(|id| single(ConfChangeType::AddNode, *id));
    let gone = change.remove.iter().map(|member| member.0);
    let leftover = conf.learners.iter().copied().filter(|id| !wanted.contains(id));
    let members: BTreeSet<u64> = ids(conf).collect();
    let removed: BTreeSet<u64> = gone.chain(leftover).filter(|id| members.contains(id)).collect();
    added.chain(removed.into_iter().map(|id| single(ConfChangeType::RemoveNode, id))).collect()
}

fn makes_sense(change: &MemberChange, conf: &ConfState) -> Result<(), ChangeRefused> {
    let added: BTreeSet<u64> = change.add.iter().map(|member| member.id.0).collect();
    let removed: BTreeSet<u64> = change.remove.iter().map(|member| member.0).collect();
    let left = conf.voters.iter().chain(&added).filter(|id| !removed.contains(id)).collect::<BTreeSet<_>>().len();
    let problem = if added.contains(&0) {
        "an id of 0"
    } else if added.iter().any(|id| removed.contains(id)) {
        "a member both comes and goes"
    } else if left == 0 {
        "nobody would be left"
    } else if left > limits::MASTERS_MAX {
        "too many masters"
    } else if swap(change, conf).is_empty() {
        "nothing would change"
    } else {
        return Ok(());
    };
    Err(ChangeRefused::Senseless(problem))
}

fn single(kind: ConfChangeType, id: u64) -> ConfChangeSingle {
    ConfChangeSingle { change_type: kind, node_id: id, ..ConfChangeSingle::default() }
}

fn with_names(changes: Vec<ConfChangeSingle>, names: &[NamedMember]) -> ConfChangeV2 {
    ConfChangeV2 { changes: changes.into(), context: MemberNames::encode(names), ..ConfChangeV2::default() }
}
