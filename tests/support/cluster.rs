//! Masters and workers as processes on loopback, for tests that take them away in mid-run.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use super::akrida::program;
use super::network::Network;
use super::raw_http::{self, Reply};

mod members;
pub mod run;
pub mod strangers;

/// No test waits longer for a cluster to get somewhere.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Masters that share a configuration file, and workers.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    masters: Vec<Node>,
    workers: Vec<Node>,
    arguments: Vec<String>,
    /// Where each master runs, if not beside the test.
    network: Option<Rc<Network>>,
}

/// A process that may be dead.
#[derive(Debug)]
struct Node {
    name: String,
    host: String,
    web_port: u16,
    /// What the variables METRICS_PORT and HEALTH_PORT of the process are: all masters read one file.
    metrics_port: u16,
    health_port: u16,
    /// More variables of the process.
    variables: Vec<(String, String)>,
    child: Option<Child>,
}

/// What differs between clusters.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many masters.
    pub masters: usize,
    /// Lines below `master:`, indented by two.
    pub master: String,
    /// Lines below `worker:`, indented by two.
    pub worker: String,
    /// More arguments of each master; `{}` stands for its name.
    pub arguments: Vec<String>,
    /// More variables of a master or worker: its name, that of the variable, and the value.
    pub variables: Vec<[String; 3]>,
    /// A network in which each master is a host of its own; without one, all are on this host.
    pub network: Option<Rc<Network>>,
}

impl Default for Options {
    fn default() -> Self {
        let (master, worker) = (String::new(), String::new());
        Self { masters: 3, master, worker, arguments: Vec::new(), variables: Vec::new(), network: None }
    }
}

impl Options {
    fn host(&self, master: usize) -> String {
        self.network.as_ref().map_or_else(|| "127.0.0.1".to_owned(), |network| network.host(master))
    }
}

impl Cluster {
    /// Three masters that have elected a leader, and these workers, all of them registered.
    pub fn with_workers(workers: &[&str]) -> Self {
        Self::start(&Options::default(), workers)
    }

    /// The same with other options.
    pub fn start(options: &Options, workers: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("akrida-cluster-").tempdir().expect("a temporary folder");
        let ports = free_ports(options.masters * 4 + workers.len() * 2);
        let (link_ports, others) = ports.split_at(options.masters);
        let (web_ports, watch_ports) = others.split_at(options.masters);
        let mut watch_ports = watch_ports.chunks(2);
        fs::write(folder.path().join("masters.yml"), masters_file(options, link_ports, web_ports)).expect("a file");
        for worker in workers {
            let text = worker_file(worker, options, link_ports);
            fs::write(folder.path().join(format!("{worker}.yml")), text).expect("a file");
        }
        let mut node = |name: &str, host: String, web_port| {
            let of_it = options.variables.iter().filter(|[node, ..]| node == name);
            let mut node = Node::new(name, host, web_port, watch_ports.next().expect("enough ports"));
            node.variables = of_it.map(|[_, variable, value]| (variable.clone(), value.clone())).collect();
            node
        };
        let master =
            |(number, port): (usize, &u16)| node(&format!("master-{}", number + 1), options.host(number), *port);
        let masters = web_ports.iter().enumerate().map(master).collect();
        let workers_to_be = workers.iter().map(|name| node(name, "127.0.0.1".to_owned(), 0)).collect();
        let (arguments, network) = (options.arguments.clone(), options.network.clone());
        let mut cluster = Self { folder, masters, workers: workers_to_be, arguments, network };
        (0..cluster.masters.len()).for_each(|master| cluster.start_master(master));
        cluster.leader();
        (0..workers.len()).for_each(|worker| cluster.start_worker(worker));
        cluster.await_workers(workers.len());
        cluster
    }

    /// The folder of all files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a master that does not run.
    pub fn start_master(&mut self, master: usize) {
        let config = self.config_of(master);
        let node = &mut self.masters[master];
        let name = node.name.clone();
        let mut arguments = ["--config", &config, "--node", &name].map(str::to_owned).to_vec();
        arguments.extend(self.arguments.iter().map(|argument| argument.replace("{}", &name)));
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let folder = self.folder.path();
        match &self.network {
            Some(network) => network.within(master, || node.start(folder, &arguments)),
            None => node.start(folder, &arguments),
        }
    }

    /// Starts a worker that does not run.
    pub fn start_worker(&mut self, worker: usize) {
        let node = &mut self.workers[worker];
        node.start(self.folder.path(), &["--config", &format!("{}.yml", node.name)]);
    }

    /// Kills a master at once.
    pub fn kill_master(&mut self, master: usize) {
        self.masters[master].kill();
    }

    /// Kills a worker at once.
    pub fn kill_worker(&mut self, worker: usize) {
        self.workers[worker].kill();
    }

    /// Asks a master to end, and waits until it has.
    pub fn end_master(&mut self, master: usize) -> Option<i32> {
        self.masters[master].end()
    }

    /// Waits until a master has ended by itself.
    pub fn await_master(&mut self, master: usize) -> Option<i32> {
        self.masters[master].wait()
    }

    /// Waits until a worker has ended by itself.
    pub fn await_worker(&mut self, worker: usize) -> Option<i32> {
        self.workers[worker].wait()
    }

    /// Asks a worker to end, and waits until it has.
    pub fn end_worker(&mut self, worker: usize) -> Option<i32> {
        self.workers[worker].end()
    }

    /// Freezes a master.
    pub fn pause_master(&self, master: usize) {
        self.masters[master].signal(Signal::SIGSTOP);
    }

    /// Lets a frozen master go on.
    pub fn resume_master(&self, master: usize) {
        self.masters[master].signal(Signal::SIGCONT);
    }

    /// Freezes a worker.
    pub fn pause_worker(&self, worker: usize) {
        self.workers[worker].signal(Signal::SIGSTOP);
    }

    /// Lets a frozen worker go on.
    pub fn resume_worker(&self, worker: usize) {
        self.workers[worker].signal(Signal::SIGCONT);
    }

    /// Deletes the data of a master that does not run.
    pub fn wipe_master(&mut self, master: usize) {
        fs::remove_dir_all(self.folder.path().join("data").join(&self.masters[master].name)).expect("its data");
    }

    /// Waits until a master says that it leads, and says which.
    pub fn leader(&self) -> usize {
        self.leader_other_than(None)
    }

    /// Waits until another master than this one leads.
    pub fn leader_other_than(&self, old: Option<usize>) -> usize {
        self.await_that("a leader", || {
            (0..self.masters.len()).find(|master| Some(*master) != old && self.leads(*master))
        })
    }

    fn leads(&self, master: usize) -> bool {
        self.try_get(master, "/leader").is_some_and(|reply| reply.status == 200)
    }

    /// Waits until so many workers are there and alive.
    pub fn await_workers(&self, count: usize) {
        self.await_that("workers", || {
            let status = self.status()?;
            let workers = status["workers"].as_array()?;
            let present = workers.iter().filter(|worker| worker["state"] != "missing").count();
            (present == count).then_some(())
        });
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// When it never is; shows the logs.
    pub fn await_that<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if let Some(found) = look() {
                return found;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        panic!("waited in vain for {what}\n{}", self.logs());
    }

    /// What the cluster says of itself.
    pub fn status(&self) -> Option<Value> {
        let reply = (0..self.masters.len()).find_map(|master| self.try_get(master, "/api/v1/cluster"))?;
        (reply.status == 200).then(|| reply.json())
    }

    /// The answer of a master that runs.
    pub fn try_get(&self, master: usize, path: &str) -> Option<Reply> {
        let node = &self.masters[master];
        node.child.as_ref()?;
        raw_http::send(&self.url(master), "GET", path, &[], b"").ok()
    }

    /// The base address of a master.
    pub fn url(&self, master: usize) -> String {
        self.masters[master].url()
    }

    /// The base addresses at which a master can be configured to serve metrics and health checks.
    pub fn watched_master(&self, master: usize) -> [String; 2] {
        self.masters[master].watched()
    }

    /// The same of a worker.
    pub fn watched_worker(&self, worker: usize) -> [String; 2] {
        self.workers[worker].watched()
    }

    /// Waits until a worker has ended by itself.
    pub fn await_end_of_worker(&mut self, worker: usize) -> Option<i32> {
        self.workers[worker].wait()
    }

    /// All masters as the command line takes them.
    pub fn addresses(&self) -> String {
        let addresses = self.masters.iter().map(|master| format!("{}:{}", master.host, master.web_port));
        addresses.collect::<Vec<_>>().join(",")
    }

    /// The program with these arguments, in the folder of the cluster.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    /// Waits until all masters that run have applied the same, and says how much; their states must be equal.
    pub fn agreed_state(&self) -> String {
        let running = (0..self.masters.len()).filter(|master| self.masters[*master].child.is_some());
        let running: Vec<_> = running.collect();
        self.await_that("equal states", || {
            let states = running.iter().map(|master| {
                let reply = self.try_get(*master, "/api/v1/cluster/digest")?.json();
                Some((reply["applied"].as_u64()?, reply["digest"].as_str()?.to_owned()))
            });
            let states = states.collect::<Option<Vec<_>>>()?;
            let (applied, digest) = states.first()?.clone();
            if states.iter().any(|(other, _)| *other != applied) {
                return None;
            }
            let equal = states.iter().all(|(_, other)| *other == digest);
            assert!(equal, "masters that applied the same have different states: {states:?}");
            Some(digest)
        })
    }

    /// The last lines of all logs.
    pub fn logs(&self) -> String {
        let mut all = String::new();
        for node in self.masters.iter().chain(&self.workers) {
            let text = fs::read_to_string(node.log_file(self.folder.path())).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            let last = &lines[lines.len().saturating_sub(40)..];
            let _ = writeln!(all, "== {}\n{}", node.name, last.join("\n"));
        }
        all
    }

    /// The whole log of a worker.
    pub fn worker_log(&self, worker: usize) -> String {
        fs::read_to_string(self.workers[worker].log_file(self.folder.path())).unwrap_or_default()
    }

    /// The whole log of a master.
    pub fn master_log(&self, master: usize) -> String {
        fs::read_to_string(self.masters[master].log_file(self.folder.path())).unwrap_or_default()
    }
}

impl Node {
    fn new(name: &str, host: String, web_port: u16, watch_ports: &[u16]) -> Self {
        let (metrics_port, health_port) = (watch_ports[0], watch_ports[1]);
        let (name, variables) = (name.to_owned(), Vec::new());
        Self { name, host, web_port, metrics_port, health_port, variables, child: None }
    }

    fn url(&self) -> String {
        format!("http://{}:{}", self.host, self.web_port)
    }

    fn watched(&self) -> [String; 2] {
        [self.metrics_port, self.health_port].map(|port| format!("http://127.0.0.1:{port}"))
    }

    fn log_file(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.log", self.name))
    }

    fn start(&mut self, folder: &Path, arguments: &[&str]) {
        assert!(self.child.is_none(), "{} runs already", self.name);
        let log = File::options().create(true).append(true).open(self.log_file(folder)).expect("a log file");
        let mut command = program();
        command.current_dir(folder).args(arguments).stdout(Stdio::null()).stderr(log);
        let ports = [("METRICS_PORT", self.metrics_port), ("HEALTH_PORT", self.health_port)];
        command.envs(ports.map(|(name, port)| (name, port.to_string())));
        command.envs(self.variables.iter().cloned());
        self.child = Some(command.spawn().expect("the program starts"));
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("a process that runs");
        kill(Pid::from_raw(child.id().cast_signed()), signal).expect("a process of ours");
    }

    fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.wait();
    }

    fn end(&mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.wait()
    }

    fn wait(&mut self) -> Option<i32> {
        self.child.take().expect("a process that runs").wait().expect("a child of ours").code()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Ports that nobody listens on. All are taken before the first is given back, so that they differ.
pub fn free_ports(count: usize) -> Vec<u16> {
    // Below those that the system gives to connections, which others make meanwhile.
    let free = || (0..).find_map(|_| TcpListener::bind(("127.0.0.1", fastrand::u16(10_000..32_000))).ok());
    let listeners: Vec<_> = (0..count).map(|_| free().expect("a free port")).collect();
    listeners.iter().map(|listener| listener.local_addr().expect("an address").port()).collect()
}

fn masters_file(options: &Options, link_ports: &[u16], web_ports: &[u16]) -> String {
    let mut text = String::from("master_cluster:\n  enabled: true\n  nodes:\n");
    for (number, (port, web_port)) in link_ports.iter().zip(web_ports).enumerate() {
        let (name, host, priority) = (number + 1, options.host(number), 100 - number * 10);
        let _ = writeln!(
            text,
            "    - {{ name: master-{name}, host: {host}, port: {port}, web_port: {web_port}, priority: {priority} }}"
        );
    }
    text += "  election: { timeout: 500ms, heartbeat_interval: 100ms }\n";
    // A host of its own has no other address that anybody could listen on.
    let listens_on = if options.network.is_some() { "0.0.0.0" } else { "127.0.0.1" };
    let _ = writeln!(text, "master:\n  bind: {{ host: {listens_on} }}\n  web: {{ host: {listens_on} }}");
    text += "  data_dir: data\n  cluster: { secret: a-secret-of-the-tests }\n";
    if options.master.is_empty() {
        text += "  workers: { heartbeat_interval: 500ms, heartbeat_liveness: 4 }\n";
        text += "  fault_tolerance: { worker_timeout: 3 }\n";
    }
    text + &options.master
}

fn worker_file(name: &str, options: &Options, link_ports: &[u16]) -> String {
    let hosts: Vec<_> =
        link_ports.iter().enumerate().map(|(master, port)| format!("{}:{port}", options.host(master))).collect();
    format!(
        "worker:\n  master: {{ hosts: [{}], reconnect_interval: 200ms }}\n  identity: {{ node_id: {name} }}\n\
         {}  cluster: {{ secret: a-secret-of-the-tests }}\n",
        hosts.iter().map(|host| format!("\"{host}\"")).collect::<Vec<_>>().join(", "),
        options.worker,
    )
}
