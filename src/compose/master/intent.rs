//! Keeps it written down, while this master leads, that a run is to be started, and which masters take part in it.
//!
//! What a disk has of it may be of an earlier life of the cluster. A leader asks whoever is there: a master that lived on
//! knows that the run was started already, and none does when all of them were started anew to run it again.

use std::sync::Arc;
use std::time::Duration;

use akrida_core::ids::RunId;
use akrida_core::state::command::Command;
use akrida_core::state::intended::{IntendedRun, Present};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::control::Control;
use crate::raft::status::RaftStatus;

/// How often it is looked who is there.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a leader waits for masters of the group that are not there before those that are decide. Longer than any link
/// takes to come up again.
const ABSENT_MAX: Duration = Duration::from_secs(60);

/// Writes down what is to be started, until it is dropped.
#[derive(Debug)]
pub(super) struct Intent(JoinHandle<()>);

impl Intent {
    /// Starts on the calling thread's runtime. `command` is a hash of what is to be run.
    pub(super) fn keep(command: u64, control: &Arc<Control>) -> Self {
        Self(actix_rt::spawn(keep(command, Arc::clone(control))))
    }
}

impl Drop for Intent {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep(command: u64, control: Arc<Control>) {
    let mut watch = Watch { command, leads_since: None, took_part: false, has_told: false };
    loop {
        // A coordinator that does not answer is asked again.
        if let Ok((leads, intended)) =
            control.look(|sight| (sight.core.is_some(), sight.state.intended().cloned())).await
            && let Some(present) = watch.missing(leads, intended, &control)
        {
            let written = Command::IntendRun { run: RunId(fastrand::u64(..)), command, present };
            if let Err(error) = control.propose(written).await {
                tracing::debug!(%error, "it is tried again");
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

/// What is known from one look to the next.
struct Watch {
    command: u64,
    leads_since: Option<Instant>,
    /// Whether it was written down that this master takes part.
    took_part: bool,
    /// Whether it was said that others are waited for.
    has_told: bool,
}

impl Watch {
    /// The masters that are there, if this one leads and they are to be written down.
    fn missing(&mut self, leads: bool, intended: Option<IntendedRun>, control: &Control) -> Option<Present> {
        let intended = intended.filter(|intended| intended.command == self.command);
        let (master, life) = control.life();
        self.took_part |= intended.as_ref().is_some_and(|intended| intended.is_of(&master, life));
        if !leads {
            self.leads_since = None;
            return None;
        }
        let since = *self.leads_since.get_or_insert_with(Instant::now);
        let present = control.present();
        let is_complete = since.elapsed() >= ABSENT_MAX || are_all_there(&control.raft_status().borrow(), &present);
        if intended.as_ref().is_some_and(|intended| !intended.is_of_one_of(&present)) && !is_complete {
            self.tell();
        }
        is_to_be_written_down(intended.as_ref(), self.took_part, &present, is_complete).then_some(present)
    }

    fn tell(&mut self) {
        if !std::mem::replace(&mut self.has_told, true) {
            let most_s = ABSENT_MAX.as_secs();
            tracing::info!(
                most_s,
                "the run was started before; masters that are not there may have taken part and are awaited"
            );
        }
    }
}

/// Whether something is to be written down, given what is written down of the same command, whether this master took part
/// in that, who is there, and whether nobody else is to be waited for.
fn is_to_be_written_down(
    intended: Option<&IntendedRun>,
    took_part: bool,
    present: &Present,
    is_complete: bool,
) -> bool {
    match intended {
        Some(intended) if intended.is_of_one_of(present) => !intended.is_of_all(present),
        Some(_) => is_complete && !took_part,
        // Masters that were told something else led meanwhile, if this one took part.
        None => !took_part,
    }
}

fn are_all_there(status: &RaftStatus, present: &Present) -> bool {
    let mut voters = status.group.iter().flat_map(|group| &group.members).filter(|member| member.is_voter);
    voters.all(|voter| voter.name.as_ref().is_some_and(|name| present.contains_key(name)))
}

#[cfg(test)]
mod tests {
    use akrida_core::ids::Incarnation;
    use akrida_core::state::intended::Fate;

    use super::*;

    fn there(lives: &[(&str, u64)]) -> Present {
        lives.iter().map(|(name, life)| ((*name).into(), Incarnation(*life))).collect()
    }

    fn intended(lives: &[(&str, u64)]) -> IntendedRun {
        IntendedRun { run: RunId(7), command: 1, fate: Fate::Started, present: there(lives) }
    }

    #[test]
    fn what_nobody_has_written_down_is_written_down_once() {
        let present = there(&[("a", 1)]);
        assert!(is_to_be_written_down(None, false, &present, false));
        assert!(!is_to_be_written_down(None, true, &present, true), "something else was written down since");
    }

    #[test]
    fn masters_that_come_are_added_to_those_that_take_part() {
        let known = intended(&[("a", 1), ("b", 1)]);
        assert!(!is_to_be_written_down(Some(&known), true, &there(&[("a", 1), ("b", 1)]), true));
        assert!(!is_to_be_written_down(Some(&known), true, &there(&[("a", 1)]), true), "b is away");
        assert!(is_to_be_written_down(Some(&known), true, &there(&[("a", 1), ("b", 2)]), true));
        assert!(
            is_to_be_written_down(Some(&known), false, &there(&[("a", 2), ("b", 1)]), false),
            "a came back and leads"
        );
    }

    #[test]
    fn a_master_that_comes_back_and_leads_waits_for_the_others() {
        let known = intended(&[("a", 1), ("b", 1)]);
        assert!(!is_to_be_written_down(Some(&known), false, &there(&[("a", 2)]), false));
        assert!(is_to_be_written_down(Some(&known), false, &there(&[("a", 2), ("b", 2)]), true), "all are new");
    }
}
