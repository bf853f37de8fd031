//! A connection that carries frames: first a handshake in turns, then both directions at once.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use akrida_core::limits;
use akrida_core::wire::frame::{Checksum, Decoder, Frame, FrameKind};
use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::error::LinkError;
use super::queue::{FrameQueue, Queued};
use super::stream::Io;

/// Pings in the time in which at least something must come.
const PINGS_PER_IDLE: u32 = 3;

/// A connection whose sides take turns. Its frames are small until [`Connection::open`].
pub(super) struct Connection {
    io: Box<dyn Io>,
    decoder: Decoder,
}

impl Connection {
    pub(super) fn new(io: Box<dyn Io>) -> Self {
        Self { io, decoder: Decoder::new(limits::HANDSHAKE_FRAME_BYTES_MAX) }
    }

    pub(super) async fn read(&mut self) -> Result<Frame, LinkError> {
        loop {
            if let Some(frame) = self.decoder.take()? {
                return Ok(frame);
            }
            fill(&mut self.io, &mut self.decoder).await?;
        }
    }

    pub(super) async fn write(&mut self, frame: &Frame) -> Result<(), LinkError> {
        let mut bytes = BytesMut::new();
        frame.encode(&mut bytes)?;
        self.io.write_all(&bytes).await?;
        Ok(self.io.flush().await?)
    }

    /// Says a last word. Waits for the other side to take it, since a connection that is closed with unread bytes loses
    /// what it had sent.
    pub(super) async fn close_with(mut self, last: &Frame) {
        let closing = async {
            self.write(last).await?;
            self.io.shutdown().await?;
            let mut rest = [0; 1_024];
            while self.io.read(&mut rest).await? > 0 {}
            Ok::<_, LinkError>(())
        };
        // That it cannot be told is no news: the reason is logged on this side.
        let _ = timeout(limits::REFUSED_LINGER, closing).await;
    }

    /// Ends the turns: from now on frames of all sizes go both ways, of the version that was agreed on.
    pub(super) fn open(mut self, version: u8, idle: Duration) -> (FrameReader, FrameWriter) {
        self.decoder.allow(limits::FRAME_BYTES_MAX);
        let (read, write) = tokio::io::split(self.io);
        // One pong that waits is enough: it answers all pings.
        let (answer, answers) = mpsc::channel(1);
        let reader = FrameReader { io: read, decoder: self.decoder, version, idle, pongs: answer };
        (reader, FrameWriter { io: write, version, idle, pongs: answers, out: BytesMut::new() })
    }
}

async fn fill(io: &mut (impl AsyncRead + Unpin), decoder: &mut Decoder) -> Result<(), LinkError> {
    decoder.buffer().reserve(limits::LINK_CHUNK_BYTES);
    if io.read_buf(decoder.buffer()).await? == 0 {
        decoder.end()?;
        return Err(LinkError::Closed);
    }
    Ok(())
}

/// The incoming direction.
pub(super) struct FrameReader {
    io: ReadHalf<Box<dyn Io>>,
    decoder: Decoder,
    version: u8,
    idle: Duration,
    pongs: mpsc::Sender<()>,
}

impl FrameReader {
    /// The next frame that is no ping or pong. Fails when nothing at all comes for the idle time; the time between two
    /// calls does not count.
    pub(super) async fn next(&mut self) -> Result<Frame, LinkError> {
        loop {
            let Some(frame) = self.decoder.take()? else {
                let filled = timeout(self.idle, fill(&mut self.io, &mut self.decoder));
                filled.await.map_err(|_| LinkError::Silent(self.idle))??;
                continue;
            };
            if frame.version != self.version {
                return Err(LinkError::OtherVersion { agreed: self.version, version: frame.version });
            }
            match frame.kind {
                // A pong that is due already answers this ping too.
                FrameKind::Ping => drop(self.pongs.try_send(())),
                FrameKind::Pong => {}
                _ => return Ok(frame),
            }
        }
    }
}

/// The outgoing direction.
pub(super) struct FrameWriter {
    io: WriteHalf<Box<dyn Io>>,
    version: u8,
    idle: Duration,
    pongs: mpsc::Receiver<()>,
    out: BytesMut,
}

impl FrameWriter {
    /// Writes what is queued, and pings, until the connection breaks, or until all senders of the queue are gone and
    /// everything is written. `finish` closes the queue for new frames.
    pub(super) async fn run(mut self, mut queue: FrameQueue, finish: &Notify) -> LinkError {
        match self.write_all_of(&mut queue, finish).await {
            Ok(()) => LinkError::Finished,
            Err(error) => error,
        }
    }

    async fn write_all_of(&mut self, queue: &mut FrameQueue, finish: &Notify) -> Result<(), LinkError> {
        let mut pings = interval(self.idle / PINGS_PER_IDLE);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                Some(()) = self.pongs.recv() => self.put(FrameKind::Pong, Bytes::new()).await?,
                _ = pings.tick() => self.put(FrameKind::Ping, Bytes::new()).await?,
                () = finish.notified() => queue.close(),
                queued = queue.next() => match queued {
                    Some(Queued { kind, body, .. }) => self.put(kind, body).await?,
                    None => return Ok(self.io.shutdown().await?),
                },
            }
            while self.out.len() < limits::LINK_CHUNK_BYTES
                && let Some(Queued { kind, body, .. }) = queue.try_next()
            {
                self.put(kind, body).await?;
            }
            self.flush().await?;
        }
    }

    /// Puts a frame into the buffer; a large one goes out piece by piece instead.
    async fn put(&mut self, kind: FrameKind, body: Bytes) -> Result<(), LinkError> {
        let frame = Frame { kind, version: self.version, body };
        if frame.body.len() <= limits::LINK_CHUNK_BYTES {
            return Ok(frame.encode(&mut self.out)?);
        }
        let mut checksum = Checksum::new(kind as u8, self.version);
        for piece in frame.body.chunks(limits::LINK_CHUNK_BYTES) {
            checksum.update(piece);
            // Others of this thread have their turn: a sum over all of it takes as long as many small messages.
            tokio::task::yield_now().await;
        }
        self.out.extend_from_slice(&frame.header_with(checksum)?);
        self.flush().await?;
        for piece in frame.body.chunks(limits::LINK_CHUNK_BYTES) {
            write(&mut self.io, &mut &piece[..], self.idle).await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), LinkError> {
        write(&mut self.io, &mut self.out, self.idle).await?;
        timeout(self.idle, self.io.flush()).await.map_err(|_| LinkError::Stalled(self.idle))??;
        Ok(())
    }
}

/// Writes all bytes, if each write gets on within the idle time.
async fn write(io: &mut (impl AsyncWrite + Unpin), bytes: &mut impl Buf, idle: Duration) -> Result<(), LinkError> {
    while bytes.has_remaining() {
        let writing = poll_fn(|context| Pin::new(&mut *io).poll_write(context, bytes.chunk()));
        let written = timeout(idle, writing).await.map_err(|_| LinkError::Stalled(idle))??;
        if written == 0 {
            return Err(LinkError::Closed);
        }
        bytes.advance(written);
    }
    Ok(())
}
