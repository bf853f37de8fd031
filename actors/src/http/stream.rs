//! A byte stream to a server, plain or TLS.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_rt::net::TcpStream;
use actix_tls::connect::rustls_0_23::reexports::AsyncTlsStream;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// An established connection.
pub(super) enum Stream {
    /// Plain TCP.
    Plain(TcpStream),
    /// Boxed: a session is large, and a plain connection should not carry its size.
    Tls(Box<AsyncTlsStream<TcpStream>>),
}

/// Of what waits unread on an idle TLS connection, up to this many bytes are an alert, which announces the end; session
/// tickets, the other thing a server sends unasked, are longer.
const TLS_ALERT_BYTES_MAX: usize = 32;

impl Stream {
    /// The socket below.
    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Whether both sides agreed on HTTP/2 in the handshake.
    pub(super) fn is_http2(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }

    /// Whether the peer has ended an idle connection. Asks the kernel, because the event loop learns of it only in its
    /// next turn, and the request would go out before.
    pub(super) fn peer_has_ended(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); TLS_ALERT_BYTES_MAX];
        match (SockRef::from(self.tcp()).peek(&mut buffer), self) {
            (Ok(0), _) => true,
            // Over plain HTTP an answer that nobody asked for makes the connection unusable.
            (Ok(_), Self::Plain(_)) => true,
            (Ok(waiting), Self::Tls(_)) => waiting < TLS_ALERT_BYTES_MAX,
            (Err(error), _) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
