//! Masters and workers as processes of this program on loopback, with their files in a temporary folder.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::api::MasterAddress;
use crate::client::{ClusterClient, Patience};

const MASTERS: usize = 3;
const WORKERS: usize = 2;

/// How long the cluster may take to come up.
const START_WAIT: Duration = Duration::from_secs(30);

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How often another port is tried.
const PORTS_TRIED: usize = 100;

/// Lines of a log that are shown when the cluster does not come up.
const LOG_LINES_SHOWN: usize = 5;

/// A cluster that ends when this is dropped.
#[derive(Debug)]
pub(super) struct LocalCluster {
    masters: Vec<Process>,
    _workers: Vec<Process>,
    folder: TempDir,
}

/// A process that ends with this.
#[derive(Debug)]
struct Process {
    name: String,
    web_port: u16,
    child: Mutex<Child>,
}

impl LocalCluster {
    /// Starts all of it, and waits until a leader knows the workers.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("akrida-demo-").tempdir().context("no temporary folder")?;
        let ports = free_ports(2 * MASTERS)?;
        let (links, webs) = ports.split_at(MASTERS);
        fs::write(folder.path().join("masters.yml"), masters_file(links, webs))?;
        fs::write(folder.path().join("worker.yml"), worker_file(links))?;
        let names = (1..=MASTERS).map(|number| format!("master-{number}"));
        let masters = names
            .zip(webs)
            .map(|(name, port)| Process::start(&folder, &name, *port, &["--config", "masters.yml", "--node", &name]))
            .collect::<anyhow::Result<_>>()?;
        let workers = (1..=WORKERS)
            .map(|number| format!("worker-{number}"))
            .map(|name| {
                let arguments = ["--config", "worker.yml", "--node-id", &name, "--processes", "1"];
                Process::start(&folder, &name, 0, &arguments)
            })
            .collect::<anyhow::Result<_>>()?;
        let cluster = Self { masters, _workers: workers, folder };
        cluster.await_workers().await?;
        Ok(cluster)
    }

    /// The web ports of the masters.
    pub(super) fn masters(&self) -> Vec<MasterAddress> {
        let addresses = self.masters.iter().map(|master| format!("127.0.0.1:{}", master.web_port));
        addresses.filter_map(|address| address.parse().ok()).collect()
    }

    /// A master that leads, other than this one, if there is one now.
    pub(super) async fn leader(&self, other_than: Option<&str>) -> Option<String> {
        let client = awc::Client::builder().timeout(Duration::from_millis(500)).finish();
        for master in self.masters.iter().filter(|master| Some(master.name.as_str()) != other_than) {
            let asked = client.get(format!("http://127.0.0.1:{}/leader", master.web_port)).send().await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return Some(master.name.clone());
            }
        }
        None
    }

    /// The address of the web pages of a master that does not lead, with its name.
    pub(super) async fn pages(&self) -> Option<(String, String)> {
        let leader = self.leader(None).await?;
        // The last in the list has the lowest priority: the lead is not given back to it meanwhile.
        let follower = self.masters.iter().rev().find(|master| master.name != leader)?;
        Some((follower.name.clone(), format!("http://127.0.0.1:{}/", follower.web_port)))
    }

    /// Kills a master at once.
    pub(super) fn kill(&self, name: &str) {
        self.masters.iter().filter(|master| master.name == name).for_each(Process::kill);
    }

    async fn await_workers(&self) -> anyhow::Result<()> {
        let patience = Patience::default();
        let client = ClusterClient::new(self.masters(), patience);
        let since = Instant::now();
        while since.elapsed() < START_WAIT {
            let are_there = self.leader(None).await.is_some()
                && client.status().await.is_ok_and(|status| status.workers.len() == WORKERS);
            if are_there {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
        bail!("the cluster did not come up within {} s\n{}", START_WAIT.as_secs(), self.last_words())
    }

    fn last_words(&self) -> String {
        let mut words = String::new();
        for master in &self.masters {
            let log = fs::read_to_string(log_file(self.folder.path(), &master.name)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let shown = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
            // Writing to a text does not fail.
            let _ = writeln!(words, "{}:\n  {}", master.name, shown.join("\n  "));
        }
        words
    }
}

impl Process {
    fn start(folder: &TempDir, name: &str, web_port: u16, arguments: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let log = File::create(log_file(folder.path(), name))?;
        let mut command = Command::new(program);
        command.current_dir(folder.path()).args(arguments).env_clear();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let child = child.with_context(|| format!("{name} does not start"))?;
        Ok(Self { name: name.to_owned(), web_port, child: Mutex::new(child) })
    }

    fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has ended already needs no kill.
        let _ = child.kill().and_then(|()| child.wait().map(drop));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn log_file(folder: &Path, name: &str) -> std::path::PathBuf {
    folder.join(format!("{name}.log"))
}

/// Ports that nobody listens on. All are taken before the first is given back, so that they differ.
fn free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    // Below those that the system gives to connections, which this program makes meanwhile.
    let free = || (0..PORTS_TRIED).find_map(|_| TcpListener::bind(("127.0.0.1", fastrand::u16(10_000..32_000))).ok());
    let listeners = (0..count).map(|_| free()).collect::<Option<Vec<_>>>();
    let listeners = listeners.context("no free port on loopback")?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

fn masters_file(links: &[u16], webs: &[u16]) -> String {
    let mut text = String::from("master_cluster:\n  nodes:\n");
    for (number, (port, web_port)) in (1..).zip(links.iter().zip(webs)) {
        let priority = 100 - 10 * number;
        // Writing to a text does not fail.
        let _ = writeln!(
            text,
            "    - {{ name: master-{number}, host: 127.0.0.1, port: {port}, web_port: {web_port}, priority: {priority} }}"
        );
    }
    text + "master:\n  bind: { host: 127.0.0.1 }\n  web: { host: 127.0.0.1 }\n  data_dir: data\n"
}

fn worker_file(links: &[u16]) -> String {
    let hosts: Vec<_> = links.iter().map(|port| format!("\"127.0.0.1:{port}\"")).collect();
    format!("worker:\n  master: {{ hosts: [{}], reconnect_interval: 200ms }}\n", hosts.join(", "))
}
