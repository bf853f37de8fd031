//! HTTP/2 over TLS where the server chooses it in the handshake (ALPN); with others HTTP/1.1 is spoken.
//!
//! A user sends one request at a time, so its connection has one stream at a time.

use std::cell::RefCell;
use std::future::poll_fn;
use std::time::Duration;

use actix_http::header::{CONTENT_LENGTH, COOKIE, HOST, HeaderMap, TRANSFER_ENCODING};
use actix_http::uri::Authority;
use actix_rt::task::JoinHandle;
use akrida_core::limits;
use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use h2::{Reason, RecvStream, SendStream};

use super::connect::UserConnector;
use super::error::HttpError;
use super::lean::content::{Coding, Content, Kept};
use super::lean::{LeanTransport, Usage};
use super::meter::Meter;
use super::request::expects_body;
use super::response::{Response, ResponseHeaders};
use super::stream::Stream;
use super::target::Target;
use super::transport::{Exchange, Transport};
use super::{HeaderName, HeaderValue};

/// One user's connections.
pub(super) struct Http2Transport {
    connector: UserConnector,
    /// For servers that do not choose HTTP/2.
    lean: LeanTransport,
    connections: RefCell<Vec<Connection>>,
}

/// A connection of HTTP/2. It closes when it is dropped and its last stream has ended.
struct Connection {
    authority: Authority,
    requests: SendRequest<Bytes>,
    /// Carries the frames; it ends with the connection.
    driver: JoinHandle<()>,
    usage: Usage,
}

/// Bytes that a server may send before it is told that they were read.
const WINDOW_BYTES: u32 = 1024 * 1024;

impl Http2Transport {
    pub(super) fn new(connector: UserConnector) -> Self {
        Self { lean: LeanTransport::new(connector.clone()), connector, connections: RefCell::default() }
    }

    /// A connection to the server on which a request may be begun.
    fn kept(&self, target: &Target) -> Option<SendRequest<Bytes>> {
        let mut connections = self.connections.borrow_mut();
        connections.retain(|kept| !kept.driver.is_finished() && !kept.usage.is_worn(&self.connector.rules));
        let kept = connections.iter_mut().find(|kept| kept.authority == *target.authority())?;
        kept.usage = kept.usage.and_one_more();
        Some(kept.requests.clone())
    }

    /// Begins to speak HTTP/2 on a new connection.
    async fn adopt(&self, stream: Stream, target: &Target) -> Result<SendRequest<Bytes>, HttpError> {
        let mut builder = Builder::new();
        builder.enable_push(false).initial_window_size(WINDOW_BYTES).initial_connection_window_size(WINDOW_BYTES);
        builder.max_header_list_size(limits::RESPONSE_HEAD_BYTES_MAX as u32);
        let begun = builder.handshake(stream).await;
        let (requests, connection) = begun.map_err(|error| failure(&error, &self.connector.meter))?;
        let driver = actix_rt::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection of HTTP/2 has ended");
            }
        });
        let (authority, usage) = (target.authority().clone(), Usage::new().and_one_more());
        let mut connections = self.connections.borrow_mut();
        if connections.len() >= self.connector.network.idle_servers_max {
            connections.remove(0);
        }
        connections.push(Connection { authority, requests: requests.clone(), driver, usage });
        Ok(requests)
    }

    fn forget(&self, target: &Target) {
        self.connections.borrow_mut().retain(|kept| kept.authority != *target.authority());
    }
}

impl Transport for Http2Transport {
    async fn exchange(&self, exchange: &Exchange<'_>) -> Result<Response, HttpError> {
        let (target, meter) = (exchange.target, &*self.connector.meter);
        if !target.https() || self.lean.keeps_connection_to(target) {
            return self.lean.exchange(exchange).await;
        }
        meter.begin_exchange(true, Duration::ZERO);
        let requests = match self.kept(target) {
            Some(requests) => requests,
            None => {
                let stream = self.connector.connect(target.authority().host(), target.port(), false).await?;
                if !stream.is_http2() {
                    return self.lean.exchange_on(&mut Some((stream, Usage::new())), exchange).await;
                }
                self.adopt(stream, target).await?
            }
        };
        let result = converse(requests, exchange, meter).await;
        // Streams that are reset leave their connection alone; whatever else is wrong is wrong with the connection.
        if !matches!(result, Ok(_) | Err(HttpError::Http2(_) | HttpError::UndecodableBody)) {
            self.forget(target);
        }
        result
    }
}

async fn converse(requests: SendRequest<Bytes>, exchange: &Exchange<'_>, meter: &Meter) -> Result<Response, HttpError> {
    let failed = |error: h2::Error| failure(&error, meter);
    let body = exchange.request.body.as_ref().filter(|body| exchange.with_body && !body.is_empty());
    let head = head(exchange).map_err(|error| HttpError::InvalidRequest(error.to_string().into()))?;
    let mut requests = requests.ready().await.map_err(failed)?;
    let (response, stream) = requests.send_request(head, body.is_none()).map_err(failed)?;
    meter.on_write(1);
    let is_sent = match body {
        Some(body) => send_body(stream, body.clone()).await,
        None => true,
    };
    if is_sent {
        meter.on_flushed();
    }
    let (head, content) = response.await.map_err(failed)?.into_parts();
    meter.on_read(1);
    let mut headers = HeaderMap::new();
    for (name, value) in &head.headers {
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let coding = head.headers.get("content-encoding").map_or(Coding::Identity, |value| Coding::of(value.as_bytes()));
    let mut kept = if exchange.request.keep_body { Content::new(coding, None) } else { Content::Unwanted };
    let content_bytes = read_body(content, &mut kept, meter).await?;
    let kept = if content_bytes > 0 { kept.finish()? } else { Kept::default() };
    Ok(Response {
        status: head.status.as_u16(),
        headers: ResponseHeaders::new(headers),
        body: kept.bytes.into(),
        body_cut: kept.cut,
        content_bytes,
    })
}

/// Request line and headers. What speaks of the connection has no place in HTTP/2 (RFC 9113, section 8.2.2).
fn head(exchange: &Exchange<'_>) -> Result<http::Request<()>, http::Error> {
    let path = exchange.target.uri().path_and_query().map_or("/", |path| path.as_str());
    let of_host = exchange.headers().find(|(name, _)| *name == HOST).map(|(_, value)| value);
    let authority = of_host.unwrap_or(exchange.target.host_header()).as_bytes();
    let uri = http::Uri::builder().scheme("https").authority(authority).path_and_query(path).build()?;
    let mut request = http::Request::builder().method(exchange.method.as_str()).uri(uri);
    let no_place = ["connection", "keep-alive", "proxy-connection", "upgrade", "te"];
    let mut own_cookies = Vec::new();
    for (name, value) in exchange.headers() {
        let dropped = *name == HOST || *name == CONTENT_LENGTH || *name == TRANSFER_ENCODING;
        if *name == COOKIE {
            own_cookies.push(value.as_bytes());
        } else if !dropped && !no_place.contains(&name.as_str()) {
            request = request.header(name.as_str(), value.as_bytes());
        }
    }
    own_cookies.extend(exchange.cookie.as_ref().map(HeaderValue::as_bytes));
    if !own_cookies.is_empty() {
        request = request.header("cookie", own_cookies.join(&b"; "[..]));
    }
    let length = exchange.request.body.as_ref().filter(|_| exchange.with_body).map(Bytes::len);
    if let Some(length) = length.or(expects_body(exchange.method).then_some(0)) {
        request = request.header("content-length", length);
    }
    request.version(http::Version::HTTP_2).body(())
}

/// Sends a body as the server takes it. Whether it took all: one that answers before may leave the rest.
async fn send_body(mut stream: SendStream<Bytes>, mut body: Bytes) -> bool {
    while !body.is_empty() {
        stream.reserve_capacity(body.len());
        let Some(Ok(room)) = poll_fn(|cx| stream.poll_capacity(cx)).await else { return false };
        let piece = body.split_to(room.min(body.len()));
        if stream.send_data(piece, body.is_empty()).is_err() {
            return false;
        }
    }
    true
}

/// Reads a body to its end; its length as it was sent.
async fn read_body(mut body: RecvStream, kept: &mut Content, meter: &Meter) -> Result<u64, HttpError> {
    let mut bytes = 0;
    while let Some(piece) = body.data().await {
        let piece = piece.map_err(|error| failure(&error, meter))?;
        bytes += piece.len() as u64;
        kept.push(&piece)?;
        // It was read, so the server may send as much again; this fails only if the stream has ended.
        let _ = body.flow_control().release_capacity(piece.len());
    }
    Ok(bytes)
}

fn failure(error: &h2::Error, meter: &Meter) -> HttpError {
    let has_answered = meter.first_byte().is_some();
    let refused = error.is_go_away() || error.reason() == Some(Reason::REFUSED_STREAM);
    if error.is_remote() && refused && !has_answered {
        // It says that it did nothing (RFC 9113, sections 6.8 and 8.7).
        meter.on_unprocessed();
        return HttpError::ClosedBeforeResponse;
    }
    if let Some(error) = error.get_io() {
        return match HttpError::from_io(error) {
            HttpError::EndedEarly | HttpError::ConnectionReset if has_answered => HttpError::EndedEarly,
            HttpError::EndedEarly => HttpError::ClosedBeforeResponse,
            other => other,
        };
    }
    match error.reason() {
        Some(reason) if error.is_reset() => HttpError::Http2(format!("stream reset ({reason:?})").into()),
        Some(reason) => HttpError::Http2(format!("{reason:?}").into()),
        None => HttpError::Http2(error.to_string().into()),
    }
}
