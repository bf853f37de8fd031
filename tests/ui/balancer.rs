//! A real nginx in front of the masters, as plain as it can be.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::support::cluster::free_ports;

/// No test waits longer for nginx.
const PATIENCE: Duration = Duration::from_secs(30);

/// A balancer that runs.
#[derive(Debug)]
pub(crate) struct Balancer {
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl Balancer {
    /// Starts it in front of the masters with these base addresses.
    pub(crate) fn start(masters: &[String]) -> Self {
        let folder = tempfile::Builder::new().prefix("nginx-").tempdir().expect("a temporary folder");
        let port = free_ports(1)[0];
        fs::write(folder.path().join("nginx.conf"), configuration(folder.path(), port, masters)).expect("a file");
        // Debian keeps it where the search path of ordinary users does not lead.
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("nginx");
        command.env("PATH", path).arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "error.log"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("nginx; scripts/install-test-tools.sh installs it");
        let balancer = Self { port, process, _folder: folder };
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(since.elapsed() < PATIENCE, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        balancer
    }

    /// Its base address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // Its master ends the others; killed, it would leave them behind.
        let _ = kill(Pid::from_raw(self.process.id().cast_signed()), Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

fn configuration(folder: &Path, port: u16, masters: &[String]) -> String {
    let root = folder.display();
    // The folder is its owner's alone, so the workers of root's nginx must stay root.
    let owner_is_root = fs::metadata(folder).is_ok_and(|folder| folder.uid() == 0);
    let user = if owner_is_root { "user root;" } else { "" };
    let servers = masters.iter().map(|url| format!("server {} max_fails=0;", url.trim_start_matches("http://")));
    let servers = servers.collect::<Vec<_>>().join(" ");
    format!(
        "{user}
daemon off;
pid {root}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    map $http_upgrade $kind {{ default upgrade; '' ''; }}
    upstream masters {{ {servers} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://masters;
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $kind;
            proxy_connect_timeout 1s;
            proxy_read_timeout 8s;
            proxy_next_upstream error timeout http_502 http_503 http_504 non_idempotent;
        }}
    }}
}}
"
    )
}
