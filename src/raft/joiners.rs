//! Masters without data that ask to join, as a member hears them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use akrida_core::ids::RaftId;
use akrida_core::limits;
use akrida_core::replica::stored::NamedMember;

/// Who asked lately, by name.
#[derive(Debug, Default)]
pub(super) struct Joiners(BTreeMap<Arc<str>, (RaftId, Instant)>);

impl Joiners {
    pub(super) fn asks(&mut self, name: Arc<str>, id: RaftId, now: Instant) {
        self.forget_silent(now);
        if self.0.len() < limits::MASTERS_MAX || self.0.contains_key(&name) {
            self.0.insert(name, (id, now));
        }
    }

    pub(super) fn joined(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Forgets those that are members by now.
    pub(super) fn forget_members(&mut self, is_member: impl Fn(RaftId) -> bool) {
        self.0.retain(|_, (id, _)| !is_member(*id));
    }

    pub(super) fn id_of(&mut self, name: &str, now: Instant) -> Option<RaftId> {
        self.forget_silent(now);
        self.0.get(name).map(|(id, _)| *id)
    }

    pub(super) fn list(&self, now: Instant) -> Vec<NamedMember> {
        let fresh = self.0.iter().filter(|(_, (_, heard))| now - *heard <= limits::JOINER_REMEMBERED);
        fresh.map(|(name, (id, _))| NamedMember { id: *id, name: name.clone() }).collect()
    }

    fn forget_silent(&mut self, now: Instant) {
        self.0.retain(|_, (_, heard)| now - *heard <= limits::JOINER_REMEMBERED);
    }
}
