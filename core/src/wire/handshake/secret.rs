//! Secrets of a cluster and the proofs that a side knows one.
//!
//! Each role proves itself with a key of its own that is derived from the secret, so that a proof of a worker is never
//! one of a master. Where workers get a secret of their own, they do not know what a master's key is derived from.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;

/// A proof: HMAC-SHA-256.
pub type Mac = [u8; 32];

/// What a secret is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleKind {
    /// A worker's.
    Worker,
    /// A master's.
    Peer,
}

impl RoleKind {
    /// For people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Peer => "master",
        }
    }
}

/// A secret that the operator has given to the nodes of a cluster. It is as strong as it is long and random: who records
/// a handshake can try out guesses.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<[u8]>);

/// A secret without a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret must not be empty")]
pub struct EmptySecret;

impl Secret {
    /// A secret.
    ///
    /// # Errors
    /// When it is empty.
    pub fn new(secret: &str) -> Result<Self, EmptySecret> {
        if secret.is_empty() { Err(EmptySecret) } else { Ok(Self(secret.as_bytes().into())) }
    }

    /// The key that callers of a role prove themselves with.
    #[must_use]
    pub fn key(&self, role: RoleKind) -> Key {
        let label: &[u8] = match role {
            RoleKind::Worker => b"akrida link 1: key of workers",
            RoleKind::Peer => b"akrida link 1: key of masters",
        };
        Key(mac_of(&self.0, &[label]).finalize().into_bytes().into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a master expects of its callers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    cluster: Option<Secret>,
    worker: Option<Secret>,
}

/// A secret for workers, and none for masters: then anybody could call himself a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret for workers needs a cluster secret beside it")]
pub struct WorkerSecretAlone;

impl Secrets {
    /// The secret of the cluster, and that of its workers if it is another one.
    ///
    /// # Errors
    /// When there is one for workers only.
    pub fn new(cluster: Option<Secret>, worker: Option<Secret>) -> Result<Self, WorkerSecretAlone> {
        if cluster.is_none() && worker.is_some() { Err(WorkerSecretAlone) } else { Ok(Self { cluster, worker }) }
    }

    /// The secret of the cluster.
    #[must_use]
    pub fn cluster(&self) -> Option<&Secret> {
        self.cluster.as_ref()
    }

    /// The key that callers of a role must know; `None` when they need not prove anything.
    #[must_use]
    pub fn key(&self, role: RoleKind) -> Option<Key> {
        let secret = match role {
            RoleKind::Worker => self.worker.as_ref().or(self.cluster.as_ref()),
            RoleKind::Peer => self.cluster.as_ref(),
        };
        secret.map(|secret| secret.key(role))
    }
}

/// A key for proofs of one role.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

const CALLER: &[u8] = b"akrida link 1: proof of the caller";
const MASTER: &[u8] = b"akrida link 1: proof of the master";

impl Key {
    pub(super) fn caller_proof(&self, hello: &[u8], challenge: &[u8]) -> Mac {
        mac_of(&self.0, &[CALLER, hello, challenge]).finalize().into_bytes().into()
    }

    pub(super) fn is_caller_proof(&self, mac: &Mac, hello: &[u8], challenge: &[u8]) -> bool {
        mac_of(&self.0, &[CALLER, hello, challenge]).verify_slice(mac).is_ok()
    }

    pub(super) fn master_proof(&self, hello: &[u8], challenge: &[u8], grant: &[u8]) -> Mac {
        mac_of(&self.0, &[MASTER, hello, challenge, grant]).finalize().into_bytes().into()
    }

    pub(super) fn is_master_proof(&self, mac: &Mac, hello: &[u8], challenge: &[u8], grant: &[u8]) -> bool {
        mac_of(&self.0, &[MASTER, hello, challenge, grant]).verify_slice(mac).is_ok()
    }
}

/// Each part goes in behind its length, so that no two lists of parts read the same.
fn mac_of(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}
