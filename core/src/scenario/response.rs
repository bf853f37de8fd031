//! What checks and extractions see of a response.

use std::time::Duration;

/// Access to response headers without copying them.
pub trait Headers {
    /// The first value of a header, case-insensitive; `None` if it is absent or not text.
    fn header(&self, name: &str) -> Option<&str>;
    /// The value of a cookie that this response set.
    fn set_cookie(&self, name: &str) -> Option<String>;
}

/// A response as checks and extractions see it.
#[derive(Clone, Copy)]
pub struct ResponseView<'a> {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: &'a dyn Headers,
    /// The decoded body, up to `limits::BODY_KEPT_BYTES_MAX`.
    pub body: &'a [u8],
    /// Whether the body was longer than what is kept.
    pub body_cut: bool,
    /// From the start of the request to the last byte of the response.
    pub elapsed: Duration,
}
