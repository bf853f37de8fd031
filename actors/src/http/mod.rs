//! One HTTP client a user, behind one interface.
//!
//! - [`request`] and [`response`]: what goes out and what comes back
//! - [`client`]: what every implementation shares: time-out, redirects, cookies, repeats on a dead connection
//! - [`transport`]: the interface of an implementation, which does one exchange; there are two, held to the same rules:
//!   [`lean`] and [`awc_client`]
//! - [`meter`]: phases of connections and what went over the wire
//! - [`allowed_hosts`]: where requests may go
//! - [`connect`], [`stream`], [`connection`]: connections
//! - [`http2`]: HTTP/2 where a server chooses it
//! - [`websocket`]: WebSockets, on connections of their own
//! - [`proxy`]: tunnels through a proxy
//! - [`dns`], [`tls`]: how a name becomes an address and a certificate is trusted
//!
//! # What counts as an exchange
//! An exchange is a request that was **written in full**: its last byte went into the kernel's socket (over TLS: into
//! the session that was flushed into it), and then it was answered, failed or timed out. So a refused or interrupted
//! connection attempt, a failed handshake and a write that broke off are no exchanges; a reset after the last byte, an
//! answer that is no HTTP and a time-out while waiting are. Every redirect is one more.
//!
//! A server that closes an idle connection while the next request is on its way never reads that request, although it
//! was written in full, and nothing the kernel tells without asking for its acknowledgement counters separates this
//! from a server that read the request and hung up. Therefore an idle connection is asked for a pending end of stream
//! right before it is used again ([`stream`]), which leaves a window of microseconds; within it the repeated
//! request counts twice.
//!
//! Over HTTP/2 a request is written in full when its last frame was handed to the connection. One that the server says
//! it has not looked at (GOAWAY, or a stream that it refused) was not sent.

pub mod allowed_hosts;
pub mod awc_client;
pub mod client;
pub mod connect;
pub mod connection;
pub mod cookies;
pub mod dns;
pub mod error;
pub mod http2;
pub mod lean;
pub mod meter;
pub mod proxy;
pub mod redirect;
pub mod request;
pub mod response;
pub mod stream;
pub mod target;
pub mod tls;
pub mod transport;
pub mod watchdog;
pub mod websocket;

use std::sync::Arc;

pub use actix_http::Method;
pub use actix_http::header::{HeaderName, HeaderValue};

use akrida_core::limits;
use allowed_hosts::AllowedHost;
use dns::{DnsPolicy, KnownAddresses};

/// The `User-Agent` of requests that name none.
pub const USER_AGENT: &str = concat!("akrida/", env!("CARGO_PKG_VERSION"));

/// How users connect. The same for all arbiters of a process.
#[derive(Clone, Debug, Default)]
pub struct HttpOptions {
    /// TLS settings, built by [`tls::build`]; without them an `https` URL is a failure.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// When names are looked up.
    pub dns: DnsPolicy,
    /// Addresses that were looked up before the start, by [`dns::look_up_all`].
    pub addresses: KnownAddresses,
    /// The hosts that requests may go to; any if there is no list.
    pub allowed: Option<Arc<[AllowedHost]>>,
    /// What speaks HTTP.
    pub transport: TransportKind,
    /// How much is kept for later.
    pub kept: KeptMax,
}

/// How much is kept for later requests, at most; each is at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptMax {
    /// Servers to which one user keeps an idle connection.
    pub idle_servers: usize,
    /// Names whose addresses one arbiter remembers.
    pub names: usize,
}

impl Default for KeptMax {
    fn default() -> Self {
        Self { idle_servers: limits::IDLE_SERVERS_MAX, names: limits::RESOLVED_NAMES_MAX }
    }
}

/// The implementations of HTTP/1.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransportKind {
    /// Ours, on the socket.
    #[default]
    Lean,
    /// The client of actix-web.
    Awc,
}
