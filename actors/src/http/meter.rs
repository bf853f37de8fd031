//! What is known of the request under way: shared by a user's client and its connections.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use super::error::HttpError;

/// Counts and times of one user's current exchange, and of the request that it is part of.
///
/// Single-threaded; one exchange at a time. What it holds stays valid when the exchange's future is dropped, which is
/// how a time-out still knows what had happened.
#[derive(Debug, Default)]
pub struct Meter {
    /// Exchanges of this request that are over.
    exchanges_over: Cell<u32>,
    connect: Cell<Option<Duration>>,
    tls: Cell<Option<Duration>>,
    first_byte: Cell<Option<Instant>>,
    /// Whether the exchange is to be encrypted; read by the connector.
    https: Cell<bool>,
    /// Whether a pooled connection is to be asked for a pending end of stream before it is used.
    probe: Cell<bool>,
    opened: Cell<bool>,
    wrote: Cell<bool>,
    flushed: Cell<bool>,
    ended: Cell<bool>,
    connect_error: RefCell<Option<HttpError>>,
}

/// An idle time below which a connection is used again without a probe: no more than one turn of the event loop.
const PROBE_AFTER: Duration = Duration::from_millis(1);

impl Meter {
    /// A new request begins.
    pub fn begin_request(&self) {
        self.exchanges_over.set(0);
        self.connect.set(None);
        self.tls.set(None);
        self.begin_exchange(false, Duration::ZERO);
    }

    /// A new exchange of the request begins, on a connection that may have been idle for this long.
    pub fn begin_exchange(&self, https: bool, idle: Duration) {
        self.first_byte.set(None);
        self.https.set(https);
        self.probe.set(idle > PROBE_AFTER);
        self.opened.set(false);
        self.wrote.set(false);
        self.flushed.set(false);
        self.ended.set(false);
        *self.connect_error.borrow_mut() = None;
    }

    /// The exchange is over, whatever came of it. It counts if its request was written in full.
    pub fn end_exchange(&self) {
        if self.flushed.replace(false) {
            self.exchanges_over.set(self.exchanges_over.get() + 1);
        }
    }

    /// Exchanges of the current request that are over.
    #[must_use]
    pub fn exchanges_over(&self) -> u32 {
        self.exchanges_over.get()
    }

    /// Time spent on establishing connections in this request, name look-up included.
    #[must_use]
    pub fn connect(&self) -> Option<Duration> {
        self.connect.get()
    }

    /// Time spent on TLS handshakes in this request.
    #[must_use]
    pub fn tls(&self) -> Option<Duration> {
        self.tls.get()
    }

    /// When the first byte of the current response came.
    #[must_use]
    pub fn first_byte(&self) -> Option<Instant> {
        self.first_byte.get()
    }

    /// Whether the exchange uses a connection that an earlier one had opened.
    #[must_use]
    pub fn reused(&self) -> bool {
        !self.opened.get()
    }

    /// Whether a byte of the request was written.
    #[must_use]
    pub fn wrote(&self) -> bool {
        self.wrote.get()
    }

    /// Whether the peer ended its side of the connection during the exchange.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended.get()
    }

    pub(super) fn https(&self) -> bool {
        self.https.get()
    }

    pub(super) fn take_probe(&self) -> bool {
        self.probe.take()
    }

    pub(super) fn on_connected(&self, took: Duration) {
        self.connect.set(Some(self.connect.get().unwrap_or_default() + took));
    }

    pub(super) fn on_handshake(&self, took: Duration) {
        self.tls.set(Some(self.tls.get().unwrap_or_default() + took));
    }

    /// A new connection is begun: the exchange reuses none, whether or not this one comes about.
    pub(super) fn on_opening(&self) {
        self.probe.set(false);
        self.opened.set(true);
    }

    pub(super) fn on_connect_error(&self, error: HttpError) {
        *self.connect_error.borrow_mut() = Some(error);
    }

    pub(super) fn take_connect_error(&self) -> Option<HttpError> {
        self.connect_error.borrow_mut().take()
    }

    /// A write is attempted: what was flushed before was not all.
    pub(super) fn on_write(&self, written: usize) {
        self.flushed.set(false);
        if written > 0 {
            self.wrote.set(true);
        }
    }

    /// Everything that was to be written is.
    pub(super) fn on_flushed(&self) {
        if self.wrote.get() {
            self.flushed.set(true);
        }
    }

    /// The peer said that it did nothing with the request: it counts as never sent.
    pub(super) fn on_unprocessed(&self) {
        self.wrote.set(false);
        self.flushed.set(false);
    }

    pub(super) fn on_read(&self, bytes: usize) {
        // What arrives before the request was written answers nothing: it is a leftover that the pool looks for.
        if !self.wrote.get() {
            return;
        }
        if bytes == 0 {
            self.ended.set(true);
        } else if self.first_byte.get().is_none() {
            self.first_byte.set(Some(Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under_way() -> Meter {
        let meter = Meter::default();
        meter.begin_request();
        meter.begin_exchange(false, Duration::ZERO);
        meter
    }

    #[test]
    fn a_request_counts_once_it_was_written_in_full() {
        let meter = under_way();
        meter.end_exchange();
        assert_eq!(meter.exchanges_over(), 0, "nothing was written");
        meter.on_write(10);
        meter.end_exchange();
        assert_eq!(meter.exchanges_over(), 0, "written, not flushed");
        meter.on_write(10);
        meter.on_flushed();
        meter.on_write(0);
        meter.end_exchange();
        assert_eq!(meter.exchanges_over(), 0, "a further write failed after the first part");
        meter.on_write(10);
        meter.on_flushed();
        meter.end_exchange();
        meter.end_exchange();
        assert_eq!(meter.exchanges_over(), 1, "an exchange ends once");
    }

    #[test]
    fn bytes_from_before_the_request_are_no_response() {
        let meter = under_way();
        meter.on_read(3);
        meter.on_read(0);
        assert!(meter.first_byte().is_none() && !meter.ended());
        meter.on_write(1);
        meter.on_read(3);
        meter.on_read(0);
        assert!(meter.first_byte().is_some() && meter.ended());
    }
}
