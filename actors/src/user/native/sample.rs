//! Requests of protocols of one's own.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

use bytes::Bytes;

use super::error::text_of;
use crate::http::error::{GeneratorFault, HttpError};

/// A request that was measured elsewhere, for [`UserContext::record`](super::UserContext::record).
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    pub(super) method: &'a str,
    pub(super) name: &'a str,
    pub(super) latency: Duration,
    pub(super) content_bytes: u64,
    pub(super) failure: Option<Cow<'a, str>>,
}

impl<'a> Sample<'a> {
    /// A request that passed and brought no bytes. Method and name are those of its line in the statistics, such as
    /// `MQTT` and `publish`.
    #[must_use]
    pub fn new(method: &'a str, name: &'a str, latency: Duration) -> Self {
        Self { method, name, latency, content_bytes: 0, failure: None }
    }

    /// Bytes that came back.
    #[must_use]
    pub fn content_bytes(mut self, bytes: u64) -> Self {
        self.content_bytes = bytes;
        self
    }

    /// It failed, for this reason. Equal reasons are counted together, so keep numbers that differ out of it.
    #[must_use]
    pub fn failed(mut self, reason: impl Into<Cow<'a, str>>) -> Self {
        self.failure = Some(reason.into());
        self
    }
}

/// What a request brought, as far as the statistics are concerned: how many bytes. Implement it for what your client
/// gives; a connection, for example, is none.
pub trait Content {
    /// The bytes.
    fn content_bytes(&self) -> u64 {
        0
    }
}

impl Content for () {}

/// A number stands for that many bytes.
impl Content for usize {
    fn content_bytes(&self) -> u64 {
        *self as u64
    }
}

/// A number stands for that many bytes.
impl Content for u64 {
    fn content_bytes(&self) -> u64 {
        *self
    }
}

macro_rules! content_by_length {
    ($($kind:ty),*) => {
        $(impl Content for $kind {
            fn content_bytes(&self) -> u64 {
                self.len() as u64
            }
        })*
    };
}

content_by_length!(Bytes, String, Vec<u8>, &str, &[u8]);

impl<T: Content> Content for Option<T> {
    fn content_bytes(&self) -> u64 {
        self.as_ref().map_or(0, T::content_bytes)
    }
}

/// What an error of a client amounts to.
pub(super) enum ClientError {
    /// This machine is at its limit.
    Generator(GeneratorFault),
    /// The request failed.
    Failure(String),
}

/// Judges an error. Those of sockets get the texts that HTTP requests have.
pub(super) fn judged(error: &(dyn Error + 'static)) -> ClientError {
    let mut next = Some(error);
    while let Some(current) = next {
        let of_system = current.downcast_ref::<std::io::Error>().filter(|error| error.raw_os_error().is_some());
        if let Some(found) = of_system.map(HttpError::from_io) {
            return match found.generator_fault() {
                Some(fault) => ClientError::Generator(fault),
                None => ClientError::Failure(found.to_string()),
            };
        }
        next = current.source();
    }
    ClientError::Failure(text_of(error))
}

#[cfg(test)]
mod tests {
    use std::io;

    use nix::errno::Errno;

    use super::*;

    fn text(error: impl Into<Box<dyn Error>>) -> String {
        match judged(&*error.into()) {
            ClientError::Generator(fault) => format!("generator: {fault}"),
            ClientError::Failure(text) => text,
        }
    }

    #[test]
    fn errors_of_sockets_are_told_as_those_of_http_are() {
        assert_eq!(text(io::Error::from(Errno::ECONNREFUSED)), "connection refused");
        assert_eq!(text(io::Error::from(Errno::EMFILE)), "generator: too many open files in this process");
        assert_eq!(text(io::Error::other("half a frame")), "half a frame");
        assert_eq!(text("no such topic"), "no such topic");
    }
}
