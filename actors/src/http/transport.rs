//! The interface of an HTTP implementation: one request out, one response back.

use akrida_core::scenario::connection::Proxy;

use super::awc_client::AwcTransport;
use super::connect::UserConnector;
use super::error::HttpError;
use super::http2::Http2Transport;
use super::lean::LeanTransport;
use super::request::Outgoing;
use super::response::Response;
use super::target::Target;
use super::{HeaderName, HeaderValue, Method, TransportKind};

/// One exchange: a request, or a hop of one that is being redirected.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) method: &'a Method,
    pub(crate) target: &'a Target,
    /// The request whose body, headers and settings it has.
    pub(crate) request: &'a Outgoing,
    /// Whether the body and the headers that describe it are sent.
    pub(crate) with_body: bool,
    /// Whether headers that are meant for the first server alone are sent.
    pub(crate) with_secrets: bool,
    /// The proxy that the request is sent to, which then needs to know the server.
    pub(crate) proxy: Option<&'a Proxy>,
    /// The value of `Cookie` from the user's jar.
    pub(crate) cookie: Option<HeaderValue>,
}

/// A user's connections. It does not follow redirects, keep cookies, send twice or time out; it tells its
/// [`Meter`] what happens on the wire, and keeps at most one idle connection a server.
pub(super) trait Transport {
    /// Sends a request and reads the response to its end. May be dropped at any time; then its connection is closed.
    async fn exchange(&self, exchange: &Exchange<'_>) -> Result<Response, HttpError>;
}

/// The implementation that the options ask for.
pub(super) enum AnyTransport {
    Lean(LeanTransport),
    Awc(Box<AwcTransport>),
    Http2(Box<Http2Transport>),
}

impl AnyTransport {
    pub(super) fn new(connector: UserConnector) -> Self {
        match connector.network.transport {
            _ if connector.rules.http2 => Self::Http2(Box::new(Http2Transport::new(connector))),
            // awc cannot name the server in the request line, as a proxy wants it.
            TransportKind::Awc if connector.rules.proxy.is_none() => Self::Awc(Box::new(AwcTransport::new(connector))),
            TransportKind::Lean | TransportKind::Awc => Self::Lean(LeanTransport::new(connector)),
        }
    }
}

impl Transport for AnyTransport {
    async fn exchange(&self, exchange: &Exchange<'_>) -> Result<Response, HttpError> {
        match self {
            Self::Lean(lean) => lean.exchange(exchange).await,
            // Boxed: its future is large, and a user would carry its size for the other one as well.
            Self::Awc(awc) => Box::pin(awc.exchange(exchange)).await,
            Self::Http2(http2) => Box::pin(http2.exchange(exchange)).await,
        }
    }
}

impl Exchange<'_> {
    /// The headers to send, but for `Host`, `Content-Length` and `Cookie`.
    pub(super) fn headers(&self) -> impl Iterator<Item = &(HeaderName, HeaderValue)> {
        use actix_http::header;
        self.request.headers.iter().filter(|(name, _)| {
            let describes_body = *name == header::CONTENT_TYPE
                || *name == header::CONTENT_ENCODING
                || *name == header::CONTENT_LENGTH
                || *name == header::TRANSFER_ENCODING;
            let secret = *name == header::AUTHORIZATION || *name == header::COOKIE || *name == header::HOST;
            (self.with_body || !describes_body) && (self.with_secrets || !secret)
        })
    }
}
