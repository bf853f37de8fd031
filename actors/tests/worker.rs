//! A worker that follows masters: what it says to whom, and what its users do meanwhile.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, Addr, Context, Handler};
use akrida_actors::engine::{EngineOptions, RowOrigin};
use akrida_actors::http::HttpOptions;
use akrida_actors::link::{Downlink, Heard, LinkEvent, LinkId, Says};
use akrida_actors::user::functions;
use akrida_actors::worker::{AwaitEnd, Retire, WorkerActor, WorkerEnd};
use akrida_core::ids::{Incarnation, RunId, Seq, WorkerId};
use akrida_core::plan::Plan;
use akrida_core::plan::classes::ClassShare;
use akrida_core::plan::rate::SpawnRate;
use akrida_core::plan::slots::SlotSet;
use akrida_core::stats::delta::Delta;
use akrida_core::wire::{Assignment, FromWorker, ToWorker};
use support::{Reply, Served, in_time, response, scenario_with_data, until};

const RUN: RunId = RunId(1);
const SCENARIO: &str = "host: HOST\nusers: { User: { tasks: { only: [ GET /, { wait: 5ms } ] } } }\n";

/// A master, with the link to it.
#[derive(Clone)]
struct Master {
    link: LinkId,
    said: Rc<RefCell<Vec<FromWorker>>>,
    /// Whether it answers heartbeats.
    answers: Rc<Cell<bool>>,
    worker: Addr<WorkerActor>,
}

impl Actor for Master {
    type Context = Context<Self>;
}

impl Handler<Says> for Master {
    type Result = ();

    fn handle(&mut self, Says(message): Says, _: &mut Self::Context) {
        if let (FromWorker::Heartbeat { sent_us, .. }, true) = (&message, self.answers.get()) {
            self.worker.do_send(
                self.heard(LinkEvent::Says(Downlink::Message(ToWorker::HeartbeatHeard {
                    sent_us: *sent_us,
                    plan: None,
                }))),
            );
        }
        self.said.borrow_mut().push(message);
    }
}

impl Master {
    /// A master whose link is up.
    async fn linked(link: u16, worker: &Addr<WorkerActor>) -> Self {
        let master =
            Self { link: LinkId(link), said: Rc::default(), answers: Rc::new(Cell::new(true)), worker: worker.clone() };
        let uplink = master.clone().start().recipient();
        master.tell(LinkEvent::Up { master: "m".into(), uplink }).await;
        master
    }

    /// One that leads and knows the worker.
    async fn leading(link: u16, worker: &Addr<WorkerActor>, lease_ms: Option<u64>) -> Self {
        let master = Self::linked(link, worker).await;
        master.tell(LinkEvent::Says(Downlink::Leads { term: 1 })).await;
        master.hears(|said| matches!(said, FromWorker::Hello { .. })).await;
        master.say(welcome(0, lease_ms)).await;
        master
    }

    fn heard(&self, event: LinkEvent) -> Heard {
        Heard { link: self.link, event }
    }

    async fn tell(&self, event: LinkEvent) {
        self.worker.send(self.heard(event)).await.unwrap();
    }

    async fn say(&self, message: ToWorker) {
        self.tell(LinkEvent::Says(Downlink::Message(message))).await;
    }

    /// Waits until the worker says something like this.
    async fn hears(&self, is_it: impl Fn(&FromWorker) -> bool) {
        until(|| self.said.borrow().iter().any(&is_it)).await;
    }

    /// Gives the worker a run and starts it.
    async fn runs(&self, users: u64) {
        self.say(ToWorker::Begin(Box::new(assignment(users)))).await;
        self.hears(|said| *said == FromWorker::Ready { run: RUN }).await;
        self.say(ToWorker::Launch { run: RUN, plan_us: 0 }).await;
    }

    fn deltas(&self) -> Vec<Delta> {
        let said = self.said.borrow();
        let deltas = said.iter().filter_map(|said| match said {
            FromWorker::Delta(delta) => Some((**delta).clone()),
            _ => None,
        });
        deltas.collect()
    }
}

fn welcome(last_seq: u64, lease_ms: Option<u64>) -> ToWorker {
    ToWorker::Welcome { last_seq: Seq(last_seq), lease_ms, heartbeat_ms: 20 }
}

fn assignment(users: u64) -> Assignment {
    Assignment {
        run: RUN,
        bundle: None,
        plan: Plan::new(users, SpawnRate::per_second(1_000.0).unwrap(), None),
        shares: vec![ClassShare { fixed_count: 0, weight_milli: 1_000 }],
        slots: SlotSet::all(),
        epoch: 1,
        position: 0,
        workers: 1,
        segment: 0,
        stop_timeout_ms: 0,
    }
}

fn worker(host: &str, masters: usize) -> Addr<WorkerActor> {
    let scenario = scenario_with_data(&SCENARIO.replace("HOST", host), functions::register, "");
    let options = EngineOptions {
        scenario: Some(scenario),
        natives: Arc::default(),
        http: HttpOptions::default(),
        arbiters: 2,
        seed: 1,
        compile: None,
        row_origin: RowOrigin::Own,
    };
    WorkerActor::new(WorkerId("w".into()), Incarnation(1), options).with_masters(masters).start()
}

async fn answering() -> Served {
    Served::with(|_, _| -> Reply { response("200 OK", "", "") }).await
}

/// A server that has got the first requests of a worker with so many users, and the worker's only master, which leads.
async fn under_load(users: u64, lease_ms: Option<u64>) -> (Served, Addr<WorkerActor>, Master) {
    let server = answering().await;
    let worker = worker(&server.url(), 1);
    let master = Master::leading(0, &worker, lease_ms).await;
    master.runs(users).await;
    server.has_read(20).await;
    (server, worker, master)
}

#[actix_rt::test]
async fn a_new_leader_is_greeted_and_gets_what_is_not_safe_while_load_goes_on() {
    let server = answering().await;
    let worker = worker(&server.url(), 2);
    let first = Master::leading(0, &worker, None).await;
    let second = Master::linked(1, &worker).await;
    first.runs(3).await;
    first.hears(|said| matches!(said, FromWorker::Delta(delta) if delta.seq == Seq(2))).await;
    first.say(ToWorker::Acknowledge { run: RUN, seq: Seq(1) }).await;
    first.tell(LinkEvent::Down).await;
    let before = server.lines().len();
    server.has_read(before + 10).await;
    second.tell(LinkEvent::Says(Downlink::Leads { term: 2 })).await;
    let runs =
        |said: &FromWorker| matches!(said, FromWorker::Hello { running: Some(running), .. } if running.run == RUN);
    second.hears(runs).await;
    assert_eq!(second.said.borrow().len(), 1, "nothing else before the answer");
    second.say(welcome(1, None)).await;
    second.hears(|said| matches!(said, FromWorker::Delta(_))).await;
    assert_eq!(second.deltas()[0], first.deltas()[1], "the same as the old leader was told");
    second.hears(|said| matches!(said, FromWorker::Heartbeat { vitals, .. } if vitals.users == 3)).await;
    second.hears(|said| matches!(said, FromWorker::Heartbeat { vitals, .. } if vitals.memory_bytes > 0)).await;
}

#[actix_rt::test]
async fn users_stop_when_no_leader_answers_and_start_again_when_one_does() {
    let (server, _worker, master) = under_load(3, Some(400)).await;
    master.answers.set(false);
    let nobody = |said: &FromWorker| matches!(said, FromWorker::Delta(delta) if delta.interval.users == [0]);
    master.hears(nobody).await;
    let before = server.lines().len();
    master.said.borrow_mut().clear();
    master.hears(|said| matches!(said, FromWorker::Heartbeat { .. })).await;
    assert_eq!(server.lines().len(), before, "no request without a lease");
    master.answers.set(true);
    server.has_read(before + 20).await;
}

#[actix_rt::test]
async fn slots_are_released_when_their_users_are_gone() {
    let (_server, _worker, master) = under_load(8, None).await;
    let slots = SlotSet::from_fn(|slot| slot.is_multiple_of(4));
    master.say(ToWorker::Slots { run: RUN, epoch: 2, slots }).await;
    master.hears(|said| *said == FromWorker::Released { run: RUN, epoch: 2 }).await;
    master.hears(|said| matches!(said, FromWorker::Delta(delta) if delta.interval.users == [2])).await;
}

#[actix_rt::test]
async fn a_worker_that_is_asked_to_leaves_when_its_last_delta_is_safe() {
    let (server, worker, master) = under_load(3, None).await;
    let ended = worker.send(AwaitEnd);
    worker.send(Retire).await.unwrap();
    until(|| master.deltas().last().is_some_and(|delta| delta.interval.users == [0])).await;
    let last = master.deltas().pop().unwrap();
    assert!(!master.said.borrow().contains(&FromWorker::Goodbye) && !last.last);
    let counted: u64 = master.deltas().iter().map(|delta| delta.interval.measurements.http_exchanges).sum();
    assert_eq!(counted, server.lines().len() as u64);
    master.say(ToWorker::Acknowledge { run: RUN, seq: last.seq }).await;
    master.hears(|said| *said == FromWorker::Goodbye).await;
    assert_eq!(in_time(ended).await.unwrap(), WorkerEnd::Retired { lost_deltas: 0 });
}

#[actix_rt::test]
async fn a_worker_that_is_refused_ends_with_the_reason_and_without_users() {
    let (server, worker, master) = under_load(3, None).await;
    let ended = worker.send(AwaitEnd);
    master.say(ToWorker::Refused { reason: "quarantine".into() }).await;
    assert_eq!(in_time(ended).await.unwrap(), WorkerEnd::Rejected { reason: "quarantine".into() });
    let before = server.lines().len();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.lines().len(), before);
}

#[actix_rt::test]
async fn one_run_follows_another() {
    let (server, _worker, master) = under_load(3, None).await;
    let next = Assignment { run: RunId(2), ..assignment(1) };
    master.say(ToWorker::Begin(Box::new(next))).await;
    master.hears(|said| *said == FromWorker::Ready { run: RunId(2) }).await;
    let before = server.lines().len();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.lines().len(), before, "the users of the first are gone by then");
    master.say(ToWorker::Launch { run: RunId(2), plan_us: 0 }).await;
    server.has_read(before + 5).await;
}
