//! Telling a member that it was removed.
//!
//! A leader that has applied a removal forgets the member, whose last message from it says at best that the entry exists,
//! not that it is committed. It would go on asking for votes for ever. So the leader tells it a few times more.

use raft::eraftpb::{Message, MessageType};
use raft::{GetEntriesContext, Storage};

use super::inputs::Replica;
use super::members::ids;
use crate::limits;

/// How often the leader tells it.
const TIMES: u32 = 5;

/// A member that was removed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Farewell {
    to: u64,
    /// The last entry that it had confirmed.
    matched: u64,
    /// The entry that removed it.
    removal: u64,
    times_left: u32,
}

impl Replica {
    /// Who will be gone if one of the entries that are about to be applied removes it: what each had confirmed.
    pub(super) fn confirmed(&self) -> Vec<(u64, u64)> {
        let prs = self.node.raft.prs();
        let conf = prs.conf().to_conf_state();
        let others = ids(&conf).filter(|id| self.is_leader() && *id != self.config.id.0);
        others.filter_map(|id| Some((id, prs.get(id)?.matched))).collect()
    }

    /// An entry was applied; of those who were members before it, some may be gone.
    pub(super) fn say_farewell(&mut self, before: &[(u64, u64)], removal: u64) {
        let prs = self.node.raft.prs();
        let gone = before.iter().filter(|(id, _)| prs.get(*id).is_none());
        let farewells: Vec<Farewell> =
            gone.map(|(to, matched)| Farewell { to: *to, matched: *matched, removal, times_left: TIMES }).collect();
        self.farewells.extend(farewells);
    }

    /// Tells those who are gone once more. Called with every tick.
    pub(super) fn repeat_farewells(&mut self) {
        if !self.is_leader() {
            self.farewells.clear();
        }
        if !self.ticks.is_multiple_of(self.config.heartbeat_ticks as u64) {
            return;
        }
        let mut farewells = std::mem::take(&mut self.farewells);
        let messages = farewells.iter().flat_map(|farewell| self.removal_for(farewell)).collect();
        farewells.iter_mut().for_each(|farewell| farewell.times_left -= 1);
        farewells.retain(|farewell| farewell.times_left > 0);
        self.farewells = farewells;
        self.send(messages);
    }

    /// What it lacks for all that the leader knows, and the removal alone in case it has the rest already.
    fn removal_for(&self, farewell: &Farewell) -> Vec<Message> {
        let befores = [farewell.matched.min(farewell.removal - 1), farewell.removal - 1];
        befores.into_iter().filter_map(|before| self.append_for(farewell, before)).collect()
    }

    fn append_for(&self, farewell: &Farewell, before: u64) -> Option<Message> {
        let log = self.node.store();
        let most = Some(limits::RAFT_MESSAGE_BYTES_MAX);
        let context = GetEntriesContext::empty(false);
        let entries = log.entries(before + 1, farewell.removal + 1, most, context).ok()?;
        Some(Message {
            msg_type: MessageType::MsgAppend,
            to: farewell.to,
            from: self.config.id.0,
            term: self.node.raft.term,
            log_term: log.term(before).ok()?,
            index: before,
            entries: entries.into(),
            commit: farewell.removal,
            ..Message::default()
        })
    }
}
