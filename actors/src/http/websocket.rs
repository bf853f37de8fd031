//! A WebSocket (RFC 6455): its handshake and its messages. No type of the library behind it leaves this module.

use std::collections::VecDeque;
use std::time::Instant;

use actix_http::ws::{CloseCode, OpCode, Parser, ProtocolError, hash_key};
use akrida_core::limits;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::connect::UserConnector;
use super::error::HttpError;
use super::lean::header_block::HeaderBlock;
use super::lean::{head, request_bytes};
use super::stream::Stream;
use super::transport::Exchange;
use crate::observe::{Event, Sent};

/// An open WebSocket.
pub struct WebSocket {
    stream: Stream,
    input: BytesMut,
    /// Frames that are not written yet; a future that was dropped may leave the rest of one.
    output: BytesMut,
    /// The beginning of a message that comes in several frames.
    unfinished: Option<BytesMut>,
    inbox: VecDeque<Message>,
    inbox_bytes: usize,
    /// Why nothing more will come.
    ended: Option<HttpError>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When it was read.
    pub at: Instant,
    /// Its content, be it text or not.
    pub content: Bytes,
}

/// Appends the request that opens a WebSocket, for this key.
fn write_opening(out: &mut Vec<u8>, exchange: &Exchange<'_>, key: &str) {
    request_bytes::write_head(out, exchange);
    // In front of the empty line.
    out.truncate(out.len() - 2);
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ";
    for part in [upgrade, key, "\r\n\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Opens a WebSocket on a connection of its own.
pub(super) async fn open(connector: &UserConnector, exchange: &Exchange<'_>) -> Result<WebSocket, HttpError> {
    let (meter, target) = (&connector.meter, exchange.target);
    meter.begin_exchange(target.https(), std::time::Duration::ZERO);
    let mut stream = connector.connect(target.authority().host(), target.port(), true).await?;
    let key = BASE64.encode(fastrand::u128(..).to_ne_bytes());
    let mut opening = Vec::new();
    write_opening(&mut opening, exchange, &key);
    if let Some(observer) = &connector.network.observer {
        let head = String::from_utf8_lossy(&opening).into_owned();
        let url = target.url().map_or_else(|| target.uri().to_string(), ToString::to_string);
        observer.see(&Event::Sends(&Sent { url: url.into(), head, body: None }));
    }
    meter.on_write(0);
    let failed = |error: std::io::Error| HttpError::from_io(&error);
    stream.write_all(&opening).await.map_err(failed)?;
    meter.on_write(opening.len());
    stream.flush().await.map_err(failed)?;
    meter.on_flushed();
    let mut input = BytesMut::new();
    let (status, length) = loop {
        if let Some(head) = head::parse(&input, false)? {
            break (head.status, head.bytes);
        }
        let read = stream.read_buf(&mut input).await.map_err(failed)?;
        meter.on_read(read);
        if read == 0 {
            return Err(if input.is_empty() { HttpError::ClosedBeforeResponse } else { HttpError::EndedEarly });
        }
    };
    if status != 101 {
        return Err(HttpError::NoWebSocket(status));
    }
    let answer = HeaderBlock::new(&input.split_to(length));
    if answer.values("sec-websocket-accept").next() != Some(&hash_key(key.as_bytes())) {
        return Err(HttpError::InvalidWebSocket);
    }
    let (output, unfinished, inbox) = (BytesMut::new(), None, VecDeque::new());
    Ok(WebSocket { stream, input, output, unfinished, inbox, inbox_bytes: 0, ended: None })
}

impl WebSocket {
    /// Sends a text message. It is written when this returns.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, text: &str) -> Result<(), HttpError> {
        Parser::write_message(&mut self.output, text, OpCode::Text, true, true);
        self.flush().await
    }

    /// The next message. May be dropped at any time; nothing is lost then.
    ///
    /// # Errors
    /// When the connection has ended, or what comes is no message.
    pub async fn receive(&mut self) -> Result<Message, HttpError> {
        if let Some(message) = self.inbox.pop_front() {
            self.inbox_bytes -= message.content.len();
            return Ok(message);
        }
        self.read().await
    }

    /// Reads and keeps messages for as long as it is polled, within bounds, and answers pings.
    ///
    /// # Errors
    /// Never returns but with an error, as [`Self::receive`].
    pub async fn keep_reading(&mut self) -> HttpError {
        loop {
            let full = self.inbox.len() >= limits::WEBSOCKET_MESSAGES_KEPT_MAX
                || self.inbox_bytes >= limits::BODY_KEPT_BYTES_MAX;
            if full {
                std::future::pending::<()>().await;
            }
            match self.read().await {
                Ok(message) => {
                    self.inbox_bytes += message.content.len();
                    self.inbox.push_back(message);
                }
                Err(error) => return error,
            }
        }
    }

    /// Says goodbye and waits until the peer has done so, or has gone.
    pub async fn close(mut self) {
        Parser::write_close(&mut self.output, Some(CloseCode::Normal.into()), true);
        if self.flush().await.is_err() {
            return;
        }
        while self.read().await.is_ok() {}
        // The peer has gone or is about to: nothing more is to be learnt.
        let _ = self.stream.shutdown().await;
    }

    async fn flush(&mut self) -> Result<(), HttpError> {
        let failed = |error: std::io::Error| HttpError::from_io(&error);
        self.stream.write_all_buf(&mut self.output).await.map_err(failed)?;
        self.stream.flush().await.map_err(failed)
    }

    /// The next message from the wire; once it has failed, the same failure again.
    async fn read(&mut self) -> Result<Message, HttpError> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        let read = self.read_message().await;
        self.ended = read.as_ref().err().cloned();
        read
    }

    async fn read_message(&mut self) -> Result<Message, HttpError> {
        loop {
            if announces_too_much(&self.input) {
                return Err(HttpError::InvalidWebSocket);
            }
            if let Some((finished, code, content)) =
                Parser::parse(&mut self.input, false, limits::BODY_KEPT_BYTES_MAX).map_err(|error| broken(&error))?
            {
                let content = content.unwrap_or_default();
                if let Some(content) = self.take_frame(finished, code, content)? {
                    return Ok(Message { at: Instant::now(), content });
                }
                continue;
            }
            if !self.output.is_empty() {
                self.flush().await?;
            }
            let read = self.stream.read_buf(&mut self.input).await;
            if read.map_err(|error| HttpError::from_io(&error))? == 0 {
                return Err(HttpError::WebSocketClosed(None));
            }
        }
    }

    /// Takes a frame; a message that is complete with it.
    fn take_frame(&mut self, finished: bool, code: OpCode, content: BytesMut) -> Result<Option<Bytes>, HttpError> {
        match code {
            OpCode::Ping => Parser::write_message(&mut self.output, content, OpCode::Pong, true, true),
            OpCode::Pong => {}
            OpCode::Close => {
                let reason = Parser::try_parse_close_payload(&content).map_err(|error| broken(&error))?;
                return Err(HttpError::WebSocketClosed(reason.map(|reason| reason.code.into())));
            }
            OpCode::Text | OpCode::Binary if self.unfinished.is_none() => {
                if finished {
                    return Ok(Some(content.freeze()));
                }
                self.unfinished = Some(content);
            }
            OpCode::Continue => {
                let unfinished = self.unfinished.as_mut().ok_or(HttpError::InvalidWebSocket)?;
                if unfinished.len() + content.len() > limits::BODY_KEPT_BYTES_MAX {
                    return Err(HttpError::InvalidWebSocket);
                }
                unfinished.extend_from_slice(&content);
                if finished {
                    return Ok(self.unfinished.take().map(BytesMut::freeze));
                }
            }
            OpCode::Text | OpCode::Binary | OpCode::Bad => return Err(HttpError::InvalidWebSocket),
        }
        Ok(None)
    }
}

/// Whether the frame at the front is longer than a message may be. The parser would first read it all.
fn announces_too_much(input: &[u8]) -> bool {
    // Lengths beyond 65 535 have eight bytes, which 127 announces (RFC 6455, section 5.2).
    let Some((&[_, second], rest)) = input.split_first_chunk() else { return false };
    let Some(length) = rest.first_chunk().filter(|_| second & 0x7f == 0x7f) else { return false };
    u64::from_be_bytes(*length) > limits::BODY_KEPT_BYTES_MAX as u64
}

fn broken(_: &ProtocolError) -> HttpError {
    HttpError::InvalidWebSocket
}
