//! Request bodies: `json`, `form`, `multipart` or `body`.

use std::sync::Arc;

use super::Decoder;
use super::cursor::{Cursor, Object};
use super::keys::PART;
use crate::document::node::NodeValue;
use crate::scenario::model::{Body, Part};

const KINDS: &[&str] = &["json", "form", "multipart", "body"];

impl<'n> Decoder<'n> {
    /// The body of a request step.
    pub(super) fn request_body(&mut self, step: &Object<'n>) -> Option<Body> {
        let given = step.given(KINDS);
        if given.len() > 1 {
            let names: Vec<String> = given.iter().map(|(kind, _)| format!("`{kind}`")).collect();
            self.problem(&given[1].1, format!("a request has one body, found {}", names.join(" and ")));
            return None;
        }
        let Some((kind, cursor)) = given.first() else { return Some(Body::None) };
        match *kind {
            "json" => self.value(cursor).map(Body::Json),
            "form" => self.fields(cursor, "an object of form fields").map(Body::Form),
            "multipart" => self.multipart(cursor).map(Body::Multipart),
            _ => self.template(cursor, "a text").map(Body::Raw),
        }
    }

    fn multipart(&mut self, cursor: &Cursor<'n>) -> Option<Vec<Part>> {
        let entries = self.entries(cursor, "an object of parts")?;
        let parts = self.all(entries, |decoder, entry| {
            let part_at = cursor.entry(entry);
            let name: Arc<str> = entry.key.as_str().into();
            let items = part_at.items().unwrap_or_else(|| vec![part_at.clone()]);
            decoder.all(items, |decoder, item| decoder.part(&item, &name))
        })?;
        Some(parts.into_iter().flatten().collect())
    }

    fn part(&mut self, cursor: &Cursor<'n>, name: &Arc<str>) -> Option<Part> {
        let name = name.clone();
        if !matches!(cursor.node.value, NodeValue::Map(_)) {
            let content = self.template(cursor, "a text or an object with `content`")?;
            return Some(Part { name, file_name: None, content_type: None, content });
        }
        let object = self.object(cursor, &PART)?;
        let Some(content) = object.get("content") else {
            self.problem(cursor, "expected the key `content`");
            return None;
        };
        let content = self.template(&content, "a text");
        let file_name = self.optional(&object, "file_name", |decoder, at| decoder.template(at, "a file name"));
        let content_type = self.optional(&object, "content_type", Self::content_type);
        Some(Part { name, file_name: file_name?, content_type: content_type?, content: content? })
    }

    fn content_type(&mut self, cursor: &Cursor<'n>) -> Option<Arc<str>> {
        let text = self.text(cursor, "a media type such as `text/plain`")?;
        if text.contains('/') && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Some(text.into());
        }
        self.wrong_kind(cursor, "a media type such as `text/plain`");
        None
    }
}
