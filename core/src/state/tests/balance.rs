use super::*;

fn rebalance(log: &mut Log) -> Vec<Effect> {
    log.apply(Command::Rebalance { run: RUN }).expect("active")
}

fn epoch(log: &Log) -> u64 {
    log.run().slots().epoch()
}

#[test]
fn a_worker_that_comes_later_gets_ready_first_and_then_its_share_as_it_is_given_up() {
    let mut log = Log::running(&["a", "b"], spec(LossPolicy::Replace));
    log.register("c", 1);
    assert!(log.state.needs_rebalance());
    assert_eq!(rebalance(&mut log), [Effect::BeginRun(vec![2])]);
    assert_eq!(log.run().participants()[2].state, ParticipantState::Joining);
    assert_eq!(log.kept(), [SLOTS_U64 / 2, SLOTS_U64 / 2, 0], "nothing moves before it is ready");
    assert!(!log.state.needs_rebalance(), "and nobody else is to come");
    let effects = log.admit("c", 1);
    assert_eq!(effects, [Effect::LaunchRun(vec![2]), Effect::Slots(vec![0, 1])]);
    assert_eq!(log.kept()[2], 0, "nothing is given up yet");
    let given_up = epoch(&log);
    assert!(log.release("a", given_up - 1).is_empty(), "it knows an older distribution");
    assert_eq!(log.release("a", given_up), [Effect::Slots(vec![2])]);
    log.release("b", given_up);
    let kept = log.kept();
    assert_eq!(kept.iter().sum::<u64>(), SLOTS_U64);
    assert!(kept.iter().all(|slots| slots.abs_diff(SLOTS_U64 / 3) <= 1), "{kept:?}");
    assert!(!log.run().slots().is_moving());
}

#[test]
fn few_users_are_shared_with_a_newcomer_too() {
    let mut log = Log::running(&["a", "b"], spec(LossPolicy::Replace));
    log.register("c", 1);
    rebalance(&mut log);
    log.admit("c", 1);
    let now = epoch(&log);
    log.release("a", now);
    log.release("b", now);
    let of = |position| log.run().slots().kept_by(position).users_below(90);
    assert!((0..3).all(|position| of(position) >= 28), "{:?}", [of(0), of(1), of(2)]);
}

#[test]
fn when_an_heir_dies_its_slots_stay_with_their_owner() {
    let mut log = Log::running(&["a", "b"], spec(LossPolicy::Replace));
    log.register("c", 1);
    rebalance(&mut log);
    log.admit("c", 1);
    let asked = epoch(&log);
    log.lose("c", LossReason::Died);
    assert_eq!(log.kept(), [SLOTS_U64 / 2, SLOTS_U64 / 2, 0]);
    assert!(log.release("a", asked).is_empty(), "what it gave up is its own again");
    assert_eq!(log.kept()[0], SLOTS_U64 / 2);
}

#[test]
fn when_an_owner_dies_that_was_to_give_up_slots_they_pass_to_their_heirs() {
    let mut log = Log::running(&["a", "b"], spec(LossPolicy::Replace));
    log.register("c", 1);
    rebalance(&mut log);
    log.admit("c", 1);
    log.lose("a", LossReason::Died);
    let kept = log.kept();
    assert_eq!(kept[0], 0);
    assert!(kept[2] >= SLOTS_U64 / 3, "{kept:?}");
    log.release("b", epoch(&log));
    assert_eq!(log.kept().iter().sum::<u64>(), SLOTS_U64);
}

#[test]
fn weights_follow_the_cores() {
    let mut log = Log::new();
    log.register_as("a", 1, WorkerProfile { cpu_millis: 1_000, ..WorkerProfile::default() });
    log.register_as("b", 1, WorkerProfile { cpu_millis: 3_000, ..WorkerProfile::default() });
    let mut weighted = spec(LossPolicy::Replace);
    weighted.distribution.strategy = Strategy::Weighted;
    log.start(weighted).expect("starts");
    assert_eq!(log.kept(), [SLOTS_U64 / 4, SLOTS_U64 / 4 * 3]);
}

#[test]
fn a_busy_worker_is_relieved_at_the_next_rebalance() {
    let mut least = spec(LossPolicy::Replace);
    least.distribution.strategy = Strategy::LeastLoaded;
    let mut log = Log::running(&["a", "b"], least);
    assert_eq!(log.kept(), [SLOTS_U64 / 2, SLOTS_U64 / 2], "equal at the start");
    log.apply(batch_with_cpu(vec![part("a", 1, 1), part("b", 1, 1)], 500)).expect("continues");
    assert!(!log.state.needs_rebalance(), "they are equally busy");
    log.apply(batch_with_cpu(vec![part("a", 2, 2)], 950)).expect("continues");
    log.apply(batch_with_cpu(vec![part("b", 2, 2)], 350)).expect("continues");
    assert!(log.state.needs_rebalance());
    rebalance(&mut log);
    log.release("a", epoch(&log));
    let kept = log.kept();
    assert!(kept[0] < SLOTS_U64 * 2 / 5 && kept[0] > SLOTS_U64 / 10, "{kept:?}");
    assert_eq!(kept.iter().sum::<u64>(), SLOTS_U64);
}

#[test]
fn nobody_runs_more_users_than_it_may_and_the_run_says_when_that_is_too_few() {
    let mut log = Log::new();
    log.register_as("a", 1, WorkerProfile { users_max: Some(100), ..WorkerProfile::default() });
    log.register_as("b", 1, WorkerProfile { users_max: Some(500), ..WorkerProfile::default() });
    log.register("c", 1);
    log.start(spec(LossPolicy::Replace)).expect("starts");
    log.apply(Command::LaunchRun { run: RUN }).expect("launches");
    let users = |log: &Log, position| log.run().slots().kept_by(position).users_below(1_000);
    assert_eq!((users(&log, 0), users(&log, 1) + users(&log, 2)), (100, 900));
    log.lose("c", LossReason::Died);
    assert_eq!((users(&log, 0), users(&log, 1), log.run().idle_users_max()), (100, 500, 400));
    let edit = Command::EditRun { run: RUN, at_us: 9, users: 50_000, rate: SpawnRate::ONE_PER_SECOND };
    log.apply(edit).expect("active");
    let now = epoch(&log);
    log.release("a", now);
    log.release("b", now);
    let below = |position| log.run().slots().kept_by(position).users_below(50_000);
    assert!(below(0) <= 100 && below(1) <= 500, "{} {}", below(0), below(1));
    log.register("d", 1);
    rebalance(&mut log);
    log.admit("d", 1);
    assert_eq!(log.run().slots().users_of_nobody(50_000), 0, "who has no bound takes all that is left");
}

#[test]
fn a_worker_that_cannot_run_is_not_asked_again_in_the_same_life() {
    let mut log = Log::running(&["a"], spec(LossPolicy::Replace));
    log.register("b", 1);
    rebalance(&mut log);
    let exclude = Command::ExcludeWorker { run: RUN, worker: worker("b"), reason: "no such file".into() };
    log.apply(exclude).expect("joins");
    assert!(!log.state.needs_rebalance());
    log.register("b", 2);
    assert!(log.state.needs_rebalance());
}

#[test]
fn joiners_are_sent_away_when_the_run_stops() {
    let mut log = Log::running(&["a"], spec(LossPolicy::Replace));
    log.register("b", 1);
    rebalance(&mut log);
    let stop = Command::StopRun { run: RUN, at_us: 5, reason: command::StopReason::Requested };
    let effects = log.apply(stop).expect("stops");
    assert!(effects.contains(&Effect::Leave { run: RUN, worker: worker("b") }));
    log.apply(batch(vec![last_part("a", 1)])).expect("continues");
    assert_eq!(log.run().phase(), RunPhase::Ended, "nobody waits for it");
}

#[test]
fn a_sets_of_kept_slots_are_disjoint_and_whole() {
    let log = Log::running(&["a", "b", "c"], spec(LossPolicy::Replace));
    let sets: Vec<SlotSet> = (0..3).map(|position| log.run().slots().kept_by(position)).collect();
    assert!((0..SLOTS_U64).all(|slot| sets.iter().filter(|set| set.owns_user(slot)).count() == 1));
}
