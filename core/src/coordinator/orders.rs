//! What operators ask for.

use super::{At, Coordinator, Now, Order};
use crate::limits;
use crate::state::ClusterState;
use crate::state::command::{Command, Refusal, RunSpec, StopReason};
use crate::state::run::{Run, RunPhase};

impl Coordinator {
    /// The command that an operator's order comes to.
    ///
    /// # Errors
    /// Why the order cannot be carried out now. Nothing is to be proposed then.
    pub fn order(&self, order: Order, now: Now, state: &ClusterState) -> Result<Command, Refusal> {
        let at = At { now, state };
        match order {
            Order::Start(run, spec) => {
                self.may_start(&spec, at)?;
                Ok(Command::StartRun { run, spec })
            }
            Order::Edit { users, rate } => {
                let run = running(at)?;
                let ahead_us = limits::EDIT_AHEAD.as_micros() as u64;
                let at_us = match run.phase() {
                    RunPhase::Preparing => 0,
                    _ => self.instant_us(run, at).saturating_add(ahead_us),
                };
                Ok(Command::EditRun { run: run.id(), at_us, users, rate })
            }
            Order::Reset => {
                let run = running(at)?;
                if run.phase() == RunPhase::Preparing {
                    return Err(Refusal::RunIsPreparing);
                }
                Ok(Command::ResetStatistics { run: run.id(), at_us: self.instant_us(run, at), keep_series: false })
            }
            Order::Stop => {
                let run = running(at)?;
                let at_us = self.instant_us(run, at);
                Ok(Command::StopRun { run: run.id(), at_us, reason: StopReason::Requested })
            }
            Order::To(run, order) => match at.run() {
                Some(active) if active.id() == run => self.order(*order, now, state),
                _ => Err(Refusal::NoSuchRun),
            },
        }
    }

    fn may_start(&self, spec: &RunSpec, at: At<'_>) -> Result<(), Refusal> {
        if at.run().is_some() {
            return Err(Refusal::RunIsActive);
        }
        match (at.state.selected(&spec.distribution.select_tags).count(), self.settings.expect_workers) {
            (0, _) => Err(Refusal::NoWorkers),
            (present, expected) if present < expected => Err(Refusal::TooFewWorkers { present, expected }),
            _ => Ok(()),
        }
    }

    /// The instant of plan time that it is, or the latest that is known of.
    fn instant_us(&self, run: &Run, at: At<'_>) -> u64 {
        self.plan_now_us(run.id(), at).unwrap_or(run.stats().until_us)
    }
}

/// The run that goes on and was not told to stop.
fn running(at: At<'_>) -> Result<&Run, Refusal> {
    match at.run() {
        Some(run) if run.phase() == RunPhase::Stopping => Err(Refusal::RunIsStopping),
        Some(run) => Ok(run),
        None => Err(Refusal::NoSuchRun),
    }
}
