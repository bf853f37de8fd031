//! What is in a snapshot: the state of the caller, and the names of the members.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::members::MemberNames;
use super::stored::NamedMember;

/// The data of a snapshot.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    members: Vec<NamedMember>,
    #[serde(with = "serde_bytes")]
    state: Vec<u8>,
}

/// The data of a snapshot from its parts.
pub(super) fn encode(names: &MemberNames, state: &[u8]) -> Bytes {
    let body = Body { members: names.list(), state: state.to_vec() };
    rmp_serde::to_vec(&body).expect("bytes and names can be written").into()
}

/// The parts of a snapshot's data; `None` if it is none.
pub(super) fn decode(data: &[u8]) -> Option<(MemberNames, Bytes)> {
    let body: Body = rmp_serde::from_slice(data).ok()?;
    Some((MemberNames::of(body.members), body.state.into()))
}
