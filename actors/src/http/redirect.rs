//! Where a redirect leads and what is sent there.

use std::rc::Rc;

use akrida_core::scenario::response::Headers;

use super::Method;
use super::error::HttpError;
use super::response::Response;
use super::target::Target;

/// The next hop of a request.
#[derive(Debug)]
pub(super) struct Hop {
    pub(super) method: Method,
    /// Shared for its size alone.
    pub(super) target: Rc<Target>,
    /// Whether the body goes along.
    pub(super) with_body: bool,
}

/// Where a response sends the request; `None` when it is no redirect.
///
/// 301, 302 and 303 turn every method but HEAD into GET without a body; 307 and 308 keep method and body
/// (RFC 9110, section 15.4, and what browsers do).
///
/// # Errors
/// When the response points to something that is no URL for HTTP.
pub(super) fn next_hop(response: &Response, method: &Method, target: &Target) -> Result<Option<Hop>, HttpError> {
    let keeps = match response.status {
        301..=303 => *method == Method::HEAD,
        307 | 308 => true,
        _ => return Ok(None),
    };
    let Some(location) = response.headers.header("location") else { return Ok(None) };
    let next = target
        .url()
        .and_then(|url| url.join(location).ok())
        .and_then(|url| Target::of_url(url).ok())
        .ok_or(HttpError::InvalidRedirect)?;
    Ok(Some(Hop { method: if keeps { method.clone() } else { Method::GET }, target: Rc::new(next), with_body: keeps }))
}

#[cfg(test)]
mod tests {
    use actix_http::header::{HeaderMap, LOCATION};
    use bytes::Bytes;

    use super::super::HeaderValue;
    use super::super::response::ResponseHeaders;
    use super::*;

    fn hop(status: u16, location: Option<&'static str>, method: &Method) -> Result<Option<Hop>, HttpError> {
        let mut map = HeaderMap::new();
        if let Some(location) = location {
            map.insert(LOCATION, HeaderValue::from_static(location));
        }
        let headers = ResponseHeaders::new(map);
        let response = Response { status, headers, body: Bytes::new(), body_cut: false, content_bytes: 0 };
        next_hop(&response, method, &Target::parse("http://a.test/x/y?q").expect("valid"))
    }

    #[test]
    fn method_and_body_follow_the_status() {
        for (status, method, expected, with_body) in [
            (301, Method::POST, Method::GET, false),
            (302, Method::PUT, Method::GET, false),
            (303, Method::DELETE, Method::GET, false),
            (303, Method::HEAD, Method::HEAD, true),
            (307, Method::POST, Method::POST, true),
            (308, Method::PATCH, Method::PATCH, true),
        ] {
            let hop = hop(status, Some("/z"), &method).expect("valid").expect("a redirect");
            assert_eq!((hop.method, hop.with_body), (expected, with_body), "{status} {method}");
        }
    }

    #[test]
    fn the_place_is_resolved_against_the_request() {
        for (location, expected) in
            [("z", "http://a.test/x/z"), ("//b.test/", "http://b.test/"), ("https://b.test/#f", "https://b.test/#f")]
        {
            let hop = hop(302, Some(location), &Method::GET).expect("valid").expect("a redirect");
            assert_eq!(hop.target.url().expect("valid").as_str(), expected);
        }
        assert_eq!(hop(302, Some("ftp://b.test/"), &Method::GET).expect_err("no HTTP"), HttpError::InvalidRedirect);
    }

    #[test]
    fn other_responses_are_no_redirects() {
        assert!(hop(302, None, &Method::GET).expect("valid").is_none());
        assert!(hop(304, Some("/z"), &Method::GET).expect("valid").is_none());
        assert!(hop(200, Some("/z"), &Method::GET).expect("valid").is_none());
    }
}
