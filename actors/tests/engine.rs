//! The engine: users that are started, stopped and started again, and data that runs out.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, Context, Handler};
use akrida_actors::clock::PlanClock;
use akrida_actors::engine::{Engine, EngineOptions, RunningUsers};
use akrida_actors::http::HttpOptions;
use akrida_actors::user::context::{StopMode, UserSpec};
use akrida_actors::user::feeders::DataExhausted;
use akrida_actors::user::functions;
use akrida_core::ids::{RunId, UserIndex};
use akrida_core::plan::Plan;
use akrida_core::plan::arrivals::{ArrivalPlan, ArrivalRate, Distribution, LatePolicy, RateStage};
use akrida_core::plan::classes::ClassShare;
use akrida_core::plan::rate::SpawnRate;
use akrida_core::stats::measurements::Arrivals;
use akrida_core::wire::Assignment;
use support::{Reply, Served, in_time, response, scenario_with_data, until};

const SCENARIO: &str = "host: HOST\nusers: { User: { tasks: { only: [ GET /, { wait: 100ms } ] } } }\n";

fn assignment() -> Assignment {
    Assignment {
        run: RunId(1),
        plan: Plan::new(1, SpawnRate::per_second(1.0).unwrap(), None),
        shares: vec![ClassShare { fixed_count: 0, weight_milli: 1_000 }],
        position: 0,
        workers: 1,
        segment: 0,
        stop_timeout_ms: 0,
    }
}

/// Counts how often data is exhausted.
#[derive(Default)]
struct Exhausted(Rc<Cell<u64>>);

impl Actor for Exhausted {
    type Context = Context<Self>;
}

impl Handler<DataExhausted> for Exhausted {
    type Result = ();

    fn handle(&mut self, exhausted: DataExhausted, _: &mut Self::Context) {
        assert_eq!(exhausted.run, RunId(1));
        self.0.set(self.0.get() + 1);
    }
}

struct Prepared {
    _engine: Engine,
    users: RunningUsers,
    exhausted: Rc<Cell<u64>>,
}

async fn prepared(scenario: &str, data: &str, arbiters: usize, assignment: &Assignment) -> Prepared {
    let scenario = scenario_with_data(scenario, functions::register, data);
    let engine = Engine::new(EngineOptions {
        scenario,
        natives: Arc::default(),
        http: HttpOptions::default(),
        arbiters,
        seed: 1,
    });
    let exhausted = Rc::new(Cell::new(0));
    let told = Exhausted(Rc::clone(&exhausted)).start().recipient();
    let users = engine.prepare(PlanClock::anchored_at(Instant::now()), assignment, told).await;
    Prepared { _engine: engine, users, exhausted }
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
