//! A connection to a server, plain or TLS, that tells a [`Meter`] what goes over it.
//!
//! The measuring sits above TLS, so that a flush is one of the request and not of a handshake.

use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_rt::net::{ActixStream, Ready, TcpStream};
use actix_tls::connect::rustls_0_23::reexports::AsyncTlsStream;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::meter::Meter;

/// A connection of one user.
pub(super) struct MeteredStream {
    io: Io,
    meter: Rc<Meter>,
}

enum Io {
    Plain(TcpStream),
    /// Boxed: a session is large, and a plain connection should not carry its size.
    Tls(Box<AsyncTlsStream<TcpStream>>),
}

/// Of what waits unread on an idle TLS connection, up to this many bytes are an alert, which announces the end; session
/// tickets, the other thing a server sends unasked, are longer.
const TLS_ALERT_BYTES_MAX: usize = 32;

impl MeteredStream {
    pub(super) fn plain(stream: TcpStream, meter: Rc<Meter>) -> Self {
        Self { io: Io::Plain(stream), meter }
    }

    pub(super) fn tls(stream: AsyncTlsStream<TcpStream>, meter: Rc<Meter>) -> Self {
        Self { io: Io::Tls(Box::new(stream)), meter }
    }

    fn tcp(&self) -> &TcpStream {
        match &self.io {
            Io::Plain(stream) => stream,
            Io::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Whether the peer has ended an idle connection. Asks the kernel, because the event loop learns of it only in its
    /// next turn, and the request would go out before.
    fn peer_has_ended(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); TLS_ALERT_BYTES_MAX];
        match (SockRef::from(self.tcp()).peek(&mut buffer), &self.io) {
            (Ok(0), _) => true,
            // Over plain HTTP an answer that nobody asked for makes the connection unusable.
            (Ok(_), Io::Plain(_)) => true,
            (Ok(waiting), Io::Tls(_)) => waiting < TLS_ALERT_BYTES_MAX,
            (Err(error), _) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }
}

impl AsyncRead for MeteredStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // The pool reads from an idle connection to see whether it can be used; an end of stream makes it open another.
        if this.meter.take_probe() && this.peer_has_ended() {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = match &mut this.io {
            Io::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Io::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        match &polled {
            Poll::Ready(Ok(())) => this.meter.on_read(buf.filled().len() - before),
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => this.meter.on_read(0),
            Poll::Ready(Err(_)) | Poll::Pending => {}
        }
        polled
    }
}

impl AsyncWrite for MeteredStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = match &mut this.io {
            Io::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Io::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        this.meter.on_write(if let Poll::Ready(Ok(written)) = polled { written } else { 0 });
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = match &mut this.io {
            Io::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Io::Tls(stream) => Pin::new(stream).poll_flush(cx),
        };
        if let Poll::Ready(Ok(())) = polled {
            this.meter.on_flushed();
        }
        polled
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Io::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl ActixStream for MeteredStream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(self.tcp(), cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(self.tcp(), cx)
    }
}

impl fmt::Debug for MeteredStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeteredStream").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[actix_rt::test]
    async fn the_end_of_an_idle_connection_is_seen_before_the_event_loop_tells_of_it() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let stream = TcpStream::connect(listener.local_addr().expect("is bound")).await.expect("connects");
        let (peer, _) = listener.accept().expect("accepts");
        let meter = Rc::new(Meter::default());
        let mut stream = MeteredStream::plain(stream, Rc::clone(&meter));
        meter.begin_exchange(false, Duration::from_secs(1));
        assert!(stream.read_u8().now_or_never().is_none(), "the connection is open");
        drop(peer);
        // The kernel delivers the end within this turn of the event loop.
        while !stream.peer_has_ended() {
            std::thread::yield_now();
        }
        meter.begin_exchange(false, Duration::ZERO);
        assert!(stream.read_u8().now_or_never().is_none(), "without a probe it still looks open");
        meter.begin_exchange(false, Duration::from_secs(1));
        assert!(stream.read_u8().now_or_never().expect("is known").is_err());
    }
}
