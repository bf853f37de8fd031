//! The built-in target as a process of its own: it counts every request that reaches it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;

use super::akrida::program;
use super::raw_http;

/// A running target.
#[derive(Debug)]
pub struct Target {
    child: Child,
    url: String,
    /// Kept open, so that what the target prints at its end finds a reader.
    _stdout: BufReader<ChildStdout>,
}

impl Target {
    /// Starts a target on a free port.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = program();
        command.args(["target", "--port", "0"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the target starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the target says where it listens");
        let url = line.trim().rsplit(' ').next().expect("an address").to_owned();
        Self { child, url, _stdout: stdout }
    }

    /// Its base address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Requests that it received so far.
    pub fn received(&self) -> u64 {
        let counts: Value = raw_http::get(&self.url, "/_count").json();
        counts["received"].as_u64().expect("a number")
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
