//! Coordinators of three masters on a log that the test commits: what each applies, answers and announces.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::{Actor, Addr, Context, Handler, Recipient};
use akrida_actors::coordinator::log::{Committed, LogEvent, ReplicatedLog, Told};
use akrida_actors::coordinator::messages::{Give, Look, ProveLeadership};
use akrida_actors::coordinator::{CoordinatorActor, OrderError, Outcome};
use akrida_actors::link::{Attach, Downlink, Uplink};
use akrida_core::coordinator::{Order, Settings};
use akrida_core::ids::{Incarnation, LogIndex, ProposalId, RaftId, RunId, WorkerId};
use akrida_core::plan::Plan;
use akrida_core::plan::rate::SpawnRate;
use akrida_core::state::command::RunSpec;
use akrida_core::state::request::{Reply, RequestKey};
use akrida_core::state::worker::WorkerProfile;
use akrida_core::view::validity::ValidityLimits;
use akrida_core::wire::{FromWorker, ToWorker, Vitals};
use bytes::Bytes;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the logs of all masters share.
#[derive(Default)]
struct Group {
    entries: Vec<Bytes>,
    masters: Vec<Recipient<Told>>,
    leader: Option<usize>,
    term: u64,
    /// Proposals are neither committed nor dropped.
    holds: bool,
    /// Questions whether a master leads get no answer.
    is_silent: bool,
    snapshots: Vec<(LogIndex, Bytes)>,
}

type SharedGroup = Arc<Mutex<Group>>;

struct TestLog {
    own: usize,
    group: SharedGroup,
}

impl Group {
    fn commit(&mut self, record: Bytes) {
        self.entries.push(record.clone());
        let index = LogIndex(self.entries.len() as u64);
        for master in &self.masters {
            master.do_send(Told(LogEvent::Committed(vec![Committed { index, record: record.clone() }])));
        }
    }

    fn elect(&mut self, leader: usize) {
        self.term += 1;
        let old = self.leader.replace(leader);
        for (at, master) in self.masters.iter().enumerate().filter(|(at, _)| *at != leader) {
            let (term, leader) = (self.term, Some(RaftId(leader as u64 + 1)));
            if Some(at) == old || old.is_none() {
                master.do_send(Told(LogEvent::Follows { term, leader }));
            }
        }
        self.commit(Bytes::new());
        self.masters[leader].do_send(Told(LogEvent::Leads { term: self.term }));
    }
}

impl ReplicatedLog for TestLog {
    fn propose(&mut self, proposal: ProposalId, record: Bytes) {
        let mut group = self.group.lock().unwrap();
        if group.leader != Some(self.own) {
            group.masters[self.own].do_send(Told(LogEvent::Dropped(proposal)));
        } else if !group.holds {
            group.commit(record);
        }
    }

    fn read(&mut self, read: u64) {
        let group = self.group.lock().unwrap();
        if group.is_silent {
            return;
        }
        let index = LogIndex(group.entries.len() as u64);
        group.masters[self.own].do_send(Told(LogEvent::Readable { read, index }));
    }

    fn applied(&mut self, _: LogIndex) {}

    fn snapshot(&mut self, index: LogIndex, state: Bytes) {
        self.group.lock().unwrap().snapshots.push((index, state));
    }
}

struct Masters {
    group: SharedGroup,
    masters: Vec<Addr<CoordinatorActor>>,
}

impl Masters {
    async fn start() -> Self {
        Self::start_with(&Settings::default()).await
    }

    async fn start_with(settings: &Settings) -> Self {
        let group = SharedGroup::default();
        let mut masters = Vec::new();
        for own in 0..3 {
            masters.push(Self::start_one(own, &group, settings));
            digest(&masters[own]).await;
        }
        group.lock().unwrap().elect(0);
        Self { group, masters }
    }

    fn start_one(own: usize, group: &SharedGroup, settings: &Settings) -> Addr<CoordinatorActor> {
        let shared = Arc::clone(group);
        let open_log = Box::new(move |events| {
            shared.lock().unwrap().masters.push(events);
            Box::new(TestLog { own, group: Arc::clone(&shared) }) as Box<dyn ReplicatedLog>
        });
        let seed = 1_000 * (own as u64 + 1);
        CoordinatorActor::new(settings.clone(), ValidityLimits::default(), seed, open_log).0.start()
    }

    fn elect(&self, leader: usize) {
        self.group.lock().unwrap().elect(leader);
    }

    fn hold(&self, holds: bool) {
        self.group.lock().unwrap().holds = holds;
    }

    async fn give(&self, master: usize, order: Order, key: Option<&str>) -> Outcome {
        let request = key.map(|key| RequestKey { key: key.into(), fingerprint: 1 });
        in_time(self.masters[master].send(Give { order, request })).await.unwrap()
    }

    async fn digests(&self) -> Vec<Vec<u8>> {
        let mut digests = Vec::new();
        for master in &self.masters {
            digests.push(digest(master).await);
        }
        digests
    }

    async fn register_worker(&self, leader: usize) -> Arc<Mutex<Vec<Downlink>>> {
        let (attach, heard) = worker();
        let (worker, incarnation) = (attach.worker.clone(), attach.incarnation);
        for master in &self.masters {
            master.send(attach.clone()).await.unwrap();
        }
        let message = FromWorker::Hello { profile: WorkerProfile::default(), running: None };
        self.masters[leader].send(Uplink { worker, incarnation, message }).await.unwrap();
        heard
    }
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("an answer in time")
}

async fn digest(master: &Addr<CoordinatorActor>) -> Vec<u8> {
    master.send(Look(Box::new(|sight| sight.state.to_bytes()))).await.unwrap()
}

/// A worker that notes what it hears.
struct Listener(Arc<Mutex<Vec<Downlink>>>);

impl Actor for Listener {
    type Context = Context<Self>;
}

impl Handler<Downlink> for Listener {
    type Result = ();

    fn handle(&mut self, message: Downlink, _: &mut Self::Context) {
        self.0.lock().unwrap().push(message);
    }
}

fn worker() -> (Attach, Arc<Mutex<Vec<Downlink>>>) {
    let heard = Arc::default();
    let downlink = Listener(Arc::clone(&heard)).start().recipient();
    (Attach { worker: WorkerId("w".into()), incarnation: Incarnation(1), downlink }, heard)
}

fn start(run: u64) -> Order {
    let plan = Plan::new(1, SpawnRate::per_second(1.0).unwrap(), None);
    let spec = RunSpec::of_one_class("test", "A", plan);
    Order::Start(RunId(run), Box::new(spec))
}

#[actix_rt::test]
async fn what_the_leader_is_told_all_masters_apply_and_followers_refuse() {
    let masters = Masters::start().await;
    masters.register_worker(0).await;
    assert_eq!(masters.give(1, start(7), None).await, Err(OrderError::NotLeading));
    assert_eq!(masters.give(0, start(7), None).await, Ok(Reply::Run(RunId(7))));
    let digests = masters.digests().await;
    assert!(digests.iter().all(|digest| *digest == digests[0]));
}

#[actix_rt::test]
async fn an_order_whose_leader_is_deposed_is_unknown_and_its_repeat_is_carried_out_once() {
    let masters = Masters::start().await;
    masters.register_worker(0).await;
    masters.hold(true);
    let held = masters.give(0, start(7), Some("key"));
    let deposed = async {
        masters.masters[0].send(Look(Box::new(|_| ()))).await.unwrap();
        masters.elect(1);
    };
    let (outcome, ()) = tokio::join!(held, deposed);
    assert_eq!(outcome, Err(OrderError::Unknown));
    masters.hold(false);
    masters.register_worker(1).await;
    let first = masters.give(1, start(8), Some("key")).await;
    assert_eq!(first, Ok(Reply::Run(RunId(8))));
    masters.elect(2);
    assert_eq!(masters.give(2, start(9), Some("key")).await, first, "the repeat of a request is the same run");
}

#[actix_rt::test]
async fn attached_workers_hear_who_leads_at_once_and_after_each_election() {
    let masters = Masters::start().await;
    let (attach, heard) = worker();
    masters.masters[1].send(attach).await.unwrap();
    masters.digests().await;
    masters.elect(1);
    masters.digests().await;
    masters.elect(2);
    masters.digests().await;
    let announced = |downlink: &Downlink| !matches!(downlink, Downlink::Message(_));
    let heard: Vec<_> = heard.lock().unwrap().iter().filter(|downlink| announced(downlink)).cloned().collect();
    assert_eq!(heard, [Downlink::Follows { term: 1 }, Downlink::Leads { term: 2 }, Downlink::Follows { term: 3 }]);
}

#[actix_rt::test]
async fn only_a_leader_proves_that_it_leads() {
    let masters = Masters::start().await;
    assert_eq!(in_time(masters.masters[0].send(ProveLeadership)).await.unwrap(), Ok(()));
    assert_eq!(in_time(masters.masters[1].send(ProveLeadership)).await.unwrap(), Err(OrderError::NotLeading));
}

#[actix_rt::test]
async fn a_leader_that_cannot_prove_that_it_leads_renews_no_lease() {
    let lease = Some(Duration::from_secs(10));
    let masters = Masters::start_with(&Settings { lease, ..Settings::default() }).await;
    let heard = masters.register_worker(0).await;
    let has_heard = async |is: fn(&ToWorker) -> bool| {
        // What is asked of a log and what it answers takes its turns in the mailbox.
        for _ in 0..10 {
            masters.digests().await;
        }
        heard.lock().unwrap().iter().any(|said| matches!(said, Downlink::Message(message) if is(message)))
    };
    let say = |message| {
        let (worker, incarnation) = (WorkerId("w".into()), Incarnation(1));
        masters.masters[0].send(Uplink { worker, incarnation, message })
    };
    let heartbeat = |sent_us| FromWorker::Heartbeat { sent_us, running: None, vitals: Vitals::default() };
    assert!(has_heard(|message| matches!(message, ToWorker::Welcome { .. })).await);
    say(heartbeat(1)).await.unwrap();
    assert!(has_heard(|message| matches!(message, ToWorker::HeartbeatHeard { sent_us: 1, .. })).await);

    // It was deposed, and does not know it yet.
    masters.group.lock().unwrap().is_silent = true;
    heard.lock().unwrap().clear();
    say(heartbeat(2)).await.unwrap();
    say(FromWorker::Hello { profile: WorkerProfile::default(), running: None }).await.unwrap();
    assert!(!has_heard(|_| true).await, "{:?}", heard.lock().unwrap());
    masters.elect(1);
    masters.group.lock().unwrap().is_silent = false;
    assert!(!has_heard(|_| true).await, "{:?}", heard.lock().unwrap());

    // As leader anew it listens again.
    masters.elect(0);
    say(heartbeat(3)).await.unwrap();
    assert!(has_heard(|message| matches!(message, ToWorker::HeartbeatHeard { sent_us: 3, .. })).await);
}

#[actix_rt::test]
async fn a_master_restored_from_a_snapshot_is_equal_to_the_others() {
    let masters = Masters::start().await;
    masters.register_worker(0).await;
    assert!(masters.give(0, start(7), None).await.is_ok());
    masters.masters[0].send(Told(LogEvent::SnapshotWanted)).await.unwrap();
    let (index, state) = masters.group.lock().unwrap().snapshots.pop().unwrap();
    let newcomer = Masters::start_one(3, &masters.group, &Settings::default());
    newcomer.send(Told(LogEvent::Restored { index, state })).await.unwrap();
    assert_eq!(digest(&newcomer).await, digest(&masters.masters[0]).await);
    assert!(masters.give(0, Order::Stop, None).await.is_ok());
    assert_eq!(digest(&newcomer).await, digest(&masters.masters[0]).await);
}
