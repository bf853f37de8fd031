//! HTTP requests of code: the client, the recording and the rules are those of requests in scenario files.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_http::header::AUTHORIZATION;
use akrida_core::limits;
use akrida_core::stats::recorder::EndpointId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::Serialize;
use url::form_urlencoded;

use super::UserContext;
use super::error::{TaskError, TaskResult};
use super::response::Response;
use crate::http::client::Outcome;
use crate::http::request::Outgoing;
use crate::http::{HeaderName, HeaderValue, Method};
use crate::user::recording::Exchanged;
use crate::user::request_program::{completed, header_value, with_query};
use crate::user::runner::Flow;

/// A user's HTTP client: its connections and cookies are its own.
pub struct Http<'a> {
    user: &'a mut UserContext,
}

impl<'a> Http<'a> {
    pub(super) fn new(user: &'a mut UserContext) -> Self {
        Self { user }
    }

    /// A GET request to an absolute URL, or to a path on the host.
    pub fn get(self, url: impl Into<Cow<'a, str>>) -> HttpRequest<'a> {
        self.request("GET", url)
    }

    /// A POST request.
    pub fn post(self, url: impl Into<Cow<'a, str>>) -> HttpRequest<'a> {
        self.request("POST", url)
    }

    /// A PUT request.
    pub fn put(self, url: impl Into<Cow<'a, str>>) -> HttpRequest<'a> {
        self.request("PUT", url)
    }

    /// A PATCH request.
    pub fn patch(self, url: impl Into<Cow<'a, str>>) -> HttpRequest<'a> {
        self.request("PATCH", url)
    }

    /// A DELETE request.
    pub fn delete(self, url: impl Into<Cow<'a, str>>) -> HttpRequest<'a> {
        self.request("DELETE", url)
    }

    /// A HEAD request.
    pub fn head(self, url: impl Into<Cow<'a, str>>) -> HttpRequest<'a> {
        self.request("HEAD", url)
    }

    /// A request with any method.
    pub fn request(self, method: &'a str, url: impl Into<Cow<'a, str>>) -> HttpRequest<'a> {
        HttpRequest {
            user: self.user,
            method,
            url: url.into(),
            name: None,
            query: String::new(),
            headers: Vec::new(),
            body: None,
            content_type: None,
            timeout: limits::REQUEST_TIMEOUT,
            redirects_max: limits::REDIRECTS_MAX,
            keep_body: true,
            statuses: Vec::new(),
            checks: Vec::new(),
            problem: None,
        }
    }
}

impl fmt::Debug for Http<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// What is checked in a response.
type Check<'a> = Box<dyn FnOnce(&Response) -> Result<(), String> + 'a>;

/// A request that is being put together. [`HttpRequest::send`] sends it.
#[must_use = "a request is sent by `send`"]
pub struct HttpRequest<'a> {
    user: &'a mut UserContext,
    method: &'a str,
    url: Cow<'a, str>,
    name: Option<Cow<'a, str>>,
    query: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Bytes>,
    content_type: Option<&'static str>,
    timeout: Duration,
    redirects_max: u32,
    keep_body: bool,
    statuses: Vec<u16>,
    checks: Vec<Check<'a>>,
    /// Why it cannot be sent.
    problem: Option<String>,
}

impl<'a> HttpRequest<'a> {
    /// The name in the statistics, instead of the URL as it is given. Give one to URLs that differ each time.
    pub fn name(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Appends a parameter to the URL, encoded.
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        append_pair(&mut self.query, name, &value.to_string());
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("invalid header name {name:?}"));
        match header.and_then(|name| Ok((name.clone(), header_value(&name, value.as_ref())?))) {
            Ok(header) => self.headers.push(header),
            Err(problem) => self.problem = Some(problem),
        }
        self
    }

    /// Sends credentials by HTTP basic authentication.
    pub fn basic_auth(self, username: &str, password: &str) -> Self {
        let credentials = BASE64.encode(format!("{username}:{password}"));
        self.authorization(&format!("Basic {credentials}"))
    }

    /// Sends a bearer token.
    pub fn bearer_auth(self, token: &str) -> Self {
        self.authorization(&format!("Bearer {token}"))
    }

    fn authorization(mut self, value: &str) -> Self {
        self.headers.retain(|(name, _)| *name != AUTHORIZATION);
        self.header("authorization", value)
    }

    /// Sends these bytes; `Content-Type` only if a header says so.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends a value as JSON.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => {
                self.body = Some(json.into());
                self.content_type = Some("application/json");
            }
            Err(error) => self.problem = Some(format!("json: {error}")),
        }
        self
    }

    /// Sends fields as a form.
    pub fn form<'f>(mut self, fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let mut form = String::new();
        fields.into_iter().for_each(|(name, value)| append_pair(&mut form, name, value));
        self.body = Some(form.into());
        self.content_type = Some("application/x-www-form-urlencoded");
        self
    }

    /// Time allowed from the start to the last byte of the response, redirects included, instead of a minute.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Redirects to follow, instead of 30; with 0 a redirect is an ordinary response.
    pub fn redirects(mut self, max: u32) -> Self {
        self.redirects_max = max;
        self
    }

    /// Counts the bytes of the response's body and does not keep them.
    pub fn discard_body(mut self) -> Self {
        self.keep_body = false;
        self
    }

    /// The request fails with any other status. Given several times, any of these will do. Without it, a status of 400
    /// or more fails.
    pub fn expect_status(mut self, status: u16) -> Self {
        self.statuses.push(status);
        self
    }

    /// The request fails, for the reason that comes back, unless the response is as it should be.
    pub fn check(mut self, check: impl FnOnce(&Response) -> Result<(), String> + 'a) -> Self {
        self.checks.push(Box::new(check));
        self
    }

    /// Sends the request, follows redirects, checks the response and records what came of it.
    ///
    /// # Errors
    /// When the request failed, which is recorded by then; with `?` that ends the task. When this machine is at its
    /// limit, which is counted apart.
    pub async fn send(mut self) -> TaskResult<Response> {
        self.user.may_begin().await;
        let endpoint = self.user.endpoint_named(self.method, self.name.as_deref().unwrap_or(&self.url));
        let outgoing = match self.outgoing() {
            Ok(outgoing) => outgoing,
            Err(reason) => {
                self.user.record_not_sent(endpoint, &reason);
                return Err(TaskError::recorded(reason));
            }
        };
        let outcome = match self.user.exchange(&outgoing).await {
            Ok(outcome) => outcome,
            // The task is dropped here.
            Err(Flow::Cut) => return std::future::pending().await,
            Err(_) => return Err(TaskError::recorded("this machine is at its limit")),
        };
        self.judge(endpoint, outcome)
    }

    /// What is sent.
    fn outgoing(&mut self) -> Result<Outgoing, String> {
        if let Some(problem) = self.problem.take() {
            return Err(problem);
        }
        let method = Method::from_bytes(self.method.as_bytes()).map_err(|_| "invalid method".to_owned())?;
        let target = self.user.target(&with_query(&self.url, &self.query))?;
        Ok(Outgoing {
            method,
            headers: completed(std::mem::take(&mut self.headers), &target, self.content_type),
            target,
            body: self.body.take(),
            timeout: self.timeout,
            redirects_max: self.redirects_max,
            keep_body: self.keep_body || self.user.context.observer.is_some(),
        })
    }

    fn judge(self, endpoint: EndpointId, outcome: Outcome) -> TaskResult<Response> {
        let Self { user, statuses, checks, .. } = self;
        let Outcome { result, latency, ended, phases, .. } = outcome;
        let judged = result.map_err(|error| error.to_string()).map(|received| {
            let response = Response { received, elapsed: latency };
            let failure = failure_of(&response, &statuses, checks);
            (response, failure)
        });
        let (content_bytes, failure) = match &judged {
            Ok((response, failure)) => (response.received.content_bytes, failure.as_deref()),
            Err(failure) => (0, Some(failure.as_str())),
        };
        user.record_exchanged(endpoint, &Exchanged { latency, ended, phases, failure, content_bytes });
        match judged {
            Ok((response, None)) => Ok(response),
            Ok((_, Some(failure))) | Err(failure) => Err(TaskError::recorded(failure)),
        }
    }
}

impl fmt::Debug for HttpRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest").field("method", &self.method).field("url", &self.url).finish_non_exhaustive()
    }
}

/// The first thing that is not as it should be.
fn failure_of(response: &Response, statuses: &[u16], checks: Vec<Check<'_>>) -> Option<String> {
    let status = response.status();
    if statuses.is_empty() && status >= 400 {
        return Some(format!("status was {status}"));
    }
    if !statuses.is_empty() && !statuses.contains(&status) {
        let expected: Vec<String> = statuses.iter().map(u16::to_string).collect();
        return Some(format!("status was {status}, expected {}", expected.join(" or ")));
    }
    checks.into_iter().find_map(|check| check(response).err())
}

fn append_pair(encoded: &mut String, name: &str, value: &str) {
    let mut serializer = form_urlencoded::Serializer::new(std::mem::take(encoded));
    serializer.append_pair(name, value);
    *encoded = serializer.finish();
}
