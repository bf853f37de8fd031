use super::*;
use crate::plan::slots::SLOTS_U64;
use crate::view::RunView;
use crate::view::validity::{ValidityLimits, Verdict};

fn validity(log: &Log) -> (Verdict, String) {
    let validity = RunView::of(log.run(), &ValidityLimits::default()).validity;
    (validity.verdict, validity.reasons.into_iter().map(|(_, reason)| reason).collect::<Vec<_>>().join("; "))
}

#[test]
fn the_others_take_over_the_slots_of_a_lost_worker_at_once_and_evenly() {
    let mut log = Log::running(&["a", "b", "c"], spec(LossPolicy::Replace));
    log.apply(batch(vec![part("a", 1, 4), part("b", 1, 2)])).expect("continues");
    let before = log.run().slots().kept_by(0);
    let effects = log.lose("b", LossReason::Silence);
    assert_eq!(effects, [Effect::Slots(vec![0, 2])]);
    let kept = log.kept();
    assert!(kept[0].abs_diff(kept[2]) <= 2 && kept[1] == 0 && kept.iter().sum::<u64>() == SLOTS_U64, "{kept:?}");
    let now = log.run().slots().kept_by(0);
    assert!((0..SLOTS_U64).all(|user| !before.owns_user(user) || now.owns_user(user)), "what was its own stays");
    let loss = &log.run().losses()[0];
    assert_eq!((loss.worker.clone(), loss.at_us, loss.reported_until_us), (worker("b"), 4_000_000, 2_000_000));
    assert_eq!(log.run().stats().users_per_class(), [1], "its users are gone");
    let (verdict, reasons) = validity(&log);
    assert_eq!(verdict, Verdict::Degraded);
    assert!(reasons.contains("worker b fell silent") && reasons.contains("figures end at 2.0 s"), "{reasons}");
    assert_eq!(log.state.worker(&worker("b")).map(|b| (b.is_present, b.losses)), Some((false, 1)));
}

#[test]
fn the_users_of_a_lost_worker_may_stay_away() {
    let mut log = Log::running(&["a", "b"], spec(LossPolicy::Continue));
    log.lose("b", LossReason::Died);
    assert_eq!(log.kept(), [SLOTS_U64 / 2, 0]);
    assert_eq!((log.run().idle_users_max(), log.run().phase()), (500, RunPhase::Active));
    assert!(validity(&log).1.contains("up to 500 of 1000 users did not run"), "{:?}", validity(&log));
    assert!(!log.state.needs_rebalance(), "nobody takes them over later");
    log.register("c", 1);
    assert!(log.state.needs_rebalance(), "but who comes later does");
    log.apply(Command::Rebalance { run: RUN }).expect("active");
    log.admit("c", 1);
    assert_eq!(log.kept(), [SLOTS_U64 / 2, 0, SLOTS_U64 / 2]);
}

#[test]
fn a_run_that_is_to_fail_stops_when_a_worker_is_lost() {
    let mut log = Log::running(&["a", "b"], spec(LossPolicy::Fail));
    log.apply(batch(vec![part("a", 1, 4)])).expect("continues");
    let effects = log.lose("b", LossReason::Died);
    assert!(effects.contains(&Effect::UpdateRun), "{effects:?}");
    assert_eq!(log.run().phase(), RunPhase::Stopping);
    assert_eq!(log.run().stop_reason(), Some(command::StopReason::WorkerLost));
    assert_eq!(log.run().plan().ends_at_us(), Some(4_000_000));
    log.apply(batch(vec![last_part("a", 5)])).expect("continues");
    assert_eq!(log.run().phase(), RunPhase::Ended);
}

#[test]
fn a_run_ends_when_its_last_worker_is_lost() {
    let mut log = Log::running(&["a", "b"], spec(LossPolicy::Replace));
    log.lose("a", LossReason::Silence);
    let effects = log.lose("b", LossReason::Goodbye);
    assert_eq!(effects, [Effect::RunEnded]);
    assert_eq!(log.run().stop_reason(), Some(command::StopReason::WorkerLost));
}

#[test]
fn a_run_that_stops_ends_when_the_only_worker_that_did_not_report_is_lost() {
    let mut log = Log::running(&["a", "b"], spec(LossPolicy::Replace));
    let stop = Command::StopRun { run: RUN, at_us: 5, reason: command::StopReason::Requested };
    log.apply(stop).expect("stops");
    log.apply(batch(vec![last_part("a", 1)])).expect("continues");
    log.lose("b", LossReason::Died);
    assert_eq!(log.run().phase(), RunPhase::Ended);
    assert_eq!(log.run().stop_reason(), Some(command::StopReason::Requested));
    assert_eq!(log.run().losses().len(), 1);
}

#[test]
fn a_new_life_proves_the_death_of_the_one_before() {
    let mut log = Log::running(&["a", "b"], spec(LossPolicy::Replace));
    log.apply(batch(vec![part("b", 1, 2)])).expect("continues");
    log.register("b", 2);
    assert_eq!(log.run().participants()[1].state, ParticipantState::Lost(LossReason::Died));
    assert_eq!(log.kept(), [SLOTS_U64, 0]);
    let known = log.state.worker(&worker("b")).expect("known");
    assert_eq!((known.incarnation, known.last_seq, known.losses), (Incarnation(2), Seq(0), 1));
    assert!(log.apply(batch(vec![part("b", 3, 3)])).is_err(), "what the dead one sent comes too late");
    let late = Command::LoseWorker { worker: worker("b"), incarnation: Incarnation(1), reason: LossReason::Silence };
    assert!(log.apply(late).is_err(), "and its silence means nothing");
}

#[test]
fn a_worker_that_ends_a_run_in_good_order_is_trusted_again() {
    let mut log = Log::running(&["a", "b"], spec(LossPolicy::Replace));
    log.lose("b", LossReason::Silence);
    log.register("b", 1);
    log.apply(Command::Rebalance { run: RUN }).expect("active");
    log.admit("b", 1);
    assert_eq!(log.state.worker(&worker("b")).expect("known").losses, 1);
    log.apply(batch(vec![last_part("b", 1)])).expect("it counts anew");
    log.apply(batch(vec![last_part("a", 1)])).expect("continues");
    assert_eq!(log.state.worker(&worker("b")).expect("known").losses, 0);
}

#[test]
fn rows_of_a_lost_worker_are_burnt_and_counted_to_the_end() {
    let mut spec = spec(LossPolicy::Replace);
    spec.distribution.unique_rows = vec![None, Some(UniqueFeeder { rows: 100, recycles: false })];
    let mut log = Log::running(&["a", "b"], spec);
    let lease = |name: &str, feeder, request| Command::LeaseRows {
        run: RUN,
        worker: worker(name),
        incarnation: Incarnation(1),
        feeder,
        request,
        used: Vec::new(),
        want: 10,
    };
    let first = log.apply(lease("a", 1, 1)).expect("leases");
    assert_eq!(log.apply(lease("a", 1, 1)).expect("leases"), first, "a repeat gets the same answer");
    assert!(matches!(&first[..], [Effect::Rows { request: 1, rows, .. }] if rows[0].count() == 10), "{first:?}");
    assert_eq!(log.apply(lease("a", 0, 1)), Err(Refusal::NoSuchFeeder));
    log.lose("a", LossReason::Died);
    assert!(log.apply(lease("a", 1, 2)).is_err());
    log.apply(lease("b", 1, 1)).expect("leases");
    log.apply(batch(vec![last_part("b", 1)])).expect("continues");
    assert_eq!((log.run().phase(), log.run().burnt_rows()), (RunPhase::Ended, 10));
}

#[test]
fn a_change_of_leader_under_load_degrades_a_run() {
    let mut log = Log::with_workers(&["a"]);
    log.start(spec(LossPolicy::Replace)).expect("starts");
    let note = Command::NoteElection { run: RUN, at_us: 1_500_000 };
    assert!(log.apply(note.clone()).is_err(), "nothing is disturbed before the launch");
    log.apply(Command::LaunchRun { run: RUN }).expect("launches");
    log.apply(note).expect("under load");
    let (verdict, reasons) = validity(&log);
    assert_eq!((verdict, reasons.as_str()), (Verdict::Degraded, "leader changed at 1.5 s"));
}

#[test]
fn of_many_workers_the_gone_ones_are_forgotten() {
    let mut log = Log::new();
    for at in 0..limits::WORKERS_MAX as u64 + 5 {
        let (worker, incarnation) = (worker(&format!("w{at:06}")), Incarnation(1));
        for command in [
            Command::RegisterWorker { worker: worker.clone(), incarnation, profile: WorkerProfile::default() },
            Command::LoseWorker { worker, incarnation, reason: LossReason::Goodbye },
        ] {
            log.state.apply(&Entry { index: LogIndex(log.next), time_ms: 1, request: None, command });
            log.next += 1;
        }
    }
    assert_eq!(log.state.workers().count(), limits::WORKERS_MAX);
}
