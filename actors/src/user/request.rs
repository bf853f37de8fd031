//! The request step: render, send, check, extract, record.

use std::borrow::Cow;
use std::rc::Rc;

use akrida_core::scenario::body::ParsedBody;
use akrida_core::scenario::check::Check;
use akrida_core::scenario::render::Renderer;
use akrida_core::scenario::response::ResponseView;
use akrida_core::stats::endpoint::EndpointKey;
use akrida_core::stats::recorder::EndpointId;
use minijinja::Value;
use minijinja::value::Serde;

use super::request_program::{EndpointSource, OutgoingSource, RequestProgram};
use super::runner::{Flow, Runner};
use crate::http::client::Outcome;
use crate::http::request::Outgoing;
use crate::http::response::Response;
use crate::observe::{Event, Observer};

/// The status that asks for credentials.
const UNAUTHORIZED: u16 = 401;

/// What came back for a request, and where it is counted.
struct Answer {
    endpoint: EndpointId,
    outcome: Outcome,
}

/// What a response amounts to.
struct Verdict {
    /// Why the sample failed.
    failure: Option<String>,
    flow: Flow,
}

impl Runner {
    /// Sends a request and records what came of it.
    pub(super) async fn request(&mut self, request: &RequestProgram) -> Flow {
        let answer = match self.send(request).await {
            Ok(answer) => answer,
            Err(flow) => return flow,
        };
        if self.is_to_authorize(request, &answer) {
            return Box::pin(self.authorize_and_repeat(request, answer)).await;
        }
        self.judge(request, &answer)
    }

    /// Renders a request, sends it and counts its exchanges. Where nothing came of it that says something about the
    /// target, all is recorded and the task ends.
    async fn send(&mut self, request: &RequestProgram) -> Result<Answer, Flow> {
        let (endpoint, outgoing) = self.ready(request)?;
        self.exchange(&outgoing).await.map(|outcome| Answer { endpoint, outcome })
    }

    /// A request that is ready to be sent, and where it is counted. One that cannot be rendered is recorded.
    pub(super) fn ready<'r>(&mut self, request: &'r RequestProgram) -> Result<(EndpointId, Cow<'r, Outgoing>), Flow> {
        let rendered = match &request.outgoing {
            OutgoingSource::Fixed(outgoing) => Ok(Cow::Borrowed(outgoing)),
            OutgoingSource::Broken(reason) => Err(reason.clone()),
            OutgoingSource::Rendered(template) => {
                self.session.render(&self.program.templates, |renderer| template.render(renderer)).map(Cow::Owned)
            }
        };
        let mut outgoing = rendered.map_err(|reason| self.record_unsent(request, &reason))?;
        if self.context.observer.is_some() {
            outgoing.to_mut().keep_body = true;
        }
        match self.endpoint_of(&request.endpoint) {
            Ok(endpoint) => Ok((endpoint, outgoing)),
            Err(reason) => Err(self.record_unsent(request, &reason)),
        }
    }

    fn is_to_authorize(&self, request: &RequestProgram, answer: &Answer) -> bool {
        let refused = matches!(&answer.outcome.result, Ok(response) if response.status == UNAUTHORIZED);
        refused
            && !self.authorizing
            && !request.expects_unauthorized
            && !self.program.classes[self.spec.class].on_unauthorized.is_empty()
    }

    /// Runs `on_unauthorized` and sends the request once more. The sample is the second answer; the first one if the
    /// steps did not come to their end.
    async fn authorize_and_repeat(&mut self, request: &RequestProgram, refused: Answer) -> Flow {
        let program = Rc::clone(&self.program);
        self.context.show(&Event::Begins("on_unauthorized"));
        // The lag is that of this request, not of those that log in.
        let lag_us = self.take_lag_us();
        self.authorizing = true;
        let flow = self.run_steps(&program.classes[self.spec.class].on_unauthorized).await;
        self.authorizing = false;
        self.put_lag_back(lag_us);
        if flow != Flow::Continue {
            self.judge(request, &refused);
            return flow;
        }
        match self.send(request).await {
            Ok(answer) => self.judge(request, &answer),
            Err(flow) => flow,
        }
    }

    /// The line of the statistics that a name stands for now.
    pub(super) fn endpoint_of(&mut self, source: &EndpointSource) -> Result<EndpointId, String> {
        match source {
            EndpointSource::Known(endpoint) => Ok(*endpoint),
            EndpointSource::Rendered { method, name } => {
                let name = self.session.render(&self.program.templates, |renderer| {
                    renderer.text(name).map(Cow::into_owned).map_err(|error| error.to_string())
                })?;
                Ok(self.context.recorder.borrow_mut().endpoint(&EndpointKey::request(method, &name)))
            }
        }
    }

    fn judge(&mut self, request: &RequestProgram, Answer { endpoint, outcome }: &Answer) -> Flow {
        let verdict = match &outcome.result {
            Ok(response) => self.examine(request, response, outcome),
            Err(error) => {
                let flow = if request.extracts.is_empty() { Flow::Continue } else { Flow::EndTask };
                Verdict { failure: Some(error.to_string()), flow }
            }
        };
        self.record_outcome(*endpoint, outcome, verdict.failure.as_deref());
        verdict.flow
    }

    /// Holds a response against the checks and takes the variables out of it. The first failure is the sample's.
    fn examine(&mut self, request: &RequestProgram, response: &Response, outcome: &Outcome) -> Verdict {
        let mut verdict = Verdict { failure: None, flow: Flow::Continue };
        if !request.has_status_check && response.status >= 400 {
            verdict.failure = Some(format!("status was {}", response.status));
        }
        if request.checks.is_empty() && request.extracts.is_empty() {
            return verdict;
        }
        let view = ResponseView {
            status: response.status,
            headers: &response.headers,
            body: &response.body,
            body_cut: response.body_cut,
            elapsed: outcome.latency,
        };
        let body = ParsedBody::of(&view);
        let observer = self.context.observer.as_deref();
        let check = |renderer: &Renderer<'_>| first_failure(&request.checks, &view, &body, renderer, observer);
        if verdict.failure.is_none() {
            verdict.failure = if request.checks_render {
                self.session.render(&self.program.templates, check)
            } else {
                check(&Renderer { templates: &self.program.templates, variables: &Value::UNDEFINED })
            };
        }
        for extract in &request.extracts {
            let extracted = extract.apply(&view, &body);
            let value = extracted.as_ref().map_err(String::as_str);
            self.context.show(&Event::Extracts { variable: &extract.variable, value });
            match extracted {
                Ok(value) => self.session.set(&extract.variable, Value::from(Serde(&value))),
                Err(reason) => {
                    verdict.failure.get_or_insert(reason);
                    verdict.flow = Flow::EndTask;
                    break;
                }
            }
        }
        verdict
    }

    /// Records a request that could not be rendered: a failure that took no time and reached no wire.
    fn record_unsent(&mut self, request: &RequestProgram, reason: &str) -> Flow {
        let endpoint = match &request.endpoint {
            EndpointSource::Known(endpoint) => *endpoint,
            EndpointSource::Rendered { method, name } => {
                self.context.recorder.borrow_mut().endpoint(&EndpointKey::request(method, name.source()))
            }
        };
        self.record_not_sent(endpoint, reason);
        Flow::EndTask
    }
}

/// The first failure of a list of checks. An observer sees all of them.
fn first_failure(
    checks: &[Check],
    view: &ResponseView<'_>,
    body: &ParsedBody<'_>,
    renderer: &Renderer<'_>,
    observer: Option<&dyn Observer>,
) -> Option<String> {
    let Some(observer) = observer else {
        return checks.iter().find_map(|check| check.evaluate(view, body, renderer).err());
    };
    let failures = checks.iter().map(|check| {
        let failure = check.evaluate(view, body, renderer).err();
        observer.see(&Event::Checks { check, failure: failure.as_deref() });
        failure
    });
    // All are evaluated, so that all are seen.
    failures.collect::<Vec<_>>().into_iter().flatten().next()
}
