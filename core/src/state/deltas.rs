//! Merging deltas, each exactly once.

use super::command::{DeltaBatch, DeltaPart, Refusal};
use super::{ClusterState, Effect, Worker};

impl ClusterState {
    /// Merges a batch whole or not at all: only if every part continues the last delta of its worker.
    pub(super) fn merge(&mut self, batch: &DeltaBatch) -> Result<Vec<Effect>, Refusal> {
        for part in &batch.parts {
            self.continues(part)?;
        }
        let stopped = self.active_run(batch.run)?.merge(&batch.intervals);
        for part in &batch.parts {
            if let Some(worker) = self.workers.get_mut(&part.worker) {
                (worker.last_seq, worker.finished) = (part.last, part.finished);
            }
        }
        let acknowledged = batch.parts.iter().map(|part| (part.worker.clone(), part.last)).collect();
        let mut effects = vec![Effect::Acknowledge(acknowledged)];
        if stopped {
            effects.push(Effect::UpdateRun);
        }
        if self.all_finished() {
            effects.extend(self.end_run(batch.run, &[])?);
        }
        Ok(effects)
    }

    fn all_finished(&self) -> bool {
        let finished = |id| self.workers.get(id).is_some_and(|worker| worker.finished);
        self.run.as_ref().is_some_and(|run| run.participants().iter().all(finished))
    }

    fn continues(&self, part: &DeltaPart) -> Result<(), Refusal> {
        let known = self.workers.get(&part.worker).filter(|worker| worker.incarnation == part.incarnation);
        let expected = known.map(|Worker { last_seq, .. }| last_seq.next()).unwrap_or_default();
        if known.is_some_and(|worker| !worker.finished) && part.first == expected && part.last >= part.first {
            return Ok(());
        }
        Err(Refusal::OutOfOrder { worker: part.worker.clone(), first: part.first, expected })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Entry;
    use super::super::command::{Command, RunSpec};
    use super::super::run::RunPhase;
    use super::*;
    use crate::ids::{Incarnation, LogIndex, RunId, Seq, WorkerId};
    use crate::plan::Plan;
    use crate::plan::rate::SpawnRate;
    use crate::stats::delta::Interval;
    use crate::stats::endpoint::EndpointKey;
    use crate::stats::measurements::Measurements;
    use crate::stats::run::MergedIntervals;

    const RUN: RunId = RunId(7);

    struct Log {
        state: ClusterState,
        next: u64,
    }

    impl Log {
        fn with_workers(names: &[&str]) -> Self {
            let mut log = Self { state: ClusterState::default(), next: 1 };
            for name in names {
                let worker = WorkerId((*name).into());
                log.apply(Command::RegisterWorker { worker, incarnation: Incarnation(1) }).expect("registers");
            }
            let spec = RunSpec {
                plan: Plan::new(1, SpawnRate::per_second(1.0).expect("valid"), None),
                run_time_ms: None,
                scenario: "test".into(),
                host: None,
                profile: None,
                classes: vec!["A".into()],
                shares: Vec::new(),
                stop_timeout_ms: 0,
                reset_when_spawned: false,
                warm_up_ms: 0,
                thresholds: Vec::new(),
            };
            log.apply(Command::StartRun { run: RUN, spec: Box::new(spec) }).expect("starts");
            log
        }

        fn apply(&mut self, command: Command) -> Result<(), Refusal> {
            let entry = Entry { index: LogIndex(self.next), time_ms: self.next, command };
            self.next += 1;
            self.state.apply(&entry).reply
        }

        fn requests(&self) -> u64 {
            self.state.run().map_or(0, |run| run.stats().total.total().requests())
        }
    }

    fn part(worker: &str, first: u64, last: u64) -> DeltaPart {
        let worker = WorkerId(worker.into());
        DeltaPart { worker, incarnation: Incarnation(1), first: Seq(first), last: Seq(last), finished: false }
    }

    /// A batch in which every delta counts one request.
    fn batch(parts: Vec<DeltaPart>) -> Command {
        let mut intervals = MergedIntervals::default();
        for part in &parts {
            for seq in part.first.0..=part.last.0 {
                let mut measurements = Measurements::default();
                let endpoint = measurements.endpoints.entry(EndpointKey::request("GET", "/")).or_default();
                endpoint.ok_latency.record(seq);
                let (from_us, to_us) = ((seq - 1) * 1_000_000, seq * 1_000_000);
                let interval = Interval { from_us, to_us, segment: 0, users: vec![1], cpu_permille: 0, measurements };
                intervals.add(&part.worker, &interval);
            }
        }
        Command::MergeDeltas(Box::new(DeltaBatch { run: RUN, parts, intervals }))
    }

    #[test]
    fn a_batch_is_taken_whole_or_not_at_all() {
        let mut log = Log::with_workers(&["a", "b"]);
        log.apply(batch(vec![part("a", 1, 3)])).expect("continues");
        let refused = log.apply(batch(vec![part("b", 1, 2), part("a", 5, 5)]));
        assert!(matches!(refused, Err(Refusal::OutOfOrder { .. })), "{refused:?}");
        assert_eq!(log.requests(), 3);
        log.apply(batch(vec![part("b", 1, 2), part("a", 4, 5)])).expect("continues");
        assert_eq!(log.requests(), 7);
    }

    #[test]
    fn a_repeated_batch_counts_once() {
        let mut log = Log::with_workers(&["a"]);
        log.apply(batch(vec![part("a", 1, 2)])).expect("continues");
        assert!(log.apply(batch(vec![part("a", 1, 2)])).is_err());
        assert_eq!(log.requests(), 2);
    }

    #[test]
    fn an_entry_that_was_applied_already_changes_nothing() {
        let mut log = Log::with_workers(&["a"]);
        let entry = Entry { index: LogIndex(log.next), time_ms: 9, command: batch(vec![part("a", 1, 1)]) };
        log.state.apply(&entry).reply.expect("continues");
        let before = log.state.clone();
        assert!(log.state.apply(&entry).effects.is_empty());
        assert_eq!(log.state, before);
    }

    #[test]
    fn a_run_ends_with_the_last_delta_of_its_last_worker() {
        let mut log = Log::with_workers(&["a", "b"]);
        log.apply(batch(vec![DeltaPart { finished: true, ..part("a", 1, 1) }])).expect("continues");
        assert_ne!(log.state.run().expect("runs").phase(), RunPhase::Ended);
        log.apply(batch(vec![DeltaPart { finished: true, ..part("b", 1, 1) }])).expect("continues");
        assert_eq!(log.state.run().expect("ran").phase(), RunPhase::Ended);
        assert!(log.apply(batch(vec![part("b", 2, 2)])).is_err(), "nothing is added to a final result");
    }

    proptest! {
        #[test]
        fn whatever_is_repeated_or_reordered_totals_equal_what_was_accepted(
            attempts in prop::collection::vec((prop::bool::ANY, 1_u64..8, 0_u64..3), 0..60),
        ) {
            let mut log = Log::with_workers(&["a", "b"]);
            let mut accepted = [0_u64; 2];
            for (second_worker, first, length) in attempts {
                let at = usize::from(second_worker);
                let part = part(["a", "b"][at], first, first + length);
                let continues = first == accepted[at] + 1;
                prop_assert_eq!(log.apply(batch(vec![part])).is_ok(), continues);
                if continues {
                    accepted[at] = first + length;
                }
            }
            prop_assert_eq!(log.requests(), accepted.iter().sum::<u64>());
        }
    }
}
