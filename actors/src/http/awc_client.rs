//! The transport on awc. No type of awc leaves this module.
//!
//! awc keeps the connections and speaks HTTP/1.1; names, TCP and TLS are ours ([`super::connect`]), because awc's own
//! connector neither measures nor reports them. It is therefore always given the scheme `http`, and our connector
//! encrypts where the [`Meter`] says so.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use actix_http::Version;
use actix_http::encoding::Decoder;
use actix_http::error::{ParseError, PayloadError};
use actix_http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, COOKIE, HOST, HeaderMap, TRANSFER_ENCODING};
use actix_http::uri::Authority;
use akrida_core::limits;
use awc::error::{ConnectError, SendRequestError};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};

use super::connect::UserConnector;
use super::error::HttpError;
use super::meter::Meter;
use super::request::expects_body;
use super::response::{Response, ResponseHeaders};
use super::transport::{Exchange, Transport};
use super::{HeaderValue, Method};

/// One user's awc client.
pub(super) struct AwcTransport {
    connector: UserConnector,
    client: RefCell<awc::Client>,
    last_used: Cell<Option<Instant>>,
    /// The server of the last exchange, and how many servers got a connection since the client was made.
    last_server: RefCell<Option<Authority>>,
    servers: Cell<usize>,
    /// When the first request was sent since the client was made, and how many were: what its oldest connection may
    /// have been through.
    renewed: Cell<Option<Instant>>,
    requests: Cell<u64>,
}

/// Longer than any run: awc's own limits on waiting and on the age of connections are not ours.
const NEVER: Duration = Duration::from_secs(10 * 365 * 86_400);

impl AwcTransport {
    pub(super) fn new(connector: UserConnector) -> Self {
        Self {
            client: RefCell::new(client(connector.clone())),
            connector,
            last_used: Cell::new(None),
            last_server: RefCell::new(None),
            servers: Cell::new(0),
            renewed: Cell::new(None),
            requests: Cell::new(0),
        }
    }

    fn meter(&self) -> &Meter {
        &self.connector.meter
    }

    fn prepare(&self, exchange: &Exchange<'_>) -> awc::ClientRequest {
        let request = self.client.borrow().request(exchange.method.clone(), exchange.target.uri().clone());
        // awc asks for compression and undoes it, or neither. We ask only where the scenario does, and always undo it.
        let mut request = request.no_decompress();
        let headers = request.headers_mut();
        let mut close = false;
        for (name, value) in exchange.headers() {
            // awc writes its own `Connection` and drops any other.
            close |= *name == CONNECTION && value.as_bytes().eq_ignore_ascii_case(b"close");
            headers.append(name.clone(), value.clone());
        }
        if !headers.contains_key(HOST) {
            headers.insert(HOST, exchange.target.host_header().clone());
        }
        if let Some(cookie) = &exchange.cookie {
            let both = headers.get(COOKIE).map(|own| [own.as_bytes(), b"; ", cookie.as_bytes()].concat());
            let both = both.and_then(|both| HeaderValue::from_bytes(&both).ok());
            headers.insert(COOKIE, both.unwrap_or_else(|| cookie.clone()));
        }
        if close { request.force_close() } else { request }
    }

    async fn run(&self, exchange: &Exchange<'_>) -> Result<Response, HttpError> {
        let request = self.prepare(exchange);
        let body = exchange.request.body.as_ref().filter(|_| exchange.with_body);
        let sent = match body {
            Some(body) => request.send_body(body.clone()),
            None if expects_body(exchange.method) => request.send_body(Bytes::new()),
            None => request.send_body(actix_http::body::None::new()),
        };
        let response = sent.await.map_err(|error| self.send_error(error))?;
        let mut headers = HeaderMap::new();
        let response = response.map_body(|head, payload| {
            headers = std::mem::take(&mut head.headers);
            payload
        });
        let status = response.status().as_u16();
        if let Some(what) = unreadable(&response, &headers, exchange.method) {
            // The rest of the response is still on its way over the connection that awc has put back.
            self.renew();
            return Err(HttpError::Unsupported(what));
        }
        // Without a length the end of the connection is the end of the body (RFC 9112, section 6.3).
        let ends_with_connection = !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING);
        let keep = exchange.request.keep_body;
        // A body that nobody looks at is not decoded.
        let decode = keep && headers.contains_key(CONTENT_ENCODING);
        let content_bytes = Cell::new(0_u64);
        let counted = response.inspect_ok(|chunk| content_bytes.set(content_bytes.get() + chunk.len() as u64));
        let read = if decode {
            read_body(Decoder::from_headers(counted, &headers), keep).await
        } else {
            read_body(counted, keep).await
        };
        // awc takes the end of the connection for the end of any body.
        if self.meter().ended() && !ends_with_connection {
            return Err(HttpError::EndedEarly);
        }
        let (body, body_cut) = read.map_err(|error| payload_error(&error, decode))?;
        let headers = ResponseHeaders::new(headers);
        Ok(Response { status, headers, body, body_cut, content_bytes: content_bytes.get() })
    }

    fn send_error(&self, error: SendRequestError) -> HttpError {
        if let Some(error) = self.meter().take_connect_error() {
            return error;
        }
        match error {
            SendRequestError::Connect(ConnectError::Io(error)) | SendRequestError::Send(error) => {
                HttpError::from_io(&error)
            }
            // The connection ended: before the first byte, or within the head.
            _ if self.meter().ended() && self.meter().first_byte().is_none() => HttpError::ClosedBeforeResponse,
            _ if self.meter().ended() => HttpError::EndedEarly,
            SendRequestError::Response(ParseError::Io(error)) => HttpError::from_io(&error),
            SendRequestError::Response(_) => HttpError::InvalidResponse,
            other => HttpError::InvalidRequest(other.to_string().into()),
        }
    }

    /// awc keeps an idle connection for every server it has ever talked to. A user that wanders over many servers
    /// starts with a new client every so often.
    fn bound_idle_connections(&self, exchange: &Exchange<'_>) {
        let authority = exchange.target.authority();
        if self.last_server.borrow().as_ref() == Some(authority) {
            return;
        }
        if self.servers.get() >= self.connector.network.idle_servers_max {
            self.renew();
        }
        *self.last_server.borrow_mut() = Some(authority.clone());
        self.servers.set(self.servers.get() + 1);
    }

    /// Drops all connections once the rules say so of any of them.
    fn drop_worn_connections(&self) {
        let age = self.renewed.get().map_or(Duration::ZERO, |renewed| renewed.elapsed());
        if self.connector.rules.is_worn(age, self.requests.get()) {
            self.renew();
        }
        if self.renewed.get().is_none() {
            self.renewed.set(Some(Instant::now()));
        }
        self.requests.set(self.requests.get() + 1);
    }

    /// Drops all connections.
    fn renew(&self) {
        *self.client.borrow_mut() = client(self.connector.clone());
        self.servers.set(0);
        self.renewed.set(None);
        self.requests.set(0);
    }
}

impl Transport for AwcTransport {
    async fn exchange(&self, exchange: &Exchange<'_>) -> Result<Response, HttpError> {
        self.bound_idle_connections(exchange);
        self.drop_worn_connections();
        let idle = self.last_used.get().map_or(Duration::ZERO, |last| last.elapsed());
        self.meter().begin_exchange(exchange.target.https(), idle);
        let result = self.run(exchange).await;
        self.last_used.set(Some(Instant::now()));
        result
    }
}

fn client(connector: UserConnector) -> awc::Client {
    let connector =
        awc::Connector::new().connector(connector).timeout(NEVER).conn_keep_alive(NEVER).conn_lifetime(NEVER).limit(1);
    awc::Client::builder().connector(connector).disable_redirects().disable_timeout().no_default_headers().finish()
}

/// What awc misreads in silence: it takes an interim response for the final one, and a body that ends with the connection
/// for an empty one unless the version is 1.0. A failure is better than a wrong measurement.
fn unreadable<S>(response: &awc::ClientResponse<S>, headers: &HeaderMap, method: &Method) -> Option<&'static str> {
    let status = response.status();
    if status.is_informational() {
        return Some("an interim response");
    }
    let has_no_body = *method == Method::HEAD || matches!(status.as_u16(), 204 | 304);
    let has_length = headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
    let ends_with_connection = response.version() == Version::HTTP_11 && !has_no_body && !has_length;
    ends_with_connection.then_some("a response without a length")
}

/// Reads a body to its end: what is kept of it, and whether it was longer than that.
async fn read_body<S>(mut body: S, keep: bool) -> Result<(Bytes, bool), PayloadError>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let (mut first, mut kept, mut cut) = (Bytes::new(), BytesMut::new(), false);
    while let Some(chunk) = body.next().await {
        let mut chunk = chunk?;
        if !keep {
            continue;
        }
        let room = limits::BODY_KEPT_BYTES_MAX - first.len() - kept.len();
        cut |= chunk.len() > room;
        chunk.truncate(room);
        // Most bodies come in one piece, which is kept without a copy.
        if first.is_empty() && kept.is_empty() {
            first = chunk;
        } else {
            kept.extend_from_slice(&std::mem::take(&mut first));
            kept.extend_from_slice(&chunk);
        }
    }
    Ok((if kept.is_empty() { first } else { kept.freeze() }, cut))
}

fn payload_error(error: &PayloadError, encoded: bool) -> HttpError {
    match error {
        PayloadError::EncodingCorrupted => HttpError::UndecodableBody,
        PayloadError::Incomplete(None) => HttpError::EndedEarly,
        // Sockets, the reader of chunks and the decoder all report in this way.
        PayloadError::Incomplete(Some(error)) | PayloadError::Io(error) => match error.kind() {
            ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof if encoded => {
                HttpError::UndecodableBody
            }
            ErrorKind::InvalidInput | ErrorKind::InvalidData => HttpError::InvalidResponse,
            _ => HttpError::from_io(error),
        },
        _ => HttpError::InvalidResponse,
    }
}
