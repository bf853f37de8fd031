//! A worker's link to one master: made, kept up, and made again.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, Recipient, WrapFuture};
use akrida_core::limits;
use akrida_core::wire::Leadership;
use akrida_core::wire::body::unpack;
use akrida_core::wire::frame::{Frame, FrameKind};
use akrida_core::wire::handshake::refusal::Refusal;
use akrida_core::wire::handshake::{Grant, HandshakeError, Role, WorkerHello};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::addresses::{Claim, Claimed, MasterAddress, resolve};
use super::connection::{Connection, FrameReader, FrameWriter};
use super::error::LinkError;
use super::masters::Group;
use super::queue::{FrameQueue, queue};
use super::uplinker::Uplinker;
use super::{Downlink, Heard, LinkEvent, LinkId, greet, stream};

/// Keeps the link to one master.
#[derive(Debug)]
pub struct MasterLink {
    keeper: Option<Keeper>,
    /// Turns true when the link is to end.
    close: watch::Sender<bool>,
    /// Turns true when it has ended.
    closed: watch::Sender<bool>,
}

/// Ends a link in good order; answered when it has ended.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct CloseLink;

impl MasterLink {
    /// The link number `link`, to the master at this place among those behind a name.
    pub(super) fn new(
        link: LinkId,
        master: MasterAddress,
        place: usize,
        group: Group,
        listener: Recipient<Heard>,
    ) -> Self {
        let (close, closing) = watch::channel(false);
        let keeper = Keeper { link, master, place, group, listener, closing };
        Self { keeper: Some(keeper), close, closed: watch::channel(false).0 }
    }
}

impl Actor for MasterLink {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let Some(keeper) = self.keeper.take() else { return };
        context.spawn(keeper.keep().into_actor(self).map(|(), actor, _| {
            actor.closed.send_replace(true);
        }));
    }
}

impl Handler<CloseLink> for MasterLink {
    type Result = Pin<Box<dyn Future<Output = ()>>>;

    fn handle(&mut self, _: CloseLink, _: &mut Self::Context) -> Self::Result {
        self.close.send_replace(true);
        let mut closed = self.closed.subscribe();
        Box::pin(async move {
            // An error means that the actor is gone, and the link with it.
            let _ = closed.wait_for(|closed| *closed).await;
        })
    }
}

/// A connection that is up.
struct Line {
    reader: FrameReader,
    writer: FrameWriter,
    grant: Grant,
    /// Held while it is up.
    _claims: (Claim, Option<Claim>),
}

#[derive(Debug)]
struct Keeper {
    link: LinkId,
    master: MasterAddress,
    place: usize,
    group: Group,
    listener: Recipient<Heard>,
    closing: watch::Receiver<bool>,
}

impl Keeper {
    /// Connects again and again, until the link is closed or given up.
    async fn keep(mut self) {
        let mut attempt = 0;
        let mut told = None;
        loop {
            let mut closing = self.closing.clone();
            let connected = tokio::select! {
                connected = self.connect() => connected,
                _ = closing.wait_for(|closing| *closing) => return,
            };
            let error = match connected {
                Ok(line) => {
                    (attempt, told) = (0, None);
                    let error = self.carry(line).await;
                    if matches!(error, LinkError::Finished | LinkError::ListenerGone) {
                        return;
                    }
                    error
                }
                Err(error) => {
                    self.group.attempts.failed(self.link);
                    error
                }
            };
            if let LinkError::Handshake(HandshakeError::Refused(refusal)) = &error
                && refusal.is_final()
            {
                return self.give_up(&error).await;
            }
            self.tell(&mut told, &error);
            let pause = self.pause(attempt, &error);
            attempt += 1;
            tokio::select! {
                () = sleep(pause) => {}
                _ = closing.wait_for(|closing| *closing) => return,
            }
        }
    }

    /// The same reason again and again is said once.
    fn tell(&self, told: &mut Option<String>, error: &LinkError) {
        let is_other_cluster = matches!(
            error,
            LinkError::Handshake(
                HandshakeError::Refuse(Refusal::OtherCluster { .. })
                    | HandshakeError::Refused(Refusal::OtherCluster { .. })
            )
        );
        // It may hold samples of the other one, which nobody else has: so that is for an operator to decide.
        let hint = if is_other_cluster { "; restart this worker if it is to join the other cluster" } else { "" };
        let error = format!("{error}{hint}");
        if told.as_ref() == Some(&error) {
            tracing::debug!(master = %self.master, %error, "no link to a master");
        } else {
            tracing::warn!(master = %self.master, %error, "no link to a master");
            *told = Some(error);
        }
    }

    async fn give_up(&self, error: &LinkError) {
        tracing::error!(master = %self.master, %error, "link to a master is given up");
        self.group.attempts.given_up(self.link);
        let reason = error.to_string().into();
        self.hear(LinkEvent::GivenUp { reason }).await;
    }

    async fn hear(&self, event: LinkEvent) -> bool {
        self.listener.send(Heard { link: self.link, event }).await.is_ok()
    }

    /// Waits longer after a refusal: nothing changes quickly there.
    fn pause(&self, attempt: u32, error: &LinkError) -> Duration {
        let interval = self.group.options.reconnect_interval;
        let least = match error {
            LinkError::Handshake(_) => interval.max(limits::REFUSED_RETRY),
            _ => interval,
        };
        pause(least, attempt, fastrand::u32(..=1_000))
    }

    /// Looks the name up and tries its addresses, beginning with the one at its own place.
    async fn connect(&self) -> Result<Line, LinkError> {
        let options = &self.group.options;
        let resolved = timeout(options.connect_timeout, resolve(&self.master.host, self.master.port)).await;
        let mut addresses = resolved.map_err(|_| LinkError::ConnectTimeout(options.connect_timeout))??;
        if !addresses.is_empty() {
            let first = self.place % addresses.len();
            addresses.rotate_left(first);
        }
        let mut last = LinkError::NoAddressLeft;
        for address in addresses {
            let Some(claim) = self.group.claims.claim(Claimed::Address(address), self.link) else { continue };
            let deadline = options.connect_timeout + limits::HANDSHAKE_DEADLINE;
            match timeout(deadline, self.connect_to(address, claim)).await {
                Ok(Ok(line)) => return Ok(line),
                Ok(Err(error)) => last = error,
                Err(_) => last = LinkError::HandshakeTimeout(deadline),
            }
        }
        Err(last)
    }

    async fn connect_to(&self, address: SocketAddr, claim: Claim) -> Result<Line, LinkError> {
        let options = &self.group.options;
        let tls = options.tls.as_ref();
        let stream = stream::connect(address, &self.master.host, tls, options.connect_timeout).await?;
        let cluster = self.group.cluster.get().copied();
        let hello = WorkerHello { id: options.worker.clone(), incarnation: options.incarnation, cluster };
        let connection = Connection::new(stream.io);
        let mut master = None;
        let check = |grant: &Grant| {
            self.check_cluster(grant)?;
            let name = Arc::clone(&grant.master.name);
            master = self.group.claims.claim(Claimed::Master(Arc::clone(&name)), self.link);
            if master.is_some() { Ok(()) } else { Err(Refusal::LinkedAlready { master: name }) }
        };
        let (connection, grant) = greet::call(connection, Role::Worker(hello), options.secret.as_ref(), check).await?;
        let claims = (claim, master);
        let (reader, writer) = connection.open(grant.protocol, options.idle);
        Ok(Line { reader, writer, grant, _claims: claims })
    }

    /// The first master to answer says which cluster the worker belongs to.
    fn check_cluster(&self, grant: &Grant) -> Result<(), Refusal> {
        let Some(master) = grant.master.cluster else { return Ok(()) };
        let caller = *self.group.cluster.get_or_init(|| master);
        if caller == master { Ok(()) } else { Err(Refusal::OtherCluster { caller, master }) }
    }

    /// Carries messages both ways until the connection ends.
    async fn carry(&mut self, line: Line) -> LinkError {
        // Held here too: a worker that has nothing to say on a link still listens to it.
        let (sender, waiting) = queue();
        let uplink = Uplinker { queue: sender.clone() }.start().recipient();
        let master = Arc::clone(&line.grant.master.name);
        tracing::info!(address = %self.master, %master, "linked to a master");
        self.group.attempts.up(self.link);
        if !self.hear(LinkEvent::Up { master, uplink }).await {
            return LinkError::ListenerGone;
        }
        let error = self.exchange(line, waiting).await;
        self.group.attempts.down(self.link);
        if !self.hear(LinkEvent::Down).await {
            return LinkError::ListenerGone;
        }
        error
    }

    async fn exchange(&self, line: Line, waiting: FrameQueue) -> LinkError {
        let Line { mut reader, writer, _claims, .. } = line;
        let finish = Notify::new();
        let mut closing = self.closing.clone();
        let close = async {
            let _ = closing.wait_for(|closing| *closing).await;
            finish.notify_one();
            std::future::pending::<LinkError>().await
        };
        let ended = tokio::select! {
            error = writer.run(waiting, &finish) => error,
            error = self.receive(&mut reader) => error,
            error = close => error,
        };
        if matches!(ended, LinkError::Finished) {
            // A connection that is closed with unread bytes may lose what was said last, so the master closes it.
            let _ = timeout(limits::LINK_CLOSE_WAIT, async { while reader.next().await.is_ok() {} }).await;
        }
        ended
    }

    async fn receive(&self, reader: &mut FrameReader) -> LinkError {
        loop {
            let said = match reader.next().await.and_then(|frame| said(&frame)) {
                Ok(said) => said,
                Err(error) => return error,
            };
            if let Downlink::Masters(masters) = said {
                let (group, listener) = (self.group.clone(), self.listener.clone());
                actix_rt::spawn(async move { group.learn(masters, listener).await });
                continue;
            }
            if !self.hear(LinkEvent::Says(said)).await {
                return LinkError::ListenerGone;
            }
        }
    }
}

fn said(frame: &Frame) -> Result<Downlink, LinkError> {
    match frame.kind {
        FrameKind::ToWorker => Ok(Downlink::Message(unpack(&frame.body)?)),
        FrameKind::Leadership => Ok(match unpack(&frame.body)? {
            Leadership::Leads { term } => Downlink::Leads { term },
            Leadership::Follows { term } => Downlink::Follows { term },
        }),
        FrameKind::Masters => Ok(Downlink::Masters(unpack(&frame.body)?)),
        other => Err(LinkError::NotAllowed(other)),
    }
}

/// The pause after an attempt: at least the shortest, at most [`limits::RECONNECT_INTERVALS_MAX`] times as long. How much
/// of it is left to chance doubles each time, so that many workers do not come back at once.
fn pause(shortest: Duration, attempt: u32, chance_permille: u32) -> Duration {
    let longest = shortest * limits::RECONNECT_INTERVALS_MAX;
    let spread = (shortest / 2).saturating_mul(1 << attempt.min(16)).min(longest - shortest);
    shortest + spread * chance_permille / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_spread_between_the_interval_and_five_of_it() {
        let second = Duration::from_secs(1);
        for attempt in [0, 1, 5, 1_000] {
            assert_eq!(pause(second, attempt, 0), second);
        }
        assert_eq!(pause(second, 0, 1_000), second * 3 / 2);
        assert_eq!(pause(second, 1, 1_000), second * 2);
        assert_eq!(pause(second, 1_000, 1_000), second * 5);
    }
}
