//! A request that is ready to be sent.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use super::target::Target;
use super::{HeaderName, HeaderValue, Method};

/// A request with everything rendered. One without templates is built once and shared by all users of an arbiter.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub target: Rc<Target>,
    /// All headers but `Host`, `Content-Length` and the cookies of the user.
    pub headers: Rc<[(HeaderName, HeaderValue)]>,
    /// The body, if there is one.
    pub body: Option<Bytes>,
    /// Time allowed from the start to the last byte of the last response.
    pub timeout: Duration,
    /// Redirects to follow; with 0 a redirect is an ordinary response.
    pub redirects_max: u32,
    /// Whether the body of the response is kept, up to `limits::BODY_KEPT_BYTES_MAX`, or only counted.
    pub keep_body: bool,
}

/// Whether a method may be sent again without asking (RFC 9110, section 9.2.2).
#[must_use]
pub fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::PUT | Method::DELETE | Method::OPTIONS | Method::TRACE)
}

/// Whether a request of this method without a body says so with `Content-Length: 0` (RFC 9110, section 8.6).
#[must_use]
pub fn expects_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}
