//! A real nginx with an access log, as the witness of what was sent.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use super::certificates::make_certificates;
use super::waiting::{ATTEMPTS, eventually, gets_to};

/// Bytes of `/big`.
pub const BIG_BYTES: usize = 10 * 1024;

/// Bytes of `/slow`, which takes about as many seconds as it has KiB.
pub const SLOW_BYTES: usize = 5 * 1024;

/// Requests on a connection of HTTP/2.
pub const HTTP2_REQUESTS: usize = 10;

/// A running nginx; it is stopped when it is dropped.
///
/// | path | answer |
/// |---|---|
/// | `/` | 200, 13 bytes |
/// | `/missing` | 404 |
/// | `/error` | 500 |
/// | `/redirect` | 302 to `/` |
/// | `/redirect2` | 302 to `/redirect` |
/// | `/reset` | closes without an answer; logged with status 444 |
/// | `/big` | 200, 10 KiB |
/// | `/slow` | 200, 5 KiB in about 5 seconds |
#[derive(Debug)]
pub struct Nginx {
    folder: TempDir,
    program: PathBuf,
    port: u16,
    tls_port: u16,
    http2_port: u16,
    master: Child,
}

impl Nginx {
    /// Starts it on free ports of the loopback interface and returns once it listens.
    ///
    /// # Panics
    /// With a clear message if nginx or openssl is missing or does not start.
    pub fn start() -> Self {
        let program = super::balancer::program("nginx");
        let folder = tempfile::Builder::new().prefix("nginx-").tempdir().expect("a temporary folder");
        fs::write(folder.path().join("big"), vec![b'x'; BIG_BYTES]).expect("the file /big");
        fs::write(folder.path().join("slow"), vec![b'x'; SLOW_BYTES]).expect("the file /slow");
        make_certificates(folder.path());
        for _ in 0..ATTEMPTS {
            let ports @ [port, tls_port, http2_port] = free_ports();
            fs::write(folder.path().join("nginx.conf"), configuration(folder.path(), ports)).expect("a file");
            if let Some(master) = launch(&program, folder.path()) {
                return Self { folder, program, port, tls_port, http2_port, master };
            }
        }
        panic!("nginx does not start: {}", read(&folder.path().join("error.log")));
    }

    /// Its base address without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same pages over TLS, with a certificate for `127.0.0.1` and `localhost`.
    pub fn tls_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.tls_port)
    }

    /// A server over HTTP/2 or its predecessor, with the same certificate. It says the protocol of each request, and goes
    /// away after [`HTTP2_REQUESTS`] on a connection.
    pub fn http2_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.http2_port)
    }

    /// The certificate (PEM) of the authority that signed the server's.
    pub fn ca_path(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Quits gracefully, so that every request is logged, and returns the log: `STATUS METHOD URI`, one line a request.
    pub fn log_lines(&mut self) -> Vec<String> {
        self.quit();
        read(&self.folder.path().join("access.log")).lines().map(str::to_owned).collect()
    }

    /// How many requests are in the log now.
    pub fn requests_logged(&self) -> usize {
        read(&self.folder.path().join("access.log")).lines().count()
    }

    /// Quits gracefully: requests in flight are answered first.
    pub fn stop(mut self) {
        self.quit();
    }

    fn quit(&mut self) {
        if self.signal("quit") {
            assert!(self.ended_in_time(), "nginx does not quit");
        }
    }

    /// Sends a signal by nginx's own means. False if it has ended already.
    fn signal(&mut self, name: &str) -> bool {
        if !matches!(self.master.try_wait(), Ok(None)) {
            return false;
        }
        let _ = run(command(&self.program, self.folder.path()).args(["-s", name]));
        true
    }

    fn ended_in_time(&mut self) -> bool {
        eventually(|| !matches!(self.master.try_wait(), Ok(None)))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its workers on a quick stop; a killed one would leave them behind.
        if self.signal("stop") && !self.ended_in_time() {
            let _ = self.master.kill();
            let _ = self.master.wait();
        }
    }
}

fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf")).arg("-e").arg(folder.join("error.log"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Starts nginx and waits until it listens. None if it ended instead.
fn launch(program: &Path, folder: &Path) -> Option<Child> {
    let mut master = command(program, folder).spawn().expect("a process of nginx");
    // The file with the process id is written once all addresses are bound.
    let pid = folder.join("nginx.pid");
    if gets_to(&mut master, || fs::metadata(&pid).is_ok_and(|file| file.len() > 0)) {
        return Some(master);
    }
    let _ = master.kill();
    let _ = master.wait();
    None
}

/// Ports that were free a moment ago.
fn free_ports() -> [u16; 3] {
    let listeners = [0, 1, 2].map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("a local address").port())
}

fn configuration(folder: &Path, [port, tls_port, http2_port]: [u16; 3]) -> String {
    let root = folder.display();
    let user = user_line(folder);
    format!(
        r#"{user}
daemon off;
worker_processes 2;
worker_shutdown_timeout 20s;
pid {root}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
    log_format counted '$status $request_method $request_uri';
    access_log {root}/access.log counted;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    default_type text/plain;
    keepalive_requests 1000000000;
    client_max_body_size 100m;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        listen 127.0.0.1:{tls_port} ssl backlog=4096;
        ssl_certificate {root}/server.pem;
        ssl_certificate_key {root}/server.key;
        location = / {{ return 200 "Hello, World!"; }}
        location = /missing {{ return 404; }}
        location = /error {{ return 500; }}
        location = /redirect {{ return 302 /; }}
        location = /redirect2 {{ return 302 /redirect; }}
        location = /reset {{ return 444; }}
        location = /big {{ alias {root}/big; }}
        location = /slow {{ limit_rate 1k; alias {root}/slow; }}
    }}
    server {{
        listen 127.0.0.1:{http2_port} ssl http2;
        ssl_certificate {root}/server.pem;
        ssl_certificate_key {root}/server.key;
        keepalive_requests {HTTP2_REQUESTS};
        location / {{ return 200 $server_protocol; }}
    }}
}}
"#
    )
}

/// The folder of a test is its owner's alone, so the workers of root's nginx must stay root.
pub fn user_line(folder: &Path) -> &'static str {
    if is_root(folder) { "user root;" } else { "" }
}

/// Whether a folder is root's.
pub fn is_root(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|folder| folder.uid() == 0)
}

fn run(command: &mut Command) -> Output {
    let program = command.get_program().to_owned();
    let missing = |problem| panic!("{}: {problem}; scripts/test.sh installs what is missing", program.display());
    command.output().unwrap_or_else(missing)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()))
}
