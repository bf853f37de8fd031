//! The operator: changes the members of the group while everything else happens, one change at a time, and asks again until
//! it is done.

use akrida_core::ids::RaftId;
use akrida_core::replica::change::MemberChange;
use akrida_core::replica::stored::Stored;

use crate::clock::{MS, SECOND};
use crate::event::{Event, Node};
use crate::world::World;

/// How often the operator looks.
const LOOK_EVERY_US: u64 = 700 * MS;
/// The most masters that the group is grown to, and the fewest that it is shrunk to.
const MEMBERS_MAX: usize = 5;
const MEMBERS_MIN: usize = 3;

/// A change that was begun.
#[derive(Clone, Debug)]
struct Change {
    add: Vec<usize>,
    remove: Vec<RaftId>,
    /// The place of a master that is taken away for good.
    retires: Option<usize>,
}

/// What the operator is at.
#[derive(Debug, Default)]
pub(crate) struct Operator {
    change: Option<Change>,
}

impl Operator {
    /// Whether nothing is left to be done.
    pub(crate) fn is_idle(&self) -> bool {
        self.change.is_none()
    }
}

impl World {
    pub(crate) fn start_operator(&mut self) {
        self.schedule.after(LOOK_EVERY_US, Event::Operator);
    }

    /// Begins some change, unless one is under way.
    pub(crate) fn change_members(&mut self) {
        let at = self.some_master();
        if self.random.u32(..3) == 0 {
            return self.transfer(at);
        }
        if self.operator.change.is_some() {
            return;
        }
        let members = self.masters.iter().filter(|master| master.is_in_use).count();
        match self.random.u32(..3) {
            0 => self.replace(at),
            1 if members < MEMBERS_MAX => self.add(),
            _ if members > MEMBERS_MIN => self.remove(at),
            _ => self.replace(at),
        }
    }

    fn transfer(&mut self, to: usize) {
        let id = self.masters[to].id;
        self.note(format_args!("the lead is to go to master {to}"));
        for at in 0..self.masters.len() {
            if let Some(process) = self.masters[at].process.as_mut().filter(|process| process.frozen.is_none()) {
                process.replica.transfer(id);
                self.carry_out_raft(at);
            }
        }
    }

    /// A master loses its disk and gets an empty one, and with it another id.
    fn replace(&mut self, at: usize) {
        let old = self.masters[at].id;
        self.crash_master(at, true);
        self.note(format_args!("master {at} has lost its disk"));
        let id = RaftId(self.random.u64(1..));
        let lost = self.masters[at].equip(id, Stored::joining());
        self.lost_disks.push((old, lost));
        self.schedule.after(SECOND, Event::Start(Node::Master(at)));
        self.operator.change = Some(Change { add: vec![at], remove: vec![old], retires: None });
    }

    fn add(&mut self) {
        let Some(at) = self.masters.iter().position(|master| !master.is_in_use) else { return };
        let id = RaftId(self.random.u64(1..));
        self.masters[at].equip(id, Stored::joining());
        self.schedule.after(MS, Event::Start(Node::Master(at)));
        self.operator.change = Some(Change { add: vec![at], remove: Vec::new(), retires: None });
    }

    fn remove(&mut self, at: usize) {
        let id = self.masters[at].id;
        self.operator.change = Some(Change { add: Vec::new(), remove: vec![id], retires: Some(at) });
    }

    /// Looks whether the change is done, and asks again if not.
    pub(crate) fn operate(&mut self) {
        self.start_operator();
        let Some(change) = self.operator.change.clone() else { return };
        let awake = |at: &usize| self.masters[*at].is_awake() && self.masters[*at].is_in_use;
        for at in (0..self.masters.len()).filter(awake).collect::<Vec<_>>() {
            if self.is_done(at, &change) {
                return self.finish_change(&change);
            }
            let add = change.add.iter().map(|at| self.masters[*at].named()).collect();
            let Some(process) = &mut self.masters[at].process else { continue };
            if process.replica.leads() {
                let asked = process.replica.change(MemberChange { add, remove: change.remove.clone() });
                self.note(format_args!("master {at} is asked for {change:?}: {asked:?}"));
                self.carry_out_raft(at);
            }
        }
    }

    /// Whether a master that leads shows the change as done.
    fn is_done(&self, at: usize, change: &Change) -> bool {
        let Some(process) = &self.masters[at].process else { return false };
        let status = process.replica.status();
        let voters: Vec<RaftId> =
            status.members.iter().filter(|member| member.is_voter).map(|member| member.id).collect();
        status.leads
            && !status.is_changing
            && change.add.iter().all(|at| voters.contains(&self.masters[*at].id))
            && !status.members.iter().any(|member| change.remove.contains(&member.id))
    }

    fn finish_change(&mut self, change: &Change) {
        self.note(format_args!("done: {change:?}"));
        self.oracle.counts.member_changes += 1;
        self.operator.change = None;
        if let Some(at) = change.retires {
            self.crash_master(at, true);
            self.masters[at].is_in_use = false;
        }
    }
}
