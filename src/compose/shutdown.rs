//! The signals that ask the program to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM.
#[derive(Debug)]
pub(super) struct Signals(Option<Both>);

#[derive(Debug)]
struct Both {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Listens from now on; the default action of the signals is off.
    pub(super) fn listen() -> std::io::Result<Self> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self(Some(Both { interrupt, terminate })))
    }

    /// For whoever is to hear of none.
    pub(super) fn ignored() -> Self {
        Self(None)
    }

    /// The next one.
    pub(super) async fn next(&mut self) {
        let Some(Both { interrupt, terminate }) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
    }
}
