//! Three masters behind each balancer. A client that repeats nothing sends 40 requests a second while the leader is taken
//! away; each must take effect once.

use std::fmt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use akrida::raft::store::backup;
use akrida_core::state::ClusterState;
use akrida_core::state::request::RequestKey;

use crate::support::balancer::{Balancer, Kind};
use crate::support::cluster::{Cluster, Options};
use crate::support::network::Network;
use crate::support::raw_http;
use crate::support::target::Target;
use crate::support::tls_http::TlsClient;

/// Requests of a round.
const REQUESTS: usize = 480;

/// Between two of them.
const EVERY: Duration = Duration::from_millis(25);

/// When the leader is taken away, and when it comes back, in requests.
const TAKEN_AFTER: usize = 160;
const BACK_AFTER: usize = 320;

/// Rounds of each test; the variable `AKRIDA_FAILOVER_ROUNDS` asks for more.
fn rounds() -> usize {
    std::env::var("AKRIDA_FAILOVER_ROUNDS").map_or(1, |text| text.parse().expect("a number of rounds"))
}

/// The users of the run, who do little.
const SCENARIO: &str = "users:
  Visitor:
    wait_time: 200ms
    tasks:
      home: { steps: [ { get: / } ] }
";

/// Masters and a worker with a run that goes on, behind a balancer.
struct Stage {
    cluster: Cluster,
    client: TlsClient,
    run: String,
    _balancer: Balancer,
    _target: Target,
    _scenario: tempfile::TempDir,
}

impl Stage {
    fn set(kind: Kind, network: Option<Rc<Network>>) -> Self {
        let target = Target::start(&[]);
        let folder = tempfile::tempdir().unwrap();
        let scenario = folder.path().join("scenario.yml");
        std::fs::write(&scenario, SCENARIO).unwrap();
        let arguments = ["-f", scenario.to_str().unwrap(), "-H", target.url()].map(str::to_owned).to_vec();
        let cluster = Cluster::start(&Options { arguments, network, ..Options::default() }, &["worker-1"]);
        let masters = [0, 1, 2].map(|master| cluster.url(master).trim_start_matches("http://").to_owned());
        let balancer = Balancer::start(kind, &masters);
        let client = balancer.client();
        let run = start_run(&cluster, &client);
        Self { cluster, client, run, _balancer: balancer, _target: target, _scenario: folder }
    }

    /// Sends the requests of a round while `fault` goes on, which is told how far the round is.
    fn round(&mut self, round: usize, fault: impl FnOnce(&mut Cluster, &Progress)) -> Vec<Outcome> {
        let progress = Arc::new(Progress::default());
        let path = format!("/api/v1/runs/{}/reset", self.run);
        let sending = {
            let (client, progress) = (self.client.clone(), Arc::clone(&progress));
            thread::spawn(move || send_all(&client, &path, round, &progress))
        };
        fault(&mut self.cluster, &progress);
        sending.join().unwrap()
    }

    /// The replicated state as the leader has applied it.
    fn state(&self) -> ClusterState {
        let leader = self.cluster.leader();
        let bytes = raw_http::get(&self.cluster.url(leader), "/api/v1/cluster/snapshot").body;
        let (snapshot, _) = backup::of_bytes(Path::new("a backup"), bytes.into()).unwrap();
        ClusterState::from_bytes(&snapshot.data).unwrap()
    }
}

/// Starts a run through the balancer and waits until it is under way.
fn start_run(cluster: &Cluster, client: &TlsClient) -> String {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    cluster.await_that("a run", || {
        let started = client.send("POST", "/swarm", &form, b"user_count=5&spawn_rate=50").ok()?;
        (started.status == 200 && started.json()["success"] == true).then_some(())
    });
    cluster.await_that("the run to be under way", || {
        let runs = client.send("GET", "/api/v1/runs", &[], b"").ok()?.json();
        let state = client.get("/stats/requests").json()["state"].as_str()?.to_owned();
        (state == "running").then(|| runs[0]["id"].as_str().map(str::to_owned))?
    })
}

/// How far a round is.
#[derive(Debug, Default)]
struct Progress {
    sent: AtomicUsize,
    answered: AtomicUsize,
}

impl Progress {
    /// Waits until so many requests have been sent.
    fn await_sent(&self, count: usize) {
        await_count(&self.sent, count);
    }

    /// Waits until all requests have been answered.
    fn await_end(&self) {
        await_count(&self.answered, REQUESTS);
    }
}

fn await_count(counter: &AtomicUsize, count: usize) {
    while counter.load(Ordering::SeqCst) < count {
        thread::sleep(Duration::from_millis(5));
    }
}

/// What came of a request.
struct Outcome {
    number: usize,
    answer: Result<u16, String>,
    took: Duration,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {:?} in {} ms", self.number, self.answer, self.took.as_millis())
    }
}

/// The key of a request, if the client gives it one: every second time, the balancer has to.
fn key_of(round: usize, number: usize) -> Option<String> {
    number.is_multiple_of(2).then(|| format!("round-{round}-request-{number}"))
}

/// Sends each request on a connection and a thread of its own, whatever has become of those before.
fn send_all(client: &TlsClient, path: &str, round: usize, progress: &Progress) -> Vec<Outcome> {
    let began = Instant::now();
    thread::scope(|scope| {
        let requests = (0..REQUESTS).map(|number| {
            let due = began + EVERY * number as u32;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let request = scope.spawn(move || {
                let outcome = send(client, path, round, number);
                progress.answered.fetch_add(1, Ordering::SeqCst);
                outcome
            });
            progress.sent.fetch_add(1, Ordering::SeqCst);
            request
        });
        // All are sent before the first is waited for.
        let requests: Vec<_> = requests.collect();
        requests.into_iter().map(|request| request.join().unwrap()).collect()
    })
}

fn send(client: &TlsClient, path: &str, round: usize, number: usize) -> Outcome {
    let began = Instant::now();
    let key = key_of(round, number);
    let headers: Vec<_> = key.iter().map(|key| ("idempotency-key", key.as_str())).collect();
    let answer = client.send("POST", path, &headers, b"{}");
    let answer = answer.map_err(|error| error.to_string()).map(|reply| reply.status);
    Outcome { number, answer, took: began.elapsed() }
}

/// Rounds in which each request takes effect once.
fn all_take_effect_once(kind: Kind, network: Option<Rc<Network>>, fault: impl Fn(&mut Cluster, &Progress)) {
    let mut stage = Stage::set(kind, network);
    for round in 1..=rounds() {
        let outcomes = stage.round(round, &fault);
        let failed: Vec<_> = outcomes.iter().filter(|outcome| outcome.answer != Ok(200)).collect();
        assert!(failed.is_empty(), "{} of {REQUESTS}: {failed:#?}\n{}", failed.len(), stage.cluster.logs());
        let longest = outcomes.iter().map(|outcome| outcome.took).max();
        println!("round {round}: {REQUESTS} of {REQUESTS}, the longest took {longest:?}");
        let state = stage.state();
        // Each carries the segment of statistics on by one: a lost one, or one done twice, is seen in the number.
        assert_eq!(state.run().unwrap().stats().segment as usize, round * REQUESTS);
        for key in (0..REQUESTS).filter_map(|number| key_of(round, number)) {
            let request = RequestKey { key: key.as_str().into(), fingerprint: 0 };
            assert!(state.outcome_of(&request).is_some(), "{key} was never carried out");
        }
        stage.cluster.agreed_state();
    }
}

/// The leader is killed, and started again later.
fn killed(cluster: &mut Cluster, progress: &Progress) {
    progress.await_sent(TAKEN_AFTER);
    let leader = cluster.leader();
    cluster.kill_master(leader);
    cluster.leader_other_than(Some(leader));
    progress.await_sent(BACK_AFTER);
    cluster.start_master(leader);
}

/// The leader is frozen, and goes on later.
fn frozen(cluster: &mut Cluster, progress: &Progress) {
    progress.await_sent(TAKEN_AFTER);
    let leader = cluster.leader();
    cluster.pause_master(leader);
    cluster.leader_other_than(Some(leader));
    progress.await_sent(BACK_AFTER);
    cluster.resume_master(leader);
}

/// The leader is frozen for longer than balancers wait for an answer. What it was asked before is answered by others, and
/// when it goes on, it finds those requests once more.
fn frozen_for_long(cluster: &mut Cluster, progress: &Progress) {
    progress.await_sent(TAKEN_AFTER);
    let leader = cluster.leader();
    cluster.pause_master(leader);
    cluster.leader_other_than(Some(leader));
    progress.await_end();
    cluster.resume_master(leader);
}

/// The leader is cut off from everybody, and connected again later.
fn cut_off(network: &Network) -> impl Fn(&mut Cluster, &Progress) {
    |cluster, progress| {
        progress.await_sent(TAKEN_AFTER);
        let leader = cluster.leader();
        network.pull(leader);
        cluster.leader_other_than(Some(leader));
        progress.await_sent(BACK_AFTER);
        network.plug(leader);
    }
}

#[test]
fn a_killed_leader_costs_no_request_through_nginx() {
    all_take_effect_once(Kind::Nginx, None, killed);
}

#[test]
fn a_killed_leader_costs_no_request_through_haproxy() {
    all_take_effect_once(Kind::Haproxy, None, killed);
}

#[test]
fn a_frozen_leader_costs_no_request_through_nginx() {
    all_take_effect_once(Kind::Nginx, None, frozen);
}

#[test]
fn a_frozen_leader_costs_no_request_through_haproxy() {
    all_take_effect_once(Kind::Haproxy, None, frozen);
}

#[test]
fn a_leader_frozen_for_long_costs_no_request_through_nginx() {
    all_take_effect_once(Kind::Nginx, None, frozen_for_long);
}

#[test]
fn a_leader_frozen_for_long_costs_no_request_through_haproxy() {
    all_take_effect_once(Kind::Haproxy, None, frozen_for_long);
}

#[test]
fn a_leader_that_is_cut_off_costs_no_request_through_nginx() {
    let network = Rc::new(Network::enter(3));
    all_take_effect_once(Kind::Nginx, Some(Rc::clone(&network)), cut_off(&network));
}

#[test]
fn a_leader_that_is_cut_off_costs_no_request_through_haproxy() {
    let network = Rc::new(Network::enter(3));
    all_take_effect_once(Kind::Haproxy, Some(Rc::clone(&network)), cut_off(&network));
}
