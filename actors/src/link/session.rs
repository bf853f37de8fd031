//! The actor of a worker's connection to a master.

use std::sync::Arc;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Recipient, WrapFuture};
use akrida_core::limits;
use akrida_core::wire::body::{pack, unpack};
use akrida_core::wire::frame::FrameKind;
use akrida_core::wire::handshake::WorkerHello;
use akrida_core::wire::{FromWorker, Leadership};
use bytes::Bytes;
use tokio::sync::{Notify, watch};

use super::connection::{FrameReader, FrameWriter};
use super::error::LinkError;
use super::places::Place;
use super::queue::{FrameQueue, FrameSender, queue};
use super::{Attach, Detach, Downlink, Uplink};

/// Who is told of workers and of what they say.
#[derive(Clone, Debug)]
pub struct Attachments {
    /// Hears of a link that came up.
    pub attach: Recipient<Attach>,
    /// Hears of its end.
    pub detach: Recipient<Detach>,
    /// Takes what workers say. A worker's next message is read when this one has been taken.
    pub uplink: Recipient<Uplink>,
}

/// A worker's connection. Takes [`Downlink`]s and never makes their sender wait: a worker that does not keep up with them
/// loses its connection.
pub(super) struct Session {
    worker: WorkerHello,
    queue: FrameSender,
    cut: Arc<Notify>,
    /// Taken when the actor starts.
    line: Option<(Line, FrameQueue)>,
}

/// What the session carries on.
pub(super) struct Line {
    pub(super) reader: FrameReader,
    pub(super) writer: FrameWriter,
    pub(super) to: Attachments,
    /// Turns true when the server stops.
    pub(super) stop: watch::Receiver<bool>,
    /// Is free again when the session ends.
    pub(super) place: Place,
}

impl Session {
    pub(super) fn new(worker: WorkerHello, line: Line) -> Self {
        let (sender, waiting) = queue();
        Self { worker, queue: sender, cut: Arc::new(Notify::new()), line: Some((line, waiting)) }
    }
}

impl Actor for Session {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(limits::LINK_QUEUE_FRAMES_MAX);
        let Some((line, waiting)) = self.line.take() else { return };
        let downlink = context.address().recipient();
        let served = serve(line, waiting, self.worker.clone(), downlink, Arc::clone(&self.cut));
        context.spawn(served.into_actor(self).map(|(), _, context| context.stop()));
    }
}

impl Handler<Downlink> for Session {
    type Result = ();

    fn handle(&mut self, message: Downlink, _: &mut Self::Context) {
        let (kind, body) = packed(&message);
        if self.queue.try_push(kind, body).is_err() {
            self.cut.notify_one();
        }
    }
}

fn packed(message: &Downlink) -> (FrameKind, Bytes) {
    match message {
        Downlink::Leads { term } => (FrameKind::Leadership, pack(&Leadership::Leads { term: *term })),
        Downlink::Follows { term } => (FrameKind::Leadership, pack(&Leadership::Follows { term: *term })),
        Downlink::Masters(masters) => (FrameKind::Masters, pack(masters)),
        Downlink::Message(message) => (FrameKind::ToWorker, pack(message)),
    }
}

/// Attaches the worker, carries messages until the connection ends, and detaches it.
async fn serve(line: Line, waiting: FrameQueue, worker: WorkerHello, downlink: Recipient<Downlink>, cut: Arc<Notify>) {
    let Line { reader, writer, to, mut stop, place } = line;
    let WorkerHello { id, incarnation, .. } = worker.clone();
    let attach = Attach { worker: id.clone(), incarnation, downlink: downlink.clone() };
    if to.attach.send(attach).await.is_err() {
        return;
    }
    tracing::info!(worker = %id, "worker has connected");
    let mut died = false;
    let never = Notify::new();
    let ended = tokio::select! {
        error = writer.run(waiting, &never) => error,
        error = receive(reader, &worker, &to.uplink, &mut died) => error,
        () = cut.notified() => LinkError::TooSlow,
        _ = stop.wait_for(|stop| *stop) => LinkError::Finished,
    };
    match ended {
        LinkError::Closed if died => tracing::info!(worker = %id, "worker has left"),
        error => tracing::warn!(worker = %id, %error, "link to worker has ended"),
    }
    // Its place is free before its end is known, so that a worker that comes back at once finds it.
    drop(place);
    if to.detach.send(Detach { worker: id, incarnation, downlink, died }).await.is_err() {
        tracing::debug!("nobody is left who would hear of the end of a link");
    }
}

/// Delivers what the worker says, at the pace of whoever takes it. `goodbye` turns true when it says so.
async fn receive(
    mut reader: FrameReader,
    worker: &WorkerHello,
    uplink: &Recipient<Uplink>,
    goodbye: &mut bool,
) -> LinkError {
    loop {
        let message = match next(&mut reader).await {
            Ok(message) => message,
            Err(error) => return error,
        };
        *goodbye |= message == FromWorker::Goodbye;
        let said = Uplink { worker: worker.id.clone(), incarnation: worker.incarnation, message };
        if uplink.send(said).await.is_err() {
            return LinkError::ListenerGone;
        }
    }
}

async fn next(reader: &mut FrameReader) -> Result<FromWorker, LinkError> {
    let frame = reader.next().await?;
    match frame.kind {
        FrameKind::FromWorker => Ok(unpack(&frame.body)?),
        other => Err(LinkError::NotAllowed(other)),
    }
}
