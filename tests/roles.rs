//! Masters and workers started as in Locust: by flags, headless or with autostart, alone or as three, and as programs that
//! bring their own users.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::akrida::program;
use support::cluster::run::{SCENARIO, await_requests, exchanges};
use support::cluster::{Cluster, Options, free_ports};
use support::example::example;
use support::raw_http;
use support::target::Target;
use tempfile::TempDir;

mod support;

/// No test waits longer for a process to get somewhere.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder, and the ports of one master that is configured by flags alone.
struct Flags {
    folder: TempDir,
    link_port: String,
    web_port: String,
}

/// A process that logs into a file. It is killed when it is dropped.
struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Flags {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("akrida-roles-").tempdir().expect("a temporary folder");
        fs::write(folder.path().join("x.yml"), SCENARIO).expect("a file");
        let ports = free_ports(2);
        Self { folder, link_port: ports[0].to_string(), web_port: ports[1].to_string() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.web_port)
    }

    fn start(&self, name: &str, mut command: Command, arguments: &[&str]) -> Process {
        let log = self.path().join(format!("{name}.log"));
        command.current_dir(self.path()).args(arguments).stdout(Stdio::null());
        let child = command.stderr(File::create(&log).expect("a log file")).spawn().expect("the program starts");
        Process { name: name.to_owned(), log, child }
    }

    fn master_of(&self, program: Command, arguments: &[&str]) -> Process {
        let mut all = vec!["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", &self.link_port];
        all.extend(["--web-host", "127.0.0.1", "-P", &self.web_port, "--data-dir", "data"]);
        all.extend(arguments);
        self.start("master", program, &all)
    }

    fn master(&self, arguments: &[&str]) -> Process {
        self.master_of(program(), arguments)
    }

    fn worker_of(&self, program: Command, name: &str) -> Process {
        let host = format!("127.0.0.1,localhost:{}", self.link_port);
        let arguments = ["--worker", "--master-host", &host, "--master-port", &self.link_port, "--processes", "2"];
        self.start(name, program, &arguments)
    }

    fn worker(&self, name: &str) -> Process {
        self.worker_of(program(), name)
    }

    fn summary(&self) -> Value {
        let text = fs::read_to_string(self.path().join("out.json")).expect("a summary");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Waits until the master says something for which `is` holds.
    fn await_answer(&self, path: &str, master: &Process, is: impl Fn(&Value) -> bool) -> Value {
        let since = Instant::now();
        loop {
            let reply = raw_http::send(&self.url(), "GET", path, &[], b"").ok().filter(|reply| reply.status == 200);
            if let Some(answer) = reply.map(|reply| reply.json()).filter(&is) {
                return answer;
            }
            assert!(since.elapsed() < PATIENCE, "waited in vain: {}", master.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn swarm(&self, form: &str) -> Value {
        let form_type = [("content-type", "application/x-www-form-urlencoded")];
        raw_http::send(&self.url(), "POST", "/swarm", &form_type, form.as_bytes()).expect("an answer").json()
    }
}

impl Process {
    fn log(&self) -> String {
        format!("== {}\n{}", self.name, fs::read_to_string(&self.log).unwrap_or_default())
    }

    /// Waits until it has ended by itself, and says how.
    fn ended(&mut self) -> Option<i32> {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return status.code();
            }
            assert!(since.elapsed() < PATIENCE, "it does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const LOAD: [&str; 5] = ["-u", "20", "-r", "50", "--headless"];

#[test]
fn a_headless_master_waits_for_its_workers_and_writes_what_a_local_run_writes() {
    let (target, flags) = (Target::start(&[]), Flags::new());
    // Workers may come first, and both of one machine are two.
    let mut workers = ["worker-1", "worker-2"].map(|name| flags.worker(name));
    let outputs = ["--csv", "out", "--html", "out.html", "--json-file", "stats", "--summary-json", "out.json"];
    let run = ["-f", "x.yml", "-H", target.url(), "-t", "3s", "--expect-workers", "2"];
    let mut master = flags.master(&[&LOAD[..], &run, &outputs].concat());
    assert_eq!(master.ended(), Some(0), "{}", master.log());
    let summary = flags.summary();
    assert_eq!(exchanges(&summary), target.received(), "{}", master.log());
    assert!(exchanges(&summary) > 100, "{summary}");
    for text in ["Aggregated", "Response time percentiles"] {
        assert!(master.log().contains(text), "no {text}: {}", master.log());
    }
    for file in ["out_stats.csv", "out_stats_history.csv", "out.html", "stats.json"] {
        let length = fs::metadata(flags.path().join(file)).map(|file| file.len());
        assert!(length.is_ok_and(|length| length > 0), "{file}: {}", master.log());
    }
    for worker in &mut workers {
        assert_eq!(worker.ended(), Some(0), "{}", worker.log());
    }
}

#[test]
fn the_same_command_on_the_same_data_runs_again_with_new_workers() {
    let (target, flags) = (Target::start(&[]), Flags::new());
    for _ in 0..2 {
        let before = target.received();
        let mut worker = flags.worker("worker");
        let run = ["-f", "x.yml", "-H", target.url(), "-t", "1s", "--summary-json", "out.json"];
        let mut master = flags.master(&[&LOAD[..], &run].concat());
        assert_eq!(master.ended(), Some(0), "{}", master.log());
        assert_eq!(exchanges(&flags.summary()), target.received() - before, "{}", master.log());
        assert_eq!(worker.ended(), Some(0), "{}", worker.log());
    }
}

#[test]
fn failures_are_the_exit_code_of_a_headless_master() {
    let (target, flags) = (Target::start(&[]), Flags::new());
    fs::write(flags.path().join("x.yml"), SCENARIO.replace("404", "200")).expect("a file");
    let _worker = flags.worker("worker");
    let run = ["-f", "x.yml", "-H", target.url(), "-t", "1s", "--exit-code-on-error", "7"];
    let mut master = flags.master(&[&LOAD[..], &run].concat());
    assert_eq!(master.ended(), Some(7), "{}", master.log());
}

#[test]
fn a_master_does_not_wait_for_workers_longer_than_it_was_told() {
    let (target, flags) = (Target::start(&[]), Flags::new());
    let run = ["-f", "x.yml", "-H", target.url(), "--expect-workers", "2", "--expect-workers-max-wait", "12"];
    let mut worker = flags.worker("worker");
    let mut master = flags.master(&[&LOAD[..], &run].concat());
    assert_eq!(master.ended(), Some(1), "{}", master.log());
    assert!(master.log().contains("gave up waiting for workers to connect"), "{}", master.log());
    assert_eq!((worker.ended(), target.received()), (Some(0), 0), "{}", worker.log());
}

#[test]
fn nothing_to_run_is_an_error_of_usage() {
    let flags = Flags::new();
    for (arguments, problem) in
        [(&["--headless"][..], "-f/--locustfile names none"), (&["-f", "none.yml", "--autostart"], "none.yml")]
    {
        let mut master = flags.master(arguments);
        assert_eq!(master.ended(), Some(2), "{}", master.log());
        assert!(master.log().contains(problem), "{}", master.log());
    }
}

#[test]
fn a_master_waits_for_swarm_and_then_runs_its_scenario() {
    let (target, flags) = (Target::start(&[]), Flags::new());
    let master = flags.master(&["-f", "x.yml"]);
    let _worker = flags.worker("worker");
    flags.await_answer("/stats/requests", &master, |stats| stats["worker_count"] == 1);
    let host = target.url();
    let form = format!("user_count=5&spawn_rate=50&host={host}&profile=mine");
    // The scenario is there a moment after the master leads.
    let since = Instant::now();
    while flags.swarm(&form)["success"] != true {
        assert!(since.elapsed() < PATIENCE, "{}", master.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    flags.await_answer("/stats/requests", &master, |stats| stats["user_count"] == 5);
    assert_eq!(flags.swarm("user_count=9&spawn_rate=50")["success"], true, "a second one edits the run");
    flags.await_answer("/stats/requests", &master, |stats| stats["user_count"] == 9);
    raw_http::send(&flags.url(), "POST", "/stop", &[], b"").expect("an answer");
    flags.await_answer("/stats/requests", &master, |stats| stats["state"] == "stopped");
    let runs = flags.await_answer("/api/v1/runs", &master, |runs| runs[0]["status"] == "stopped");
    assert_eq!(runs.as_array().map(Vec::len), Some(1), "{runs}");
    assert_eq!((&runs[0]["scenario"], &runs[0]["profile"]), (&json!("x.yml"), &json!("mine")));
}

/// Three masters that were told to start the same run, with a summary of each.
fn three_masters(target: &Target, more: &[&str]) -> (Cluster, TempDir) {
    let scenarios = tempfile::tempdir().expect("a temporary folder");
    let file = scenarios.path().join("x.yml");
    fs::write(&file, SCENARIO).expect("a file");
    let file = file.to_str().expect("text");
    let run = ["-f", file, "-H", target.url(), "-u", "20", "-r", "50"];
    let arguments = [&run[..], &["--only-summary", "--summary-json", "{}.json"], more].concat();
    let arguments = arguments.into_iter().map(str::to_owned).collect();
    (Cluster::start(&Options { arguments, ..Options::default() }, &["worker-1", "worker-2"]), scenarios)
}

fn summary_of(cluster: &Cluster, master: usize) -> Option<Value> {
    let text = fs::read_to_string(cluster.folder().join(format!("master-{}.json", master + 1))).ok()?;
    // It may be created and not yet written.
    serde_json::from_str(&text).ok()
}

#[test]
fn three_headless_masters_run_once_and_the_loss_of_the_leader_costs_nothing() {
    let target = Target::start(&[]);
    let (mut cluster, _scenario) = three_masters(&target, &["--headless", "-t", "10s", "--expect-workers", "2"]);
    await_requests(&target, 500);
    let killed = cluster.leader();
    cluster.kill_master(killed);
    await_requests(&target, 500);
    let others: Vec<_> = (0..3).filter(|master| *master != killed).collect();
    for master in &others {
        assert_eq!(cluster.await_master(*master), Some(0), "{}", cluster.logs());
    }
    let summaries = others.iter().map(|master| summary_of(&cluster, *master).expect("a summary"));
    let summaries: Vec<_> = summaries.collect();
    for summary in &summaries {
        assert_eq!(exchanges(summary), target.received(), "{}", cluster.logs());
    }
    assert_eq!(summaries[0]["run"]["id"], summaries[1]["run"]["id"], "{}", cluster.logs());
    for worker in 0..2 {
        assert_eq!(cluster.await_worker(worker), Some(0), "{}", cluster.logs());
    }
}

#[test]
fn three_headless_masters_all_end_with_the_verdict() {
    let target = Target::start(&[]);
    let (mut cluster, _scenario) = three_masters(&target, &["--headless", "-t", "2s", "--expect-workers", "2"]);
    for master in 0..3 {
        assert_eq!(cluster.await_master(master), Some(0), "{}", cluster.logs());
        let summary = summary_of(&cluster, master).expect("a summary");
        assert_eq!(exchanges(&summary), target.received(), "{}", cluster.logs());
    }
}

#[test]
fn three_masters_start_once_and_one_that_comes_back_starts_nothing() {
    let target = Target::start(&[]);
    let (mut cluster, _scenario) = three_masters(&target, &["--autostart", "-t", "2s", "--expect-workers", "2"]);
    await_summaries(&cluster);
    let old = cluster.leader();
    cluster.kill_master(old);
    forget_summary(&cluster, old);
    cluster.start_master(old);
    cluster.leader_other_than(Some(old));
    cluster.await_that("the result on the one that came back", || summary_of(&cluster, old));
    // It leads again, and still starts nothing.
    transfer(&cluster, old);
    assert_eq!(runs(&cluster), 1, "{}", cluster.logs());
    for master in 0..3 {
        cluster.end_master(master);
    }
    let logs: String = (0..3).map(|master| cluster.master_log(master)).collect();
    assert_eq!(logs.matches("the run starts").count(), 1, "{logs}");
}

#[test]
fn a_master_that_leads_as_soon_as_it_is_back_starts_nothing_and_masters_that_all_start_anew_run_again() {
    let target = Target::start(&[]);
    let (mut cluster, _scenario) = three_masters(&target, &["--autostart", "-t", "2s", "--expect-workers", "2"]);
    await_summaries(&cluster);
    for master in 0..3 {
        cluster.kill_master(master);
        forget_summary(&cluster, master);
        cluster.start_master(master);
        transfer(&cluster, master);
        cluster.await_that("the result on the one that came back", || summary_of(&cluster, master));
        assert_eq!(runs(&cluster), 1, "{}", cluster.logs());
    }
    (0..3).for_each(|master| cluster.kill_master(master));
    (0..3).for_each(|master| forget_summary(&cluster, master));
    (0..3).for_each(|master| cluster.start_master(master));
    await_summaries(&cluster);
    assert_eq!(runs(&cluster), 2, "{}", cluster.logs());
    let both: u64 = listed_runs(&cluster).iter().filter_map(|run| run["requests"].as_u64()).sum();
    assert_eq!(both, target.received(), "{}", cluster.logs());
}

fn await_summaries(cluster: &Cluster) {
    let all_have_written = || (0..3).all(|master| summary_of(cluster, master).is_some()).then_some(());
    cluster.await_that("a summary of each master", all_have_written);
}

fn forget_summary(cluster: &Cluster, master: usize) {
    fs::remove_file(cluster.folder().join(format!("master-{}.json", master + 1))).expect("its summary");
}

/// Has a master lead, as soon as it can.
fn transfer(cluster: &Cluster, master: usize) {
    let (name, masters) = (format!("master-{}", master + 1), cluster.addresses());
    cluster.await_that("the lead to be transferred", || {
        let output = cluster.command(&["cluster", "transfer", &name, "--masters", &masters]).output();
        output.expect("it starts").status.success().then_some(())
    });
}

fn listed_runs(cluster: &Cluster) -> Vec<Value> {
    cluster.await_that("a list of runs", || {
        let listed = cluster.command(&["runs", "list", "--json", "--masters", &cluster.addresses()]).output();
        serde_json::from_slice(&listed.expect("it starts").stdout).ok()
    })
}

fn runs(cluster: &Cluster) -> usize {
    listed_runs(cluster).len()
}

#[test]
fn whoever_leads_when_the_workers_are_there_starts_the_run() {
    let target = Target::start(&[]);
    let (mut cluster, _scenario) = three_masters(&target, &["--headless", "-t", "2s", "--expect-workers", "3"]);
    let killed = cluster.leader();
    cluster.await_that("the leader to wait", || cluster.master_log(killed).contains("2 of 3 connected").then_some(()));
    cluster.kill_master(killed);
    cluster.leader_other_than(Some(killed));
    assert_eq!(target.received(), 0);
    let mut third = cluster.command(&["--config", "worker-1.yml", "--node-id", "worker-3"]);
    let mut third = third.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    for master in (0..3).filter(|master| *master != killed) {
        assert_eq!(cluster.await_master(master), Some(0), "{}", cluster.logs());
        let summary = summary_of(&cluster, master).expect("a summary");
        assert_eq!(exchanges(&summary), target.received(), "{}", cluster.logs());
    }
    assert!(third.wait().expect("a child of ours").success(), "{}", cluster.logs());
}

#[test]
fn akrida_run_does_not_wait_for_workers_longer_than_it_was_told() {
    let flags = Flags::new();
    let master = flags.master(&[]);
    flags.await_answer("/api/v1/cluster", &master, |status| status["ready"] == true);
    let masters = format!("127.0.0.1:{}", flags.web_port);
    let mut command = program();
    command.env("LOCUST_EXPECT_WORKERS_MAX_WAIT", "1").env("LOCUST_LOCUSTFILE", "x.yml");
    let mut run = flags.start("run", command, &["run", "--masters", &masters, "-H", "http://127.0.0.1:9"]);
    assert_eq!(run.ended(), Some(1), "{}", run.log());
    assert!(run.log().contains("gave up waiting for workers to connect: 0 of 1"), "{}", run.log());
}

#[test]
fn a_program_with_users_of_its_own_is_master_and_workers() {
    let (target, flags) = (Target::start(&[]), Flags::new());
    let shop = || cleared(example("shop"));
    let mut workers = ["worker-1", "worker-2"].map(|name| flags.worker_of(shop(), name));
    let run = ["-u", "12", "-r", "100", "-t", "3s", "-s", "2s", "-H", target.url()];
    let wanted = ["--headless", "--expect-workers", "2", "--summary-json", "out.json"];
    let mut master = flags.master_of(shop(), &[&run[..], &wanted].concat());
    assert_eq!(master.ended(), Some(0), "{}", master.log());
    let summary = flags.summary();
    let (reported, interrupted) = (exchanges(&summary), summary["totals"]["interrupted"].as_u64().expect("a number"));
    assert!((reported..=reported + interrupted).contains(&target.received()), "{summary}");
    let endpoints = summary["endpoints"].as_array().expect("a list");
    let requests = |name: &str| endpoints.iter().find(|line| line["name"] == name).expect(name)["requests"].as_u64();
    assert_eq!(requests("/login"), Some(3), "a quarter of the users are customers, on both workers together");
    for worker in &mut workers {
        assert_eq!(worker.ended(), Some(0), "{}", worker.log());
    }
}

#[test]
fn a_worker_without_the_code_of_the_users_is_left_out() {
    let (target, flags) = (Target::start(&[]), Flags::new());
    let other_program = flags.worker_of(cleared(example("line_protocol")), "other");
    let no_program = flags.worker("none");
    let run = ["-u", "2", "-r", "100", "-t", "1s", "-H", target.url(), "--headless", "--expect-workers", "2"];
    let mut master = flags.master_of(cleared(example("shop")), &run);
    assert_eq!(master.ended(), Some(1), "{}", master.log());
    assert_eq!(target.received(), 0);
    assert!(other_program.log().contains("no user class Visitor, Customer"), "{}", other_program.log());
    assert!(no_program.log().contains("are code of that program"), "{}", no_program.log());
}

fn cleared(program: PathBuf) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}
