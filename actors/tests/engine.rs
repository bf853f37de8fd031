//! The engine: users that are started, stopped and started again, and data that runs out.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, Addr, Context, Handler};
use akrida_actors::clock::PlanClock;
use akrida_actors::engine::{Compile, Engine, EngineOptions, Prepared as Compiled, RowOrigin, RunLinks, RunningUsers};
use akrida_actors::http::HttpOptions;
use akrida_actors::user::context::{StopMode, UserSpec};
use akrida_actors::user::feeders::DataExhausted;
use akrida_actors::user::feeders::source::{AskRows, RowsAsk};
use akrida_actors::user::functions;
use akrida_actors::user::permit::SendPermit;
use akrida_core::data::ranges::RowRange;
use akrida_core::ids::{RunId, UserIndex};
use akrida_core::plan::Plan;
use akrida_core::plan::arrivals::{ArrivalPlan, ArrivalRate, Distribution, LatePolicy, RateStage};
use akrida_core::plan::classes::ClassShare;
use akrida_core::plan::rate::SpawnRate;
use akrida_core::plan::slots::SlotSet;
use akrida_core::scenario::Format;
use akrida_core::scenario::bundle::{Bundle, BundleSelection};
use akrida_core::scenario::model::Scenario;
use akrida_core::stats::measurements::Arrivals;
use akrida_core::wire::Assignment;
use support::{Reply, Served, in_time, response, scenario_with_data, until};

const SCENARIO: &str = "host: HOST\nusers: { User: { tasks: { only: [ GET /, { wait: 100ms } ] } } }\n";

fn assignment() -> Assignment {
    Assignment {
        run: RunId(1),
        bundle: None,
        plan: Plan::new(1, SpawnRate::per_second(1.0).unwrap(), None),
        shares: vec![ClassShare { fixed_count: 0, weight_milli: 1_000 }],
        slots: SlotSet::all(),
        epoch: 1,
        position: 0,
        workers: 1,
        segment: 0,
        stop_timeout_ms: 0,
    }
}

/// Counts how often data is exhausted, and keeps what feeders ask for.
#[derive(Clone, Default)]
struct Told {
    exhausted: Rc<Cell<u64>>,
    asked: Rc<RefCell<Vec<AskRows>>>,
}

impl Actor for Told {
    type Context = Context<Self>;
}

impl Handler<DataExhausted> for Told {
    type Result = ();

    fn handle(&mut self, exhausted: DataExhausted, _: &mut Self::Context) {
        assert_eq!(exhausted.run, RunId(1));
        self.exhausted.set(self.exhausted.get() + 1);
    }
}

impl Handler<AskRows> for Told {
    type Result = ();

    fn handle(&mut self, ask: AskRows, _: &mut Self::Context) {
        self.asked.borrow_mut().push(ask);
    }
}

struct Prepared {
    _engine: Engine,
    users: RunningUsers,
    exhausted: Rc<Cell<u64>>,
    asked: Rc<RefCell<Vec<AskRows>>>,
    permit: Arc<SendPermit>,
}

fn options(scenario: Option<Arc<Scenario>>, arbiters: usize) -> EngineOptions {
    EngineOptions {
        scenario,
        natives: Arc::default(),
        http: HttpOptions::default(),
        arbiters,
        seed: 1,
        compile: None,
        row_origin: RowOrigin::Own,
    }
}

fn links(told: &Told) -> RunLinks {
    let told: Addr<Told> = told.clone().start();
    RunLinks { exhausted: told.clone().recipient(), rows: told.recipient(), permit: Arc::default() }
}

async fn launched(options: EngineOptions, assignment: &Assignment) -> Prepared {
    let engine = Engine::new(options);
    let told = Told::default();
    let links = links(&told);
    let permit = Arc::clone(&links.permit);
    let mut users = engine.prepare(assignment, links).await.unwrap();
    users.launch(PlanClock::anchored_at(Instant::now()), assignment.slots.clone(), 0).await;
    Prepared { _engine: engine, users, exhausted: told.exhausted, asked: told.asked, permit }
}

async fn prepared(scenario: &str, data: &str, arbiters: usize, assignment: &Assignment) -> Prepared {
    let scenario = scenario_with_data(scenario, functions::register, data);
    launched(options(Some(scenario), arbiters), assignment).await
}

fn first_user() -> Vec<UserSpec> {
    vec![UserSpec { index: UserIndex(0), class: 0, intended_start_us: 0 }]
}

async fn live(users: &RunningUsers) -> u64 {
    users.drain().await.users.iter().sum()
}

#[actix_rt::test]
async fn a_user_started_in_the_place_of_one_that_still_ends_is_stopped_with_the_others() {
    let server = Served::with(|_, _| -> Reply { response("200 OK", "", "") }).await;
    let scenario = SCENARIO.replace("HOST", &server.url());
    let Prepared { users, .. } = &prepared(&scenario, "", 1, &assignment()).await;
    users.start(first_user()).await;
    users.stop(vec![UserIndex(0)], StopMode::AfterTask(Duration::from_secs(3_600))).await;
    users.start(first_user()).await;
    while live(users).await > 1 {
        tokio::task::yield_now().await;
    }
    users.stop_all(StopMode::Now).await;
    assert_eq!(live(users).await, 0, "nobody is left when all have stopped");
}

const DRAWING: &str = "\
host: HOST
data: { rows: { file: rows.csv, pick: unique, on_exhausted: ON } }
users: { User: { tasks: { only: 'GET /{{ rows.id }}' } } }
";

fn rows(count: u64) -> String {
    std::iter::once("id\n".to_owned()).chain((0..count).map(|row| format!("{row}\n"))).collect()
}

#[actix_rt::test]
async fn the_users_of_all_arbiters_use_every_row_once_and_then_the_end_of_the_data_is_told_once() {
    let server = Served::with(|_, _| -> Reply { response("200 OK", "", "") }).await;
    let scenario = DRAWING.replace("HOST", &server.url()).replace("ON", "stop_run");
    let Prepared { users, exhausted, .. } = &prepared(&scenario, &rows(200), 4, &assignment()).await;
    users.start((0..8).map(|user| UserSpec { index: UserIndex(user), class: 0, intended_start_us: 0 }).collect()).await;
    until(|| exhausted.get() > 0).await;
    in_time(async { while live(users).await > 0 {} }).await;
    let lines = server.lines();
    assert_eq!((lines.len(), lines.iter().collect::<BTreeSet<_>>().len()), (200, 200));
    users.stop_all(StopMode::Now).await;
    assert_eq!(exhausted.get(), 1);
}

#[actix_rt::test]
async fn arrivals_that_find_no_row_are_dropped() {
    let server = Served::with(|_, _| -> Reply { response("200 OK", "", "") }).await;
    let scenario = DRAWING.replace("HOST", &server.url()).replace("ON", "stop_user");
    let rate = ArrivalRate::per_second(200.0).unwrap();
    let stage = RateStage { from: rate, to: rate, length_us: Some(500_000) };
    let arrivals = ArrivalPlan::new(vec![stage], Distribution::Uniform, 100, LatePolicy::Queue).unwrap();
    let assignment = Assignment { plan: Plan::open(arrivals, Some(500_000)), ..assignment() };
    let Prepared { users, exhausted, .. } = &prepared(&scenario, &rows(30), 1, &assignment).await;
    let mut counted = Arrivals::default();
    in_time(async {
        while counted.started + counted.dropped < 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let drained = users.drain().await.measurements.arrivals;
            counted.started += drained.started;
            counted.dropped += drained.dropped;
        }
    })
    .await;
    users.stop_all(StopMode::Now).await;
    let served = server.lines().len() as u64;
    assert_eq!((counted.started, counted.started + counted.dropped), (served, 100));
    assert!((1..=30).contains(&served), "{served}");
    assert_eq!(exhausted.get(), 0, "the run goes on");
}

fn specs(users: impl Iterator<Item = u64>) -> Vec<UserSpec> {
    users.map(|user| UserSpec { index: UserIndex(user), class: 0, intended_start_us: 0 }).collect()
}

fn even() -> SlotSet {
    SlotSet::from_fn(|slot| slot.is_multiple_of(2))
}

#[actix_rt::test]
async fn the_users_of_lost_slots_stop_on_whichever_arbiter_they_are() {
    let server = Served::with(|_, _| -> Reply { response("200 OK", "", "") }).await;
    let scenario = SCENARIO.replace("HOST", &server.url());
    let Prepared { users, .. } = &mut prepared(&scenario, "", 3, &assignment()).await;
    users.start(specs(0..20)).await;
    users.move_slots(even(), 0, StopMode::Now).await;
    assert_eq!(live(users).await, 10, "those that are left when the move is done are those of the slots");
    users.stop(vec![UserIndex(0), UserIndex(2)], StopMode::Now).await;
    in_time(async { while live(users).await > 8 {} }).await;
    users.stop_all(StopMode::Now).await;
    assert_eq!(live(users).await, 0);
}

#[actix_rt::test]
async fn a_move_waits_for_users_that_were_told_to_stop_before_it() {
    let server = Served::with(|_, _| -> Reply { response("200 OK", "", "") }).await;
    let scenario = "host: HOST\nusers: { User: { tasks: { only: [ GET /, { wait: 300ms }, GET / ] } } }\n";
    let scenario = scenario.replace("HOST", &server.url());
    let Prepared { users, .. } = &mut prepared(&scenario, "", 1, &assignment()).await;
    users.start(specs(1..2)).await;
    server.has_read(1).await;
    users.stop(vec![UserIndex(1)], StopMode::AfterTask(Duration::from_secs(3_600))).await;
    users.move_slots(even(), 0, StopMode::AfterTask(Duration::from_secs(3_600))).await;
    assert_eq!((live(users).await, server.lines().len()), (0, 2));
}

#[actix_rt::test]
async fn users_that_were_suspended_can_start_again_and_rows_are_kept() {
    let server = Served::with(|_, _| -> Reply { response("200 OK", "", "") }).await;
    let scenario = DRAWING.replace("HOST", &server.url()).replace("ON", "stop_user");
    let Prepared { users, .. } = &prepared(&scenario, &rows(100_000), 2, &assignment()).await;
    users.start(specs(0..4)).await;
    server.has_read(20).await;
    users.suspend(StopMode::Now).await;
    assert_eq!(live(users).await, 0);
    let before = server.lines().len();
    users.resume(0).await;
    users.start(specs(0..4)).await;
    server.has_read(before + 20).await;
    users.stop_all(StopMode::Now).await;
    let lines = server.lines();
    assert_eq!(lines.len(), lines.iter().collect::<BTreeSet<_>>().len(), "no row is used twice");
}

#[actix_rt::test]
async fn arrivals_that_are_due_while_users_are_suspended_are_left_out() {
    let server = Served::with(|_, _| -> Reply { response("200 OK", "", "") }).await;
    let scenario = SCENARIO.replace("HOST", &server.url()).replace(", { wait: 100ms }", "");
    let rate = ArrivalRate::per_second(100.0).unwrap();
    let stage = RateStage { from: rate, to: rate, length_us: Some(3_600_000_000) };
    let arrivals = ArrivalPlan::new(vec![stage], Distribution::Uniform, 100, LatePolicy::Queue).unwrap();
    let assignment = Assignment { plan: Plan::open(arrivals, None), ..assignment() };
    let Prepared { users, .. } = &prepared(&scenario, "", 2, &assignment).await;
    server.has_read(5).await;
    users.suspend(StopMode::Now).await;
    let before = server.lines().len();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.lines().len(), before, "nothing is sent");
    // Only what is due half an hour later: nothing for now.
    users.resume(1_800_000_000).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.lines().len(), before);
    users.resume(0).await;
    users.stop_all(StopMode::Now).await;
    assert_eq!(live(users).await, 0);
}

#[actix_rt::test]
async fn without_a_permit_no_request_is_begun_and_users_end_when_they_are_told_to() {
    let server = Served::with(|_, _| -> Reply { response("200 OK", "", "") }).await;
    let scenario = "\
host: HOST
users: { User: { on_stop: [ GET /bye ], tasks: { only: [ GET /, { wait: 1ms } ] } } }
";
    let Prepared { users, permit, .. } =
        &prepared(&scenario.replace("HOST", &server.url()), "", 1, &assignment()).await;
    users.start(first_user()).await;
    server.has_read(3).await;
    permit.set_until_us(0);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let before = server.lines().len();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.lines().len(), before);
    users.suspend(StopMode::Now).await;
    assert_eq!((live(users).await, server.lines().len()), (0, before), "not even in on_stop");
}

#[actix_rt::test]
async fn an_arrival_that_may_not_be_served_any_more_counts_as_dropped_and_not_as_started() {
    let server = Served::with(|_, _| -> Reply { response("200 OK", "", "") }).await;
    let rate = ArrivalRate::per_second(100.0).unwrap();
    let stage = RateStage { from: rate, to: rate, length_us: Some(3_600_000_000) };
    let arrivals = ArrivalPlan::new(vec![stage], Distribution::Uniform, 100, LatePolicy::Queue).unwrap();
    let assignment = Assignment { plan: Plan::open(arrivals, None), ..assignment() };
    let scenario = SCENARIO.replace("HOST", &server.url());
    let Prepared { users, permit, .. } = &prepared(&scenario, "", 1, &assignment).await;
    server.has_read(5).await;
    permit.set_until_us(0);
    let mut counted = Arrivals::default();
    let count = async |counted: &mut Arrivals| {
        let drained = users.drain().await;
        let arrivals = drained.measurements.arrivals;
        counted.started += arrivals.started;
        counted.dropped += arrivals.dropped;
        drained.users.iter().sum::<u64>()
    };
    // Each arrival from now on finds a new user, which can do nothing.
    let before = count(&mut counted).await;
    in_time(async { while count(&mut counted).await < before + 5 {} }).await;
    users.suspend(StopMode::Now).await;
    count(&mut counted).await;
    assert_eq!(counted.started, server.lines().len() as u64, "{counted:?}");
    assert!(counted.dropped >= 5, "{counted:?}");
}

fn bundle(text: &str) -> Arc<Bundle> {
    Arc::new(Bundle {
        is_program: false,
        name: "test.yml".into(),
        format: Format::Yaml,
        text: text.into(),
        files: std::collections::BTreeMap::new(),
        selection: BundleSelection::default(),
    })
}

fn compiling() -> EngineOptions {
    let compile = |bundle: &Bundle| {
        if bundle.text.is_empty() {
            return Err("the scenario is empty".to_owned());
        }
        let scenario = scenario_with_data(&bundle.text, functions::register, &rows(9));
        Ok(Compiled { scenario, http: HttpOptions::default() })
    };
    EngineOptions { compile: Some(Compile(Arc::new(compile))), row_origin: RowOrigin::Leader, ..options(None, 2) }
}

#[actix_rt::test]
async fn a_run_can_bring_its_scenario_and_rows_then_come_from_the_leader() {
    let server = Served::with(|_, _| -> Reply { response("200 OK", "", "") }).await;
    let text = DRAWING.replace("HOST", &server.url()).replace("ON", "stop_user");
    let assignment = Assignment { bundle: Some(bundle(&text)), ..assignment() };
    let Prepared { users, asked, .. } = &launched(compiling(), &assignment).await;
    users.start(first_user()).await;
    until(|| !asked.borrow().is_empty()).await;
    assert!(matches!(asked.borrow()[0], AskRows { run: RunId(1), feeder: 0, ask: RowsAsk::Lease(_) }));
    users.give_rows(0, &[RowRange { low: 4, high: 6 }]);
    server.has_read(2).await;
    until(|| asked.borrow().len() > 1).await;
    users.give_rows(0, &[]);
    in_time(async { while live(users).await > 0 {} }).await;
    assert_eq!(server.lines(), ["GET /4", "GET /5"]);
    users.stop_all(StopMode::Now).await;
    until(|| asked.borrow().last().is_some_and(|asked| asked.ask == RowsAsk::Close(Vec::new()))).await;
}

#[actix_rt::test]
async fn a_run_that_brings_nothing_to_run_is_declined_with_the_reason() {
    for (given, reason) in
        [(None, "the run brings no scenario that this worker can run"), (Some(bundle("")), "the scenario is empty")]
    {
        let assignment = Assignment { bundle: given, ..assignment() };
        let declined = Engine::new(compiling()).prepare(&assignment, links(&Told::default())).await;
        assert_eq!(declined.err().as_deref(), Some(reason));
    }
}
