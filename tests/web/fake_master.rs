//! A master whose leadership, answers and failures a test decides.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use akrida::api::{ClusterStatus, RunListed, StateDigest};
use akrida::web::{
    Answering, ClusterHandle, ControlError, Health, Leadership, MasterControl, MemberChange, Renderers, Role,
    WebAddress, WebServer, WebSetup, start,
};
use akrida_actors::coordinator::{PlacedView, PlacedViewReceiver, ViewReceiver};
use akrida_core::coordinator::Order;
use akrida_core::ids::{RunId, WorkerId};
use akrida_core::scenario::Format;
use akrida_core::scenario::bundle::{Bundle, BundleSelection};
use akrida_core::state::command::{Command, Distribution, Refusal, RunSpec, StopReason};
use akrida_core::state::request::{Reply, RequestKey};
use akrida_core::state::worker::WorkerProfile;
use akrida_core::state::{ClusterState, Entry};
use akrida_core::view::RunView;
use akrida_core::view::validity::ValidityLimits;
use bytes::Bytes;
use serde_json::json;
use tokio::sync::watch;

use crate::support::raw_http::{self, Reply as HttpReply};

/// What a test decides, and what it wants to know.
pub(crate) struct Behind {
    pub(crate) leadership: Leadership,
    pub(crate) health: Health,
    /// What the next orders fail with, after they were noted.
    pub(crate) failures: VecDeque<ControlError>,
    /// What was ordered, with its key.
    pub(crate) orders: Vec<(String, Option<RequestKey>)>,
    pub(crate) changes: Vec<MemberChange>,
    remembered: HashMap<String, (u64, Reply)>,
    state: ClusterState,
}

/// The stand-in.
#[derive(Clone)]
pub(crate) struct FakeMaster {
    name: &'static str,
    behind: Arc<Mutex<Behind>>,
    views: Arc<watch::Sender<Option<Arc<RunView>>>>,
    placed_views: Arc<watch::Sender<PlacedView>>,
}

/// A stand-in with an open web port.
pub(crate) struct Master {
    pub(crate) fake: FakeMaster,
    pub(crate) url: String,
    pub(crate) port: u16,
    _server: WebServer,
}

impl FakeMaster {
    pub(crate) fn behind(&self) -> MutexGuard<'_, Behind> {
        self.behind.lock().unwrap()
    }

    pub(crate) fn leads(&self) {
        self.behind().leadership = Leadership { term: 2, role: Role::Leading { is_ready: true }, without_leader_ms: 0 };
    }

    pub(crate) fn follows(&self, leader: Option<u16>) {
        let leader = leader.map(|port| WebAddress { name: "leader".into(), host: "127.0.0.1".into(), port });
        let without_leader_ms = if leader.is_some() { 0 } else { 1 };
        self.behind().leadership = Leadership { term: 2, role: Role::Following { leader }, without_leader_ms };
    }

    fn apply(&self, command: Command) -> Result<Reply, Refusal> {
        self.apply_to(&mut self.behind(), command)
    }

    /// Views come in the order of what they show: nobody else may apply anything meanwhile.
    fn apply_to(&self, behind: &mut Behind, command: Command) -> Result<Reply, Refusal> {
        let index = akrida_core::ids::LogIndex(behind.state.applied().0 + 1);
        let entry = Entry { index, time_ms: 1_000 * index.0, request: None, command };
        behind.state.apply(&entry).reply?;
        let view = behind.state.run().map(|run| Arc::new(RunView::of(run, &ValidityLimits::default())));
        self.placed_views.send_replace(PlacedView { index, view: view.clone() });
        self.views.send_replace(view);
        Ok(Reply::Done)
    }

    fn ordered(&self, order: Order, key: Option<RequestKey>) -> Result<Reply, ControlError> {
        let (wanted, order) = match order {
            Order::To(run, order) => (Some(run), *order),
            order => (None, order),
        };
        let mut behind = self.behind();
        let known = key.as_ref().and_then(|key| behind.remembered.get(&*key.key).cloned());
        let run = behind.state.run().map(|run| run.id());
        if known.is_none() && wanted.is_some() && wanted != run {
            return Err(Refusal::NoSuchRun.into());
        }
        behind.orders.push((format!("{order:?}").split(['(', ' ']).next().unwrap().to_owned(), key.clone()));
        if let Some(failure) = behind.failures.pop_front() {
            return Err(failure);
        }
        if let (Some(key), Some((fingerprint, reply))) = (&key, known) {
            return if fingerprint == key.fingerprint { Ok(reply) } else { Err(Refusal::KeyReused.into()) };
        }
        let run = run.ok_or(Refusal::NoSuchRun);
        let (command, reply) = match order {
            Order::Start(run, spec) => (Command::StartRun { run, spec }, Reply::Run(run)),
            Order::Edit { users, rate } => (Command::EditRun { run: run?, at_us: 1, users, rate }, Reply::Done),
            Order::Reset => (Command::ResetStatistics { run: run?, at_us: 1, keep_series: false }, Reply::Done),
            Order::Stop => (Command::StopRun { run: run?, at_us: 1, reason: StopReason::Requested }, Reply::Done),
            Order::To(..) => return Err(Refusal::NoSuchRun.into()),
        };
        self.apply_to(&mut behind, command)?;
        if let Reply::Run(run) = reply {
            // Its worker is ready at once.
            self.apply_to(&mut behind, Command::LaunchRun { run })?;
        }
        if let Some(key) = key {
            behind.remembered.insert(key.key.to_string(), (key.fingerprint, reply.clone()));
        }
        Ok(reply)
    }

    /// What the active or last run is.
    pub(crate) fn spec(&self) -> RunSpec {
        self.behind().state.run().unwrap().spec().clone()
    }

    /// Ends the active run.
    pub(crate) fn end_run(&self) {
        let run = self.behind().state.run().unwrap().id();
        self.apply(Command::EndRun { run, missing: Vec::new() }).unwrap();
    }
}

impl MasterControl for FakeMaster {
    fn leadership(&self) -> Leadership {
        self.behind().leadership.clone()
    }

    fn health(&self) -> Health {
        self.behind().health
    }

    fn views(&self) -> ViewReceiver {
        self.views.subscribe()
    }

    fn placed_views(&self) -> PlacedViewReceiver {
        self.placed_views.subscribe()
    }

    fn status(&self) -> Answering<'_, ClusterStatus> {
        let status = ClusterStatus { name: self.name.to_owned(), ..ClusterStatus::default() };
        Box::pin(async move { Ok(status) })
    }

    fn order(&self, order: Order, key: Option<RequestKey>) -> Answering<'_, Reply> {
        Box::pin(async move { self.ordered(order, key) })
    }

    fn read_barrier(&self) -> Answering<'_, ()> {
        Box::pin(async move {
            let leads = matches!(self.leadership().role, Role::Leading { is_ready: true });
            if leads { Ok(()) } else { Err(ControlError::NotLeader) }
        })
    }

    fn runs(&self) -> Answering<'_, Vec<RunListed>> {
        let runs = self.views.borrow().iter().map(|view| RunListed::of(view)).collect();
        Box::pin(async move { Ok(runs) })
    }

    fn run_view(&self, run: RunId) -> Answering<'_, Option<Arc<RunView>>> {
        let view = self.views.borrow().clone().filter(|view| view.run.id == run);
        Box::pin(async move { Ok(view) })
    }

    fn scenario(&self) -> Answering<'_, Option<Arc<Bundle>>> {
        Box::pin(async { Ok(Some(Arc::new(bundle()))) })
    }

    fn scenario_of(&self, _: RunId) -> Answering<'_, Option<Arc<Bundle>>> {
        self.scenario()
    }

    fn worker_logs(&self) -> Answering<'_, BTreeMap<String, Vec<Arc<str>>>> {
        Box::pin(async { Ok([("w".to_owned(), vec![Arc::from("another line")])].into()) })
    }

    fn change_members(&self, change: MemberChange, _: Option<RequestKey>) -> Answering<'_, ()> {
        Box::pin(async move {
            if change == MemberChange::Remove("unknown".to_owned()) {
                return Err(ControlError::Impossible("there is no master unknown".to_owned()));
            }
            self.behind().changes.push(change);
            Ok(())
        })
    }

    fn snapshot(&self) -> Answering<'_, Bytes> {
        Box::pin(async move { Ok(Bytes::from_static(b"snapshot")) })
    }

    fn digest(&self) -> Answering<'_, StateDigest> {
        Box::pin(async move { Ok(StateDigest { applied: 7, digest: "d1".to_owned() }) })
    }
}

impl Master {
    /// A master with a worker, without a leader, that holds requests for this long.
    pub(crate) fn start(name: &'static str, hold: Duration) -> Self {
        Self::start_below("", name, hold)
    }

    /// A leader that serves everything also below this path.
    pub(crate) fn leading_below(base_path: &str) -> Self {
        let master = Self::start_below(base_path, "leader", Duration::from_secs(5));
        master.fake.leads();
        master
    }

    fn start_below(base_path: &str, name: &'static str, hold: Duration) -> Self {
        let role = Role::Following { leader: None };
        let behind = Behind {
            leadership: Leadership { term: 1, role, without_leader_ms: 0 },
            health: Health { is_alive: true, is_draining: false },
            failures: VecDeque::new(),
            orders: Vec::new(),
            changes: Vec::new(),
            remembered: HashMap::new(),
            state: ClusterState::default(),
        };
        let fake = FakeMaster {
            name,
            behind: Arc::new(Mutex::new(behind)),
            views: Arc::new(watch::channel(None).0),
            placed_views: Arc::new(watch::channel(PlacedView::default()).0),
        };
        let (worker, incarnation) = (WorkerId("w".into()), akrida_core::ids::Incarnation(1));
        fake.apply(Command::RegisterWorker { worker, incarnation, profile: WorkerProfile::default() }).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let setup = WebSetup {
            name: name.into(),
            cluster: ClusterHandle::new(fake.clone()),
            build_spec: akrida::compose::web_parts::build_spec(Distribution::default()),
            renderers: Renderers {
                summary: |view| json!({"id": view.run.id.to_string()}),
                stats_requests: |view, _| json!({"state": view.map_or("ready", |view| view.status.as_str())}),
                live_run: |view| json!({"run": {"id": view.run.id.to_string()}}),
                series: |points| points.iter().map(|point| point.second).collect(),
            },
            make_document: akrida::compose::web_parts::make_document(),
            recent_log: || vec!["a line".to_owned()],
            base_path: base_path.into(),
            hold,
            ready_grace: Duration::from_millis(1_000),
        };
        let server = start(listener, setup).unwrap();
        let port = server.address().port();
        Self { fake, url: format!("http://127.0.0.1:{port}"), port, _server: server }
    }

    /// A leader.
    pub(crate) fn leader() -> Self {
        let master = Self::start("leader", Duration::from_secs(5));
        master.fake.leads();
        master
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> HttpReply {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        raw_http::send(&self.url, "POST", path, &all, body).unwrap()
    }

    /// Starts a run and returns its id.
    pub(crate) fn start_run(&self) -> String {
        let started = self.post("/api/v1/runs", &[], b"{}");
        assert_eq!(started.status, 201, "{}", started.text());
        started.json()["run"].as_str().unwrap().to_owned()
    }

    /// Waits until this master was given this order.
    pub(crate) fn wait_for(&self, order: &str) {
        let started = Instant::now();
        while !self.orders().iter().any(|given| given == order) {
            assert!(started.elapsed() < Duration::from_secs(60), "{order} was never given");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The names of the orders that this master was given.
    pub(crate) fn orders(&self) -> Vec<String> {
        self.fake.behind().orders.iter().map(|(order, _)| order.clone()).collect()
    }
}

/// A scenario whose users nobody runs here.
pub(crate) const SCENARIO: &str =
    "host: http://127.0.0.1:9\nusers:\n  Visitor: { tasks: { home: { steps: [ { get: / } ] } } }\n";

/// The scenario as it travels.
pub(crate) fn bundle() -> Bundle {
    Bundle {
        name: "own.yml".into(),
        format: Format::Yaml,
        text: SCENARIO.into(),
        files: [].into(),
        selection: BundleSelection::default(),
        is_program: false,
    }
}
