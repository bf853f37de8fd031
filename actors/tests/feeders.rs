//! Which rows the users of one arbiter have, and when.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use akrida_actors::http::HttpOptions;
use akrida_actors::user::actor::Stop;
use akrida_actors::user::context::StopMode;
use akrida_actors::user::functions;
use minijinja::{Environment, Error};
use support::{Served, Users, counts, in_time, response};

async fn answering() -> Served {
    Served::with(|_, _| response("200 OK", "", "")).await
}

fn users(scenario: &str, host: &str, data: &str) -> Users {
    Users::with_data(scenario, host, HttpOptions::default(), functions::register, data)
}

#[actix::test]
async fn a_row_lasts_for_a_task_of_the_class_with_what_is_nested_in_it_or_for_the_user() {
    let served = answering().await;
    let scenario = "\
host: HOST
data:
  each: { file: rows.csv, pick: round_robin }
  mine: { file: rows.csv, pick: round_robin, per: user }
users:
  User:
    order: sequential
    variables: { at_start: '{{ each.id }}' }
    on_start: [ 'GET /start/{{ each.id }}/{{ mine.id }}' ]
    on_stop: [ 'GET /stop/{{ each.id }}/{{ mine.id }}' ]
    tasks:
      first: 'GET /first/{{ each.id }}/{{ mine.id }}/{{ at_start }}'
      nested:
        order: sequential
        iterations: 2
        tasks: { inner: 'GET /inner/{{ each.id }}' }
      last: [ 'GET /last/{{ each.id }}/{{ mine.id }}', stop_user ]
";
    let users = users(scenario, &served.url(), "id\na\nb\nc\n");
    let _user = users.start();
    assert_eq!(counts(&users.end().await).1, 0);
    let lines =
        ["GET /start/a/a", "GET /first/a/a/a", "GET /inner/b", "GET /inner/b", "GET /last/c/a", "GET /stop/c/a"];
    assert_eq!(served.lines(), lines);
}

#[actix::test]
async fn a_user_ends_for_want_of_a_row_and_one_that_never_had_one_does_nothing() {
    let served = answering().await;
    let scenario = "\
host: HOST
data: { rows: { file: rows.csv, pick: unique } }
users:
  User:
    on_start: [ 'GET /start/{{ rows.id }}' ]
    on_stop: [ 'GET /stop/{{ rows.id }}' ]
    tasks: { only: 'GET /{{ rows.id }}' }
";
    let users = users(scenario, &served.url(), "id\na\nb\n");
    let _first = users.start();
    served.has_read(4).await;
    let _second = users.start();
    assert_eq!(counts(&users.end().await), (4, 0, 4));
    assert_eq!(served.lines(), ["GET /start/a", "GET /a", "GET /b", "GET /stop/b"]);
}

const ONE_ROW: &str = "\
host: HOST
data: { rows: { file: rows.csv, pick: unique, on_exhausted: recycle, per: user } }
users:
  User:
    on_stop: [ 'GET /stop/{{ rows.id }}' ]
    tasks:
      only: [ 'GET /{{ rows.id }}', { wait: 1h } ]
";

#[actix::test]
async fn a_user_waits_for_a_row_until_the_one_that_has_it_ends() {
    let served = answering().await;
    let users = users(ONE_ROW, &served.url(), "id\na\n");
    let (first, second) = (users.start(), users.start());
    served.has_read(1).await;
    first.send(Stop(StopMode::Now)).await.unwrap();
    served.has_read(3).await;
    assert_eq!(served.lines(), ["GET /a", "GET /stop/a", "GET /a"]);
    let waiting = users.start();
    waiting.send(Stop(StopMode::AfterTask(Duration::from_secs(3_600)))).await.unwrap();
    // Its order is taken while it waits: it ends without a row, and so without `on_stop`.
    second.send(Stop(StopMode::Now)).await.unwrap();
    assert_eq!(counts(&in_time(users.end()).await), (4, 0, 4));
    assert_eq!(served.lines()[3], "GET /stop/a");
}

#[actix::test]
async fn a_lone_user_draws_its_own_row_again() {
    let served = answering().await;
    let scenario = "\
host: HOST
data: { rows: { file: rows.csv, pick: unique, on_exhausted: recycle } }
users:
  User:
    order: sequential
    tasks: { first: 'GET /1/{{ rows.id }}', second: 'GET /2/{{ rows.id }}', last: [ 'GET /3/{{ rows.id }}', stop_user ] }
";
    let users = users(scenario, &served.url(), "id\na\n");
    let _user = users.start();
    in_time(users.end()).await;
    assert_eq!(served.lines(), ["GET /1/a", "GET /2/a", "GET /3/a"]);
}

static EXPLODED: AtomicBool = AtomicBool::new(false);

fn explode_once() -> Result<String, Error> {
    assert!(EXPLODED.swap(true, Ordering::Relaxed), "boom");
    Ok("again".to_owned())
}

fn register_explosion(environment: &mut Environment<'static>) {
    functions::register(environment);
    environment.add_function("explode", explode_once);
}

#[actix::test]
async fn a_panic_gives_the_row_back() {
    let served = answering().await;
    let scenario = "\
host: HOST
data: { rows: { file: rows.csv, pick: unique, on_exhausted: recycle, per: user } }
users: { User: { tasks: { only: [ 'GET /{{ rows.id }}/{{ explode() }}', stop_user ] } } }
";
    let http = HttpOptions::default();
    let users = Users::with_data(scenario, &served.url(), http, register_explosion, "id\na\n");
    let _user = users.start();
    in_time(users.end()).await;
    assert_eq!(served.lines(), ["GET /a/again"]);
}
