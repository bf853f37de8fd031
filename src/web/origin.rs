//! What a browser says of the page that makes a request. Scripts say nothing.

use actix_web::http::header::{HOST, HeaderMap, HeaderValue, ORIGIN, REFERER, USER_AGENT};

/// Whether a page of another site makes this request. Browsers say so; an older one says only where the page is from.
pub(super) fn is_elsewhere(headers: &HeaderMap) -> bool {
    is_elsewhere_by(headers, |page, host| page == host)
}

/// The same for a WebSocket, for which balancers may leave the port out of `Host`.
pub(super) fn is_on_other_host(headers: &HeaderMap) -> bool {
    is_elsewhere_by(headers, |page, host| host_name(page).eq_ignore_ascii_case(host_name(host)))
}

/// Whether a browser makes this request and does not say from where. Over plain HTTP browsers do not tell of what site a
/// page is that makes a GET; one of this site tells its address.
pub(super) fn is_unsaid(headers: &HeaderMap) -> bool {
    let is_browser = headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"));
    let says_from_where = headers.contains_key("sec-fetch-site") || headers.contains_key(ORIGIN);
    is_browser && !says_from_where && !headers.get(REFERER).is_some_and(|page| is_of(page, headers, |a, b| a == b))
}

fn is_elsewhere_by(headers: &HeaderMap, is_same: impl Fn(&str, &str) -> bool) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "cross-site";
    }
    headers.get(ORIGIN).is_some_and(|origin| !is_of(origin, headers, is_same))
}

/// Whether an address of a page is of the host that the request is for.
fn is_of(page: &HeaderValue, headers: &HeaderMap, is_same: impl Fn(&str, &str) -> bool) -> bool {
    let page = page.to_str().unwrap_or_default();
    // A page without an address of its own has the origin `null`.
    let Some((_, rest)) = page.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    headers.get(HOST).and_then(|host| host.to_str().ok()).is_some_and(|host| is_same(authority, host))
}

/// A host without its port.
fn host_name(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn pages_of_other_sites_get_no_feed() {
        let asked = |headers: &[(&'static str, &str)]| {
            let request = headers.iter().fold(TestRequest::get(), |request, header| request.insert_header(*header));
            !is_on_other_host(request.to_http_request().headers())
        };
        assert!(asked(&[]), "no browser");
        assert!(asked(&[("host", "a:80"), ("origin", "http://a:80")]));
        assert!(
            asked(&[("host", "b"), ("origin", "https://a"), ("sec-fetch-site", "same-origin")]),
            "a balancer between"
        );
        assert!(asked(&[("host", "a"), ("origin", "http://a:8080")]), "a balancer that leaves the port out");
        assert!(asked(&[("host", "[::1]:80"), ("origin", "http://[::1]:80")]));
        assert!(!asked(&[("host", "a:80"), ("origin", "http://b:80")]));
        assert!(!asked(&[("host", "[::1]:80"), ("origin", "http://[::2]:80")]));
        assert!(!asked(&[("host", "a:80"), ("origin", "null")]));
        assert!(!asked(&[("host", "a:80"), ("origin", "http://a:80"), ("sec-fetch-site", "cross-site")]));
    }
}
