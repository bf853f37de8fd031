//! A real Locust: a master with its web UI, and a worker.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::cluster::free_ports;
use crate::support::raw_http;

/// Time that it has to get somewhere; only a defect comes near it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Both processes; they are killed when it is dropped.
#[derive(Debug)]
pub(crate) struct PythonLocust {
    folder: TempDir,
    url: String,
    processes: Vec<Child>,
}

impl PythonLocust {
    /// Starts it with this locustfile against this host.
    pub(crate) fn start(locustfile: &str, host: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("locust-").tempdir().unwrap();
        fs::write(folder.path().join("locustfile.py"), locustfile).unwrap();
        let ports = free_ports(2);
        let (link, web) = (ports[0].to_string(), ports[1].to_string());
        let master = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", &link];
        let ui = ["--web-host", "127.0.0.1", "--web-port", &web, "--host", host];
        let worker = ["--worker", "--master-port", &link];
        let processes =
            vec![start(folder.path(), "master", &[&master[..], &ui].concat()), start(folder.path(), "worker", &worker)];
        Self { url: format!("http://127.0.0.1:{web}"), folder, processes }
    }

    /// Its base address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until it answers so.
    pub(crate) fn await_answer(&self, path: &str, is: impl Fn(&Value) -> bool) {
        let since = Instant::now();
        loop {
            let reply = raw_http::send(&self.url, "GET", path, &[], b"").ok().filter(|reply| reply.status == 200);
            if reply.is_some_and(|reply| is(&reply.json())) {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "waited in vain for {path} of Locust\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn logs(&self) -> String {
        let log = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        log("master.log") + &log("worker.log")
    }
}

impl Drop for PythonLocust {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn start(folder: &Path, name: &str, arguments: &[&str]) -> Child {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/locust/bin/locust");
    let log = File::create(folder.join(format!("{name}.log"))).unwrap();
    let mut command = Command::new(program);
    command.current_dir(folder).env("HOME", folder).args(["-f", "locustfile.py"]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().expect("Locust is missing: run scripts/test.sh, which installs it")
}
