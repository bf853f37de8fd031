//! The engine: users that are started, stopped and started again.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

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
use akrida_core::plan::classes::ClassShare;
use akrida_core::plan::rate::SpawnRate;
use akrida_core::scenario::{Format, Source, load};
use akrida_core::wire::Assignment;
use support::{Reply, Served, response};

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

async fn engine_of_one_arbiter(host: &str) -> (Engine, RunningUsers) {
    let text = SCENARIO.replace("HOST", host);
    let scenario = load(&Source { name: "test.yml", text: &text, format: Format::Yaml }, functions::register).unwrap();
    let engine = Engine::new(EngineOptions { scenario, http: HttpOptions::default(), arbiters: 1, seed: 1 });
    let users =
        engine.prepare(PlanClock::anchored_at(Instant::now()), &assignment(), Listener.start().recipient()).await;
    (engine, users)
}

/// Takes what a run says of its data, of which there is none here.
struct Listener;

impl Actor for Listener {
    type Context = Context<Self>;
}

impl Handler<DataExhausted> for Listener {
    type Result = ();

    fn handle(&mut self, _: DataExhausted, _: &mut Self::Context) {}
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
    let (_engine, users) = engine_of_one_arbiter(&server.url()).await;
    users.start(first_user()).await;
    users.stop(vec![UserIndex(0)], StopMode::AfterTask(Duration::from_secs(3_600))).await;
    users.start(first_user()).await;
    while live(&users).await > 1 {
        tokio::task::yield_now().await;
    }
    users.stop_all(StopMode::Now).await;
    assert_eq!(live(&users).await, 0, "nobody is left when all have stopped");
}
