//! How users live: steps, stops, exceptions and panics.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use akrida_actors::http::HttpOptions;
use akrida_actors::user::actor::Stop;
use akrida_actors::user::context::StopMode;
use akrida_actors::user::functions;
use akrida_core::stats::endpoint::EndpointKey;
use minijinja::{Environment, Error};
use support::{Reply, Served, Users, counts, failures, in_time, requests, response, run, run_steps};

async fn answering() -> Served {
    Served::with(|_, _| response("200 OK", "x-number: 7\r\n", "{\"id\": 5, \"names\": [\"a\"]}")).await
}

#[actix::test]
async fn steps_run_in_order_with_variables_from_responses() {
    let served = answering().await;
    let steps = "\
- get: /first
  extract: { id: $.id, number: { header: x-number }, nothing: { json: $.none, default: 9 } }
- set: { double: '{{ id * 2 }}' }
- repeat: '{{ double - 8 }}'
  steps:
  - get: /{{ user.class }}/{{ user.index }}/{{ id }}-{{ number }}-{{ nothing }}/{{ loop_index }}
    name: deep
- if: id == 5
  then:
  - post: /form
    form: { a: 'x y', b: '{{ id }}' }
    query: { q: 'ä&' }
  else:
  - get: /never";
    let measured = run_steps(steps, &served.url()).await;
    assert_eq!(failures(&measured), []);
    let lines = ["GET /first", "GET /User/0/5-7-9/0", "GET /User/0/5-7-9/1", "POST /form?q=%C3%A4%26"];
    assert_eq!(served.lines(), lines);
    assert!(served.log()[3].ends_with("\r\n\r\na=x+y&b=5"));
    assert_eq!(requests(&measured, "GET", "deep"), 2);
}

#[actix::test]
async fn a_failed_check_goes_on_and_a_missing_extract_ends_the_task() {
    let served = answering().await;
    let scenario = "\
host: HOST
users:
  User:
    tasks:
      failing:
        steps:
          - get: /check
            check: { json: { $.id: 6 } }
          - get: /extract
            extract: { missing: $.missing }
          - get: /never
      last:
        steps: [ stop_user ]
    order: sequential
";
    let measured = run(scenario, &served.url()).await;
    assert_eq!(served.lines(), ["GET /check", "GET /extract"]);
    let texts: Vec<String> = failures(&measured).into_iter().map(|(text, _)| text).collect();
    assert_eq!(texts, ["$.id was 5, expected 6", "cannot extract missing: $.missing found nothing"]);
}

#[actix::test]
async fn a_broken_template_is_a_failed_request_or_an_exception_and_the_user_goes_on() {
    let served = answering().await;
    let scenario = "\
host: HOST
users:
  User:
    order: sequential
    on_start:
      - log: '{{ [].pop.x }}'
    tasks:
      request:
        steps:
          - get: /{{ random_int(2, 1) }}
            name: broken
          - get: /never
      outside:
        steps:
          - set: { x: '{{ random_choice([]) }}' }
          - get: /never
      last:
        steps: [ get: /last, stop_user ]
";
    let measured = run(scenario, &served.url()).await;
    assert_eq!(served.lines(), ["GET /last"]);
    assert_eq!((requests(&measured, "GET", "broken"), measured.http_exchanges), (1, 1));
    assert!(failures(&measured)[0].0.contains("random_int"), "{:?}", failures(&measured));
    assert_eq!(measured.exceptions.values().map(|exception| exception.count).sum::<u64>(), 2);
}

#[actix::test]
async fn a_group_is_timed_and_fails_with_its_steps() {
    let served = answering().await;
    let steps = "\
- group: good
  steps: [ get: /a, get: /b ]
- group: bad
  steps:
  - group: inner
    steps:
    - get: /c
      check: { status: 201 }
  - get: /d";
    let measured = run_steps(steps, &served.url()).await;
    let group = |name: &str| {
        let group = &measured.endpoints[&EndpointKey::group(name)];
        (group.requests(), group.failures())
    };
    assert_eq!((group("good"), group("inner"), group("bad")), ((1, 0), (1, 1), (1, 1)));
    assert_eq!(served.lines().len(), 4);
    let requests: u64 = ["/a", "/b", "/c", "/d"].iter().map(|name| requests(&measured, "GET", name)).sum();
    assert_eq!(requests, 4);
}

#[actix::test]
async fn nested_sets_end_after_their_iterations_or_by_an_interrupt() {
    let served = answering().await;
    let scenario = "\
host: HOST
users:
  User:
    order: sequential
    tasks:
      counted:
        iterations: 2
        order: sequential
        tasks:
          a: { weight: 2, steps: [ get: /a ] }
          b: /b
      forever:
        tasks:
          inner:
            steps: [ get: /in, interrupt, get: /never ]
      last:
        steps: [ get: /last, stop_user ]
";
    run(scenario, &served.url()).await;
    let lines = ["GET /a", "GET /a", "GET /b", "GET /a", "GET /a", "GET /b", "GET /in", "GET /last"];
    assert_eq!(served.lines(), lines);
}

const WITH_STOP: &str = "\
host: HOST
users:
  User:
    wait_time: 1h
    on_stop:
      - get: /bye
    tasks:
      only:
        steps:
          - get: /first
          - get: /second
";

#[actix::test]
async fn a_user_that_pauses_between_tasks_stops_at_once_and_says_goodbye() {
    for mode in [StopMode::Now, StopMode::AfterTask(Duration::from_secs(3_600))] {
        let served = answering().await;
        let users = Users::of(WITH_STOP, &served.url());
        let user = users.start();
        assert_eq!(users.context.live[0].get(), 1);
        served.has_read(2).await;
        in_time(async {
            while served.lines().len() == 2 {
                user.send(Stop(mode)).await.ok();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        let measured = users.end().await;
        assert_eq!(served.lines(), ["GET /first", "GET /second", "GET /bye"]);
        assert_eq!((counts(&measured), measured.interrupted), ((3, 0, 3), 0));
    }
}

#[actix::test]
async fn a_stop_now_interrupts_a_request_that_does_not_end_within_the_grace() {
    let served = Served::with(|request, _| {
        if request.starts_with("GET /redirect") {
            return response("302 Found", "location: /silent\r\n", "");
        }
        Reply::Silence
    })
    .await;
    let users = Users::of(&support::once("- get: /redirect\n- get: /never"), &served.url());
    let user = users.start();
    served.has_read(2).await;
    user.send(Stop(StopMode::Now)).await.unwrap();
    let measured = users.end().await;
    assert_eq!(counts(&measured), (0, 0, 1), "the hop that was over is an exchange");
    assert_eq!(measured.interrupted, 1);
    assert_eq!(served.lines().len(), 2);
}

#[actix::test]
async fn a_stop_after_the_task_lets_it_end() {
    let served = Served::with(|_, _| response("200 OK", "", "")).await;
    let scenario = "\
host: HOST
users:
  User:
    tasks:
      only:
        steps:
          - get: /first
          - wait: 100ms
          - get: /second
";
    let users = Users::of(scenario, &served.url());
    let user = users.start();
    served.has_read(1).await;
    user.send(Stop(StopMode::AfterTask(Duration::from_secs(3_600)))).await.unwrap();
    let measured = users.end().await;
    assert_eq!(counts(&measured), (served.lines().len() as u64, 0, served.lines().len() as u64));
    assert_eq!(served.lines().last().unwrap(), "GET /second");
    assert_eq!(measured.interrupted, 0);
}

#[actix::test]
async fn a_second_order_hastens_the_first() {
    let served = answering().await;
    let users = Users::of(&support::once("- get: /first\n- wait: 1h\n- get: /never"), &served.url());
    let user = users.start();
    served.has_read(1).await;
    user.send(Stop(StopMode::AfterTask(Duration::from_secs(3_600)))).await.unwrap();
    user.send(Stop(StopMode::Now)).await.unwrap();
    let measured = users.end().await;
    assert_eq!(served.lines(), ["GET /first"]);
    assert_eq!(measured.interrupted, 0);
}

#[actix::test]
async fn users_that_wait_for_nothing_let_others_run() {
    let served = answering().await;
    let busy = Users::of(
        "host: HOST\nusers:\n  User:\n    tasks:\n      spin:\n        steps:\n          - set: { x: 1 }\n",
        "http://a.invalid",
    );
    let loops = Users::of(
        "host: HOST\nusers:\n  User:\n    tasks:\n      spin:\n        steps:\n          - repeat: 1000000\n            steps: [ set: { x: 1 } ]\n",
        "http://a.invalid",
    );
    let (first, second) = (busy.start(), loops.start());
    let measured = run_steps("- get: /", &served.url()).await;
    assert_eq!(counts(&measured), (1, 0, 1));
    first.send(Stop(StopMode::Now)).await.unwrap();
    second.send(Stop(StopMode::Now)).await.unwrap();
    busy.end().await;
    loops.end().await;
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
async fn a_panic_is_an_exception_and_the_user_starts_again() {
    let served = answering().await;
    let scenario = support::once("- get: /before\n- get: /{{ explode() }}\n  name: after");
    let users = Users::with(&scenario, &served.url(), HttpOptions::default(), register_explosion);
    let _user = users.start();
    let measured = users.end().await;
    assert_eq!(served.lines(), ["GET /before", "GET /before", "GET /again"]);
    let exceptions: Vec<_> = measured.exceptions.iter().map(|(key, found)| (&*key.message, found.count)).collect();
    assert_eq!(exceptions, [("panic: boom", 1)]);
    assert_eq!((counts(&measured), measured.interrupted), ((3, 0, 3), 0));
}
