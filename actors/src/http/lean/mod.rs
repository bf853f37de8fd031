//! HTTP/1.1 on the socket, for as few instructions and as little memory as a user can cost.
//!
//! - [`wire`]: writes a request and reads a response on a connection
//! - [`request_bytes`]: a request as bytes
//! - [`reader`]: bytes as a response, whatever pieces they come in; it has no socket and no clock. Its parts: [`head`]
//!   (status line, headers, and what they say about the body), [`chunked`], [`content`] (decoded, counted, kept)
//! - [`header_block`]: headers that are looked up in the bytes they came in
//! - [`idle`]: connections that wait for the next request
//!
//! All users of an arbiter write from and read into the same two buffers (`wire::Scratch`). Between two polls a
//! connection has no bytes in user space but an unfinished head, a kept body and an unsent rest of a request.

pub mod chunked;
pub mod content;
pub mod head;
pub mod header_block;
pub mod idle;
pub mod reader;
pub mod request_bytes;
pub mod wire;

use std::cell::RefCell;
use std::time::Duration;

use super::connect::UserConnector;
use super::error::HttpError;
use super::response::Response;
use super::stream::Stream;
use super::target::Target;
use super::transport::{Exchange, Transport};
use idle::IdleConnections;
pub(super) use idle::Usage;
pub(super) use wire::Scratch;

/// One user's connections.
pub(super) struct LeanTransport {
    connector: UserConnector,
    idle: RefCell<IdleConnections>,
}

impl LeanTransport {
    pub(super) fn new(connector: UserConnector) -> Self {
        Self { connector, idle: RefCell::default() }
    }

    /// An idle connection to the server if it can be used, or a new one.
    async fn connection(&self, target: &Target) -> Result<(Stream, Usage), HttpError> {
        let meter = &*self.connector.meter;
        let kept = self.idle.borrow_mut().take(target).filter(|kept| !kept.usage.is_worn(&self.connector.rules));
        let idle_for = kept.as_ref().map_or(Duration::ZERO, |kept| kept.since.elapsed());
        meter.begin_exchange(target.https(), idle_for);
        if let Some(mut kept) = kept
            && !wire::has_input(&mut kept.stream)
            && !(meter.take_probe() && kept.stream.peer_has_ended())
        {
            return Ok((kept.stream, kept.usage));
        }
        let authority = target.authority();
        // Boxed: name look-up and handshake need several times the room of everything else, and only now and then.
        let stream = Box::pin(self.connector.connect(authority.host(), target.port(), false)).await?;
        Ok((stream, Usage::new()))
    }
}

impl Transport for LeanTransport {
    async fn exchange(&self, exchange: &Exchange<'_>) -> Result<Response, HttpError> {
        // Owned by this future until the response is complete: dropped with it, the connection closes.
        let mut connection = Some(self.connection(exchange.target).await?);
        self.exchange_on(&mut connection, exchange).await
    }
}

impl LeanTransport {
    /// Whether a connection to the server waits to be used again.
    pub(super) fn keeps_connection_to(&self, target: &Target) -> bool {
        self.idle.borrow().has(target)
    }

    /// Does an exchange on a connection, and takes it to be used again if it can be. What is left belongs to the caller,
    /// who closes it by dropping it.
    pub(super) async fn exchange_on(
        &self,
        connection: &mut Option<(Stream, Usage)>,
        exchange: &Exchange<'_>,
    ) -> Result<Response, HttpError> {
        let UserConnector { network, meter, .. } = &self.connector;
        let Some((stream, _)) = connection else { return Err(HttpError::ClosedBeforeResponse) };
        let last = wire::write_request(stream, exchange, &network.scratch, meter).await?;
        let received = wire::read_response(stream, exchange, &network.scratch, meter).await?;
        if let Some((stream, usage)) = connection.take().filter(|_| received.reusable && !last) {
            let usage = usage.and_one_more();
            if !usage.is_worn(&self.connector.rules) {
                self.idle.borrow_mut().put(exchange.target, stream, usage, network.idle_servers_max);
            }
        }
        Ok(received.response)
    }
}
