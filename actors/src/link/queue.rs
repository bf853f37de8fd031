//! Frames that wait to be written: bounded in number and in bytes.

use std::sync::Arc;

use akrida_core::limits;
use akrida_core::wire::frame::{FrameKind, HEADER_BYTES};
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Puts frames into a queue.
#[derive(Clone, Debug)]
pub(super) struct FrameSender {
    frames: mpsc::Sender<Queued>,
    bytes: Arc<Semaphore>,
}

/// What comes out of it, in order.
#[derive(Debug)]
pub(super) struct FrameQueue(mpsc::Receiver<Queued>);

/// A frame that waits. Its bytes count until it is dropped.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) kind: FrameKind,
    pub(super) body: Bytes,
    _bytes: OwnedSemaphorePermit,
}

/// Why a frame was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotQueued {
    /// Too much waits already.
    Full,
    /// Nobody reads the queue any more.
    Closed,
}

/// An empty queue of the usual bounds.
pub(super) fn queue() -> (FrameSender, FrameQueue) {
    let (sender, receiver) = mpsc::channel(limits::LINK_QUEUE_FRAMES_MAX);
    let bytes = Arc::new(Semaphore::new(limits::LINK_QUEUE_BYTES_MAX));
    (FrameSender { frames: sender, bytes }, FrameQueue(receiver))
}

impl FrameSender {
    /// Queues a frame, or does not.
    pub(super) fn try_push(&self, kind: FrameKind, body: Bytes) -> Result<(), NotQueued> {
        let bytes = Arc::clone(&self.bytes).try_acquire_many_owned(cost(&body)).map_err(|_| NotQueued::Full)?;
        self.frames.try_send(Queued { kind, body, _bytes: bytes }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotQueued::Full,
            mpsc::error::TrySendError::Closed(_) => NotQueued::Closed,
        })
    }

    /// Queues a frame as soon as there is place for it; `false` when nobody reads the queue any more.
    pub(super) async fn push(&self, kind: FrameKind, body: Bytes) -> bool {
        let bytes = tokio::select! {
            bytes = Arc::clone(&self.bytes).acquire_many_owned(cost(&body)) => bytes,
            () = self.frames.closed() => return false,
        };
        let bytes = bytes.expect("the semaphore is never closed");
        self.frames.send(Queued { kind, body, _bytes: bytes }).await.is_ok()
    }
}

impl FrameQueue {
    /// The next frame; `None` when the queue is closed and empty.
    pub(super) async fn next(&mut self) -> Option<Queued> {
        self.0.recv().await
    }

    /// The next frame, if there is one.
    pub(super) fn try_next(&mut self) -> Option<Queued> {
        self.0.try_recv().ok()
    }

    /// Takes no more frames.
    pub(super) fn close(&mut self) {
        self.0.close();
    }
}

fn cost(body: &Bytes) -> u32 {
    (body.len() + HEADER_BYTES).min(limits::LINK_QUEUE_BYTES_MAX) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_bounded_in_number_and_in_bytes() {
        let (sender, mut waiting) = queue();
        for _ in 0..limits::LINK_QUEUE_FRAMES_MAX {
            assert_eq!(sender.try_push(FrameKind::Raft, Bytes::new()), Ok(()));
        }
        assert_eq!(sender.try_push(FrameKind::Raft, Bytes::new()), Err(NotQueued::Full));
        while waiting.try_next().is_some() {}
        let third = Bytes::from(vec![0; limits::LINK_QUEUE_BYTES_MAX / 3]);
        assert_eq!(sender.try_push(FrameKind::Raft, third.clone()), Ok(()));
        assert_eq!(sender.try_push(FrameKind::Raft, third.clone()), Ok(()));
        assert_eq!(sender.try_push(FrameKind::Raft, third.clone()), Err(NotQueued::Full));
        let taken = waiting.try_next();
        assert_eq!(sender.try_push(FrameKind::Raft, third.clone()), Err(NotQueued::Full), "it is being written");
        drop(taken);
        assert_eq!(sender.try_push(FrameKind::Raft, third.clone()), Ok(()));
        drop(waiting);
        assert_eq!(sender.try_push(FrameKind::Raft, Bytes::new()), Err(NotQueued::Closed));
    }

    #[test]
    fn the_largest_frame_fits() {
        let (sender, _waiting) = queue();
        let largest = Bytes::from(vec![0; limits::FRAME_BYTES_MAX]);
        assert_eq!(sender.try_push(FrameKind::Raft, largest), Ok(()));
    }
}
