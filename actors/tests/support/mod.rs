//! A scripted server on a raw socket, and users that run a scenario against it on the test's own thread.

#![allow(dead_code, unreachable_pub, reason = "every test program uses a part of it")]

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, Addr, Context, Handler};
use akrida_actors::clock::PlanClock;
use akrida_actors::http::HttpOptions;
use akrida_actors::user::actor::{UserActor, UserEnded, start_user};
use akrida_actors::user::context::{ArbiterContext, SharedContext, UserSpec};
use akrida_actors::user::functions;
use akrida_actors::user::native::User;
use akrida_actors::user::native::registry::NativeUsers;
use akrida_actors::user::program::Program;
use akrida_core::ids::UserIndex;
use akrida_core::scenario::model::Scenario;
use akrida_core::scenario::native::{Settings, scenario};
use akrida_core::scenario::template::RegisterFunctions;
use akrida_core::scenario::{Format, Source, load_with};
use akrida_core::stats::endpoint::EndpointKey;
use akrida_core::stats::measurements::Measurements;
use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a server does with a request that it has read.
pub enum Reply {
    /// Sends bytes and waits for the next request.
    Send(Vec<u8>),
    /// Sends bytes and closes the connection.
    SendAndClose(Vec<u8>),
    /// Sends bytes; then the connection is closed the moment the next request arrives, which is not read.
    SendAndRefuseNext(Vec<u8>),
    /// Breaks the connection off.
    Reset,
    /// Sends bytes and then chunk after chunk without end.
    Endless(Vec<u8>),
    /// Sends nothing for as long as the peer stays.
    Silence,
}

/// A server in the test's own thread.
pub struct Served {
    address: SocketAddr,
    log: Rc<RefCell<Vec<String>>>,
    connections: Rc<Cell<usize>>,
}

/// A complete response with a length.
pub fn response(status: &str, headers: &str, body: &str) -> Reply {
    Reply::Send(format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

impl Served {
    /// Serves with a function of the request's head and body and its number, which counts from 0.
    pub async fn with(reply: impl Fn(&str, usize) -> Reply + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let served =
            Self { address: listener.local_addr().expect("is bound"), log: Rc::default(), connections: Rc::default() };
        let (log, connections, reply) = (Rc::clone(&served.log), Rc::clone(&served.connections), Rc::new(reply));
        actix::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("accepts");
                connections.set(connections.get() + 1);
                let (log, reply) = (Rc::clone(&log), Rc::clone(&reply));
                actix::spawn(async move { serve(stream, &log, &*reply).await });
            }
        });
        served
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests that were read in full, head and body.
    pub fn log(&self) -> Vec<String> {
        self.log.borrow().clone()
    }

    /// The first lines of these.
    pub fn lines(&self) -> Vec<String> {
        let line = |request: &String| request.lines().next().unwrap_or_default().replace(" HTTP/1.1", "");
        self.log.borrow().iter().map(line).collect()
    }

    pub fn connections(&self) -> usize {
        self.connections.get()
    }

    /// Waits until this many requests were read.
    pub async fn has_read(&self, requests: usize) {
        until(|| self.log.borrow().len() >= requests).await;
    }
}

/// Waits for a condition that is bound to come; a test that waits in vain fails here instead of hanging.
pub async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    in_time(waiting).await;
}

/// Bounds a wait, generously.
pub async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("comes about")
}

async fn serve(mut stream: TcpStream, log: &RefCell<Vec<String>>, reply: &dyn Fn(&str, usize) -> Reply) {
    while let Some(request) = read_request(&mut stream).await {
        let number = log.borrow().len();
        let reply = reply(&request, number);
        log.borrow_mut().push(request);
        match reply {
            Reply::Send(bytes) => drop(stream.write_all(&bytes).await),
            Reply::SendAndClose(bytes) => return drop(stream.write_all(&bytes).await),
            Reply::SendAndRefuseNext(bytes) => {
                drop(stream.write_all(&bytes).await);
                drop(stream.readable().await);
                return;
            }
            Reply::Reset => return drop(SockRef::from(&stream).set_linger(Some(Duration::ZERO))),
            Reply::Endless(bytes) => {
                let mut sent = stream.write_all(&bytes).await;
                while sent.is_ok() {
                    sent = stream.write_all(b"4\r\nmore\r\n").await;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                return;
            }
            Reply::Silence => {
                drop(stream.read(&mut [0]).await);
                return;
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end + 4]).into_owned();
            let length = header(&head, "content-length").map_or(0, |length| length.parse().expect("a length"));
            if bytes.len() >= end + 4 + length {
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// The value of a header of a request.
pub fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
}

/// Users of one scenario.
pub struct Users {
    pub context: SharedContext,
    program: Rc<Program>,
    ended: Rc<Cell<usize>>,
    recipient: Addr<Ended>,
    started: Cell<usize>,
}

struct Ended(Rc<Cell<usize>>);

impl Actor for Ended {
    type Context = Context<Self>;
}

impl Handler<UserEnded> for Ended {
    type Result = ();

    fn handle(&mut self, _: UserEnded, _: &mut Self::Context) {
        self.0.set(self.0.get() + 1);
    }
}

impl Users {
    /// Users of a scenario in YAML. `HOST` in it stands for a server.
    pub fn of(scenario: &str, host: &str) -> Self {
        Self::with(scenario, host, HttpOptions::default(), functions::register)
    }

    pub fn with(scenario: &str, host: &str, http: HttpOptions, register: RegisterFunctions) -> Self {
        Self::with_data(scenario, host, http, register, "")
    }

    /// The same with data: every file that the scenario names holds this.
    pub fn with_data(scenario: &str, host: &str, http: HttpOptions, register: RegisterFunctions, data: &str) -> Self {
        let scenario = scenario_with_data(&scenario.replace("HOST", host), register, data);
        Self::in_context(ArbiterContext::new(scenario, http, PlanClock::anchored_at(Instant::now()), 1))
    }

    /// Users that are code.
    pub fn native<U: User>(host: &str) -> Self {
        Self::in_context(native_context::<U>(host))
    }

    pub fn in_context(context: ArbiterContext) -> Self {
        let ended: Rc<Cell<usize>> = Rc::default();
        Self {
            program: Rc::new(Program::new(&context)),
            context: Rc::new(context),
            recipient: Ended(Rc::clone(&ended)).start(),
            ended,
            started: Cell::new(0),
        }
    }

    /// Starts the next user, of the first class.
    pub fn start(&self) -> Addr<UserActor> {
        let index = UserIndex(self.started.get() as u64);
        self.started.set(self.started.get() + 1);
        let spec = UserSpec { index, class: 0, intended_start_us: self.context.clock.now_us() };
        start_user(&self.context, &self.program, spec, self.recipient.clone().recipient())
    }

    /// Waits until every user has ended, and takes what they recorded.
    pub async fn end(&self) -> Measurements {
        until(|| self.ended.get() >= self.started.get()).await;
        assert_eq!(self.ended.get(), self.started.get(), "each user ends once");
        assert_eq!(self.context.live[0].get(), 0, "no user is live any more");
        self.context.recorder.borrow_mut().drain()
    }
}

/// A scenario in YAML. Every file that it names holds this data.
pub fn scenario_with_data(text: &str, register: RegisterFunctions, data: &str) -> Arc<Scenario> {
    let source = Source { name: "test.yml", text, format: Format::Yaml };
    let scenario = load_with(&source, register, &|_| Ok(data.as_bytes().to_vec()));
    scenario.unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// What users that are code share.
pub fn native_context<U: User>(host: &str) -> ArbiterContext {
    let mut natives = NativeUsers::default();
    let class = natives.add::<U>();
    let settings = Settings { host: Some(host.into()), ..Settings::default() };
    let scenario = scenario("test", settings, &[class], functions::register).expect("within bounds");
    let clock = PlanClock::anchored_at(Instant::now());
    ArbiterContext::new(Arc::new(scenario), HttpOptions::default(), clock, 1).with_natives(Arc::new(natives))
}

/// Runs one user to its end, which its scenario brings about.
pub async fn run(scenario: &str, host: &str) -> Measurements {
    let users = Users::of(scenario, host);
    let _user = users.start();
    users.end().await
}

/// Runs one user through these steps (YAML, indented by nothing), once.
pub async fn run_steps(steps: &str, host: &str) -> Measurements {
    run(&once(steps), host).await
}

/// A scenario whose users run steps once and stop.
pub fn once(steps: &str) -> String {
    let indented: String = steps.lines().map(|line| format!("          {line}\n")).collect();
    format!("host: HOST\nusers:\n  User:\n    tasks:\n      only:\n        steps:\n{indented}          - stop_user\n")
}

/// Requests, failures and exchanges.
pub fn counts(measured: &Measurements) -> (u64, u64, u64) {
    let sum = |of: fn(&akrida_core::stats::measurements::EndpointMeasurements) -> u64| {
        measured.endpoints.values().map(of).sum()
    };
    (sum(|endpoint| endpoint.requests()), sum(|endpoint| endpoint.failures()), measured.http_exchanges)
}

/// The texts of all failures, with how often each was seen.
pub fn failures(measured: &Measurements) -> Vec<(String, u64)> {
    measured.errors.iter().map(|(key, count)| (key.text.to_string(), count.occurrences)).collect()
}

/// Requests to an endpoint.
pub fn requests(measured: &Measurements, method: &str, name: &str) -> u64 {
    measured.endpoints.get(&EndpointKey::request(method, name)).map_or(0, |endpoint| endpoint.requests())
}
