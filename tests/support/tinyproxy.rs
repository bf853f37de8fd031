//! A real HTTP proxy.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::waiting::{ATTEMPTS, listens};

/// The user and the password that it asks for.
pub const CREDENTIALS: &str = "proxy-user:proxy-password";

/// A running tinyproxy that asks for [`CREDENTIALS`]; it is killed when it is dropped.
#[derive(Debug)]
pub struct Tinyproxy {
    folder: TempDir,
    address: String,
    process: Child,
}

impl Tinyproxy {
    /// Starts it on a free port of the loopback interface and returns once it listens.
    ///
    /// # Panics
    /// With a clear message if it is missing or does not start.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("tinyproxy-").tempdir().expect("a temporary folder");
        for _ in 0..ATTEMPTS {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let address = listener.local_addr().expect("a local address");
            drop(listener);
            let (user, password) = CREDENTIALS.split_once(':').expect("a pair");
            let log = folder.path().join("log");
            let text = format!(
                "Port {}\nListen 127.0.0.1\nTimeout 60\nMaxClients 100\nLogFile \"{}\"\nLogLevel Info\n\
                 BasicAuth {user} {password}\n",
                address.port(),
                log.display()
            );
            let file = folder.path().join("tinyproxy.conf");
            fs::write(&file, text).expect("a file");
            let mut command = Command::new("tinyproxy");
            command.arg("-d").arg("-c").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut process = command.spawn().expect("tinyproxy is missing: run scripts/test.sh, which installs it");
            if listens(&mut process, address.port()) {
                return Self { folder, address: address.to_string(), process };
            }
            let _ = process.kill();
            let _ = process.wait();
        }
        panic!("tinyproxy does not start");
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its log, which names every request.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Tinyproxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
