//! The response to an HTTP request.

use std::str::Utf8Error;
use std::time::Duration;

use akrida_core::scenario::response::Headers as _;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::http;

/// A response that was read to its end.
#[derive(Debug)]
pub struct Response {
    pub(super) received: http::response::Response,
    pub(super) elapsed: Duration,
}

impl Response {
    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.received.status
    }

    /// The first value of a header, whatever the case of its name; `None` if it is absent or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.received.headers.header(name)
    }

    /// The value of a cookie that this response sets. It is sent with the next requests by itself.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.received.headers.set_cookie(name)
    }

    /// The body, decoded, up to `limits::BODY_KEPT_BYTES_MAX`.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.received.body
    }

    /// Whether the body was longer than what is kept.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.received.body_cut
    }

    /// The body as text.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn text(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(&self.received.body)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none, or not of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.received.body)
    }

    /// From the start of the request to the last byte, redirects included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}
