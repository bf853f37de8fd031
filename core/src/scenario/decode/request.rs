//! Request steps.

use std::sync::Arc;

use url::Url;

use super::Decoder;
use super::cursor::{Cursor, Object};
use super::keys::{REQUEST_LINE, REQUEST_STEP};
use super::values::is_token;
use crate::document::node::NodeValue;
use crate::document::problem::shown;
use crate::scenario::model::{Body, Method, Request};
use crate::scenario::template::Template;

const REQUEST_TEXT: &str = "`/path`, a URL, or `METHOD /path`";

impl<'n> Decoder<'n> {
    /// A step whose key `kind` is a method or `request`.
    pub(super) fn request_step(&mut self, cursor: &Cursor<'n>, kind: &str) -> Option<Request> {
        let object = self.object(cursor, &REQUEST_STEP)?;
        let line_at = object.get(kind)?;
        let line = if kind == "request" {
            self.request_line(&line_at)
        } else {
            let url = self.text(&line_at, "a path or a URL").and_then(|text| self.url(&line_at, text));
            url.map(|url| (Method(kind.to_uppercase().into()), url))
        };
        let options = self.request_options(&object);
        let (method, url) = line?;
        let mut request = options?;
        request.name = if object.get("name").is_some() { request.name } else { as_written(&url) };
        request.method = method;
        request.url = url;
        Some(request)
    }

    /// A request that is nothing but a text: `/path` or `METHOD /path`.
    pub(super) fn request_text(&mut self, cursor: &Cursor<'n>) -> Option<Request> {
        let (method, url) = self.method_and_url(cursor)?;
        Some(Request { method, name: as_written(&url), url, ..empty_request() })
    }

    /// Everything but the method and the URL.
    fn request_options(&mut self, object: &Object<'n>) -> Option<Request> {
        let name = self.optional(object, "name", Self::request_name);
        let headers = self.optional(object, "headers", Self::headers);
        let query = self.optional(object, "query", |decoder, at| decoder.fields(at, "an object of query parameters"));
        let body = self.request_body(object);
        let auth = self.optional(object, "auth", Self::auth);
        let timeout = self.optional(object, "timeout", Self::timeout);
        let redirects_max = self.optional(object, "redirects", Self::redirects);
        let checks = self.optional(object, "check", Self::checks);
        let extracts = self.optional(object, "extract", Self::extracts);
        let empty = empty_request();
        Some(Request {
            name: name?.unwrap_or(empty.name),
            headers: headers?.unwrap_or_default(),
            query: query?.unwrap_or_default(),
            body: body?,
            auth: auth?,
            timeout: timeout?,
            redirects_max: redirects_max?,
            checks: checks?.unwrap_or_default(),
            extracts: extracts?.unwrap_or_default(),
            method: empty.method,
            url: empty.url,
        })
    }

    pub(super) fn request_name(&mut self, cursor: &Cursor<'n>) -> Option<Template> {
        let text = self.text(cursor, "a name")?;
        self.name(cursor, text, "a request")?;
        self.compile(cursor, text)
    }

    fn request_line(&mut self, cursor: &Cursor<'n>) -> Option<(Method, Template)> {
        if let NodeValue::Text(_) = cursor.node.value {
            return self.method_and_url(cursor);
        }
        let object = self.object(cursor, &REQUEST_LINE)?;
        let (Some(method_at), Some(url_at)) = (object.get("method"), object.get("url")) else {
            self.problem(cursor, "expected both `method` and `url`");
            return None;
        };
        let method = self.text(&method_at, "a method").and_then(|text| self.method(&method_at, text));
        let url = self.text(&url_at, "a path or a URL").and_then(|text| self.url(&url_at, text));
        Some((method?, url?))
    }

    fn method_and_url(&mut self, cursor: &Cursor<'n>) -> Option<(Method, Template)> {
        let text = self.text(cursor, REQUEST_TEXT)?.trim();
        let is_url = ["/", "http://", "https://", "{{"].iter().any(|begin| text.starts_with(begin));
        if is_url {
            return Some((Method("GET".into()), self.url(cursor, text)?));
        }
        let Some((method, url)) = text.split_once(' ') else {
            self.wrong_kind(cursor, REQUEST_TEXT);
            return None;
        };
        let method = self.method(cursor, method);
        let url = self.url(cursor, url.trim_start());
        Some((method?, url?))
    }

    fn method(&mut self, cursor: &Cursor<'n>, text: &str) -> Option<Method> {
        if is_token(text) {
            return Some(Method(text.to_uppercase().into()));
        }
        self.problem(cursor, format!("{:?} is no HTTP method", shown(text)));
        None
    }

    /// The URL of a WebSocket, whose scheme may be `ws` or `wss` as well.
    pub(super) fn websocket_url(&mut self, cursor: &Cursor<'n>, text: &str) -> Option<Template> {
        let scheme = |name: &str| text.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
        match [("ws://", "http://"), ("wss://", "https://")].into_iter().find(|(name, _)| scheme(name)) {
            Some((name, http)) => {
                self.url(cursor, &format!("{http}{}", &text[name.len()..]))?;
                self.compile(cursor, text)
            }
            None => self.url(cursor, text),
        }
    }

    fn url(&mut self, cursor: &Cursor<'n>, text: &str) -> Option<Template> {
        if let Err(reason) = check_url(text) {
            self.problem(cursor, reason);
            return None;
        }
        self.compile(cursor, text)
    }
}

/// Checks the URL of a request as far as it can be told before its templates are rendered.
fn check_url(text: &str) -> Result<(), String> {
    let is_template = text.contains("{{") || text.contains("{%");
    if text.starts_with("{{") || text.starts_with("{%") {
        return Ok(());
    }
    if !is_template && text.contains(|character: char| character.is_whitespace() || character.is_control()) {
        return Err(format!("{:?} holds a blank, which is written %20 in a URL", shown(text)));
    }
    if text.starts_with('/') {
        return Ok(());
    }
    if !["http://", "https://"].iter().any(|scheme| text.to_ascii_lowercase().starts_with(scheme)) {
        return Err(format!("{:?} is neither a path that begins with / nor an http:// or https:// URL", shown(text)));
    }
    if is_template {
        return Ok(());
    }
    Url::parse(text).map(|_| ()).map_err(|error| format!("{:?} is no URL: {error}", shown(text)))
}

/// The name of a request that is given none: its URL with the templates unrendered, so that a templated path is one
/// endpoint.
fn as_written(url: &Template) -> Template {
    Template::Literal(url.source().into())
}

pub(super) fn empty_request() -> Request {
    let nothing = || Template::Literal(Arc::from(""));
    Request {
        method: Method("GET".into()),
        url: nothing(),
        name: nothing(),
        headers: Vec::new(),
        query: Vec::new(),
        body: Body::None,
        auth: None,
        timeout: None,
        redirects_max: None,
        checks: Vec::new(),
        extracts: Vec::new(),
    }
}
