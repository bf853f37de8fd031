//! Waiting for what other processes do.

use std::net::TcpStream;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

/// Time that a process has to get somewhere; only a defect comes near it.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Attempts to start a server before giving up: another process may take a port between its choice and its use.
pub const ATTEMPTS: usize = 5;

/// Time between two looks.
const GLANCE: Duration = Duration::from_millis(10);

/// Whether something happens before patience ends.
pub fn eventually(mut happened: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !happened() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(GLANCE);
    }
    true
}

/// Whether a process gets to a point, and has not ended instead.
pub fn gets_to(process: &mut Child, mut is_there: impl FnMut() -> bool) -> bool {
    let mut ended = false;
    let settled = eventually(|| {
        ended = !matches!(process.try_wait(), Ok(None));
        ended || is_there()
    });
    settled && !ended
}

/// Whether a process listens on a port of the loopback interface in the end, and has not ended instead.
pub fn listens(process: &mut Child, port: u16) -> bool {
    gets_to(process, || TcpStream::connect(("127.0.0.1", port)).is_ok())
}
