//! A conversation over a WebSocket.

use std::time::Duration;

use super::check::Check;
use super::extract::Extract;
use super::model::{Request, WaitTime};
use super::template::Template;

/// The method of WebSockets in the statistics.
pub const METHOD: &str = "WS";

/// A WebSocket: opened, used, closed.
#[derive(Clone, Debug)]
pub struct WebSocket {
    /// The request that opens it. Its name is that of the sample.
    pub opening: Request,
    /// What is done over it, in order.
    pub steps: Vec<WebSocketStep>,
}

/// One step of a conversation.
#[derive(Clone, Debug)]
pub enum WebSocketStep {
    /// Sends a text message.
    Send(Template),
    /// Waits for a message, which is a sample.
    Expect(Box<Expectation>),
    /// Pauses; messages that come meanwhile are kept.
    Wait(WaitTime),
}

/// The message that is waited for.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The name of the sample.
    pub name: Template,
    /// What holds of the message; one of which something does not is passed over.
    pub checks: Vec<Check>,
    /// Variables taken from it.
    pub extracts: Vec<Extract>,
    /// How long to wait, if it differs from the WebSocket's time-out.
    pub timeout: Option<Duration>,
}
