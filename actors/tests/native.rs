//! Users that are code of the program.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::cell::Cell;
use std::future::pending;
use std::time::Duration;

use akrida_actors::user::actor::Stop;
use akrida_actors::user::context::StopMode;
use akrida_actors::user::native::description::UserDescription;
use akrida_actors::user::native::error::{TaskError, TaskResult};
use akrida_actors::user::native::sample::Sample;
use akrida_actors::user::native::{User, UserContext, wait};
use akrida_core::plan::arrivals::Arrival;
use akrida_core::stats::endpoint::{EndpointKey, EndpointKind};
use akrida_core::stats::measurements::Measurements;
use support::{Reply, Served, Users, counts, failures, header, native_context, requests, response, until};

async fn answering() -> Served {
    Served::with(|request, _| match request.lines().next().unwrap().split(' ').nth(1).unwrap() {
        "/missing" => response("404 Not Found", "", "no"),
        "/login" => response("200 OK", "set-cookie: id=7; Path=/\r\nx-token: t1\r\n", "{\"user\": 3}"),
        "/silent" => Reply::Silence,
        _ => response("200 OK", "", "hello"),
    })
    .await
}

async fn run<U: User>(host: &str) -> Measurements {
    let users = Users::native::<U>(host);
    let _user = users.start();
    users.end().await
}

fn exceptions(measured: &Measurements) -> Vec<(String, u64)> {
    measured.exceptions.iter().map(|(key, found)| (key.message.to_string(), found.count)).collect()
}

struct Browser {
    token: String,
}

impl User for Browser {
    fn describe() -> UserDescription<Self> {
        UserDescription::new("Browser").sequential().task("passing", 1, Self::passing).task("failing", 1, Self::failing)
    }

    async fn start(context: &mut UserContext) -> TaskResult<Self> {
        let login = context.http().post("/login").form([("user", "a b"), ("x", "&")]).send().await?;
        let user: serde_json::Value = login.json()?;
        assert_eq!((login.status(), &user["user"], login.cookie("id").as_deref()), (200, &3.into(), Some("7")));
        Ok(Self { token: login.header("X-Token").unwrap().to_owned() })
    }

    async fn stop(&mut self, context: &mut UserContext) {
        context.http().delete("/session").send().await.unwrap();
    }
}

impl Browser {
    async fn passing(&mut self, context: &mut UserContext) -> TaskResult {
        let (path, items) = (format!("/items/{}", context.index()), [1, 2]);
        let request = context.http().put(path).name("/items/[id]").bearer_auth(&self.token).json(&items);
        let response = request.query("q", "a b").check(|response| check_text(response.text())).send().await?;
        assert_eq!(response.text()?, "hello");
        context.http().get("/missing").name("gone").expect_status(200).expect_status(404).send().await?;
        Ok(())
    }

    async fn failing(&mut self, context: &mut UserContext) -> TaskResult {
        context.http().get("/missing").send().await.unwrap_err();
        context.http().get("/").expect_status(201).send().await.unwrap_err();
        context.http().get("/").check(|_| Err("not nice".to_owned())).send().await.unwrap_err();
        context.http().get("/").header("bad name", "x").send().await.unwrap_err();
        context.http().get("http://:1/").name("bad host").send().await.unwrap_err();
        Err(TaskError::stop_user())
    }
}

fn check_text(text: Result<&str, std::str::Utf8Error>) -> Result<(), String> {
    if text == Ok("hello") { Ok(()) } else { Err("no greeting".to_owned()) }
}

#[actix::test]
async fn http_requests_are_sent_checked_and_recorded_as_those_of_a_scenario_file_are() {
    let served = answering().await;
    let measured = run::<Browser>(&served.url()).await;
    let expected =
        ["POST /login", "PUT /items/0?q=a+b", "GET /missing", "GET /missing", "GET /", "GET /", "DELETE /session"];
    assert_eq!(served.lines(), expected);
    let log = served.log();
    assert!(log[0].ends_with("user=a+b&x=%26"));
    assert_eq!(header(&log[0], "content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!((header(&log[1], "authorization"), header(&log[1], "cookie")), (Some("Bearer t1"), Some("id=7")));
    assert!(log[1].ends_with("[1,2]") && header(&log[1], "content-type") == Some("application/json"));
    assert_eq!(served.connections(), 1);
    assert_eq!(counts(&measured), (9, 5, 7), "what cannot be sent is no exchange");
    assert_eq!((requests(&measured, "PUT", "/items/[id]"), requests(&measured, "GET", "gone")), (1, 1));
    let mut texts = failures(&measured);
    texts.sort();
    let expected = [
        "invalid URL: http://:1/: empty host",
        "invalid header name \"bad name\"",
        "not nice",
        "status was 200, expected 201",
        "status was 404",
    ];
    assert_eq!(texts, expected.map(|text| (text.to_owned(), 1)));
    assert!(measured.exceptions.is_empty());
}

struct Talker;

impl User for Talker {
    fn describe() -> UserDescription<Self> {
        UserDescription::new("Talker").task("talk", 1, Self::talk)
    }

    async fn start(_: &mut UserContext) -> TaskResult<Self> {
        Ok(Self)
    }
}

impl Talker {
    async fn talk(&mut self, context: &mut UserContext) -> TaskResult {
        let heard = context.measure("TALK", "ask", async { Ok::<_, TaskErrorText>("four") }).await?;
        assert_eq!(heard, "four");
        let refused = async { Err::<(), _>(std::io::Error::from_raw_os_error(111)) };
        assert_eq!(context.measure("TALK", "ask", refused).await.unwrap_err().to_string(), "connection refused");
        context.record(&Sample::new("TALK", "told", Duration::from_millis(30)).content_bytes(5).failed("mumbled"));
        context
            .group("all", async |context| {
                context.wait(Duration::from_millis(1)).await;
                context.measure("TALK", "inner", async { Ok::<_, TaskErrorText>(3_usize) }).await
            })
            .await?;
        let failed = context.group("bad", async |_| Err::<(), _>(TaskError::new("lost"))).await;
        assert!(failed.is_err());
        Err(TaskError::stop_user())
    }
}

type TaskErrorText = &'static str;

#[actix::test]
async fn any_protocol_is_measured() {
    let measured = run::<Talker>("talk://server.test:1").await;
    assert_eq!(counts(&measured), (6, 3, 0));
    let endpoint = |method, name| &measured.endpoints[&EndpointKey::request(method, name)];
    let ask = endpoint("TALK", "ask");
    assert_eq!((ask.requests(), ask.failures(), ask.content_bytes), (2, 1, 4));
    let told = endpoint("TALK", "told");
    assert_eq!((told.latency().max_us(), told.content_bytes), (Some(30_000), 5));
    assert_eq!(endpoint("TALK", "inner").content_bytes, 3);
    let group = |name: &str| &measured.endpoints[&EndpointKey::group(name)];
    assert_eq!((group("all").failures(), group("bad").failures()), (0, 1));
    assert!(group("all").latency().min_us().unwrap() >= 1_000);
    let of_requests = measured.errors.keys().filter(|key| key.endpoint.kind == EndpointKind::Request);
    assert_eq!(of_requests.map(|key| &*key.text).collect::<Vec<_>>(), ["connection refused", "mumbled"]);
    assert_eq!(exceptions(&measured), []);
}

thread_local! {
    static STARTS: Cell<u32> = const { Cell::new(0) };
    static STOPS: Cell<u32> = const { Cell::new(0) };
}

struct Clumsy;

impl User for Clumsy {
    fn describe() -> UserDescription<Self> {
        UserDescription::new("Clumsy").task("stumble", 1, Self::stumble)
    }

    async fn start(_: &mut UserContext) -> TaskResult<Self> {
        STARTS.set(STARTS.get() + 1);
        if STARTS.get() == 1 { Err(TaskError::new("not yet")) } else { Ok(Self) }
    }

    async fn stop(&mut self, _: &mut UserContext) {
        STOPS.set(STOPS.get() + 1);
    }
}

impl Clumsy {
    async fn stumble(&mut self, _: &mut UserContext) -> TaskResult {
        assert!(STARTS.get() > 2, "slipped");
        match STARTS.replace(STARTS.get() + 1) {
            3 => Err("x".parse::<u8>().unwrap_err().into()),
            _ => Err(TaskError::stop_user()),
        }
    }
}

#[actix::test]
async fn a_user_that_does_not_start_or_panics_is_started_again_and_an_error_is_an_exception() {
    let measured = run::<Clumsy>("http://server.test").await;
    let texts = [("invalid digit found in string", 1), ("not yet", 1), ("panic: slipped", 1)];
    assert_eq!(exceptions(&measured), texts.map(|(text, count)| (text.to_owned(), count)));
    assert_eq!(STOPS.get(), 1);
}

/// Ends only if it is cut off.
struct Stubborn;

impl User for Stubborn {
    fn describe() -> UserDescription<Self> {
        UserDescription::new("Stubborn").wait_time(wait::constant(Duration::ZERO)).task("hold", 1, Self::hold)
    }

    async fn start(_: &mut UserContext) -> TaskResult<Self> {
        Ok(Self)
    }

    async fn stop(&mut self, context: &mut UserContext) {
        context.measure("OWN", "goodbye", async { Ok::<_, TaskErrorText>(()) }).await.unwrap();
    }
}

impl Stubborn {
    async fn hold(&mut self, context: &mut UserContext) -> TaskResult {
        match context.index() {
            0 => pending().await,
            1 => loop {
                context.wait(Duration::from_secs(3_600)).await;
            },
            2 => loop {
                drop(context.http().get("/quick").send().await);
            },
            _ => drop(context.http().get("/silent").send().await),
        }
        Ok(())
    }
}

#[actix::test]
async fn a_stop_cuts_code_off_where_it_waits_and_lets_a_request_end() {
    let served = answering().await;
    let users = Users::native::<Stubborn>(&served.url());
    let started = [(); 4].map(|()| users.start());
    until(|| served.lines().iter().any(|line| line == "GET /silent") && served.lines().len() > 3).await;
    for user in &started {
        user.send(Stop(StopMode::Now)).await.unwrap();
    }
    let measured = users.end().await;
    let quick = requests(&measured, "GET", "/quick");
    assert_eq!(quick + 1, served.lines().len() as u64);
    assert_eq!(counts(&measured), (quick + 3, 0, quick), "three had the time to say goodbye");
    assert_eq!(measured.interrupted, 1, "the silent one");
}

/// Serves arrivals.
struct Clerk;

impl User for Clerk {
    fn describe() -> UserDescription<Self> {
        UserDescription::new("Clerk").wait_time(wait::constant(Duration::from_secs(3_600))).task(
            "serve",
            1,
            Self::serve,
        )
    }

    async fn start(_: &mut UserContext) -> TaskResult<Self> {
        Ok(Self)
    }
}

impl Clerk {
    async fn serve(&mut self, context: &mut UserContext) -> TaskResult {
        for name in ["first", "second"] {
            context.measure("OWN", name, async { Ok::<_, TaskErrorText>(()) }).await?;
        }
        Ok(())
    }
}

#[actix::test]
async fn in_an_open_model_a_task_serves_an_arrival_and_its_first_request_has_the_lag() {
    let users = Users::in_context(native_context::<Clerk>("http://server.test").open());
    let desk = users.context.desk.as_ref().unwrap();
    (0..3).for_each(|index| assert!(desk.enqueue(0, Arrival { index, due_us: 0 })));
    until(|| users.context.clock.now_us() >= 20_000).await;
    let user = users.start();
    user.send(Stop(StopMode::AfterTask(Duration::from_secs(3_600)))).await.unwrap();
    let measured = users.end().await;
    assert_eq!((measured.arrivals.started, requests(&measured, "OWN", "second")), (3, 3), "due before the stop");
    let lag = |name| measured.endpoints[&EndpointKey::request("OWN", name)].corrected.min_us().unwrap();
    assert!(lag("first") >= 20_000 && lag("second") < lag("first"));
}
