//! What a watched user does, for whoever debugs a scenario. Without an observer nothing of this costs anything but one
//! look at an empty option.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use akrida_core::scenario::check::Check;
use bytes::Bytes;
use minijinja::Value;

use crate::http::error::HttpError;
use crate::http::lean::request_bytes;
use crate::http::meter::Meter;
use crate::http::response::Response;
use crate::http::transport::Exchange;

/// Sees what users do, in the order in which they do it.
pub trait Observer: Debug {
    /// Something happened.
    fn see(&self, event: &Event<'_>);
}

/// Something that a user does or that happens to it.
#[derive(Debug)]
pub enum Event<'a> {
    /// A part of its life begins: `on_start`, a task, `on_stop`.
    Begins(&'a str),
    /// A request goes out; each hop of a redirected one, and each repeat.
    Sends(&'a Sent<'a>),
    /// A response has come.
    Receives(&'a Response, Took),
    /// A request that went out has no response.
    Fails(&'a HttpError, Took),
    /// A check was held against a response.
    Checks {
        /// The check.
        check: &'a Check,
        /// Why it does not hold, if it does not.
        failure: Option<&'a str>,
    },
    /// A variable was to be taken from a response.
    Extracts {
        /// Its name.
        variable: &'a str,
        /// Its value, or why there is none.
        value: Result<&'a serde_json::Value, &'a str>,
    },
    /// A sample was recorded.
    Samples {
        /// Its latency.
        latency: Duration,
        /// Why it failed, if it did.
        failure: Option<&'a str>,
    },
    /// A message goes out over a WebSocket.
    SendsMessage(&'a str),
    /// A message has come over a WebSocket.
    ReceivesMessage(&'a [u8]),
    /// The user pauses.
    Waits(Duration),
    /// The scenario logs a line.
    Logs(&'a str),
    /// An error of scenario code outside of a request.
    Raises(&'a str),
    /// This machine is at its limit.
    Limited(&'a str),
    /// A `stop_user` step.
    StopsUser,
    /// A step is over; these are the variables now.
    Variables(&'a [(Arc<str>, Value)]),
}

/// A request as it is sent.
#[derive(Debug)]
pub struct Sent<'a> {
    /// The URL.
    pub url: Cow<'a, str>,
    /// Request line and headers, byte for byte but for what is no UTF-8.
    pub head: String,
    /// The body, if there is one.
    pub body: Option<&'a Bytes>,
}

/// How long the parts of an exchange took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Took {
    /// The connection, name look-up included; none on a connection that was kept.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the start of the exchange to the first byte of the response.
    pub first_byte: Option<Duration>,
    /// From the start of the exchange to its end.
    pub total: Duration,
}

/// An exchange under way that is watched.
pub(crate) struct Watch<'a> {
    observer: &'a dyn Observer,
    meter: &'a Meter,
    began: Instant,
    /// Of the request's earlier exchanges.
    connect: Duration,
    tls: Duration,
}

impl<'a> Watch<'a> {
    /// Shows the request that is about to be sent.
    pub(crate) fn begin(observer: &'a dyn Observer, exchange: &Exchange<'_>, meter: &'a Meter) -> Self {
        let mut head = Vec::new();
        request_bytes::write_head(&mut head, exchange);
        let url = exchange.target.url().map_or_else(|| exchange.target.uri().to_string(), ToString::to_string);
        observer.see(&Event::Sends(&Sent {
            url: url.into(),
            head: String::from_utf8_lossy(&head).into_owned(),
            body: exchange.request.body.as_ref().filter(|_| exchange.with_body),
        }));
        let (connect, tls) = (meter.connect().unwrap_or_default(), meter.tls().unwrap_or_default());
        Self { observer, meter, began: Instant::now(), connect, tls }
    }

    /// Shows what came of it.
    pub(crate) fn end(self, result: &Result<Response, HttpError>) {
        let newly = |now: Option<Duration>, before: Duration| {
            now.and_then(|now| now.checked_sub(before)).filter(|took| !took.is_zero())
        };
        let took = Took {
            connect: newly(self.meter.connect(), self.connect),
            tls: newly(self.meter.tls(), self.tls),
            first_byte: self.meter.first_byte().map(|at| at.saturating_duration_since(self.began)),
            total: self.began.elapsed(),
        };
        self.observer.see(&match result {
            Ok(response) => Event::Receives(response, took),
            Err(error) => Event::Fails(error, took),
        });
    }
}
