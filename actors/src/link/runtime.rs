//! The thread that carries links: apart from all actors, so that no busy one delays what masters say to each other.

use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A thread with an event loop of its own. It ends when the last clone is dropped, and its connections with it.
#[derive(Clone, Debug)]
pub struct LinkRuntime {
    handle: Handle,
    _stop: Arc<oneshot::Sender<()>>,
}

impl LinkRuntime {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread or no event queue left.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::Builder::new().name("links".into()).spawn(move || {
            // Nothing is ever sent: the other end being dropped is the signal.
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, _stop: Arc::new(stop) })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}
