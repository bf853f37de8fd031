use super::*;
use crate::scenario::Format;
use crate::scenario::bundle::{Bundle, BundleSelection};

fn run_through(log: &mut Log, id: u64, spec: RunSpec) {
    let run = RunId(id);
    log.apply(Command::StartRun { run, spec: Box::new(spec) }).expect("starts");
    log.apply(Command::LaunchRun { run }).expect("launches");
    let Command::MergeDeltas(mut merged) = batch(vec![last_part("a", 1)]) else { unreachable!() };
    merged.run = run;
    log.apply(Command::MergeDeltas(merged)).expect("continues");
}

#[test]
fn runs_are_kept_newest_first_and_only_so_many() {
    let mut log = Log::with_workers(&["a"]);
    let count = limits::RUNS_KEPT_MAX as u64 + 3;
    (1..=count).for_each(|id| run_through(&mut log, id, spec(LossPolicy::Replace)));
    let ids: Vec<u64> = log.state.runs().map(|run| run.id().0).collect();
    assert_eq!(ids.len(), limits::RUNS_KEPT_MAX);
    assert_eq!((ids[0], ids[1], ids.last()), (count, count - 1, Some(&4)));
    let old = log.state.find_run(RunId(4)).expect("kept");
    assert_eq!(old.stats().total.total().requests(), 1, "its totals stay");
    assert!(old.stats().recent.is_empty() && !old.stats().series.is_empty());
    assert!(!log.run().stats().recent.is_empty(), "the last run still shows its last seconds");
    assert!(log.state.find_run(RunId(3)).is_none());
}

#[test]
fn what_only_a_run_that_goes_on_needs_is_dropped_when_it_ends() {
    let mut log = Log::with_workers(&["a"]);
    let bundle = Bundle {
        name: "test.yml".into(),
        format: Format::Yaml,
        text: "x".repeat(10_000).into(),
        files: BTreeMap::new(),
        selection: BundleSelection::default(),
        is_program: false,
    };
    run_through(&mut log, 1, RunSpec { bundle: Some(Arc::new(bundle)), ..spec(LossPolicy::Replace) });
    assert!(log.run().spec().bundle.is_none());
    assert_eq!(log.run().slots().owned().count(), 0);
    assert!(log.state.to_bytes().len() < 5_000);
}

#[test]
fn snapshots_of_another_version_and_broken_ones_are_refused() {
    let log = Log::running(&["a"], spec(LossPolicy::Replace));
    let bytes = log.state.to_bytes();
    assert!(ClusterState::from_bytes(&[]).is_err());
    assert!(ClusterState::from_bytes(&[snapshot::VERSION + 1, 0]).is_err());
    for end in (1..bytes.len()).step_by(997) {
        assert!(ClusterState::from_bytes(&bytes[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn the_times_of_a_run_follow_each_other_whatever_the_clocks_do() {
    let hour_ms = 3_600_000;
    let mut log = Log::with_workers(&["a"]);
    log.time_ms = 100 * hour_ms;
    log.start(spec(LossPolicy::Replace)).expect("starts");
    log.apply(Command::LaunchRun { run: RUN }).expect("launches");
    for end_ms in [90 * hour_ms, 110 * hour_ms] {
        let mut log = Log { state: log.state.clone(), ..Log::new() };
        (log.next, log.time_ms) = (1_000, end_ms);
        log.apply(batch(vec![last_part("a", 1)])).expect("continues");
        let run = log.run();
        assert_eq!(run.phase(), RunPhase::Ended);
        let took_ms = run.ended_unix_ms().expect("ended") - run.started_unix_ms();
        assert!(took_ms < 10_000, "{took_ms}");
    }
    // A clock that was hours ahead for a while leaves no trace.
    log.time_ms = 50 * hour_ms;
    log.apply(batch(vec![last_part("a", 1)])).expect("continues");
    run_through(&mut log, 9, spec(LossPolicy::Replace));
    assert_eq!(log.run().started_unix_ms() / hour_ms, 50);
}
