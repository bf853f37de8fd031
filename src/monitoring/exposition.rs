//! Figures as Prometheus reads them.
//!
//! A gauge that is not known is left out, and so are those of the leader on other masters: an alert on them must not fire
//! because a follower says 0.

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{Counter, Encoder, Gauge, Opts, Registry, TextEncoder};

use super::figures::{Figures, LeaderFigures, MasterFigures, RunFigures, WorkerFigures};

/// What reads the figures of the process itself; it keeps what it has said so far.
pub(super) struct Exposition {
    process: Registry,
}

impl Exposition {
    pub(super) fn new() -> Self {
        let process = Registry::new();
        register(&process, ProcessCollector::for_self());
        Self { process }
    }

    /// Everything that is known, in the text format; `figures` are those of the role, if they are known.
    pub(super) fn text(&self, figures: Option<&Figures>) -> Vec<u8> {
        let sheet = Sheet(Registry::new());
        sheet.build_info();
        match figures {
            Some(Figures::Master(master)) => sheet.master(master),
            Some(Figures::Worker(worker)) => sheet.worker(worker),
            None => {}
        }
        let mut families = sheet.0.gather();
        families.extend(self.process.gather());
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        text
    }
}

/// The type of what [`Exposition::text`] writes.
pub(super) fn content_type() -> &'static str {
    prometheus::TEXT_FORMAT
}

/// The figures of one answer.
struct Sheet(Registry);

impl Sheet {
    fn build_info(&self) {
        let opts = Opts::new("akrida_build_info", "Always 1; the label is the version of the program.");
        let gauge = Gauge::with_opts(opts.const_label("version", env!("CARGO_PKG_VERSION"))).expect("a valid name");
        gauge.set(1.0);
        register(&self.0, gauge);
    }

    fn gauge(&self, name: &str, help: &str, value: f64) {
        let gauge = Gauge::new(name, help).expect("a valid name");
        gauge.set(value);
        register(&self.0, gauge);
    }

    fn count(&self, name: &str, help: &str, value: u64) {
        self.gauge(name, help, value as f64);
    }

    fn flag(&self, name: &str, help: &str, value: bool) {
        self.count(name, help, value.into());
    }

    fn counter(&self, name: &str, help: &str, value: u64) {
        let counter = Counter::new(name, help).expect("a valid name");
        counter.inc_by(value as f64);
        register(&self.0, counter);
    }

    fn process(&self, limit_bytes: Option<u64>, log_lines_lost: u64) {
        self.counter(
            "akrida_log_lines_lost_total",
            "Log lines that could not be written to their file.",
            log_lines_lost,
        );
        if let Some(bytes) = limit_bytes {
            self.count("akrida_memory_limit_bytes", "Memory that the process is configured to use at most.", bytes);
        }
    }

    fn master(&self, master: &MasterFigures) {
        self.flag("akrida_raft_is_leader", "Whether this master leads.", master.is_leader);
        self.flag("akrida_raft_has_leader", "Whether this master knows of a leader.", master.has_leader);
        self.count("akrida_raft_term", "The Raft term that this master knows.", master.term);
        self.count("akrida_raft_last_index", "The last entry of this master's log.", master.last_index);
        self.count("akrida_raft_commit_index", "The last entry known to be committed.", master.commit_index);
        self.count("akrida_raft_applied_index", "The last entry that was applied.", master.applied_index);
        self.counter(
            "akrida_raft_leader_changes_total",
            "Changes of leader or term that this master has seen since it started.",
            master.leader_changes,
        );
        self.process(master.memory_limit_bytes, master.log_lines_lost);
        if let Some(leader) = &master.leader {
            self.leader(leader);
        }
    }

    fn leader(&self, leader: &LeaderFigures) {
        let LeaderFigures { workers_connected, workers_expected, run } = leader;
        self.count("locust_workers_connected", "Workers that are connected; told by the leader.", *workers_connected);
        self.count("akrida_workers_expected", "Workers that a run needs; told by the leader.", *workers_expected);
        self.run(run);
    }

    fn run(&self, run: &RunFigures) {
        self.flag("akrida_run_active", "Whether a run goes on; told by the leader.", run.is_active);
        self.count("locust_users", "Users that exist on all workers; told by the leader.", run.users);
        self.count("akrida_users_wanted", "Users that the run asks for; told by the leader.", run.users_wanted);
        self.counter(
            "locust_requests_total",
            "Requests of the run, failed ones included; told by the leader.",
            run.requests,
        );
        self.counter("locust_failures_total", "Failed requests of the run; told by the leader.", run.failures);
        self.gauge(
            "locust_errors_rate",
            "Failures per request in the current window, from 0 to 1; told by the leader.",
            run.errors_rate,
        );
    }

    fn worker(&self, worker: &WorkerFigures) {
        self.count("locust_users_per_worker", "Users that this worker runs.", worker.users);
        if let Some(users_max) = worker.users_max {
            self.count("akrida_worker_users_max", "The most users that this worker runs.", users_max);
        }
        self.flag("akrida_worker_connected", "Whether a leader knows this worker and listens.", worker.is_connected);
        self.count("akrida_worker_masters_linked", "Masters that this worker has a link to.", worker.masters_linked);
        self.count(
            "akrida_worker_unacknowledged_deltas",
            "Deltas of statistics that are not known to be safe.",
            worker.unsafe_deltas,
        );
        self.gauge(
            "akrida_worker_cpu_ratio",
            "Share of its core that the busiest thread with users takes, from 0 to 1.",
            worker.cpu_ratio,
        );
        self.process(worker.memory_limit_bytes, worker.log_lines_lost);
    }
}

fn register(registry: &Registry, collector: impl Collector + 'static) {
    registry.register(Box::new(collector)).expect("a name that is taken once");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(figures: Option<Figures>) -> String {
        String::from_utf8(Exposition::new().text(figures.as_ref())).expect("text")
    }

    fn has(text: &str, line: &str) -> bool {
        text.lines().any(|there| there == line)
    }

    #[test]
    fn a_leader_tells_of_the_run() {
        let run = RunFigures {
            is_active: true,
            users: 20,
            users_wanted: 30,
            requests: 1_000_000,
            failures: 7,
            errors_rate: 0.25,
        };
        let leader = LeaderFigures { workers_connected: 3, workers_expected: 4, run };
        let master = MasterFigures { is_leader: true, term: 9, leader: Some(leader), ..MasterFigures::default() };
        let text = text(Some(Figures::Master(master)));
        for line in [
            "# TYPE locust_workers_connected gauge",
            "locust_workers_connected 3",
            "akrida_workers_expected 4",
            "locust_users 20",
            "# TYPE locust_requests_total counter",
            "locust_requests_total 1000000",
            "locust_failures_total 7",
            "locust_errors_rate 0.25",
            "akrida_raft_is_leader 1",
            "akrida_raft_term 9",
        ] {
            assert!(has(&text, line), "{line}\n{text}");
        }
        assert!(
            text.contains("process_resident_memory_bytes ") && !text.contains("akrida_memory_limit_bytes"),
            "{text}"
        );
    }

    #[test]
    fn a_follower_tells_nothing_that_only_the_leader_knows() {
        let text = text(Some(Figures::Master(MasterFigures::default())));
        assert!(has(&text, "akrida_raft_is_leader 0") && !text.contains("locust_"), "{text}");
    }

    #[test]
    fn a_worker_tells_of_its_own_users() {
        let limit = Some(2_000_000_000);
        let worker =
            WorkerFigures { users: 500, users_max: Some(1_000), memory_limit_bytes: limit, ..WorkerFigures::default() };
        let text = text(Some(Figures::Worker(worker)));
        for line in
            ["locust_users_per_worker 500", "akrida_worker_users_max 1000", "akrida_memory_limit_bytes 2000000000"]
        {
            assert!(has(&text, line), "{line}\n{text}");
        }
    }

    #[test]
    fn a_process_that_does_not_answer_still_tells_what_it_takes() {
        let text = text(None);
        assert!(text.contains("process_open_fds ") && text.contains("akrida_build_info{"), "{text}");
    }
}
