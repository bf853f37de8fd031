//! Handshakes over a connection.

use akrida_core::wire::frame::{Frame, FrameKind};
use akrida_core::wire::handshake::acceptor::{self, Acceptor};
use akrida_core::wire::handshake::initiator::{self, Initiator};
use akrida_core::wire::handshake::refusal::Refusal;
use akrida_core::wire::handshake::secret::Secret;
use akrida_core::wire::handshake::{Grant, HandshakeError, Hello, Nonce, PROTOCOL, Role};
use bytes::Bytes;

use super::connection::Connection;
use super::error::LinkError;

/// A number that nobody can guess.
pub(super) fn nonce() -> Result<Nonce, LinkError> {
    let mut nonce = Nonce::default();
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut nonce).map_err(|_| LinkError::NoRandom)?;
    Ok(nonce)
}

/// Calls a master. It is told when this side refuses, for what `check` knows of it too.
pub(super) async fn call(
    mut connection: Connection,
    role: Role,
    secret: Option<&Secret>,
    check: impl FnOnce(&Grant) -> Result<(), Refusal>,
) -> Result<(Connection, Grant), LinkError> {
    let mut caller = Initiator::new(Hello { protocol: PROTOCOL, role, nonce: nonce()? }, secret);
    connection.write(&caller.hello()).await?;
    loop {
        let answer = connection.read().await?;
        let refusal = match caller.step(&answer) {
            Ok(initiator::Progress::Send(frame)) => {
                connection.write(&frame).await?;
                continue;
            }
            Ok(initiator::Progress::Accepted(grant)) => match check(&grant) {
                Ok(()) => {
                    connection.write(&ping(grant.protocol)).await?;
                    return Ok((connection, grant));
                }
                Err(refusal) => refusal,
            },
            Err(HandshakeError::Refuse(refusal)) => refusal,
            Err(refused) => return Err(refused.into()),
        };
        connection.close_with(&refusal.frame()).await;
        return Err(HandshakeError::Refuse(refusal).into());
    }
}

/// Hears who calls, up to where the caller is verified. A caller that is refused has been told. `claimed` is who it says
/// that it is.
pub(super) async fn hear(
    mut connection: Connection,
    mut master: Acceptor,
    claimed: &mut Option<String>,
) -> Result<(Connection, Acceptor, Role), LinkError> {
    loop {
        let received = connection.read().await?;
        let step = master.step(&received);
        *claimed = master.claimed();
        match step {
            Ok(acceptor::Progress::Send(frame)) => connection.write(&frame).await?,
            Ok(acceptor::Progress::Verified(role)) => return Ok((connection, master, role)),
            Err(HandshakeError::Refuse(refusal)) => return Err(refuse(connection, refusal).await),
            Err(refused) => return Err(refused.into()),
        }
    }
}

/// Lets a verified caller in, once it agrees. Gives the protocol version of all that follows.
pub(super) async fn let_in(mut connection: Connection, mut master: Acceptor) -> Result<(Connection, u8), LinkError> {
    let (accepted, version) = master.accept().expect("the caller is verified");
    connection.write(&accepted).await?;
    let answer = connection.read().await?;
    match answer.kind {
        FrameKind::Ping => Ok((connection, version)),
        FrameKind::Refused => Err(HandshakeError::Refused(Refusal::of(&answer)).into()),
        other => Err(LinkError::NotAllowed(other)),
    }
}

fn ping(version: u8) -> Frame {
    Frame { kind: FrameKind::Ping, version, body: Bytes::new() }
}

/// Tells a caller that it is not wanted.
pub(super) async fn refuse(connection: Connection, refusal: Refusal) -> LinkError {
    connection.close_with(&refusal.frame()).await;
    HandshakeError::Refuse(refusal).into()
}
