//! Every message between masters and workers survives the wire, and no bytes make unpacking panic.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use akrida_core::data::ranges::RowRange;
use akrida_core::ids::{Incarnation, RunId, Seq, WorkerId};
use akrida_core::plan::Plan;
use akrida_core::plan::arrivals::{ArrivalPlan, ArrivalRate, Distribution, LatePolicy, RateStage};
use akrida_core::plan::classes::ClassShare;
use akrida_core::plan::rate::SpawnRate;
use akrida_core::plan::slots::SlotSet;
use akrida_core::scenario::Format;
use akrida_core::scenario::bundle::{Bundle, BundleSelection, FileContent};
use akrida_core::state::command::StopReason;
use akrida_core::state::worker::WorkerProfile;
use akrida_core::stats::delta::{Delta, Interval};
use akrida_core::stats::endpoint::EndpointKey;
use akrida_core::stats::measurements::Measurements;
use akrida_core::stats::recorder::{Phases, Recorder, Sample};
use akrida_core::wire::body::{pack, pack_named, unpack};
use akrida_core::wire::{Assignment, FromWorker, Leadership, PlanTime, Running, ToWorker, Vitals};
use proptest::prelude::*;

/// Numbers, texts and bytes of any kind.
#[derive(Clone, Debug)]
struct Draw {
    numbers: [u64; 4],
    small: u16,
    flag: bool,
    text: String,
    bytes: Vec<u8>,
    latencies: Vec<u64>,
}

fn draws() -> impl Strategy<Value = Draw> {
    let latencies = prop::collection::vec(0_u64..4_000_000_000, 0..50);
    (any::<[u64; 4]>(), any::<u16>(), any::<bool>(), ".{0,20}", prop::collection::vec(any::<u8>(), 0..300), latencies)
        .prop_map(|(numbers, small, flag, text, bytes, latencies)| Draw {
            numbers,
            small,
            flag,
            text,
            bytes,
            latencies,
        })
}

impl Draw {
    fn run(&self) -> RunId {
        RunId(self.numbers[0])
    }

    fn text(&self) -> Arc<str> {
        self.text.as_str().into()
    }

    fn running(&self) -> Option<Running> {
        self.flag
            .then_some(Running { run: self.run(), plan_us: self.small.is_multiple_of(2).then_some(self.numbers[1]) })
    }

    fn plan_time(&self) -> Option<PlanTime> {
        self.flag.then_some(PlanTime { run: self.run(), plan_us: self.numbers[2] as i64 })
    }

    fn rows(&self) -> Vec<RowRange> {
        self.latencies.iter().map(|low| RowRange { low: *low, high: low + 1 + u64::from(self.small) }).collect()
    }

    fn slots(&self) -> SlotSet {
        SlotSet::from_fn(|slot| u64::from(slot).wrapping_mul(self.numbers[2]) & 8 != 0)
    }

    fn plan(&self) -> Plan {
        if self.flag {
            let rate = |rate| ArrivalRate::per_second(rate).unwrap();
            let to = rate(f64::from(self.small) + 1.0);
            let stage = RateStage { from: rate(1.5), to, length_us: Some(9_000_000) };
            let arrivals = ArrivalPlan::new(vec![stage], Distribution::Poisson, 10, LatePolicy::Drop).unwrap();
            return Plan::open(arrivals, Some(60_000_000));
        }
        let plan = Plan::new(self.small.into(), SpawnRate::ONE_PER_SECOND, None);
        plan.edited(5_000_000, 7, SpawnRate::per_second(0.25).unwrap())
    }

    fn bundle(&self) -> Bundle {
        Bundle {
            name: self.text(),
            format: Format::Toml,
            text: self.text(),
            files: [(self.text(), FileContent(self.bytes.as_slice().into()))].into(),
            selection: BundleSelection {
                classes: vec![self.text.clone()],
                tags: vec![],
                exclude_tags: vec!["slow".into()],
                equal_weights: self.flag,
                host: self.flag.then(|| self.text.clone()),
            },
            is_program: self.flag,
        }
    }

    fn measurements(&self) -> Measurements {
        let mut recorder = Recorder::default();
        let endpoint = recorder.endpoint(&EndpointKey::request("GET", &self.text));
        for latency_us in &self.latencies {
            recorder.record(&Sample {
                endpoint,
                latency_us: *latency_us,
                failure: (latency_us % 3 == 0).then_some("status 500"),
                content_bytes: self.small.into(),
                phases: Phases { connect_us: Some(*latency_us), tls_us: None, first_byte_us: Some(1) },
                lag_us: self.flag.then_some(latency_us / 2),
                ended_us: 1,
            });
            recorder.count_exchange();
            recorder.record_schedule_lag(*latency_us);
        }
        recorder.record_exception(&self.text, "line 1");
        recorder.count_generator_error("out of ports");
        recorder.drain()
    }

    fn delta(&self) -> Delta {
        Delta {
            run: self.run(),
            worker: WorkerId(self.text()),
            incarnation: Incarnation(self.numbers[3]),
            seq: Seq(self.numbers[1]),
            interval: Interval {
                from_us: self.numbers[1],
                to_us: self.numbers[2],
                segment: u32::from(self.small),
                users: self.latencies.clone(),
                cpu_permille: self.small,
                measurements: self.measurements(),
            },
            last: self.flag,
        }
    }

    fn assignment(&self) -> Assignment {
        Assignment {
            run: self.run(),
            bundle: self.flag.then(|| Arc::new(self.bundle())),
            plan: self.plan(),
            shares: vec![ClassShare { fixed_count: self.numbers[1], weight_milli: 1_500 }],
            slots: self.slots(),
            epoch: self.numbers[2],
            position: self.small.into(),
            workers: 3,
            segment: 1,
            stop_timeout_ms: self.numbers[3],
        }
    }

    fn messages_to(&self) -> Vec<ToWorker> {
        let run = self.run();
        let lease_ms = self.flag.then_some(self.numbers[2]);
        vec![
            ToWorker::Welcome { last_seq: Seq(self.numbers[1]), lease_ms, heartbeat_ms: 1_000 },
            ToWorker::Begin(Box::new(self.assignment())),
            ToWorker::Launch { run, plan_us: self.numbers[1] as i64 },
            ToWorker::Slots { run, epoch: self.numbers[2], slots: self.slots() },
            ToWorker::Update { run, plan: self.plan(), segment: u32::from(self.small) },
            ToWorker::Acknowledge { run, seq: Seq(self.numbers[1]) },
            ToWorker::HeartbeatHeard { sent_us: self.numbers[1], plan: self.plan_time() },
            ToWorker::Rows { run, feeder: 1, request: self.numbers[1], rows: self.rows() },
            ToWorker::Leave { run },
            ToWorker::Quit,
            ToWorker::NotNow { reason: self.text() },
            ToWorker::Refused { reason: self.text() },
        ]
    }

    fn messages_of(&self) -> Vec<FromWorker> {
        let run = self.run();
        let profile = WorkerProfile {
            tags: vec![self.text()],
            users_max: self.flag.then_some(self.numbers[1]),
            cpu_millis: 4_000,
            version: self.text(),
        };
        let vitals = Vitals {
            users: self.numbers[1],
            cpu_permille: self.small,
            memory_bytes: self.numbers[2],
            memory_limit_bytes: Some(self.numbers[2] / 2),
        };
        vec![
            FromWorker::Hello { profile, running: self.running() },
            FromWorker::Ready { run },
            FromWorker::CannotRun { run, reason: self.text() },
            FromWorker::Heartbeat { sent_us: self.numbers[1], running: self.running(), vitals },
            FromWorker::Released { run, epoch: self.numbers[1] },
            FromWorker::Delta(Box::new(self.delta())),
            FromWorker::StopRun { run, at_us: self.numbers[1], reason: StopReason::DataExhausted },
            FromWorker::LeaseRows { run, feeder: 2, request: 3, used: self.rows(), want: self.numbers[1] },
            FromWorker::CloseRows { run, feeder: 2, unused: self.rows() },
            FromWorker::Log { lines: vec![self.text(), self.text()] },
            FromWorker::Goodbye,
        ]
    }
}

/// Fails to compile when there is a message that the draws above do not have.
fn all_are_drawn(to: &ToWorker, from: &FromWorker) {
    match to {
        ToWorker::Welcome { .. }
        | ToWorker::Begin(_)
        | ToWorker::Launch { .. }
        | ToWorker::Slots { .. }
        | ToWorker::Update { .. }
        | ToWorker::Acknowledge { .. }
        | ToWorker::HeartbeatHeard { .. }
        | ToWorker::Rows { .. }
        | ToWorker::Leave { .. }
        | ToWorker::Quit
        | ToWorker::NotNow { .. }
        | ToWorker::Refused { .. } => {}
    }
    match from {
        FromWorker::Hello { .. }
        | FromWorker::Ready { .. }
        | FromWorker::CannotRun { .. }
        | FromWorker::Heartbeat { .. }
        | FromWorker::Released { .. }
        | FromWorker::Delta(_)
        | FromWorker::StopRun { .. }
        | FromWorker::LeaseRows { .. }
        | FromWorker::CloseRows { .. }
        | FromWorker::Log { .. }
        | FromWorker::Goodbye => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_message_comes_out_as_it_went_in(draw in draws()) {
        for (to, from) in draw.messages_to().into_iter().zip(draw.messages_of()) {
            all_are_drawn(&to, &from);
            prop_assert_eq!(unpack(&pack(&to)), Ok(to.clone()));
            prop_assert_eq!(unpack(&pack_named(&to)), Ok(to));
            prop_assert_eq!(unpack(&pack(&from)), Ok(from.clone()));
            prop_assert_eq!(unpack(&pack_named(&from)), Ok(from));
        }
        for leadership in [Leadership::Leads { term: draw.numbers[0] }, Leadership::Follows { term: draw.numbers[1] }] {
            prop_assert_eq!(unpack(&pack(&leadership)), Ok(leadership));
        }
    }

    #[test]
    fn a_message_that_is_cut_or_changed_is_an_error_or_another_message(
        draw in draws(),
        at in any::<prop::sample::Index>(),
        by in 1_u8..,
    ) {
        for (to, from) in draw.messages_to().into_iter().zip(draw.messages_of()) {
            for mut bytes in [pack(&to).to_vec(), pack(&from).to_vec()] {
                let at = at.index(bytes.len());
                let _ = unpack::<ToWorker>(&bytes[..at]);
                let _ = unpack::<FromWorker>(&bytes[..at]);
                bytes[at] ^= by;
                let _ = unpack::<ToWorker>(&bytes);
                let _ = unpack::<FromWorker>(&bytes);
            }
        }
    }

    #[test]
    fn garbage_is_an_error_or_a_message(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = unpack::<ToWorker>(&bytes);
        let _ = unpack::<FromWorker>(&bytes);
        let _ = unpack::<Leadership>(&bytes);
    }
}

#[test]
fn nesting_without_end_is_an_error() {
    // Arrays of one element in each other, deeper than any stack.
    let bytes = vec![0x91; 10_000_000];
    assert!(unpack::<ToWorker>(&bytes).is_err());
    assert!(unpack::<FromWorker>(&bytes).is_err());
}
