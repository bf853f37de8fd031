use super::*;

#[test]
fn a_run_is_prepared_launched_stopped_and_ended() {
    let mut log = Log::with_workers(&["b", "a"]);
    assert_eq!(log.start(spec(LossPolicy::Replace)).expect("starts"), [Effect::BeginRun(vec![0, 1])]);
    assert_eq!(log.run().phase(), RunPhase::Preparing);
    assert_eq!(log.start(spec(LossPolicy::Replace)), Err(Refusal::RunIsActive));
    log.time_ms = 50_000;
    let launched = log.apply(Command::LaunchRun { run: RUN }).expect("launches");
    assert_eq!(launched, [Effect::LaunchRun(vec![0, 1])]);
    assert_eq!((log.run().phase(), log.run().started_unix_ms()), (RunPhase::Active, 50_000));
    assert!(log.apply(Command::LaunchRun { run: RUN }).is_err(), "once");
    let stop = Command::StopRun { run: RUN, at_us: 5, reason: command::StopReason::Requested };
    assert_eq!(log.apply(stop).expect("stops"), [Effect::UpdateRun]);
    assert_eq!(log.run().phase(), RunPhase::Stopping);
    log.apply(batch(vec![last_part("a", 1), last_part("b", 1)])).expect("continues");
    assert_eq!(log.run().phase(), RunPhase::Ended);
}

#[test]
fn only_present_workers_with_all_tags_take_part() {
    let mut log = Log::new();
    let tagged = |tags: &[&str]| WorkerProfile {
        tags: tags.iter().map(|tag| Arc::from(*tag)).collect(),
        ..WorkerProfile::default()
    };
    log.register_as("a", 1, tagged(&["eu", "big"]));
    log.register_as("b", 1, tagged(&["eu"]));
    log.register_as("c", 1, tagged(&["big", "eu", "gpu"]));
    log.register_as("d", 1, tagged(&["big", "eu"]));
    log.lose("d", LossReason::Goodbye);
    let mut wanted = spec(LossPolicy::Replace);
    wanted.distribution.select_tags = vec!["eu".into(), "big".into()];
    log.start(wanted).expect("starts");
    let names: Vec<_> = log.run().participants().iter().map(|participant| participant.worker.clone()).collect();
    assert_eq!(names, [worker("a"), worker("c")]);
}

#[test]
fn a_run_that_is_stopped_before_it_was_launched_is_over() {
    let mut log = Log::with_workers(&["a"]);
    log.start(spec(LossPolicy::Replace)).expect("starts");
    let stop = Command::StopRun { run: RUN, at_us: 0, reason: command::StopReason::Requested };
    let effects = log.apply(stop).expect("stops");
    assert_eq!(effects, [Effect::Leave { run: RUN, worker: worker("a") }, Effect::RunEnded]);
    assert_eq!(log.run().phase(), RunPhase::Ended);
}

#[test]
fn a_run_that_nobody_can_prepare_ends_and_says_why() {
    let mut log = Log::with_workers(&["a", "b"]);
    log.start(spec(LossPolicy::Replace)).expect("starts");
    let exclude = |name: &str| Command::ExcludeWorker { run: RUN, worker: worker(name), reason: "no feeder".into() };
    let effects = log.apply(exclude("a")).expect("takes part");
    assert_eq!(effects, [Effect::Leave { run: RUN, worker: worker("a") }, Effect::Slots(vec![1])]);
    assert_eq!(log.kept(), [0, SLOTS_U64], "the rest is dealt again");
    log.apply(exclude("b")).expect("takes part");
    assert_eq!(log.run().phase(), RunPhase::Ended);
    assert_eq!(log.run().stop_reason(), Some(command::StopReason::NoWorkerReady));
    assert_eq!(log.run().excluded().count(), 2);
}

#[test]
fn a_worker_lost_before_the_launch_is_no_loss_of_load() {
    let mut log = Log::with_workers(&["a", "b"]);
    log.start(spec(LossPolicy::Fail)).expect("starts");
    log.lose("a", LossReason::Died);
    assert_eq!(log.kept(), [0, SLOTS_U64]);
    log.apply(Command::LaunchRun { run: RUN }).expect("launches");
    assert!(log.run().losses().is_empty());
    assert_eq!(log.state.worker(&worker("a")).expect("known").losses, 0);
}

#[test]
fn an_entry_of_the_log_itself_counts_as_applied() {
    let mut log = Log::with_workers(&["a"]);
    log.state.note(LogIndex(9));
    assert_eq!(log.state.applied(), LogIndex(9));
    log.state.note(LogIndex(3));
    assert_eq!(log.state.applied(), LogIndex(9));
}
