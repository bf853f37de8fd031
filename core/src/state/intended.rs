//! What masters bring along: the scenario of runs that name none, and the run that masters start by themselves.
//!
//! Several masters may be told to start the same run. The first one that leads writes down that it is to be started, and
//! under which id; whoever leads when its workers are there starts it, once.
//!
//! Masters that start again are told the same again. While one of those that were there before lives on, they come back to
//! what it takes part in, even if that has ended; once all of them have started anew, a new run is meant.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ClusterState;
use super::command::Refusal;
use super::request::Reply;
use crate::ids::{Incarnation, RunId};
use crate::scenario::bundle::Bundle;

/// Masters that are there, by name, and which life of each.
pub type Present = BTreeMap<Arc<str>, Incarnation>;

/// A run that masters start by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntendedRun {
    /// Its id.
    pub run: RunId,
    /// A hash of what is to be run: masters that were told something else do not take part in it.
    pub command: u64,
    /// What has become of it.
    pub fate: Fate,
    /// The masters that take part: those that were there when it was written down or later.
    pub present: Present,
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

impl IntendedRun {
    /// Whether this life of a master takes part.
    #[must_use]
    pub fn is_of(&self, master: &str, life: Incarnation) -> bool {
        self.present.get(master) == Some(&life)
    }

    /// Whether one of these masters takes part.
    #[must_use]
    pub fn is_of_one_of(&self, masters: &Present) -> bool {
        masters.iter().any(|(master, life)| self.is_of(master, *life))
    }

    /// Whether all of these masters take part.
    #[must_use]
    pub fn is_of_all(&self, masters: &Present) -> bool {
        masters.iter().all(|(master, life)| self.is_of(master, *life))
    }
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

    /// Notes that masters are to start a run. The one of the same command that waits or goes on, or in which one of those
    /// present takes part, is taken instead, and told in the reply; all that are present take part in it from now on. While
    /// another run goes on the new one is cancelled at once.
    pub(super) fn intend(&mut self, run: RunId, command: u64, present: &Present) -> Reply {
        let active = self.run.as_ref().filter(|_| self.has_active_run()).map(super::run::Run::id);
        if let Some(known) = self.intended.as_mut().filter(|known| known.command == command) {
            let goes_on = match known.fate {
                Fate::Waiting => active.is_none(),
                Fate::Started => active == Some(known.run),
                Fate::Cancelled { .. } => false,
            };
            if goes_on || known.is_of_one_of(present) {
                known.present.extend(present.iter().map(|(master, life)| (Arc::clone(master), *life)));
                return Reply::Run(known.run);
            }
        }
        let fate = match active {
            Some(other) => Fate::Cancelled { reason: format!("run {other} goes on in this cluster").into() },
            None => Fate::Waiting,
        };
        self.intended = Some(IntendedRun { run, command, fate, present: present.clone() });
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
