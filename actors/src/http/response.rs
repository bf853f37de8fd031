//! A response that was read to its end.

use actix_http::header::{HeaderMap, SET_COOKIE};
use akrida_core::scenario::response::Headers;
use bytes::Bytes;

use super::lean::header_block::HeaderBlock;

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
pub struct ResponseHeaders(Repr);

#[derive(Debug)]
enum Repr {
    /// Looked up when asked for.
    Block {
        block: HeaderBlock,
        sets_cookies: bool,
    },
    Map(HeaderMap),
}

impl Default for Repr {
    fn default() -> Self {
        Self::Block { block: HeaderBlock::default(), sets_cookies: false }
    }
}

impl ResponseHeaders {
    pub(super) fn new(map: HeaderMap) -> Self {
        Self(Repr::Map(map))
    }

    /// From a head that was found to be valid.
    pub(super) fn of_block(block: HeaderBlock, sets_cookies: bool) -> Self {
        Self(Repr::Block { block, sets_cookies })
    }

    /// The values of a header, in order.
    fn values<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let (map, block) = match &self.0 {
            Repr::Map(map) => (Some(map), None),
            Repr::Block { block, .. } => (None, Some(block)),
        };
        let of_map = map.into_iter().flat_map(move |map| map.get_all(name)).map(|value| value.as_bytes());
        of_map.chain(block.into_iter().flat_map(move |block| block.values(name)))
    }

    /// All headers in order, as text.
    #[must_use]
    pub fn all(&self) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match &self.0 {
            Repr::Map(map) => map.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
            Repr::Block { block, .. } => block.all().map(|(name, value)| (text(name), text(value))).collect(),
        }
    }

    /// The values of all `Set-Cookie` headers that are text.
    pub(super) fn cookies(&self) -> impl Iterator<Item = &str> {
        let may_set = !matches!(self.0, Repr::Block { sets_cookies: false, .. });
        let values = may_set.then(|| self.values(SET_COOKIE.as_str()));
        values.into_iter().flatten().filter_map(|value| std::str::from_utf8(value).ok())
    }
}

impl Headers for ResponseHeaders {
    fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next().and_then(|value| std::str::from_utf8(value).ok())
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
