//! The thread that draws the view and listens to the keyboard.

use std::future::poll_fn;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use akrida_core::view::RunView;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::frame::{Moment, frame, waiting};
use super::keys::{Key, KeyAction, keys};
use super::limits::{INPUT_BYTES, INPUT_INTERVAL, REDRAW_INTERVAL, ROWS_FOR_LOG_SHARE};
use super::screen;

/// The exit code of a program that ctrl-c ended, as shells have it.
const INTERRUPTED: i32 = 130;

/// A live view on the terminal; it ends when this is dropped.
///
/// While it is up it has the terminal, and SIGINT, SIGTERM and SIGQUIT mean the same as ctrl-c: at first
/// [`KeyAction::Stop`], then [`KeyAction::Quit`]; should the process still be there at the third, the view ends it.
/// When the terminal is closed (SIGHUP) the run is to stop as well. The handlers stay when the view has ended:
/// from then on these signals do nothing but what the program itself makes of them.
#[derive(Debug)]
pub struct LiveView {
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl LiveView {
    /// Whether there is somebody to look at it: both standard input and output are a terminal that understands cursor
    /// movements, the process is in its foreground, and it is not that of a continuous integration service.
    #[must_use]
    pub fn is_possible() -> bool {
        let variable = |name: &str| std::env::var(name).ok();
        io::stdin().is_terminal() && io::stdout().is_terminal() && in_foreground() && is_wanted(variable)
    }

    /// Takes the terminal and shows what comes out of `views` until [`LiveView::finish`]. What the user asks for goes
    /// to `actions`; changes of the number of users are lost while that channel is full.
    ///
    /// # Errors
    /// When the terminal cannot be put into raw mode, has a live view already, or the process lacks the resources.
    pub fn start(views: watch::Receiver<Option<Arc<RunView>>>, actions: mpsc::Sender<KeyAction>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel();
        let view = {
            let _context = runtime.enter();
            View::new(views, actions)?
        };
        screen::take()?;
        let restored = Restored;
        let thread = std::thread::Builder::new().name(screen::THREAD.to_owned()).spawn(move || {
            let _restored = restored;
            runtime.block_on(view.run(ended));
        })?;
        Ok(Self { end: Some(end), thread: Some(thread) })
    }

    /// Clears the view and gives the terminal back.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for LiveView {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // If the view panicked, its message was shown and the terminal is restored: the run does not depend on it.
            let _ = thread.join();
        }
    }
}

/// Restores the terminal when it is dropped, however that comes about.
struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        screen::restore_terminal();
    }
}

/// Job control stops a background process that touches the terminal's mode. Without job control there is no background.
fn in_foreground() -> bool {
    nix::unistd::tcgetpgrp(io::stdin()).map_or(true, |group| group == nix::unistd::getpgrp())
}

fn is_wanted(variable: impl Fn(&str) -> Option<String>) -> bool {
    let dumb = matches!(variable("TERM").as_deref(), None | Some("" | "dumb"));
    let ci = !matches!(variable("CI").as_deref(), None | Some("" | "0" | "false"));
    !dumb && !ci
}

struct View {
    views: watch::Receiver<Option<Arc<RunView>>>,
    actions: mpsc::Sender<KeyAction>,
    interrupts: [Signal; 3],
    hangup: Signal,
    /// The newest figures, and when they arrived.
    latest: Option<(Arc<RunView>, Instant)>,
    /// How often the user has asked for the end.
    ends: u32,
    /// Whether the view still has the terminal.
    has_terminal: bool,
    coloured: bool,
}

impl View {
    fn new(views: watch::Receiver<Option<Arc<RunView>>>, actions: mpsc::Sender<KeyAction>) -> io::Result<Self> {
        let [interrupt, terminate, quit] = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::quit()];
        Ok(Self {
            views,
            actions,
            interrupts: [signal(interrupt)?, signal(terminate)?, signal(quit)?],
            hangup: signal(SignalKind::hangup())?,
            latest: None,
            ends: 0,
            has_terminal: true,
            coloured: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        })
    }

    async fn run(mut self, mut ended: oneshot::Receiver<()>) {
        let (mut look, mut redraw) = (every(INPUT_INTERVAL), every(REDRAW_INTERVAL));
        loop {
            tokio::select! {
                _ = &mut ended => return,
                () = any(&mut self.interrupts) => self.end(),
                _ = self.hangup.recv() => self.lose_terminal(),
                _ = look.tick(), if self.has_terminal => self.listen(),
                _ = redraw.tick(), if self.has_terminal => self.draw(),
            }
        }
    }

    fn listen(&mut self) {
        match typed() {
            Ok(input) => keys(&input).into_iter().for_each(|key| self.press(key)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.lose_terminal(),
        }
    }

    fn press(&mut self, key: Key) {
        match key {
            Key::Users(delta) => self.send(KeyAction::AddUsers(delta)),
            Key::End => self.end(),
        }
    }

    fn end(&mut self) {
        self.ends += 1;
        match self.ends {
            1 => self.send(KeyAction::Stop),
            2 => {
                self.has_terminal = false;
                screen::restore_terminal();
                self.send(KeyAction::Quit);
            }
            _ => std::process::exit(INTERRUPTED),
        }
    }

    /// Nobody sees the run any more, so it is to stop. Several signs of this count once.
    fn lose_terminal(&mut self) {
        if std::mem::take(&mut self.has_terminal) {
            screen::restore_terminal();
            self.ends = self.ends.max(1);
            self.send(KeyAction::Stop);
        }
    }

    /// The view never waits for whoever acts: a key that is not heard can be pressed again.
    fn send(&self, action: KeyAction) {
        let _ = self.actions.try_send(action);
    }

    fn draw(&mut self) {
        let newest = self.views.borrow_and_update().clone();
        if let Some(newest) = newest
            && !self.latest.as_ref().is_some_and(|(latest, _)| Arc::ptr_eq(latest, &newest))
        {
            self.latest = Some((newest, Instant::now()));
        }
        let (columns, rows) = screen::size();
        let size = (columns, rows.saturating_sub((rows / ROWS_FOR_LOG_SHARE).max(1)));
        let stop_asked = self.ends > 0;
        let lines = match &self.latest {
            Some((view, arrived)) => frame(view, Moment { since_view: arrived.elapsed(), stop_asked }, size),
            None => waiting(stop_asked, size),
        };
        if screen::draw(lines, columns, self.coloured).is_err() {
            self.lose_terminal();
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

async fn any(signals: &mut [Signal]) {
    poll_fn(|context| match signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready()) {
        true => std::task::Poll::Ready(()),
        false => std::task::Poll::Pending,
    })
    .await;
}

/// What was typed since the last time; an error once the terminal is closed.
///
/// Standard input is shared with other processes and stays in blocking mode, so it is read only when there is something.
fn typed() -> io::Result<Vec<u8>> {
    let stdin = io::stdin();
    let mut polled = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    poll(&mut polled, PollTimeout::ZERO)?;
    let events = polled[0].revents().unwrap_or(PollFlags::empty());
    if events.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if !events.contains(PollFlags::POLLIN) {
        return Ok(Vec::new());
    }
    let mut bytes = vec![0; INPUT_BYTES];
    match nix::unistd::read(&stdin, &mut bytes)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        length => Ok(bytes[..length].to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_wanted_on_terminals_that_people_look_at() {
        let with = |term: &str, ci: &str| {
            is_wanted(|name| {
                Some(if name == "TERM" { term } else { ci }).filter(|value| *value != "unset").map(Into::into)
            })
        };
        assert!(with("xterm-256color", "unset"));
        assert!(with("linux", "false"));
        assert!(!with("xterm", "true"));
        assert!(!with("dumb", "unset"));
        assert!(!with("unset", "unset"));
    }
}
