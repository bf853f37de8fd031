//! F: whatever a master takes for committed is on the disks of a majority.
//!
//! An acknowledgement leaves after an entry was applied, so this is looked at when the raft thread hands entries out.

use akrida_core::replica::event::Committed;

use super::Invariant;
use crate::disk::Disk;
use crate::world::World;

impl World {
    /// A master hands out entries as committed.
    pub(crate) fn check_durable(&mut self, at: usize, entries: &[Committed]) {
        self.oracle.at_us(self.schedule.now_us());
        let Some(process) = &self.masters[at].process else { return };
        let status = process.replica.status();
        let voters: Vec<_> = status.members.iter().filter(|member| member.is_voter).map(|member| member.id).collect();
        // The majority of one voter less: the last change may have added one.
        let needed = voters.len().saturating_sub(1) / 2 + 1;
        let of_masters = self.masters.iter().filter(|master| master.is_in_use).map(|master| (master.id, &master.disk));
        let all = of_masters.chain(self.lost_disks.iter().map(|(id, disk)| (*id, disk)));
        let disks: Vec<&Disk> = all.filter(|(id, _)| voters.contains(id)).map(|(_, disk)| disk).collect();
        let log = &self.oracle.log;
        for entry in entries.iter().filter(|entry| log.is_new(entry.index.0)) {
            let copies = disks.iter().filter(|disk| disk.holds(entry.index.0, &entry.record)).count();
            if copies < needed {
                let index = entry.index.0;
                let what =
                    format!("entry {index} is committed on master {at}, and on {copies} of {} disks", voters.len());
                return self.oracle.fail(Invariant::F, what);
            }
        }
        for entry in entries {
            if let Err(what) = self.oracle.log.committed(entry.index.0, &entry.record) {
                return self.oracle.fail(Invariant::E, what);
            }
        }
    }
}
