//! The caller's side of a handshake.

use bytes::Bytes;

use super::refusal::Refusal;
use super::secret::{Key, Secret};
use super::{Accepted, Challenge, Grant, HandshakeError, Hello, Proof, frame, out_of_turn, unpack};
use crate::wire::body;
use crate::wire::frame::{Frame, FrameKind};

/// A caller in a handshake.
#[derive(Debug)]
pub struct Initiator {
    hello: Hello,
    hello_body: Bytes,
    key: Option<Key>,
    /// What was proved, once it was.
    challenge: Option<Bytes>,
}

/// How a caller goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Send this and wait for an answer.
    Send(Frame),
    /// The link is up.
    Accepted(Grant),
}

impl Initiator {
    /// A caller with its secret, if it has one.
    #[must_use]
    pub fn new(hello: Hello, secret: Option<&Secret>) -> Self {
        let hello_body = body::pack_named(&hello);
        let key = secret.map(|secret| secret.key(hello.role.kind()));
        Self { hello, hello_body, key, challenge: None }
    }

    /// The first frame.
    #[must_use]
    pub fn hello(&self) -> Frame {
        frame(FrameKind::Hello, self.hello_body.clone())
    }

    /// Takes the master's next frame.
    ///
    /// # Errors
    /// When either side refuses.
    pub fn step(&mut self, answer: &Frame) -> Result<Progress, HandshakeError> {
        match answer.kind {
            FrameKind::Challenge if self.challenge.is_none() => Ok(Progress::Send(self.prove(answer)?)),
            FrameKind::Accepted => Ok(Progress::Accepted(self.check(answer)?)),
            _ => Err(out_of_turn(answer)),
        }
    }

    fn prove(&mut self, challenge: &Frame) -> Result<Frame, Refusal> {
        let _: Challenge = unpack(challenge)?;
        let key = self.key.as_ref().ok_or(Refusal::SecretMissing)?;
        let mac = key.caller_proof(&self.hello_body, &challenge.body);
        self.challenge = Some(challenge.body.clone());
        Ok(frame(FrameKind::Proof, body::pack_named(&Proof { mac })))
    }

    fn check(&self, accepted: &Frame) -> Result<Grant, Refusal> {
        let accepted: Accepted = unpack(accepted)?;
        if let Some(key) = &self.key {
            let challenge = self.challenge.as_ref().ok_or(Refusal::SecretUnused)?;
            let mac = accepted.mac.ok_or(Refusal::MasterUnproven)?;
            if !key.is_master_proof(&mac, &self.hello_body, challenge, &accepted.grant) {
                return Err(Refusal::MasterUnproven);
            }
        }
        let grant: Grant = body::unpack(&accepted.grant).map_err(|error| Refusal::Garbled(error.0))?;
        if !self.hello.protocol.contains(grant.protocol) {
            let master = super::ProtocolRange { min: grant.protocol, max: grant.protocol };
            return Err(Refusal::NoCommonProtocol { caller: self.hello.protocol, master });
        }
        match (self.hello.role.cluster(), grant.master.cluster) {
            (Some(caller), Some(master)) if caller != master => Err(Refusal::OtherCluster { caller, master }),
            _ => Ok(grant),
        }
    }
}
