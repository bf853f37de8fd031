//! Whatever comes in whatever order: no panic, and no user outside the worker's slots or without a lease.

use proptest::prelude::*;

use super::*;

fn some_slots() -> impl Strategy<Value = SlotSet> {
    (1_u16..5, 0_u16..5).prop_map(|(modulus, rest)| SlotSet::from_fn(move |slot| slot % modulus == rest))
}

fn some_run() -> impl Strategy<Value = RunId> {
    prop_oneof![5 => Just(RUN), 1 => Just(RunId(2))]
}

fn some_plan() -> impl Strategy<Value = Plan> {
    (0_u64..40, 1.0_f64..200.0, prop::option::of(0_u64..60 * SECOND))
        .prop_map(|(users, per_s, run_time_us)| Plan::new(users, rate(per_s), run_time_us))
}

fn some_message() -> impl Strategy<Value = ToWorker> {
    let lease = prop::option::weighted(0.9, 500_u64..5_000);
    prop_oneof![
        (0_u64..20, lease, 0_u64..2_000).prop_map(|(last_seq, lease_ms, heartbeat_ms)| ToWorker::Welcome {
            last_seq: Seq(last_seq),
            lease_ms,
            heartbeat_ms
        }),
        (some_run(), some_plan(), some_slots(), 0_u64..6, 0_u32..3).prop_map(|(run, plan, slots, epoch, segment)| {
            ToWorker::Begin(Box::new(Assignment { run, epoch, segment, ..assignment(plan, slots) }))
        }),
        (some_run(), -(SECOND as i64)..60_000_000).prop_map(|(run, plan_us)| ToWorker::Launch { run, plan_us }),
        (some_run(), 0_u64..6, some_slots()).prop_map(|(run, epoch, slots)| ToWorker::Slots { run, epoch, slots }),
        (some_run(), some_plan(), 0_u32..3).prop_map(|(run, plan, segment)| ToWorker::Update { run, plan, segment }),
        (some_run(), 0_u64..20).prop_map(|(run, seq)| ToWorker::Acknowledge { run, seq: Seq(seq) }),
        any::<u64>().prop_map(|sent_us| ToWorker::HeartbeatHeard { sent_us, plan: None }),
        (some_run(), 0_u32..2, 0_u64..3).prop_map(|(run, feeder, request)| ToWorker::Rows {
            run,
            feeder,
            request,
            rows: Vec::new()
        }),
        some_run().prop_map(|run| ToWorker::Leave { run }),
    ]
}

fn some_event() -> impl Strategy<Value = RunEvent> {
    prop_oneof![
        Just(RunEvent::Prepared(Ok(()))),
        Just(RunEvent::Prepared(Err("no".into()))),
        Just(RunEvent::Drained),
        Just(RunEvent::UsersStopped),
        (0_u64..6).prop_map(|epoch| RunEvent::SlotsLeft { epoch }),
        Just(RunEvent::DataExhausted),
        (0_u32..2, 0_u64..9).prop_map(|(feeder, want)| RunEvent::RowsWanted { feeder, used: Vec::new(), want }),
        (0_u32..2).prop_map(|feeder| RunEvent::RowsClosed { feeder, unused: Vec::new() }),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Give(Input),
    Pass(u64, bool),
    Pause(u64),
    EndsAtOnce(bool),
}

fn some_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => some_message().prop_map(|message| Step::Give(Input::Message(message))),
        2 => (some_run(), some_event()).prop_map(|(run, event)| Step::Give(Input::OfRun { run, event })),
        2 => Just(Step::Give(Input::LeaderFound)),
        1 => Just(Step::Give(Input::LeaderLost)),
        6 => (0_u64..4 * SECOND, any::<bool>()).prop_map(|(us, answers)| Step::Pass(us, answers)),
        2 => (0_u64..8 * SECOND).prop_map(Step::Pause),
        1 => any::<bool>().prop_map(Step::EndsAtOnce),
        1 => prop_oneof![
            Just(Input::Retire),
            Just(Input::Message(ToWorker::Quit)),
            Just(Input::Unreachable { reason: "none".into() }),
            Just(Input::Message(ToWorker::Refused { reason: "no".into() })),
            Just(Input::Message(ToWorker::NotNow { reason: "not yet".into() })),
        ].prop_map(Step::Give),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_a_worker_panic_or_run_a_user_that_is_not_its_own(
        is_running in any::<bool>(), steps in prop::collection::vec(some_step(), 1..60),
    ) {
        let plan = Plan::new(30, rate(20.0), None);
        let mut rig = if is_running { Rig::running(plan, Some(2_000)) } else { Rig::new() };
        for step in steps {
            // `Rig::start` holds every start against the slots, the lease and what runs already.
            match step {
                Step::Give(input) => drop(rig.give(input)),
                Step::Pass(us, answers) => rig.pass(us, answers),
                Step::Pause(us) => rig.pause(us),
                Step::EndsAtOnce(ends) => rig.ends_at_once = ends,
            }
            prop_assert!(rig.live.iter().all(|user| rig.owned.owns_user(*user)));
        }
        let sealed = rig.worker.run.as_ref().map_or(0, |run| run.outbox.len());
        prop_assert!(sealed <= limits::OUTBOX_DELTAS_MAX + 2, "{} deltas are kept", sealed);
    }
}
