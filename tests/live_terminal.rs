//! The live view on a real pseudo-terminal: keys and signals arrive, and the terminal is as before in every way of
//! ending.
//!
//! Each test runs itself a second time as the process on the terminal.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use akrida::live::{KeyAction, LiveView, LogLines};
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};
use nix::unistd::Pid;
use tokio::sync::{mpsc, watch};

/// Set for the process on the terminal.
const ON_TERMINAL: &str = "AKRIDA_TEST_ON_TERMINAL";
/// No step takes nearly as long, however busy the machine.
const DEADLINE: Duration = Duration::from_secs(60);
const SHOW_CURSOR: &str = "\x1b[?25h";

/// The terminal, seen from the person in front of it.
struct Terminal {
    /// `None` once it is closed.
    screen: Option<PtyMaster>,
    /// Held open to look at its settings.
    other_end: File,
    before: Termios,
    process: Child,
    seen: String,
}

impl Terminal {
    /// Starts `test` on a terminal, if this is not that process already, and waits until the view is up.
    fn start(test: &str) -> Option<Self> {
        if std::env::var_os(ON_TERMINAL).is_some() {
            return None;
        }
        let (screen, other_end) = pseudo_terminal();
        let end = || other_end.try_clone().unwrap();
        let before = tcgetattr(&other_end).unwrap();
        let process = Command::new("setsid")
            .arg("--ctty")
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(ON_TERMINAL, "1")
            .env("TERM", "xterm-256color")
            .env_remove("CI")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let mut terminal = Self { screen: Some(screen), other_end, before, process, seen: String::new() };
        terminal.wait_for("waiting for the first figures");
        assert!(!terminal.settings().local_flags.contains(LocalFlags::ICANON), "raw mode");
        Some(terminal)
    }

    fn press(&mut self, keys: &str) {
        self.screen.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id() as i32), signal).unwrap();
    }

    /// Waits for a text that was not yet waited for.
    fn wait_for(&mut self, text: &str) {
        let started = Instant::now();
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            assert!(started.elapsed() < DEADLINE, "no {text:?} in {:?}", self.seen);
            self.read(100);
        }
    }

    fn read(&mut self, wait_ms: u16) -> bool {
        let Some(screen) = &mut self.screen else { return false };
        let mut polled = [PollFd::new(screen.as_fd(), PollFlags::POLLIN)];
        if poll(&mut polled, PollTimeout::from(wait_ms)).unwrap() == 0 {
            return false;
        }
        let mut bytes = [0; 4_096];
        let length = screen.read(&mut bytes).unwrap();
        self.seen.push_str(&String::from_utf8_lossy(&bytes[..length]));
        length > 0
    }

    fn settings(&self) -> Termios {
        tcgetattr(&self.other_end).unwrap()
    }

    /// Waits for the end of the process.
    fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                while self.read(0) {}
                return status;
            }
            assert!(started.elapsed() < DEADLINE, "still running after {:?}", self.seen);
            self.read(20);
        }
    }

    fn assert_restored(&self) {
        assert!(self.settings() == self.before, "settings differ");
        assert!(self.seen.contains(SHOW_CURSOR), "{:?}", self.seen);
    }
}

impl Drop for Terminal {
    /// A failed test leaves no process behind.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Both ends, kept from the processes of other tests: a terminal is closed when its last holder closes it.
fn pseudo_terminal() -> (PtyMaster, File) {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let screen = posix_openpt(flags).unwrap();
    grantpt(&screen).unwrap();
    unlockpt(&screen).unwrap();
    let name = ptsname_r(&screen).unwrap();
    let other_end = File::options().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(name).unwrap();
    (screen, other_end)
}

/// On the terminal: a view that logs what it is asked for, until `last` is.
fn view_until(last: KeyAction) -> LiveView {
    let (live, mut actions) = view();
    while let Some(action) = actions.blocking_recv() {
        tracing::info!("asked for {action:?}");
        if action == last {
            break;
        }
    }
    live
}

fn view() -> (LiveView, mpsc::Receiver<KeyAction>) {
    assert!(LiveView::is_possible());
    tracing_subscriber::fmt().with_writer(LogLines).with_ansi(false).init();
    let (actions, asked) = mpsc::channel(16);
    (LiveView::start(watch::channel(None).1, actions).unwrap(), asked)
}

#[test]
fn keys_arrive_and_the_end_of_the_run_gives_the_terminal_back() {
    let Some(mut terminal) = Terminal::start("keys_arrive_and_the_end_of_the_run_gives_the_terminal_back") else {
        view_until(KeyAction::Stop).finish();
        println!("the summary");
        std::process::exit(0);
    };
    for (keys, action) in [("w", "AddUsers(1)"), ("W", "AddUsers(10)"), ("s", "AddUsers(-1)"), ("S", "AddUsers(-10)")] {
        terminal.press(keys);
        terminal.wait_for(&format!("asked for {action}\r\n"));
    }
    // F4 ends in a capital S.
    terminal.press("\x1bOSq");
    assert_eq!(terminal.ended().code(), Some(0));
    assert!(!terminal.seen.contains("AddUsers"), "{:?}", terminal.seen);
    assert!(terminal.seen.contains("asked for Stop\r\n"), "{:?}", terminal.seen);
    assert!(terminal.seen.ends_with("the summary\r\n"), "{:?}", terminal.seen);
    terminal.assert_restored();
}

#[test]
fn the_second_control_c_gives_the_terminal_back_before_it_is_passed_on() {
    let Some(mut terminal) = Terminal::start("the_second_control_c_gives_the_terminal_back_before_it_is_passed_on")
    else {
        std::mem::forget(view_until(KeyAction::Quit));
        std::process::exit(7);
    };
    terminal.press("\x03");
    terminal.wait_for("stopping; q again leaves at once");
    terminal.press("\x03");
    assert_eq!(terminal.ended().code(), Some(7));
    terminal.assert_restored();
}

#[test]
fn a_signal_stops_the_run_and_the_third_ends_a_process_that_does_not_listen() {
    let Some(mut terminal) =
        Terminal::start("a_signal_stops_the_run_and_the_third_ends_a_process_that_does_not_listen")
    else {
        let (_live, _unheard) = view();
        loop {
            std::thread::park();
        }
    };
    terminal.signal(Signal::SIGTERM);
    terminal.wait_for("stopping; q again leaves at once");
    terminal.signal(Signal::SIGINT);
    terminal.wait_for(SHOW_CURSOR);
    terminal.signal(Signal::SIGINT);
    assert_eq!(terminal.ended().code(), Some(130));
    assert!(terminal.settings() == terminal.before);
}

#[test]
fn a_panic_finds_the_terminal_restored_even_if_it_aborts() {
    let Some(mut terminal) = Terminal::start("a_panic_finds_the_terminal_restored_even_if_it_aborts") else {
        std::mem::forget(view_until(KeyAction::AddUsers(1)));
        let _ = std::panic::catch_unwind(|| panic!("first line\nsecond line"));
        std::process::abort();
    };
    terminal.press("w");
    assert_eq!(terminal.ended().signal(), Some(Signal::SIGABRT as i32));
    terminal.assert_restored();
    let message = terminal.seen.split_once(SHOW_CURSOR).unwrap().1;
    assert!(message.contains("first line\r\nsecond line\r\n"), "{message:?}");
}

#[test]
fn the_view_comes_back_after_a_panic_that_was_caught() {
    let Some(mut terminal) = Terminal::start("the_view_comes_back_after_a_panic_that_was_caught") else {
        let live = view_until(KeyAction::AddUsers(1));
        std::thread::spawn(|| panic!("a user panicked")).join().unwrap_err();
        std::thread::park();
        drop(live);
        return;
    };
    terminal.press("w");
    terminal.wait_for("a user panicked\r\n");
    terminal.wait_for("waiting for the first figures");
    assert!(!terminal.settings().local_flags.contains(LocalFlags::ICANON), "raw mode again");
}

#[test]
fn the_run_stops_when_its_terminal_is_closed() {
    let Some(mut terminal) = Terminal::start("the_run_stops_when_its_terminal_is_closed") else {
        view_until(KeyAction::Stop).finish();
        std::process::exit(5);
    };
    terminal.screen = None;
    assert_eq!(terminal.ended().code(), Some(5));
}
