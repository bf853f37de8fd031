use std::collections::BTreeMap;

use super::*;
use crate::scenario::Format;
use crate::scenario::bundle::{Bundle, BundleSelection};
use crate::state::intended::Fate;

const COMMAND: u64 = 42;

impl Log {
    /// The run that comes of it, with one master that was not there before.
    fn intend(&mut self, run: u64, command: u64) -> RunId {
        self.intend_with(run, command, &[("master", run)])
    }

    /// The run that comes of it, with these masters and lives of them.
    fn intend_with(&mut self, run: u64, command: u64, present: &[(&str, u64)]) -> RunId {
        let present = present.iter().map(|(master, life)| ((*master).into(), Incarnation(*life))).collect();
        match self.apply_as(Command::IntendRun { run: RunId(run), command, present }, None).reply {
            Ok(Reply::Run(run)) => run,
            other => panic!("{other:?}"),
        }
    }

    fn fate(&self) -> &Fate {
        &self.state.intended().expect("an intended run").fate
    }

    fn cancel(&mut self, run: u64) {
        let reason = "no workers".into();
        self.apply(Command::CancelIntended { run: RunId(run), reason }).expect("changes at most this");
    }
}

fn bundle(name: &str) -> Arc<Bundle> {
    Arc::new(Bundle {
        name: name.into(),
        format: Format::Yaml,
        text: "users: {}".into(),
        files: BTreeMap::new(),
        selection: BundleSelection::default(),
        is_program: false,
    })
}

#[test]
fn the_first_scenario_stays_unless_another_is_to_replace_it() {
    let mut log = Log::new();
    let name = |log: &Log| log.state.scenario().map(|bundle| bundle.name.to_string());
    assert_eq!(name(&log), None);
    for (given, replaces, kept) in [("a", false, "a"), ("b", false, "a"), ("b", true, "b")] {
        log.apply(Command::SetScenario { bundle: bundle(given), replaces }).expect("changes at most this");
        assert_eq!(name(&log).as_deref(), Some(kept));
    }
}

#[test]
fn every_master_with_the_same_command_gets_the_same_run_until_it_has_ended() {
    let mut log = Log::with_workers(&["a"]);
    assert_eq!(log.intend(7, COMMAND), RUN);
    assert_eq!(log.intend(8, COMMAND), RUN, "it waits");
    log.start(spec(LossPolicy::Replace)).expect("starts");
    assert_eq!(*log.fate(), Fate::Started);
    assert_eq!(log.intend(9, COMMAND), RUN, "it goes on");
    log.apply(Command::LaunchRun { run: RUN }).expect("launches");
    log.apply(Command::EndRun { run: RUN, missing: Vec::new() }).expect("ends");
    assert_eq!(log.intend(10, COMMAND), RunId(10), "whoever is told again starts a new one");
    assert_eq!(*log.fate(), Fate::Waiting);
}

#[test]
fn masters_that_start_again_come_back_to_the_run_while_one_of_the_others_lives_on() {
    let mut log = Log::with_workers(&["a"]);
    assert_eq!(log.intend_with(7, COMMAND, &[("a", 1), ("b", 1)]), RUN);
    log.start(spec(LossPolicy::Replace)).expect("starts");
    log.apply(Command::LaunchRun { run: RUN }).expect("launches");
    log.apply(Command::EndRun { run: RUN, missing: Vec::new() }).expect("ends");
    assert_eq!(log.intend_with(8, COMMAND, &[("a", 2), ("b", 1)]), RUN, "b was there");
    let takes_part = |log: &Log, master, life| log.state.intended().expect("one").is_of(master, Incarnation(life));
    assert!(takes_part(&log, "a", 2) && takes_part(&log, "b", 1) && !takes_part(&log, "a", 1));
    assert_eq!(log.intend_with(9, COMMAND, &[("a", 2), ("b", 2)]), RUN, "a was there when it came back");
    assert_eq!(log.intend_with(10, COMMAND, &[("a", 3), ("b", 3)]), RunId(10), "all are new");
    assert!(takes_part(&log, "a", 3) && !takes_part(&log, "b", 2));
}

#[test]
fn masters_come_back_to_a_run_that_was_given_up_too() {
    let mut log = Log::with_workers(&["a"]);
    log.intend_with(7, COMMAND, &[("a", 1), ("b", 1)]);
    log.cancel(7);
    assert_eq!(log.intend_with(8, COMMAND, &[("a", 2), ("b", 1)]), RUN);
    assert_eq!(*log.fate(), Fate::Cancelled { reason: "no workers".into() });
    assert_eq!(log.intend_with(8, COMMAND + 1, &[("b", 1)]), RunId(8), "it was told something else");
}

#[test]
fn a_run_is_started_once() {
    let mut log = Log::with_workers(&["a"]);
    log.intend(7, COMMAND);
    log.start(spec(LossPolicy::Replace)).expect("starts");
    log.apply(Command::LaunchRun { run: RUN }).expect("launches");
    assert_eq!(log.start(spec(LossPolicy::Replace)), Err(Refusal::RunIsActive));
    log.apply(Command::EndRun { run: RUN, missing: Vec::new() }).expect("ends");
    assert_eq!(log.start(spec(LossPolicy::Replace)), Err(Refusal::RunWasStarted));
}

#[test]
fn a_cancelled_run_is_never_started_and_a_started_one_never_cancelled() {
    let mut log = Log::with_workers(&["a"]);
    log.intend(7, COMMAND);
    log.cancel(8);
    assert_eq!(*log.fate(), Fate::Waiting, "another run");
    log.cancel(7);
    assert_eq!(*log.fate(), Fate::Cancelled { reason: "no workers".into() });
    assert_eq!(log.start(spec(LossPolicy::Replace)), Err(Refusal::RunIsCancelled));
    let mut log = Log::with_workers(&["a"]);
    log.intend(7, COMMAND);
    log.start(spec(LossPolicy::Replace)).expect("starts");
    log.cancel(7);
    assert_eq!(*log.fate(), Fate::Started);
}

#[test]
fn masters_that_were_told_something_else_do_not_take_part() {
    let mut log = Log::with_workers(&["a"]);
    log.intend(7, COMMAND);
    assert_eq!(log.intend(8, COMMAND + 1), RunId(8), "nobody has started the other one");
    assert_eq!(log.intend(7, COMMAND), RUN);
    log.start(spec(LossPolicy::Replace)).expect("starts");
    assert_eq!(log.intend(8, COMMAND + 1), RunId(8));
    let Fate::Cancelled { reason } = log.fate() else { panic!("{:?}", log.fate()) };
    assert!(reason.contains(&RUN.to_string()), "{reason}");
}
