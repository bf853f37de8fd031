//! A connection that tells a [`Meter`] what goes over it, for an implementation of HTTP that does its own reading and
//! writing.
//!
//! The measuring sits above TLS, so that a flush is one of the request and not of a handshake.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_rt::net::{ActixStream, Ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::meter::Meter;
use super::stream::Stream;

/// A connection of one user.
pub(super) struct MeteredStream {
    stream: Stream,
    meter: Rc<Meter>,
}

impl MeteredStream {
    pub(super) fn new(stream: Stream, meter: Rc<Meter>) -> Self {
        Self { stream, meter }
    }
}

impl AsyncRead for MeteredStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // The pool reads from an idle connection to see whether it can be used; an end of stream makes it open another.
        if this.meter.take_probe() && this.stream.peer_has_ended() {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buf);
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
        let polled = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.meter.on_write(if let Poll::Ready(Ok(written)) = polled { written } else { 0 });
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_flush(cx);
        if let Poll::Ready(Ok(())) = polled {
            this.meter.on_flushed();
        }
        polled
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl ActixStream for MeteredStream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(self.stream.tcp(), cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(self.stream.tcp(), cx)
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

    use actix_rt::net::TcpStream;
    use futures_util::FutureExt as _;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[actix_rt::test]
    async fn the_end_of_an_idle_connection_is_seen_before_the_event_loop_tells_of_it() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let stream = TcpStream::connect(listener.local_addr().expect("is bound")).await.expect("connects");
        let (peer, _) = listener.accept().expect("accepts");
        let meter = Rc::new(Meter::default());
        let mut stream = MeteredStream::new(Stream::Plain(stream), Rc::clone(&meter));
        meter.begin_exchange(false, Duration::from_secs(1));
        assert!(stream.read_u8().now_or_never().is_none(), "the connection is open");
        drop(peer);
        // The kernel delivers the end within this turn of the event loop.
        while !stream.stream.peer_has_ended() {
            std::thread::yield_now();
        }
        meter.begin_exchange(false, Duration::ZERO);
        assert!(stream.read_u8().now_or_never().is_none(), "without a probe it still looks open");
        meter.begin_exchange(false, Duration::from_secs(1));
        assert!(stream.read_u8().now_or_never().expect("is known").is_err());
    }
}
