//! How a message becomes the bytes of a frame: msgpack.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A body that is no message of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message cannot be understood: {0}")]
pub struct BodyError(pub String);

/// Packs a message whose two sides have agreed on a protocol version: fields by place.
#[must_use]
pub fn pack(message: &impl Serialize) -> Bytes {
    let packed =
        rmp_serde::to_vec(message).expect("messages have string keys and known lengths, and memory has no errors");
    Bytes::from(packed)
}

/// Packs a message that a build of another version must be able to read: fields by name.
#[must_use]
pub fn pack_named(message: &impl Serialize) -> Bytes {
    let packed = rmp_serde::to_vec_named(message)
        .expect("messages have string keys and known lengths, and memory has no errors");
    Bytes::from(packed)
}

/// Unpacks a message of either form.
///
/// # Errors
/// When the bytes are not such a message.
pub fn unpack<T: DeserializeOwned>(body: &[u8]) -> Result<T, BodyError> {
    rmp_serde::from_slice(body).map_err(|error| BodyError(error.to_string()))
}
