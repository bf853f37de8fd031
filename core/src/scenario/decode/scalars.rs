//! Texts, numbers, switches, durations and URLs.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::Decoder;
use super::cursor::Cursor;
use crate::document::node::NodeValue;
use crate::document::problem::shown;
use crate::limits::{REDIRECTS_LIMIT_MAX, REDIRECTS_MAX, REQUEST_TIMEOUT_MAX};

impl<'n> Decoder<'n> {
    /// The text of a scalar; numbers and switches as they are written.
    pub(super) fn text(&mut self, cursor: &Cursor<'n>, what: &str) -> Option<&'n str> {
        self.problems.text(cursor, what)
    }

    /// True or false.
    pub(super) fn switch(&mut self, cursor: &Cursor<'n>) -> Option<bool> {
        self.problems.switch(cursor)
    }

    /// A whole number within bounds.
    pub(super) fn whole(&mut self, cursor: &Cursor<'n>, low: u64, high: u64) -> Option<u64> {
        self.problems.whole(cursor, low, high)
    }

    /// A time, at most `longest`.
    pub(super) fn duration(&mut self, cursor: &Cursor<'n>, what: &str, longest: Duration) -> Option<Duration> {
        self.problems.duration(cursor, what, longest)
    }

    /// One text or a list of texts.
    pub(super) fn texts(&mut self, cursor: &Cursor<'n>, what: &str) -> Option<Vec<(Cursor<'n>, &'n str)>> {
        let items = cursor.items().unwrap_or_else(|| vec![cursor.clone()]);
        self.all(items, |decoder, item| decoder.text(&item, what).map(|text| (item, text)))
    }

    /// A time-out: more than nothing.
    pub(super) fn timeout(&mut self, cursor: &Cursor<'n>) -> Option<Duration> {
        let timeout = self.duration(cursor, "a time such as `30s` or `500ms`", REQUEST_TIMEOUT_MAX)?;
        if timeout.is_zero() {
            self.problem(cursor, "a time-out is longer than nothing");
            return None;
        }
        Some(timeout)
    }

    /// How many redirects to follow; `true` for the default number and `false` for none.
    pub(super) fn redirects(&mut self, cursor: &Cursor<'n>) -> Option<u32> {
        match &cursor.node.value {
            NodeValue::Bool(true) => Some(REDIRECTS_MAX),
            NodeValue::Bool(false) => Some(0),
            _ => self.whole(cursor, 0, REDIRECTS_LIMIT_MAX.into()).map(|count| count as u32),
        }
    }

    /// A base URL, without the slash at its end.
    pub(super) fn host(&mut self, cursor: &Cursor<'n>) -> Option<Arc<str>> {
        let text = self.text(cursor, "a URL such as `http://127.0.0.1:8000`")?;
        match check_host(text) {
            Ok(()) => Some(text.trim_end_matches('/').into()),
            Err(reason) => {
                self.problem(cursor, reason);
                None
            }
        }
    }

    /// The address of a server of any protocol, without the slash at its end.
    pub(super) fn address(&mut self, cursor: &Cursor<'n>) -> Option<Arc<str>> {
        let text = self.text(cursor, "a URL such as `http://127.0.0.1:8000`")?;
        match check_address(text) {
            Ok(()) => Some(text.trim_end_matches('/').into()),
            Err(reason) => {
                self.problem(cursor, reason);
                None
            }
        }
    }

    /// A name that is shown in tables: some text without control characters.
    pub(super) fn name(&mut self, cursor: &Cursor<'n>, name: &str, what: &str) -> Option<Arc<str>> {
        match check_name(name, what) {
            Ok(()) => Some(name.into()),
            Err(reason) => {
                self.problem(cursor, reason);
                None
            }
        }
    }
}

/// Checks a name that is shown in tables.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_name(name: &str, what: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err(format!("{what} has an empty name"));
    }
    if name.chars().any(char::is_control) {
        return Err(format!("the name of {what} holds a control character such as a line break"));
    }
    Ok(())
}

/// Checks the address of a server of any protocol: a URL with a host.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_address(text: &str) -> Result<(), String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => check_host(text),
        Ok(url) if text.contains("://") && url.host_str().is_some_and(|host| !host.is_empty()) => Ok(()),
        Ok(_) | Err(_) => {
            Err(format!("{:?} is no URL with a host, expected one such as `tcp://127.0.0.1:7000`", shown(text)))
        }
    }
}

/// Checks a base URL.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_host(text: &str) -> Result<(), String> {
    const EXPECTED: &str = "expected a URL such as `http://127.0.0.1:8000`";
    if text.contains("{{") {
        return Err("the host cannot be a template; use a template in the URL of a request".to_owned());
    }
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return Err(format!("{:?} does not begin with http:// or https://, {EXPECTED}", shown(text)));
    }
    match Url::parse(text) {
        Err(error) => Err(format!("{:?} is no URL: {error}, {EXPECTED}", shown(text))),
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            Err(format!("{:?} has a query or a fragment, to which no path can be appended", shown(text)))
        }
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_http_url_with_a_host() {
        for text in ["http://127.0.0.1:8000", "https://example.org/base/", "http://[::1]:80"] {
            assert_eq!(check_host(text), Ok(()), "{text}");
        }
        for text in ["", "localhost:8000", "ftp://x", "http://", "http://x:99999", "http://x/?a=1", "http://{{ h }}"] {
            assert!(check_host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_is_a_url_with_a_host() {
        for text in ["http://127.0.0.1:8000", "tcp://localhost:7000", "redis://[::1]:6379", "mqtt://broker"] {
            assert_eq!(check_address(text), Ok(()), "{text}");
        }
        for text in ["", "localhost:7000", "tcp://", "tcp:7000", "tcp://x:99999", "http://x/?a=1", "127.0.0.1:7000"] {
            assert!(check_address(text).is_err(), "{text}");
        }
    }
}
