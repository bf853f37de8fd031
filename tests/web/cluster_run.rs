//! The program itself against a cluster: what is sent, what is written, and how it exits.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::fake_master::{Master, SCENARIO};
use crate::support::akrida::program;

/// A folder with a scenario, and a cluster of a leader and a follower.
struct Place {
    folder: TempDir,
    leader: Master,
    follower: Master,
}

impl Place {
    fn with(scenario: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("shop.yml"), scenario).unwrap();
        let (leader, follower) = (Master::leader(), Master::start("follower", Duration::from_secs(20)));
        follower.fake.follows(Some(leader.port));
        Self { folder, leader, follower }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        let masters = format!("127.0.0.1:{},127.0.0.1:{}", self.follower.port, self.leader.port);
        command.current_dir(self.folder.path()).env("AKRIDA_MASTERS", masters).args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(&[&["run", "-f", "shop.yml", "-u", "3"], arguments].concat()).spawn().unwrap()
    }

    fn output(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        text_of(&self.command(arguments).output().unwrap())
    }
}

fn text_of(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn json(file: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

#[test]
fn a_run_is_started_followed_and_written() {
    let place = Place::with(SCENARIO);
    let outputs = ["--csv", "out", "--html", "out.html", "--summary-json", "out.json", "--only-summary"];
    let child = place.start(&[&["-t", "60s", "--profile", "nightly"], &outputs[..]].concat());
    place.leader.wait_for("Start");
    let spec = place.leader.fake.spec();
    assert_eq!(
        (&*spec.scenario, spec.run_time_ms, spec.profile.as_deref()),
        ("shop.yml", Some(60_000), Some("nightly"))
    );
    assert_eq!((spec.plan.last_target(), &*spec.classes[0]), (3, "Visitor"));
    place.leader.fake.end_run();
    let (code, _, stderr) = text_of(&child.wait_with_output().unwrap());
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(json(&place.path("out.json"))["run"]["status"], "stopped");
    assert!(place.path("out.html").exists() && place.path("out_stats.csv").exists());
    assert!(place.follower.orders().is_empty());
}

#[test]
fn a_missed_threshold_fails_the_gate() {
    let place = Place::with(&format!("{SCENARIO}thresholds: [ 'p95 < 300ms' ]\n"));
    let child = place.start(&["--only-summary"]);
    place.leader.wait_for("Start");
    place.leader.fake.end_run();
    let (code, _, stderr) = text_of(&child.wait_with_output().unwrap());
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("p95 < 300ms"), "{stderr}");
}

#[test]
fn an_interrupt_stops_the_run_on_the_cluster() {
    let place = Place::with(SCENARIO);
    let child = place.start(&["--only-summary"]);
    place.leader.wait_for("Start");
    // Whether the program knows already that the run has started or not, it stops the run.
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    place.leader.wait_for("Stop");
    place.leader.fake.end_run();
    let (code, _, stderr) = text_of(&child.wait_with_output().unwrap());
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("stopping the run"), "{stderr}");
}

#[test]
fn data_files_travel_with_the_scenario() {
    let data = "data: { people: { file: people.csv, pick: unique, on_exhausted: recycle } }\n";
    let place = Place::with(&format!("{data}{SCENARIO}"));
    fs::write(place.path("people.csv"), "name\nann\nbob\n").unwrap();
    let child = place.start(&["--only-summary"]);
    place.leader.wait_for("Start");
    let spec = place.leader.fake.spec();
    let bundle = spec.bundle.unwrap();
    assert_eq!(&*bundle.files["people.csv"].0, b"name\nann\nbob\n");
    let rows = spec.distribution.unique_rows[0].unwrap();
    assert_eq!((rows.rows, rows.recycles), (2, true));
    place.leader.fake.end_run();
    assert_eq!(text_of(&child.wait_with_output().unwrap()).0, Some(0));
}

#[test]
fn what_is_wrong_is_said_before_anything_is_started() {
    let place = Place::with("host: http://a\nusers: { A: { tasks: {} } }\n");
    let (code, _, stderr) = place.output(&["run", "-f", "shop.yml"]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("shop.yml:2"), "{stderr}");
    assert!(place.leader.orders().is_empty());
}

#[test]
fn a_second_run_is_refused() {
    let place = Place::with(SCENARIO);
    place.leader.start_run();
    let (code, _, stderr) = place.output(&["run", "-f", "shop.yml", "--only-summary"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("the run was not started: a run is active"), "{stderr}");
}

#[test]
fn runs_and_the_cluster_are_looked_at_and_changed() {
    let place = Place::with(SCENARIO);
    let run = place.leader.start_run();
    let (code, listed, _) = place.output(&["runs", "list"]);
    assert_eq!(code, Some(0));
    assert!(listed.contains(&run) && listed.contains("own.yml"), "{listed}");
    let (_, json, _) = place.output(&["runs", "list", "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()[0]["id"], run.as_str());
    assert!(place.output(&["runs", "show"]).1.contains("Aggregated"));
    let (code, compared, _) = place.output(&["runs", "compare", &run, "latest"]);
    assert_eq!(code, Some(0), "{compared}");
    assert!(compared.contains("Nothing is worse by more than 10 %"), "{compared}");
    assert_eq!(place.output(&["runs", "show", "0000000000000001"]).0, Some(1));
    assert_eq!(place.output(&["runs", "export", "--summary-json", "e.json", "--html", "e.html"]).0, Some(0));
    assert!(place.path("e.json").exists() && place.path("e.html").exists());
    assert_eq!(place.output(&["runs", "stop"]).0, Some(0));
    assert_eq!(place.leader.orders(), ["Start", "Stop"]);

    assert!(place.output(&["cluster", "status"]).1.starts_with("Cluster "));
    let (_, status, _) = place.output(&["cluster", "status", "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&status).unwrap()["name"], "leader");
    assert_eq!(place.output(&["cluster", "transfer", "m2"]).0, Some(0));
    let (code, _, stderr) = place.output(&["cluster", "remove", "unknown"]);
    assert_eq!((code, stderr.contains("there is no master unknown")), (Some(1), true), "{stderr}");
    // What is no backup, as from something else that listens there, is not written.
    let (code, _, stderr) = place.output(&["cluster", "snapshot", "s.bin"]);
    assert_eq!((code, place.path("s.bin").exists()), (Some(2), false), "{stderr}");
}
