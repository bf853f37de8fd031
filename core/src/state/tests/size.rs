//! The state is sent to other masters as one message, so it must never outgrow one.

use super::*;
use crate::stats::histogram::Histogram;
use crate::stats::measurements::EndpointMeasurements;

/// Latencies as of a real target: most near the median, a long tail; the same with each call.
fn latencies(digits: u8, count: usize, seed: u64) -> Histogram {
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut histogram = Histogram::new(digits);
    for _ in 0..count {
        let normal: f64 = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        histogram.record((20_000.0 * (0.9 * normal).exp()) as u64);
    }
    histogram
}

fn measured(endpoints: usize, samples: usize) -> Measurements {
    // Which values they are does not matter to the size, so all endpoints share a few sets.
    let sets: Vec<EndpointMeasurements> = (1..=4)
        .map(|seed| EndpointMeasurements {
            ok_latency: latencies(limits::LATENCY_DIGITS, samples, seed),
            failed_latency: latencies(limits::LATENCY_DIGITS, samples / 20, seed + 10),
            connect: latencies(limits::PHASE_DIGITS, samples / 20, seed + 20),
            tls: latencies(limits::PHASE_DIGITS, samples / 20, seed + 30),
            first_byte: latencies(limits::PHASE_DIGITS, samples, seed + 40),
            ..EndpointMeasurements::default()
        })
        .collect();
    let mut measurements = Measurements::default();
    for number in 0..endpoints {
        let key = EndpointKey::request("GET", &format!("/api/v1/resources/of/some/kind/{number}"));
        measurements.endpoints.insert(key, sets[number % sets.len()].clone());
    }
    measurements
}

/// Merges what one worker measured in a second.
fn merge_second(log: &mut Log, run: u64, seq: u64, measurements: Measurements) {
    let (from_us, to_us) = ((seq - 1) * 1_000_000, seq * 1_000_000);
    let interval = Interval { from_us, to_us, segment: 0, users: vec![1], cpu_permille: 0, measurements };
    let mut intervals = MergedIntervals::default();
    let part = part("a", seq, seq);
    intervals.add(&part.worker, &interval);
    let batch = DeltaBatch { run: RunId(run), parts: vec![part], intervals };
    log.apply(Command::MergeDeltas(Box::new(batch))).expect("continues");
}

fn begin(log: &mut Log, run: u64) {
    let run = RunId(run);
    log.apply(Command::StartRun { run, spec: Box::new(spec(LossPolicy::Replace)) }).expect("starts");
    log.apply(Command::LaunchRun { run }).expect("launches");
}

#[test]
fn runs_of_five_hundred_endpoints_never_outgrow_a_message() {
    let mut log = Log::with_workers(&["a"]);
    log.has_twin = false;
    let large = measured(limits::ENDPOINTS_MAX, 1_000);
    let count = 30;
    for run in 1..=count {
        begin(&mut log, run);
        merge_second(&mut log, run, 1, large.clone());
        log.apply(Command::EndRun { run: RunId(run), missing: Vec::new() }).expect("ends");
    }
    let kept: Vec<u64> = log.state.runs().map(|run| run.id().0).collect();
    let newest_first: Vec<u64> = (1..=count).rev().take(kept.len()).collect();
    assert_eq!(kept, newest_first, "the oldest go first");
    assert!((10..25).contains(&kept.len()), "{} of so large runs are kept", kept.len());
    let bytes = log.state.to_bytes();
    assert!(bytes.len() < limits::FRAME_BYTES_MAX, "{} bytes", bytes.len());
    let restored = ClusterState::from_bytes(&bytes).expect("its own snapshot");
    assert_eq!(restored, log.state);
}

#[test]
fn fifty_usual_runs_are_all_kept() {
    let mut log = Log::with_workers(&["a"]);
    log.has_twin = false;
    let usual = measured(20, 10_000);
    let count = limits::RUNS_KEPT_MAX as u64;
    for run in 1..=count {
        begin(&mut log, run);
        merge_second(&mut log, run, 1, usual.clone());
        log.apply(Command::EndRun { run: RunId(run), missing: Vec::new() }).expect("ends");
    }
    assert_eq!(log.state.runs().count(), limits::RUNS_KEPT_MAX);
}

#[test]
fn the_largest_run_that_goes_on_leaves_room_for_the_history() {
    let mut log = Log::with_workers(&["a"]);
    log.has_twin = false;
    begin(&mut log, 1);
    // Fifty million requests so far, and 50 000 a second.
    merge_second(&mut log, 1, 1, measured(limits::ENDPOINTS_MAX, 100_000));
    let second = measured(limits::ENDPOINTS_MAX, 100);
    (2..16).for_each(|seq| merge_second(&mut log, 1, seq, second.clone()));
    let bytes = log.state.to_bytes().len();
    assert!(bytes < limits::FRAME_BYTES_MAX - limits::HISTORY_BYTES_MAX, "{bytes} bytes");
    assert!(bytes > limits::FRAME_BYTES_MAX / 5, "{bytes} bytes: the test measures something else than it says");
}
