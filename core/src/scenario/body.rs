//! The body of a response, read as text, JSON or HTML at most once however many checks and extractions look at it.

use std::cell::OnceCell;

use scraper::Html;

use super::json_outline::JsonOutline;
use super::json_query::JsonQuery;
use super::response::ResponseView;

/// A body that is parsed when it is first looked at. It belongs to one response and one thread.
pub struct ParsedBody<'a> {
    bytes: &'a [u8],
    cut: bool,
    json: OnceCell<Result<serde_json::Value, String>>,
    outline: OnceCell<Option<JsonOutline<'a>>>,
    html: OnceCell<Result<Html, String>>,
}

impl<'a> ParsedBody<'a> {
    /// The body of a response; nothing is parsed yet.
    #[must_use]
    pub fn of(response: &ResponseView<'a>) -> Self {
        Self {
            bytes: response.body,
            cut: response.body_cut,
            json: OnceCell::new(),
            outline: OnceCell::new(),
            html: OnceCell::new(),
        }
    }

    /// The bytes that were kept.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether the body was longer than what was kept.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Said after "not found" messages: nothing, or that the search did not see the whole body.
    pub(super) fn cut_note(&self) -> String {
        if self.cut {
            format!(" in its first {} bytes, and the rest was not kept", self.bytes.len())
        } else {
            String::new()
        }
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When the body was cut, is not UTF-8 or is not JSON.
    pub fn json(&self) -> Result<&serde_json::Value, String> {
        self.json.get_or_init(|| self.parse_json()).as_ref().map_err(Clone::clone)
    }

    /// What a query finds in the body as JSON. A query that leads to one place only builds what is there, which gives
    /// the same result.
    ///
    /// # Errors
    /// When the body was cut, is not UTF-8 or is not JSON, wherever in it the query looks.
    pub fn find(&self, query: &JsonQuery) -> Result<Option<serde_json::Value>, String> {
        if let Some(steps) = query.steps()
            && self.json.get().is_none()
            && let Some(outline) = self.outline.get_or_init(|| self.outlined())
        {
            return outline.find(steps).map(serde_json::from_str).transpose().map_err(|error| not_json(&error));
        }
        Ok(query.find(self.json()?))
    }

    fn outlined(&self) -> Option<JsonOutline<'a>> {
        if self.cut {
            return None;
        }
        JsonOutline::of(std::str::from_utf8(self.bytes).ok()?)
    }

    fn parse_json(&self) -> Result<serde_json::Value, String> {
        if self.cut {
            return Err(format!("body is longer than the {} bytes kept, so it is not read as JSON", self.bytes.len()));
        }
        if self.bytes.is_empty() {
            return Err("body is empty, expected JSON".to_owned());
        }
        let text = std::str::from_utf8(self.bytes).map_err(|_| "body is not UTF-8, expected JSON".to_owned())?;
        serde_json::from_str(text).map_err(|error| not_json(&error))
    }

    /// The body as HTML. Of a body that was cut, the part that was kept.
    ///
    /// # Errors
    /// When the body is not UTF-8.
    pub fn html(&self) -> Result<&Html, String> {
        self.html.get_or_init(|| self.parse_html()).as_ref().map_err(Clone::clone)
    }

    fn parse_html(&self) -> Result<Html, String> {
        let text = match std::str::from_utf8(self.bytes) {
            Ok(text) => text,
            // The cut may have gone through the middle of a character.
            Err(error) if self.cut && error.error_len().is_none() => {
                std::str::from_utf8(&self.bytes[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => return Err("body is not UTF-8, expected HTML".to_owned()),
        };
        Ok(Html::parse_document(text))
    }
}

fn not_json(error: &serde_json::Error) -> String {
    format!("body is not JSON: {error}")
}
