//! What is kept as bytes: a byte for the version of the format, then MessagePack.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The format of one kind of thing.
pub(super) struct Format {
    /// What is written, as an error names it.
    pub(super) what: &'static str,
    /// The version that this program writes, and the only one that it reads.
    pub(super) version: u8,
}

/// Bytes that are not what they should be, of a version that this program knows.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The version is another one.
    #[error("{what} of format {found}; this program knows format {known}")]
    Version {
        /// What should have been read.
        what: &'static str,
        /// The version of the bytes.
        found: u8,
        /// The version of this program.
        known: u8,
    },
    /// There is nothing.
    #[error("empty {0}")]
    Empty(&'static str),
    /// It cannot be read.
    #[error("{0} cannot be read")]
    Malformed(&'static str, #[source] rmp_serde::decode::Error),
}

impl Format {
    pub(super) fn write(&self, value: &impl Serialize) -> Vec<u8> {
        let mut bytes = vec![self.version];
        rmp_serde::encode::write(&mut bytes, value).expect("writing to memory does not fail");
        bytes
    }

    /// # Errors
    /// When the bytes are none of this format.
    pub(super) fn read<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, FormatError> {
        let (&found, body) = bytes.split_first().ok_or(FormatError::Empty(self.what))?;
        if found != self.version {
            return Err(FormatError::Version { what: self.what, found, known: self.version });
        }
        rmp_serde::from_slice(body).map_err(|error| FormatError::Malformed(self.what, error))
    }
}
