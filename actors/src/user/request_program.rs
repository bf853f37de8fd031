//! A request as it is compiled: what is written without templates is parsed once, the rest is rendered each time.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use akrida_core::scenario::check::{Check, HeaderExpectation, JsonExpectation};
use akrida_core::scenario::extract::{Extract, ExtractFrom};
use akrida_core::scenario::model::{Auth, Body, Part, Request, ValueTemplate};
use akrida_core::scenario::render::Renderer;
use akrida_core::scenario::template::Template;
use akrida_core::stats::endpoint::EndpointKey;
use akrida_core::stats::recorder::EndpointId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use minijinja::Value;
use url::form_urlencoded;

use super::program::Compiler;
use crate::http::request::Outgoing;
use crate::http::target::Target;
use crate::http::{self, HeaderName, HeaderValue, Method};

/// A compiled request.
#[derive(Debug)]
pub(super) struct RequestProgram {
    pub(super) endpoint: EndpointSource,
    pub(super) outgoing: OutgoingSource,
    pub(super) checks: Box<[Check]>,
    /// Whether a check has a template, so that checking needs the user's variables.
    pub(super) checks_render: bool,
    /// Whether the scenario judges the status itself.
    pub(super) has_status_check: bool,
    /// Whether the scenario wants status 401.
    pub(super) expects_unauthorized: bool,
    pub(super) extracts: Box<[Extract]>,
}

/// The line of the statistics.
#[derive(Debug)]
pub(super) enum EndpointSource {
    Known(EndpointId),
    Rendered { method: Arc<str>, name: Template },
}

/// What is sent.
#[derive(Debug)]
pub(super) enum OutgoingSource {
    /// The same every time.
    Fixed(Outgoing),
    Rendered(Box<RequestTemplate>),
    /// Nothing, because it cannot work.
    Broken(String),
}

/// A request with templates in it.
#[derive(Debug)]
pub(super) struct RequestTemplate {
    method: Method,
    base: Option<Rc<Target>>,
    url: Template,
    query: Box<[(Arc<str>, Template)]>,
    /// The parsed URL, when neither it nor the query has templates.
    target: Option<Rc<Target>>,
    headers: Box<[(HeaderName, Template)]>,
    /// The parsed headers, when they have no templates and the credentials neither.
    fixed_headers: Option<Rc<[(HeaderName, HeaderValue)]>>,
    auth: Option<Auth>,
    body: Body,
    timeout: Duration,
    redirects_max: u32,
    keep_body: bool,
}

impl EndpointSource {
    /// The line for samples of a method and a name.
    pub(super) fn compile(compiler: &mut Compiler<'_>, method: &str, name: &Template) -> Self {
        match name {
            Template::Literal(name) => Self::Known(compiler.recorder.endpoint(&EndpointKey::request(method, name))),
            name @ Template::Dynamic(_) => Self::Rendered { method: method.into(), name: name.clone() },
        }
    }
}

impl RequestProgram {
    /// Compiles a request. One that cannot work is a problem of the compiler and fails whenever it is due.
    pub(super) fn compile(compiler: &mut Compiler<'_>, request: &Request) -> Self {
        let within = |reason: &str| format!("{} {}: {reason}", request.method, request.url.source());
        let endpoint = EndpointSource::compile(compiler, &request.method.0, &request.name);
        let keep_body = request.checks.iter().any(check_needs_body) || request.extracts.iter().any(extract_needs_body);
        let outgoing = RequestTemplate::compile(compiler, request, keep_body).and_then(|template| {
            compiler.targets.extend(template.target.clone());
            if !template.is_fixed() {
                return Ok(OutgoingSource::Rendered(Box::new(template)));
            }
            let renderer = Renderer { templates: compiler.templates, variables: &Value::UNDEFINED };
            template.render(&renderer).map(OutgoingSource::Fixed)
        });
        let outgoing = outgoing.unwrap_or_else(|reason| {
            compiler.problems.push(within(&reason));
            OutgoingSource::Broken(reason)
        });
        Self {
            endpoint,
            outgoing,
            checks_render: request.checks.iter().any(check_renders),
            expects_unauthorized: request.checks.iter().any(wants_unauthorized),
            has_status_check: request.checks.iter().any(Check::is_status),
            checks: request.checks.clone().into(),
            extracts: request.extracts.clone().into(),
        }
    }
}

impl RequestTemplate {
    fn compile(compiler: &Compiler<'_>, request: &Request, keep_body: bool) -> Result<Self, String> {
        let defaults = compiler.defaults;
        let method = Method::from_bytes(request.method.0.as_bytes()).map_err(|_| "invalid method".to_owned())?;
        let absolute = is_literal(&request.url) && is_absolute(request.url.source());
        let base = if absolute { None } else { compiler.base.clone().transpose()? };
        if base.is_none() && !absolute && is_literal(&request.url) {
            return Err("the class has no host, and the URL names none".to_owned());
        }
        let mut template = Self {
            method,
            base,
            url: request.url.clone(),
            query: request.query.clone().into(),
            target: None,
            headers: merged_headers(&defaults.headers, &request.headers)?,
            fixed_headers: None,
            auth: request.auth.as_ref().or(defaults.auth.as_ref()).cloned(),
            body: request.body.clone(),
            timeout: request.timeout.unwrap_or(defaults.timeout),
            redirects_max: request.redirects_max.unwrap_or(defaults.redirects_max),
            keep_body,
        };
        let renderer = Renderer { templates: compiler.templates, variables: &Value::UNDEFINED };
        if is_literal(&template.url) && template.query.iter().all(|(_, value)| is_literal(value)) {
            template.target = Some(template.render_target(&renderer)?);
        }
        if let Some(target) = &template.target
            && template.headers.iter().all(|(_, value)| is_literal(value))
            && template.auth.as_ref().is_none_or(auth_is_literal)
        {
            template.fixed_headers = Some(template.render_headers(&renderer, target)?);
        }
        Ok(template)
    }

    fn is_fixed(&self) -> bool {
        self.target.is_some() && self.fixed_headers.is_some() && body_is_literal(&self.body)
    }

    /// Renders the request.
    ///
    /// # Errors
    /// When a template fails or what it gives cannot be sent.
    pub(super) fn render(&self, renderer: &Renderer<'_>) -> Result<Outgoing, String> {
        let target = match &self.target {
            Some(target) => Rc::clone(target),
            None => self.render_target(renderer)?,
        };
        let headers = match &self.fixed_headers {
            Some(headers) => Rc::clone(headers),
            None => self.render_headers(renderer, &target)?,
        };
        Ok(Outgoing {
            method: self.method.clone(),
            target,
            headers,
            body: self.render_body(renderer)?,
            timeout: self.timeout,
            redirects_max: self.redirects_max,
            keep_body: self.keep_body,
        })
    }

    fn render_target(&self, renderer: &Renderer<'_>) -> Result<Rc<Target>, String> {
        let mut url = text(renderer, &self.url)?;
        if !self.query.is_empty() {
            let pairs = encoded_pairs(renderer, &self.query)?;
            url = Cow::Owned(with_query(&url, &pairs).into_owned());
        }
        let target = match &self.base {
            _ if is_absolute(&url) => Target::parse(&url),
            Some(base) => base.join(&url),
            None => return Err(format!("the class has no host, and the URL names none: {url}")),
        };
        target.map(Rc::new).map_err(|error| error.to_string())
    }

    fn render_headers(
        &self,
        renderer: &Renderer<'_>,
        target: &Target,
    ) -> Result<Rc<[(HeaderName, HeaderValue)]>, String> {
        let mut headers = Vec::with_capacity(self.headers.len() + 3);
        for (name, value) in &self.headers {
            headers.push((name.clone(), header_value(name, &text(renderer, value)?)?));
        }
        if let Some(auth) = &self.auth {
            headers.retain(|(name, _)| *name != AUTHORIZATION);
            headers.push((AUTHORIZATION, header_value(&AUTHORIZATION, &credentials(renderer, auth)?)?));
        }
        Ok(completed(headers, target, content_type(&self.body)))
    }

    fn render_body(&self, renderer: &Renderer<'_>) -> Result<Option<Bytes>, String> {
        Ok(match &self.body {
            Body::None => None,
            Body::Raw(template) => Some(text(renderer, template)?.into_owned().into()),
            Body::Json(value) => {
                let value = renderer.value(value).map_err(|error| error.to_string())?;
                Some(value.to_string().into())
            }
            Body::Form(fields) => Some(encoded_pairs(renderer, fields)?.into()),
            Body::Multipart(parts) => Some(multipart(renderer, parts)?.into()),
        })
    }
}

/// The class's headers but for those that the request names itself, then the request's.
fn merged_headers(
    defaults: &[(Arc<str>, Template)],
    own: &[(Arc<str>, Template)],
) -> Result<Box<[(HeaderName, Template)]>, String> {
    let inherited = defaults.iter().filter(|(name, _)| !own.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
    let parse = |(name, value): &(Arc<str>, Template)| {
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("invalid header name {name:?}"))?;
        Ok((parsed, value.clone()))
    };
    inherited.chain(own).map(parse).collect()
}

/// Headers with those that are sent unless the request names them itself.
pub(super) fn completed(
    mut headers: Vec<(HeaderName, HeaderValue)>,
    target: &Target,
    content_type: Option<&'static str>,
) -> Rc<[(HeaderName, HeaderValue)]> {
    let has = |headers: &[(HeaderName, HeaderValue)], name: &HeaderName| headers.iter().any(|(n, _)| n == name);
    if let Some(credentials) = target.credentials().filter(|_| !has(&headers, &AUTHORIZATION)) {
        headers.push((AUTHORIZATION, credentials.clone()));
    }
    if !has(&headers, &USER_AGENT) {
        headers.push((USER_AGENT, HeaderValue::from_static(http::USER_AGENT)));
    }
    if let Some(content_type) = content_type.filter(|_| !has(&headers, &CONTENT_TYPE)) {
        headers.push((CONTENT_TYPE, HeaderValue::from_static(content_type)));
    }
    headers.into()
}

pub(super) fn header_value(name: &HeaderName, text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text)
        .or_else(|_| HeaderValue::from_bytes(text.as_bytes()))
        .map_err(|_| format!("header {name}: value has characters that cannot be sent"))
}

fn credentials(renderer: &Renderer<'_>, auth: &Auth) -> Result<String, String> {
    Ok(match auth {
        Auth::Basic { username, password } => {
            let pair = format!("{}:{}", text(renderer, username)?, text(renderer, password)?);
            format!("Basic {}", BASE64.encode(pair))
        }
        Auth::Bearer(token) => format!("Bearer {}", text(renderer, token)?),
    })
}

fn content_type(body: &Body) -> Option<&'static str> {
    match body {
        Body::None | Body::Raw(_) => None,
        Body::Json(_) => Some("application/json"),
        Body::Form(_) => Some("application/x-www-form-urlencoded"),
        Body::Multipart(_) => Some("multipart/form-data; boundary=akrida-part-5e1b7c0f9d2a4863"),
    }
}

/// Between the parts of a multipart body; the same every time, so that such a body can be built once.
const BOUNDARY: &str = "akrida-part-5e1b7c0f9d2a4863";

fn multipart(renderer: &Renderer<'_>, parts: &[Part]) -> Result<String, String> {
    let mut body = String::new();
    for part in parts {
        body.push_str(&format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(&part.name)));
        if let Some(file_name) = &part.file_name {
            body.push_str(&format!("; filename=\"{}\"", quoted(&text(renderer, file_name)?)));
        }
        if let Some(content_type) = &part.content_type {
            body.push_str(&format!("\r\nContent-Type: {content_type}"));
        }
        let content = text(renderer, &part.content)?;
        if content.contains(BOUNDARY) {
            return Err(format!("part {} contains the boundary {BOUNDARY}", part.name));
        }
        body.push_str(&format!("\r\n\r\n{content}\r\n"));
    }
    body.push_str(&format!("--{BOUNDARY}--\r\n"));
    Ok(body)
}

/// A name in a part's header, escaped as browsers do (HTML standard, multipart/form-data encoding).
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn encoded_pairs(renderer: &Renderer<'_>, pairs: &[(Arc<str>, Template)]) -> Result<String, String> {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        encoded.append_pair(name, &text(renderer, value)?);
    }
    Ok(encoded.finish())
}

/// A URL with encoded pairs, if there are any, behind its own query.
pub(super) fn with_query<'u>(url: &'u str, pairs: &str) -> Cow<'u, str> {
    if pairs.is_empty() {
        return Cow::Borrowed(url);
    }
    // A fragment is never sent, and the query goes before it.
    let before_fragment = url.split('#').next().unwrap_or_default();
    let separator = if before_fragment.contains('?') { '&' } else { '?' };
    Cow::Owned(format!("{before_fragment}{separator}{pairs}"))
}

fn text<'t>(renderer: &Renderer<'_>, template: &'t Template) -> Result<Cow<'t, str>, String> {
    renderer.text(template).map_err(|error| error.to_string())
}

pub(super) fn is_absolute(url: &str) -> bool {
    let scheme = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    ["http://", "https://", "ws://", "wss://"].into_iter().any(scheme)
}

fn is_literal(template: &Template) -> bool {
    matches!(template, Template::Literal(_))
}

fn auth_is_literal(auth: &Auth) -> bool {
    match auth {
        Auth::Basic { username, password } => is_literal(username) && is_literal(password),
        Auth::Bearer(token) => is_literal(token),
    }
}

fn value_is_literal(value: &ValueTemplate) -> bool {
    match value {
        ValueTemplate::Literal(_) => true,
        ValueTemplate::Text(template) => is_literal(template),
        ValueTemplate::Expression(_) => false,
        ValueTemplate::List(items) => items.iter().all(value_is_literal),
        ValueTemplate::Object(entries) => entries.iter().all(|(_, value)| value_is_literal(value)),
    }
}

fn body_is_literal(body: &Body) -> bool {
    match body {
        Body::None => true,
        Body::Raw(template) => is_literal(template),
        Body::Json(value) => value_is_literal(value),
        Body::Form(fields) => fields.iter().all(|(_, value)| is_literal(value)),
        Body::Multipart(parts) => {
            parts.iter().all(|part| is_literal(&part.content) && part.file_name.as_ref().is_none_or(is_literal))
        }
    }
}

fn wants_unauthorized(check: &Check) -> bool {
    matches!(check, Check::Status(ranges) if ranges.iter().any(|range| (range.low..=range.high).contains(&401)))
}

fn check_needs_body(check: &Check) -> bool {
    match check {
        Check::Status(_) | Check::Header { .. } | Check::Time(_) => false,
        Check::BodyContains(_) | Check::BodyLacks(_) | Check::BodyMatches(_) | Check::Json { .. } => true,
    }
}

fn extract_needs_body(extract: &Extract) -> bool {
    match extract.from {
        ExtractFrom::Header(_) | ExtractFrom::Cookie(_) => false,
        ExtractFrom::Json(_) | ExtractFrom::Regex { .. } | ExtractFrom::Css { .. } => true,
    }
}

fn check_renders(check: &Check) -> bool {
    match check {
        Check::Status(_) | Check::BodyMatches(_) | Check::Time(_) => false,
        Check::BodyContains(template) | Check::BodyLacks(template) => !is_literal(template),
        Check::Header { expected, .. } => match expected {
            HeaderExpectation::Equals(template) | HeaderExpectation::Contains(template) => !is_literal(template),
            HeaderExpectation::Present | HeaderExpectation::Absent | HeaderExpectation::Matches(_) => false,
        },
        Check::Json { expected, .. } => match expected {
            JsonExpectation::Equals(value) => !value_is_literal(value),
            JsonExpectation::Contains(template) => !is_literal(template),
            JsonExpectation::Exists | JsonExpectation::Absent | JsonExpectation::Matches(_) => false,
        },
    }
}
