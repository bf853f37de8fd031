//! What masters bring along: the scenario of runs that name none, and the run that masters start by themselves.
//!
//! Several masters may be told to start the same run. The first one that leads writes down that it is to be started, and
//! under which id; whoever leads when its workers are there starts it, once.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ClusterState;
use super::command::Refusal;
use super::request::Reply;
use crate::ids::RunId;
use crate::scenario::bundle::Bundle;

/// A run that masters start by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntendedRun {
    /// Its id.
    pub run: RunId,
    /// A hash of what is to be run: masters that were told something else do not take part in it.
    pub command: u64,
    /// What has become of it.
    pub fate: Fate,
}

/// What has become of a run that masters start by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// It waits for its workers.
    Waiting,
    /// It was started.
    Started,
    /// It will not be started.
    Cancelled {
        /// Why.
        reason: Arc<str>,
    },
}

impl ClusterState {
    /// The scenario of runs that bring none.
    #[must_use]
    pub fn scenario(&self) -> Option<&Arc<Bundle>> {
        self.scenario.as_ref()
    }

    /// The run that masters start by themselves, or the last one.
    #[must_use]
    pub fn intended(&self) -> Option<&IntendedRun> {
        self.intended.as_ref()
    }

    /// Keeps a scenario for runs that bring none; another one stays unless it is to be replaced.
    pub(super) fn set_scenario(&mut self, bundle: &Arc<Bundle>, replaces: bool) {
        if replaces || self.scenario.is_none() {
            self.scenario = Some(Arc::clone(bundle));
        }
    }

    /// Notes that masters are to start a run. The one of the same command that waits or goes on is taken instead, and told
    /// in the reply. While another run goes on the new one is cancelled at once.
    pub(super) fn intend(&mut self, run: RunId, command: u64) -> Reply {
        let active = self.run.as_ref().filter(|_| self.has_active_run()).map(super::run::Run::id);
        if let Some(known) = &self.intended {
            let goes_on = match known.fate {
                Fate::Waiting => active.is_none(),
                Fate::Started => active == Some(known.run),
                Fate::Cancelled { .. } => false,
            };
            if goes_on && known.command == command {
                return Reply::Run(known.run);
            }
        }
        let fate = match active {
            Some(other) => Fate::Cancelled { reason: format!("run {other} goes on in this cluster").into() },
            None => Fate::Waiting,
        };
        self.intended = Some(IntendedRun { run, command, fate });
        Reply::Run(run)
    }

    /// Gives up a run that masters were to start, unless it was started.
    pub(super) fn cancel_intended(&mut self, run: RunId, reason: &Arc<str>) {
        if let Some(intended) = self.intended.as_mut().filter(|known| known.run == run && known.fate == Fate::Waiting) {
            intended.fate = Fate::Cancelled { reason: Arc::clone(reason) };
        }
    }

    /// Whether an intended run may start.
    ///
    /// # Errors
    /// When it was given up, or was started before.
    pub(super) fn may_start_intended(&self, run: RunId) -> Result<(), Refusal> {
        match self.intended.as_ref().filter(|known| known.run == run).map(|known| &known.fate) {
            Some(Fate::Cancelled { .. }) => Err(Refusal::RunIsCancelled),
            Some(Fate::Started) => Err(Refusal::RunWasStarted),
            Some(Fate::Waiting) | None => Ok(()),
        }
    }

    pub(super) fn note_started(&mut self, run: RunId) {
        if let Some(intended) = self.intended.as_mut().filter(|known| known.run == run) {
            intended.fate = Fate::Started;
        }
    }
}
