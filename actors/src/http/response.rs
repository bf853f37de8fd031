//! A response that was read to its end.

use actix_http::header::{HeaderMap, SET_COOKIE};
use akrida_core::scenario::response::Headers;
use bytes::Bytes;

use super::HeaderName;

/// A complete response.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: ResponseHeaders,
    /// The decoded body as far as it was kept.
    pub body: Bytes,
    /// Whether the body was longer than what is kept.
    pub body_cut: bool,
    /// Length of the whole body as it was sent, before any decoding.
    pub content_bytes: u64,
}

/// The headers of a response.
#[derive(Debug, Default)]
pub struct ResponseHeaders(HeaderMap);

impl ResponseHeaders {
    pub(super) fn new(map: HeaderMap) -> Self {
        Self(map)
    }

    pub(super) fn map(&self) -> &HeaderMap {
        &self.0
    }

    pub(super) fn has(&self, name: &HeaderName) -> bool {
        self.0.contains_key(name)
    }

    /// The values of all `Set-Cookie` headers that are text.
    pub(super) fn cookies(&self) -> impl Iterator<Item = &str> {
        self.0.get_all(SET_COOKIE).filter_map(|value| value.to_str().ok())
    }
}

impl Headers for ResponseHeaders {
    fn header(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }

    fn set_cookie(&self, name: &str) -> Option<String> {
        self.cookies().find_map(|cookie| {
            let (found, value) = cookie.split(';').next()?.split_once('=')?;
            (found.trim() == name).then(|| value.trim().to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::HeaderValue;
    use super::*;

    #[test]
    fn headers_are_found_whatever_their_case_and_cookies_by_name() {
        let mut map = HeaderMap::new();
        map.append(SET_COOKIE, HeaderValue::from_static("a=1; Path=/"));
        map.append(SET_COOKIE, HeaderValue::from_static("b=x=y ;HttpOnly"));
        let headers = ResponseHeaders::new(map);
        assert_eq!(headers.header("SET-cookie"), Some("a=1; Path=/"));
        assert_eq!(headers.header("missing"), None);
        assert_eq!(headers.set_cookie("b").as_deref(), Some("x=y"));
        assert_eq!(headers.set_cookie("c"), None);
    }
}
