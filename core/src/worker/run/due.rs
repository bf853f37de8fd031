//! When something is due in a run.

use super::{ActiveRun, Phase};
use crate::worker::lease::Lease;

impl ActiveRun {
    /// When [`Self::tick`] or [`Self::check_lease`] has something to do next, on the worker's clock.
    pub(in crate::worker) fn next_us(&self, lease: &Lease, now_us: u64) -> Option<u64> {
        if !self.is_launched() {
            return None;
        }
        let Some(plan_us) = self.plan_us(now_us) else { return Some(self.mono_us(0)) };
        let change = self.next_change_us(plan_us, lease.holds(now_us));
        let seal = self.sealing.next_us(self.pressure());
        let ends = matches!(self.phase, Phase::Running | Phase::Stopping) && self.drained_by_us.is_none();
        let lease_end = Some(lease.until_us()).filter(|until| ends && *until < u64::MAX);
        let plan_times = [change, seal].into_iter().flatten().map(|us| self.mono_us(us));
        plan_times.chain(lease_end).min()
    }

    fn next_change_us(&self, plan_us: u64, lease_holds: bool) -> Option<u64> {
        match self.phase {
            Phase::Running | Phase::Draining | Phase::Drained if self.is_plan_over(plan_us) => Some(plan_us),
            Phase::Running => self.users.next_change_us(&self.plan, plan_us, self.catches_up()),
            Phase::Drained if lease_holds => Some(plan_us),
            Phase::Draining | Phase::Drained => self.plan.ends_at_us(),
            _ => None,
        }
    }
}
