//! WebSocket steps.

use super::Decoder;
use super::cursor::{Cursor, Object};
use super::keys::{Keys, WEBSOCKET_EXPECT, WEBSOCKET_MATCH, WEBSOCKET_SEND, WEBSOCKET_STEP, WEBSOCKET_WAIT};
use super::request::empty_request;
use crate::document::node::NodeValue;
use crate::scenario::check::Check;
use crate::scenario::extract::ExtractFrom;
use crate::scenario::model::{Method, Request};
use crate::scenario::template::Template;
use crate::scenario::websocket::{Expectation, METHOD, WebSocket, WebSocketStep};

const KINDS: [(&str, &Keys); 3] = [("send", &WEBSOCKET_SEND), ("expect", &WEBSOCKET_EXPECT), ("wait", &WEBSOCKET_WAIT)];

const KIND: &str = "an object with `send`, `expect` or `wait`";

impl<'n> Decoder<'n> {
    /// A step that talks over a WebSocket.
    pub(super) fn websocket_step(&mut self, cursor: &Cursor<'n>) -> Option<WebSocket> {
        let object = self.object(cursor, &WEBSOCKET_STEP)?;
        let url_at = object.get("websocket")?;
        let url = self.text(&url_at, "a path or a URL").and_then(|text| self.websocket_url(&url_at, text));
        let name = self.optional(&object, "name", Self::request_name);
        let opening = self.opening(&object);
        let url = url?;
        let name = name?.unwrap_or_else(|| Template::Literal(url.source().into()));
        let steps = match object.get("steps") {
            Some(at) => self.websocket_steps(&at, &name),
            None => Some(Vec::new()),
        };
        // In the statistics the opening is a line beside that of the messages.
        let opening_name = format!("connect {}", name.source());
        let opening_name = match name {
            Template::Literal(_) => Template::Literal(opening_name.into()),
            Template::Dynamic(_) => self.compile(cursor, &opening_name)?,
        };
        Some(WebSocket { opening: Request { url, name: opening_name, ..opening? }, steps: steps? })
    }

    fn opening(&mut self, object: &Object<'n>) -> Option<Request> {
        let headers = self.optional(object, "headers", Self::headers);
        let query = self.optional(object, "query", |decoder, at| decoder.fields(at, "an object of query parameters"));
        let auth = self.optional(object, "auth", Self::auth);
        let timeout = self.optional(object, "timeout", Self::timeout);
        Some(Request {
            method: Method(METHOD.into()),
            headers: headers?.unwrap_or_default(),
            query: query?.unwrap_or_default(),
            auth: auth?,
            timeout: timeout?,
            ..empty_request()
        })
    }

    fn websocket_steps(&mut self, cursor: &Cursor<'n>, name: &Template) -> Option<Vec<WebSocketStep>> {
        let Some(items) = cursor.items() else {
            self.wrong_kind(cursor, &format!("a list, each item {KIND}"));
            return None;
        };
        self.all(items, |decoder, item| decoder.websocket_action(&item, name))
    }

    fn websocket_action(&mut self, cursor: &Cursor<'n>, name: &Template) -> Option<WebSocketStep> {
        let NodeValue::Map(entries) = &cursor.node.value else {
            self.wrong_kind(cursor, KIND);
            return None;
        };
        let found = KINDS.iter().find(|(kind, _)| entries.iter().any(|entry| entry.key == *kind));
        let Some((kind, keys)) = found else {
            self.problem(cursor, format!("the step does nothing, expected {KIND}"));
            return None;
        };
        let object = self.object(cursor, keys)?;
        let at = object.get(kind)?;
        match *kind {
            "send" => self.template(&at, "a text").map(WebSocketStep::Send),
            "wait" => self.wait_of_step(&at).map(WebSocketStep::Wait),
            _ => self.expectation(&object, &at, name).map(|expected| WebSocketStep::Expect(Box::new(expected))),
        }
    }

    fn expectation(&mut self, object: &Object<'n>, at: &Cursor<'n>, name: &Template) -> Option<Expectation> {
        let checks = self.message_checks(at);
        let own_name = self.optional(object, "name", Self::request_name);
        let timeout = self.optional(object, "timeout", Self::timeout);
        let extracts = self.optional(object, "extract", Self::extracts);
        let extracts = extracts?.unwrap_or_default();
        if extracts.iter().any(|extract| matches!(extract.from, ExtractFrom::Header(_) | ExtractFrom::Cookie(_))) {
            self.problem(&object.cursor, "a message has neither headers nor cookies");
            return None;
        }
        let name = own_name?.unwrap_or_else(|| name.clone());
        Some(Expectation { name, checks: checks?, extracts, timeout: timeout? })
    }

    /// What is expected of a message: texts that it contains, or an object. An empty text is in every message.
    fn message_checks(&mut self, cursor: &Cursor<'n>) -> Option<Vec<Check>> {
        match &cursor.node.value {
            NodeValue::Text(text) if text.is_empty() => return Some(Vec::new()),
            NodeValue::Map(_) => {}
            _ => return self.body_texts(cursor, Check::BodyContains),
        }
        let object = self.object(cursor, &WEBSOCKET_MATCH)?;
        let checks = self.all(object.given(WEBSOCKET_MATCH.keys), |decoder, (kind, at)| match kind {
            "contains" => decoder.body_texts(&at, Check::BodyContains),
            "regex" => decoder.body_patterns(&at),
            _ => decoder.json_checks(&at),
        })?;
        Some(checks.into_iter().flatten().collect())
    }
}
