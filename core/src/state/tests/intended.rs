use std::collections::BTreeMap;

use super::*;
use crate::scenario::Format;
use crate::scenario::bundle::{Bundle, BundleSelection};
use crate::state::intended::Fate;

const COMMAND: u64 = 42;

impl Log {
    /// The run that comes of it.
    fn intend(&mut self, run: u64, command: u64) -> RunId {
        match self.apply_as(Command::IntendRun { run: RunId(run), command }, None).reply {
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
