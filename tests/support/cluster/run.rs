//! Runs on a cluster that go on while a test does something to it.

use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Cluster;
use crate::support::target::Target;

/// One class of users: three of four requests get `/`, the others a page that is not there, as they expect.
pub const SCENARIO: &str = "users:
  Visitor:
    wait_time: 20ms
    tasks:
      home: { weight: 3, steps: [ { get: / } ] }
      other: { weight: 1, steps: [ { get: /about, check: { status: 404 } } ] }
";

/// A run on a cluster that goes on while the test does something to it.
#[derive(Debug)]
pub struct Run {
    child: Child,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    output: Output,
    summary: Value,
}

impl Run {
    /// Starts a run with these arguments.
    pub fn start(cluster: &Cluster, target: &Target, arguments: &[&str]) -> Self {
        std::fs::write(cluster.folder().join("scenario.yml"), SCENARIO).expect("a file");
        let masters = cluster.addresses();
        let mut command = cluster.command(&["run", "--masters", &masters, "-f", "scenario.yml", "-H", target.url()]);
        command.args(["--only-summary", "--summary-json", "out.json"]).args(arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        Self { child }
    }

    /// Stops it, and waits for its end.
    pub fn stop(self, cluster: &Cluster) -> Ended {
        let masters = cluster.addresses();
        let stopped = cluster.command(&["runs", "stop", "--masters", &masters]).output().expect("the program starts");
        assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
        self.end(cluster)
    }

    /// Waits for its end.
    pub fn end(self, cluster: &Cluster) -> Ended {
        let output = self.child.wait_with_output().expect("the program ends");
        let summary = std::fs::read_to_string(cluster.folder().join("out.json"))
            .unwrap_or_else(|_| panic!("no summary\n{}\n{}", String::from_utf8_lossy(&output.stderr), cluster.logs()));
        Ended { output, summary: serde_json::from_str(&summary).expect("JSON") }
    }
}

impl Ended {
    /// The requests of the report.
    pub fn exchanges(&self) -> u64 {
        exchanges(&self.summary)
    }

    /// Whether it ended with exit code 0.
    pub fn passed(&self) -> bool {
        self.output.status.success()
    }

    /// What it said.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }
}

/// The requests of a report, from its summary.
pub fn exchanges(summary: &Value) -> u64 {
    summary["totals"]["http_exchanges"].as_u64().expect("a number")
}

/// Waits until the target has received so many more requests than now.
pub fn await_requests(target: &Target, more: u64) {
    let (since, goal) = (Instant::now(), target.received() + more);
    while target.received() < goal {
        assert!(since.elapsed() < Duration::from_secs(60), "the load has stopped at {} of {goal}", target.received());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The report equals the target's own count, and the masters that run agree to the byte.
pub fn assert_exact(ended: &Ended, cluster: &Cluster, target: &Target) {
    assert_eq!(ended.exchanges(), target.received(), "{}\n{}", ended.text(), cluster.logs());
    assert!(ended.passed(), "{}", ended.text());
    cluster.agreed_state();
}
