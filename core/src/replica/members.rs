//! Who belongs to the group: the configurations that were committed, and the names of the members.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use raft::eraftpb::ConfState;

use super::stored::NamedMember;
use crate::ids::RaftId;

/// Whether a member belongs to a configuration in any way.
pub(super) fn contains(conf: &ConfState, id: u64) -> bool {
    ids(conf).any(|member| member == id)
}

/// All members of a configuration; some may come twice.
pub(super) fn ids(conf: &ConfState) -> impl Iterator<Item = u64> + '_ {
    conf.voters.iter().chain(&conf.learners).chain(&conf.voters_outgoing).chain(&conf.learners_next).copied()
}

/// Whether raft-rs can take this configuration from a snapshot.
pub(super) fn is_sound(conf: &ConfState) -> bool {
    let unique = |ids: &[u64]| ids.iter().collect::<BTreeSet<_>>().len() == ids.len();
    let voters: BTreeSet<u64> = conf.voters.iter().chain(&conf.voters_outgoing).copied().collect();
    let joint = !conf.voters_outgoing.is_empty();
    !conf.voters.is_empty()
        && ids(conf).all(|id| id != 0)
        && [&conf.voters, &conf.learners, &conf.voters_outgoing, &conf.learners_next].iter().all(|part| unique(part))
        && conf.learners.iter().all(|id| !voters.contains(id))
        && conf.learners_next.iter().all(|id| conf.voters_outgoing.contains(id) && !conf.voters.contains(id))
        && (joint || !conf.auto_leave)
}

/// Configurations of the past that a snapshot may need, and the latest one.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Each with the index of the entry that made it; the first one holds from the latest snapshot on.
    history: Vec<(u64, ConfState)>,
    names: MemberNames,
}

impl Members {
    pub(super) fn restored(index: u64, conf: ConfState, names: MemberNames) -> Self {
        Self { history: vec![(index, conf)], names }
    }

    pub(super) fn changed(&mut self, index: u64, mut conf: ConfState, names: MemberNames) {
        for part in [&mut conf.voters, &mut conf.learners, &mut conf.voters_outgoing, &mut conf.learners_next] {
            part.sort_unstable();
        }
        self.history.push((index, conf));
        self.names.0.extend(names.0);
    }

    /// The configuration as of an index, and the names of its members.
    pub(super) fn as_of(&self, index: u64) -> (ConfState, MemberNames) {
        let holds = self.history.iter().rev().find(|(since, _)| *since <= index);
        let conf = holds.map(|(_, conf)| conf.clone()).unwrap_or_default();
        let names = ids(&conf).filter_map(|id| Some((id, self.names.0.get(&id)?.clone()))).collect();
        (conf, MemberNames(names))
    }

    /// A snapshot was taken: what was before it is not needed any more.
    pub(super) fn forget_before(&mut self, index: u64) {
        let kept = self.history.iter().rposition(|(since, _)| *since <= index).unwrap_or_default();
        self.history.drain(..kept);
        let needed: BTreeSet<u64> = self.history.iter().flat_map(|(_, conf)| ids(conf)).collect();
        self.names.0.retain(|id, _| needed.contains(id));
    }

    /// The index of the entry that made the latest configuration.
    pub(super) fn latest_index(&self) -> u64 {
        self.history.last().map_or(0, |(index, _)| *index)
    }

    pub(super) fn name_of(&self, id: u64) -> Option<&Arc<str>> {
        self.names.0.get(&id)
    }
}

/// Names of members by their id, as they travel with changes and snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MemberNames(pub(super) BTreeMap<u64, Arc<str>>);

impl MemberNames {
    pub(super) fn encode(members: &[NamedMember]) -> Bytes {
        rmp_serde::to_vec(members).expect("names can be written").into()
    }

    /// What cannot be read names nobody: the group works without names.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        Self::of(rmp_serde::from_slice::<Vec<NamedMember>>(bytes).unwrap_or_default())
    }

    pub(super) fn of(members: Vec<NamedMember>) -> Self {
        Self(members.into_iter().map(|member| (member.id.0, member.name)).collect())
    }

    pub(super) fn list(&self) -> Vec<NamedMember> {
        self.0.iter().map(|(id, name)| NamedMember { id: RaftId(*id), name: name.clone() }).collect()
    }
}
