//! What was measured is sealed, numbered, kept and sent until it is safe.

use super::*;

fn endless() -> Plan {
    Plan::new(1, rate(1.0), None)
}

#[test]
fn deltas_are_sealed_at_whole_seconds_numbered_and_kept_until_they_are_safe() {
    let mut rig = Rig::running(endless(), None);
    rig.pass(2 * SECOND, true);
    let deltas = rig.take_deltas();
    let places: Vec<_> = deltas.iter().map(|delta| (delta.seq, delta.interval.from_us, delta.interval.to_us)).collect();
    assert_eq!(places, [(Seq(1), 0, SECOND), (Seq(2), SECOND, 2 * SECOND)]);
    rig.hear(welcome(1, None));
    assert_eq!(rig.take_deltas(), deltas[1..], "what is not safe is sent again, unchanged");
    rig.hear(acknowledge(2));
    rig.hear(welcome(2, None));
    assert_eq!(rig.take_deltas(), []);
}

#[test]
fn one_seal_at_a_time() {
    let mut rig = Rig::running(endless(), None);
    rig.pass(0, false);
    rig.pause(1_003_000);
    assert!(rig.worker.step(Input::Tick, rig.now_us).contains(&Output::Seal));
    assert!(!rig.worker.step(Input::Tick, rig.now_us + SECOND).contains(&Output::Seal));
}

#[test]
fn deltas_that_have_no_answer_are_sent_again_after_some_time() {
    let mut rig = Rig::running(endless(), None);
    rig.pass(SECOND, true);
    let first = rig.take_deltas();
    rig.pass(limits::SAY_AGAIN.as_micros() as u64 * 2, true);
    let again = rig.take_deltas();
    assert!(again.iter().filter(|delta| **delta == first[0]).count() >= 1, "{again:?}");
}

#[test]
fn no_more_deltas_than_allowed_are_on_their_way() {
    let mut rig = Rig::running(endless(), None);
    rig.give(Input::LeaderLost);
    rig.pass(100 * SECOND, false);
    assert_eq!(rig.take_deltas(), [], "nobody is there");
    rig.give(Input::LeaderFound);
    rig.hear(welcome(10, None));
    let seqs = |deltas: &[Delta]| (deltas[0].seq, deltas[deltas.len() - 1].seq, deltas.len());
    let window = limits::DELTAS_IN_FLIGHT_MAX;
    assert_eq!(seqs(&rig.take_deltas()), (Seq(11), Seq(10 + window as u64), window));
    rig.hear(acknowledge(13));
    assert_eq!(seqs(&rig.take_deltas()), (Seq(11 + window as u64), Seq(13 + window as u64), 3));
}

#[test]
fn a_full_outbox_makes_the_open_delta_coarser() {
    let mut rig = Rig::running(endless(), None);
    rig.give(Input::LeaderLost);
    let full = limits::OUTBOX_DELTAS_MAX as u64;
    rig.pass((full + 5) * SECOND, false);
    assert_eq!(rig.worker.run.as_ref().map(|run| run.outbox.len()), Some(limits::OUTBOX_DELTAS_MAX));
    rig.give(Input::LeaderFound);
    rig.hear(welcome(full, None));
    rig.pass(0, true);
    let deltas = rig.take_deltas();
    let interval = &deltas[0].interval;
    assert_eq!((deltas[0].seq, interval.to_us - interval.from_us), (Seq(full + 1), 5 * SECOND));
}

#[test]
fn a_reset_seals_what_came_before_it_in_the_old_segment() {
    let mut rig = Rig::running(endless(), None);
    rig.pass(300_000, true);
    rig.hear(ToWorker::Update { run: RUN, plan: endless(), segment: 1 });
    rig.hear(ToWorker::Update { run: RUN, plan: endless(), segment: 1 });
    rig.pass(SECOND, true);
    let parts: Vec<_> = rig
        .take_deltas()
        .iter()
        .map(|delta| (delta.interval.segment, delta.interval.from_us, delta.interval.to_us))
        .collect();
    assert_eq!(parts, [(0, 0, 300_000), (1, 300_000, SECOND)]);
}

#[test]
fn a_worker_that_is_taken_in_again_numbers_its_deltas_from_one() {
    let mut rig = Rig::running(endless(), None);
    rig.pass(3 * SECOND, true);
    rig.hear(acknowledge(2));
    assert_eq!(rig.hear(ToWorker::Leave { run: RUN }), [Output::Abandon { run: RUN, lost_deltas: 1 }]);
    rig.hear(acknowledge(3));
    rig.take_said();
    rig.hear(begin(endless()));
    rig.hear(launch(10 * SECOND as i64));
    rig.pass(SECOND, true);
    assert_eq!(rig.take_deltas()[0].seq, Seq(1), "it has a new place in the run");
}
