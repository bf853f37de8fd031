//! The WebSocket step: open, send, wait for messages, close.

use std::pin::pin;
use std::time::{Duration, Instant};

use akrida_core::limits;
use akrida_core::scenario::body::ParsedBody;
use akrida_core::scenario::check::Check;
use akrida_core::scenario::extract::Extract;
use akrida_core::scenario::model::WaitTime;
use akrida_core::scenario::render::Renderer;
use akrida_core::scenario::response::{Headers, ResponseView};
use akrida_core::scenario::template::Template;
use akrida_core::scenario::websocket::{METHOD, WebSocket as Conversation, WebSocketStep};
use akrida_core::stats::recorder::{EndpointId, Phases};
use minijinja::Value;
use minijinja::value::Serde;

use super::program::Compiler;
use super::recording::{Exchanged, InFlight};
use super::request_program::{EndpointSource, RequestProgram};
use super::runner::{Flow, Runner};
use crate::http::error::HttpError;
use crate::http::websocket::{Message, WebSocket};
use crate::observe::Event;

/// A compiled conversation.
#[derive(Debug)]
pub(super) struct WebSocketProgram {
    opening: RequestProgram,
    steps: Box<[SocketAction]>,
    /// Whether later steps may need variables of a message.
    extracts: bool,
}

#[derive(Debug)]
enum SocketAction {
    Send(Template),
    Expect(ExpectProgram),
    Wait(WaitTime),
}

#[derive(Debug)]
struct ExpectProgram {
    endpoint: EndpointSource,
    checks: Box<[Check]>,
    extracts: Box<[Extract]>,
    timeout: Option<Duration>,
}

impl WebSocketProgram {
    /// Compiles a conversation, as [`RequestProgram::compile`].
    pub(super) fn compile(compiler: &mut Compiler<'_>, conversation: &Conversation) -> Self {
        let opening = RequestProgram::compile(compiler, &conversation.opening);
        let steps = conversation.steps.iter().map(|step| match step {
            WebSocketStep::Send(text) => SocketAction::Send(text.clone()),
            WebSocketStep::Wait(wait) => SocketAction::Wait(*wait),
            WebSocketStep::Expect(expected) => SocketAction::Expect(ExpectProgram {
                endpoint: EndpointSource::compile(compiler, METHOD, &expected.name),
                checks: expected.checks.clone().into(),
                extracts: expected.extracts.clone().into(),
                timeout: expected.timeout,
            }),
        });
        let steps: Box<[_]> = steps.collect();
        let extracts = |step: &SocketAction| matches!(step, SocketAction::Expect(e) if !e.extracts.is_empty());
        Self { opening, extracts: steps.iter().any(extracts), steps }
    }

    /// How the task goes on after a failure.
    fn after_failure(&self) -> Flow {
        if self.extracts { Flow::EndTask } else { Flow::Continue }
    }
}

impl Runner {
    /// Holds a conversation. Its opening and each message that is waited for are samples.
    pub(super) async fn websocket(&mut self, program: &WebSocketProgram) -> Flow {
        let (endpoint, outgoing) = match self.ready(&program.opening) {
            Ok(ready) => ready,
            Err(flow) => return flow,
        };
        let outcome = match self.open_websocket(&outgoing).await {
            Ok(outcome) => outcome,
            Err(flow) => return flow,
        };
        let failure = outcome.result.as_ref().err().map(ToString::to_string);
        let (latency, ended, phases) = (outcome.latency, outcome.ended, outcome.phases);
        let opened = Exchanged { latency, ended, phases, failure: failure.as_deref(), content_bytes: 0 };
        self.record_exchanged(endpoint, &opened);
        let Ok(mut socket) = outcome.result else { return program.after_failure() };
        let flow = self.converse(&mut socket, program, endpoint, outgoing.timeout).await;
        if flow != Flow::Cut {
            // A server that does not say goodbye is left behind.
            let _ = tokio::time::timeout(limits::WEBSOCKET_CLOSE_WAIT, socket.close()).await;
        }
        flow
    }

    async fn converse(
        &mut self,
        socket: &mut WebSocket,
        program: &WebSocketProgram,
        opening: EndpointId,
        timeout: Duration,
    ) -> Flow {
        let mut sent = None;
        for step in &program.steps {
            if self.is_cut() {
                return Flow::Cut;
            }
            let goes_on = match step {
                SocketAction::Wait(wait) => match self.wait_beside(socket, wait).await {
                    Flow::Continue => true,
                    cut => return cut,
                },
                SocketAction::Send(template) => {
                    sent = Some(Instant::now());
                    match self.send_message(socket, template, opening, timeout).await {
                        Ok(is_sent) => is_sent,
                        Err(flow) => return flow,
                    }
                }
                SocketAction::Expect(expected) => {
                    let since = sent.take().unwrap_or_else(Instant::now);
                    self.expect(socket, expected, since, expected.timeout.unwrap_or(timeout)).await
                }
            };
            if !goes_on {
                return program.after_failure();
            }
        }
        Flow::Continue
    }

    /// Pauses; what comes meanwhile is kept, and pings are answered.
    async fn wait_beside(&mut self, socket: &mut WebSocket, wait: &WaitTime) -> Flow {
        let reading = async {
            // Why it ended is told to whoever waits for a message.
            socket.keep_reading().await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            flow = self.pause_within(wait) => flow,
            () = reading => Flow::Continue,
        }
    }

    /// Sends a message. One that cannot be sent is a failure of the opening, for it is no sample of its own.
    async fn send_message(
        &mut self,
        socket: &mut WebSocket,
        template: &Template,
        opening: EndpointId,
        timeout: Duration,
    ) -> Result<bool, Flow> {
        let text = self.session.render(&self.program.templates, |renderer| {
            renderer.text(template).map(|text| text.into_owned()).map_err(|error| error.to_string())
        });
        let text = text.map_err(|reason| self.exception(&reason))?;
        self.permitted().await?;
        self.context.show(&Event::SendsMessage(&text));
        let started = Instant::now();
        let sent = tokio::time::timeout(timeout, socket.send(&text)).await;
        let Err(error) = sent.unwrap_or(Err(HttpError::TimedOut(timeout))) else { return Ok(true) };
        self.record_failed(opening, started, &error.to_string());
        Ok(false)
    }

    /// Waits for a message and takes what is asked of it. Whether it came.
    async fn expect(
        &mut self,
        socket: &mut WebSocket,
        expected: &ExpectProgram,
        since: Instant,
        timeout: Duration,
    ) -> bool {
        let endpoint = match self.endpoint_of(&expected.endpoint) {
            Ok(endpoint) => endpoint,
            Err(reason) => {
                self.exception(&reason);
                return false;
            }
        };
        let found = {
            let in_flight = InFlight::new(self, None);
            let matching = pin!(self.matching(socket, expected, since));
            let found = tokio::time::timeout(timeout, matching).await;
            in_flight.landed();
            found
        };
        let message = match found {
            Ok(Ok(message)) => message,
            Ok(Err(error)) => {
                self.record_failed(endpoint, since, &error.to_string());
                return false;
            }
            Err(_) => {
                self.record_failed(endpoint, since, &format!("no expected message within {timeout:?}"));
                return false;
            }
        };
        let latency = message.at.saturating_duration_since(since);
        let view = view_of(&message, latency);
        let failure = self.extract_all(&expected.extracts, &view, &ParsedBody::of(&view));
        self.record_exchanged(
            endpoint,
            &Exchanged {
                latency,
                ended: since + latency,
                phases: Phases::default(),
                failure: failure.as_deref(),
                content_bytes: message.content.len() as u64,
            },
        );
        failure.is_none()
    }

    /// The next message of which all that is expected holds.
    async fn matching(
        &mut self,
        socket: &mut WebSocket,
        expected: &ExpectProgram,
        since: Instant,
    ) -> Result<Message, HttpError> {
        loop {
            let message = socket.receive().await?;
            self.context.show(&Event::ReceivesMessage(&message.content));
            let view = view_of(&message, message.at.saturating_duration_since(since));
            let body = ParsedBody::of(&view);
            let holds = |renderer: &Renderer<'_>| {
                expected.checks.iter().all(|check| check.evaluate(&view, &body, renderer).is_ok())
            };
            if self.session.render(&self.program.templates, holds) {
                return Ok(message);
            }
        }
    }

    /// Takes variables out of a message; why one of them is not there.
    fn extract_all(&mut self, extracts: &[Extract], view: &ResponseView<'_>, body: &ParsedBody<'_>) -> Option<String> {
        for extract in extracts {
            let extracted = extract.apply(view, body);
            let value = extracted.as_ref().map_err(String::as_str);
            self.context.show(&Event::Extracts { variable: &extract.variable, value });
            match extracted {
                Ok(value) => self.session.set(&extract.variable, Value::from(Serde(&value))),
                Err(reason) => return Some(reason),
            }
        }
        None
    }

    fn record_failed(&mut self, endpoint: EndpointId, since: Instant, failure: &str) {
        let ended = Instant::now();
        let (latency, phases) = (ended.saturating_duration_since(since), Phases::default());
        let failed = Exchanged { latency, ended, phases, failure: Some(failure), content_bytes: 0 };
        self.record_exchanged(endpoint, &failed);
    }
}

/// A message as checks and extractions see a response.
fn view_of(message: &Message, elapsed: Duration) -> ResponseView<'_> {
    ResponseView { status: 101, headers: &NoHeaders, body: &message.content, body_cut: false, elapsed }
}

/// Messages have no headers.
struct NoHeaders;

impl Headers for NoHeaders {
    fn header(&self, _: &str) -> Option<&str> {
        None
    }

    fn set_cookie(&self, _: &str) -> Option<String> {
        None
    }
}
