//! Writes a request and reads a response on a connection, and tells the [`Meter`] about it.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use super::super::Method;
use super::super::error::HttpError;
use super::super::meter::Meter;
use super::super::stream::Stream;
use super::super::transport::Exchange;
use super::reader::{Progress, Received, ResponseReader};
use super::request_bytes::write_head;

/// The buffers that all connections of an arbiter use, never longer than for one poll.
pub(crate) struct Scratch {
    input: RefCell<Box<[u8]>>,
    output: RefCell<Vec<u8>>,
}

/// More than a segment, so that a read is almost always a short one, after which the event loop is not asked in vain.
const INPUT_BYTES: usize = 64 * 1024;

/// A body up to this size is copied behind its head and goes out with it in one piece.
const COPIED_BODY_BYTES_MAX: usize = 4 * 1024;

/// Room that the output buffer keeps from one request to the next.
const OUTPUT_BYTES_KEPT: usize = 64 * 1024;

impl Default for Scratch {
    fn default() -> Self {
        Self { input: RefCell::new(vec![0; INPUT_BYTES].into()), output: RefCell::default() }
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// Whether something came on an idle connection, be it its end. Costs a system call only if the event loop says so.
pub(super) fn has_input(stream: &mut Stream) -> bool {
    let mut byte = [0];
    let mut cx = Context::from_waker(Waker::noop());
    Pin::new(stream).poll_read(&mut cx, &mut ReadBuf::new(&mut byte)).is_ready()
}

/// Writes a request in full. Whether it asks for the connection to be closed.
pub(super) async fn write_request(
    stream: &mut Stream,
    exchange: &Exchange<'_>,
    scratch: &Scratch,
    meter: &Meter,
) -> Result<bool, HttpError> {
    let (close, rest) = poll_fn(|cx| Poll::Ready(begin_request(stream, cx, exchange, scratch, meter))).await?;
    if let Some(mut rest) = rest {
        poll_fn(|cx| rest.poll_write(stream, cx, meter)).await?;
    }
    poll_fn(|cx| Pin::new(&mut *stream).poll_flush(cx)).await.map_err(|error| HttpError::from_io(&error))?;
    meter.on_flushed();
    Ok(close)
}

/// Renders a request into the common buffer and writes as much of it as the kernel takes. What is left gets a buffer of
/// its own.
fn begin_request(
    stream: &mut Stream,
    cx: &mut Context<'_>,
    exchange: &Exchange<'_>,
    scratch: &Scratch,
    meter: &Meter,
) -> Result<(bool, Option<Unsent>), HttpError> {
    let mut output = scratch.output.borrow_mut();
    output.clear();
    let close = write_head(&mut output, exchange);
    let mut body = exchange.request.body.as_ref().filter(|_| exchange.with_body);
    if let Some(small) = body.take_if(|body| body.len() <= COPIED_BODY_BYTES_MAX) {
        output.extend_from_slice(small);
    }
    let written = match poll_write(stream, cx, [&output, body.map_or(&[], |body| body)], meter) {
        Poll::Ready(written) => written?,
        Poll::Pending => 0,
    };
    let all = output.len() + body.map_or(0, Bytes::len);
    let rest = (written < all).then(|| {
        let mut rest = Unsent { head: Bytes::copy_from_slice(&output), body: body.cloned().unwrap_or_default() };
        rest.advance(written);
        rest
    });
    output.shrink_to(OUTPUT_BYTES_KEPT);
    Ok((close, rest))
}

/// What the kernel has not taken yet of a request.
struct Unsent {
    head: Bytes,
    body: Bytes,
}

impl Unsent {
    fn advance(&mut self, written: usize) {
        let of_head = written.min(self.head.len());
        self.head.advance(of_head);
        self.body.advance(written - of_head);
    }

    fn poll_write(&mut self, stream: &mut Stream, cx: &mut Context<'_>, meter: &Meter) -> Poll<Result<(), HttpError>> {
        while !self.head.is_empty() || !self.body.is_empty() {
            let written = ready!(poll_write(stream, cx, [&self.head, &self.body], meter))?;
            self.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

/// Writes two parts, the first before the second, in one system call.
fn poll_write(
    stream: &mut Stream,
    cx: &mut Context<'_>,
    parts: [&[u8]; 2],
    meter: &Meter,
) -> Poll<Result<usize, HttpError>> {
    let stream = Pin::new(stream);
    let polled = match parts {
        [only, []] | [[], only] => stream.poll_write(cx, only),
        both => stream.poll_write_vectored(cx, &both.map(IoSlice::new)),
    };
    meter.on_write(if let Poll::Ready(Ok(written)) = polled { written } else { 0 });
    match ready!(polled) {
        Ok(0) => Poll::Ready(Err(HttpError::from_io(&io::ErrorKind::WriteZero.into()))),
        Ok(written) => Poll::Ready(Ok(written)),
        Err(error) => Poll::Ready(Err(HttpError::from_io(&error))),
    }
}

/// Reads the response to a request that was written in full.
pub(super) async fn read_response(
    stream: &mut Stream,
    exchange: &Exchange<'_>,
    scratch: &Scratch,
    meter: &Meter,
) -> Result<Received, HttpError> {
    let mut reader = ResponseReader::new(*exchange.method == Method::HEAD, exchange.request.keep_body);
    let surplus = poll_fn(|cx| {
        loop {
            let mut input = scratch.input.borrow_mut();
            let mut input = ReadBuf::new(&mut input);
            let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut input));
            if let Some(outcome) = take(&mut reader, read.map(|()| input.filled()), meter) {
                return Poll::Ready(outcome);
            }
        }
    })
    .await?;
    let received = reader.finish()?;
    Ok(Received { reusable: received.reusable && !surplus, ..received })
}

/// Takes the outcome of a read. When the response is complete: whether more came than belongs to it.
fn take(reader: &mut ResponseReader, read: io::Result<&[u8]>, meter: &Meter) -> Option<Result<bool, HttpError>> {
    let clean = match read {
        Ok([]) => true,
        Ok(bytes) => {
            meter.on_read(bytes.len());
            return match reader.feed(bytes) {
                Ok(Progress::Partial) => None,
                Ok(Progress::Complete { surplus }) => Some(Ok(surplus)),
                Err(error) => Some(Err(error)),
            };
        }
        // How rustls reports an end that was not announced.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
        Err(error) => return Some(Err(HttpError::from_io(&error))),
    };
    meter.on_read(0);
    Some(if meter.first_byte().is_none() {
        Err(HttpError::ClosedBeforeResponse)
    } else {
        reader.end(clean).map(|()| true)
    })
}
