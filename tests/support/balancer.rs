//! The shipped load balancers, as users run them: the files of this repository with other names and ports.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::certificates::make_certificates;
use super::cluster::free_ports;
use super::nginx::{is_root, user_line};
use super::tls_http::TlsClient;
use super::waiting::{ATTEMPTS, eventually, listens};

/// The masters as they stand in the shipped files.
const SHIPPED_MASTERS: [&str; 3] = ["10.0.1.10:8089", "10.0.1.11:8089", "10.0.1.12:8089"];

/// Which balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `nginx/locust-lb.conf`.
    Nginx,
    /// `haproxy/haproxy.cfg`.
    Haproxy,
}

/// A running balancer; it is stopped when it is dropped.
#[derive(Debug)]
pub struct Balancer {
    folder: TempDir,
    kind: Kind,
    plain_port: u16,
    tls_port: u16,
    stats_port: u16,
    process: Child,
}

impl Balancer {
    /// Starts it in front of these masters, given as `HOST:PORT`, and returns once it listens.
    ///
    /// # Panics
    /// With what it said, if it is missing, finds anything wrong with its configuration, or does not start.
    pub fn start(kind: Kind, masters: &[String; 3]) -> Self {
        let folder = tempfile::Builder::new().prefix("balancer-").tempdir().expect("a temporary folder");
        make_certificates(folder.path());
        for _ in 0..ATTEMPTS {
            let ports = free_ports(3).try_into().expect("three ports");
            kind.configure(folder.path(), masters, ports);
            let checked = kind.check(folder.path());
            assert!(checked.status.success(), "{}", text_of(&checked));
            let log = File::create(folder.path().join("output.log")).expect("a file");
            let mut command = kind.command(folder.path());
            let mut process = command.stdout(Stdio::null()).stderr(log).spawn().expect("it was there a moment ago");
            let [plain_port, tls_port, stats_port] = ports;
            if listens(&mut process, tls_port) {
                return Self { folder, kind, plain_port, tls_port, stats_port, process };
            }
            let _ = process.kill();
            let _ = process.wait();
        }
        let said = fs::read_to_string(folder.path().join("output.log"));
        panic!("{kind:?} does not start: {}", said.unwrap_or_default());
    }

    /// A client of its TLS port.
    pub fn client(&self) -> TlsClient {
        TlsClient::new(self.tls_port, &self.authority())
    }

    /// The address of its port with TLS.
    pub fn tls_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.tls_port)
    }

    /// Its port with TLS.
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The certificate (PEM) of the authority that signed its own.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The address of its port without TLS.
    pub fn plain_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.plain_port)
    }

    /// The address of HAProxy's statistics page.
    pub fn stats_url(&self) -> String {
        assert_eq!(self.kind, Kind::Haproxy, "nginx has no statistics page");
        format!("http://127.0.0.1:{}", self.stats_port)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // A killed nginx would leave its workers behind.
        let _ = kill(Pid::from_raw(self.process.id().cast_signed()), Signal::SIGTERM);
        if !eventually(|| !matches!(self.process.try_wait(), Ok(None))) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

impl Kind {
    /// The shipped file.
    pub fn shipped(self) -> &'static str {
        match self {
            Self::Nginx => include_str!("../../nginx/locust-lb.conf"),
            Self::Haproxy => include_str!("../../haproxy/haproxy.cfg"),
        }
    }

    /// Writes the shipped file for these masters and ports into a folder with certificates.
    pub fn configure(self, folder: &Path, masters: &[String; 3], [plain, tls, stats]: [u16; 3]) {
        let root = folder.display();
        let mut elsewhere: Vec<_> =
            SHIPPED_MASTERS.iter().zip(masters).map(|(shipped, own)| ((*shipped).to_owned(), own.clone())).collect();
        let mut replace = |shipped: &str, own: String| elsewhere.push((shipped.to_owned(), own));
        match self {
            Self::Nginx => {
                replace("listen 80;", format!("listen 127.0.0.1:{plain};"));
                replace("listen 443 ssl http2;", format!("listen 127.0.0.1:{tls} ssl http2;"));
                replace("/etc/ssl/certs/locust.crt", format!("{root}/server.pem"));
                replace("/etc/ssl/private/locust.key", format!("{root}/server.key"));
            }
            Self::Haproxy => {
                replace("bind :80\n", format!("bind 127.0.0.1:{plain}\n"));
                replace("bind :443 ", format!("bind 127.0.0.1:{tls} "));
                replace("/etc/ssl/private/locust.pem", format!("{root}/both.pem"));
                replace("bind 127.0.0.1:8404", format!("bind 127.0.0.1:{stats}"));
                replace("/run/haproxy/admin.sock", format!("{root}/admin.sock"));
                if !is_root(folder) {
                    replace("    user haproxy\n    group haproxy\n", String::new());
                }
            }
        }
        let text = elsewhere.iter().fold(self.shipped().to_owned(), |text, (shipped, own)| {
            assert_eq!(text.matches(shipped).count(), 1, "{shipped} does not stand in the file once");
            text.replace(shipped, own)
        });
        let both = ["server.pem", "server.key"].map(|file| fs::read(folder.join(file)).expect("a certificate"));
        fs::write(folder.join("both.pem"), both.concat()).expect("a file");
        match self {
            Self::Nginx => {
                fs::write(folder.join("locust-lb.conf"), text).expect("a file");
                fs::write(folder.join("main.conf"), nginx_main(folder)).expect("a file");
            }
            Self::Haproxy => fs::write(folder.join("haproxy.cfg"), text).expect("a file"),
        }
    }

    /// What the balancer itself says of its configuration.
    pub fn check(self, folder: &Path) -> Output {
        let flag = match self {
            Self::Nginx => "-t",
            Self::Haproxy => "-c",
        };
        self.command(folder).arg(flag).output().expect("it answered a moment ago")
    }

    fn command(self, folder: &Path) -> Command {
        let mut command = match self {
            Self::Nginx => Command::new(program("nginx")),
            Self::Haproxy => Command::new(program("haproxy")),
        };
        match self {
            Self::Nginx => {
                command.arg("-p").arg(folder).arg("-c").arg(folder.join("main.conf"));
                command.arg("-e").arg(folder.join("error.log"));
            }
            // In the foreground, without a master process.
            Self::Haproxy => {
                command.arg("-db").arg("-f").arg(folder.join("haproxy.cfg"));
            }
        }
        command.stdin(Stdio::null());
        command
    }
}

/// Where a server program is: Debian keeps some where the search path of ordinary users does not lead.
///
/// # Panics
/// If it is missing.
pub fn program(name: &str) -> PathBuf {
    let candidates = [PathBuf::from(name), Path::new("/usr/sbin").join(name)];
    let works =
        |program: &PathBuf| Command::new(program).arg("-v").output().is_ok_and(|output| output.status.success());
    let found = candidates.into_iter().find(works);
    found.unwrap_or_else(|| panic!("{name} is missing: run scripts/test.sh, which installs it"))
}

/// What a program said.
pub fn text_of(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What Debian's nginx.conf has around the shipped file, with everything in one folder.
fn nginx_main(folder: &Path) -> String {
    let root = folder.display();
    let user = user_line(folder);
    format!(
        "{user}
daemon off;
worker_processes 2;
pid {root}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log {root}/access.log;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    include {root}/locust-lb.conf;
}}
"
    )
}
