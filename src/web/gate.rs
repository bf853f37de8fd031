//! What every request passes.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERER, REFERRER_POLICY,
    USER_AGENT, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

use super::failure::Failure;

/// Paths that change something also with GET, for scripts that know them so.
const CHANGED_BY_GET: [&str; 2] = ["/stop", "/stats/reset"];

/// What is said of every answer that says nothing else itself: it is kept in no cache, taken for nothing but what it is, and
/// shown by no page of another site.
const UNLESS_SAID: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "frame-ancestors 'none'"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
];

/// Keeps answers out of caches, and pages of other sites from acting through a visitor's browser.
pub(super) async fn pass(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    // As the router sees it: decoded.
    let changes_by_get = request.method().is_safe() && CHANGED_BY_GET.contains(&request.match_info().as_str());
    let changes = !request.method().is_safe() || changes_by_get;
    let headers = request.headers();
    if changes && comes_from_elsewhere(headers) || changes_by_get && is_browser_that_says_nothing(headers) {
        let reason = "pages of other sites may not change anything here";
        return Err(Failure::new(StatusCode::FORBIDDEN, "cross_site", reason).into());
    }
    let mut response = next.call(request).await?;
    for (name, value) in UNLESS_SAID {
        if !response.headers().contains_key(&name) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    Ok(response)
}

/// Whether a browser makes this request and does not say from where. Over plain HTTP browsers do not tell of what site a
/// page is that makes a GET; one of this site tells its address.
fn is_browser_that_says_nothing(headers: &HeaderMap) -> bool {
    let is_browser = headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"));
    let says_from_where = headers.contains_key("sec-fetch-site") || headers.contains_key(ORIGIN);
    is_browser && !says_from_where && !headers.get(REFERER).is_some_and(|page| is_of_host(page, headers))
}

/// Whether an address of a page is of the host that the request is for.
fn is_of_host(page: &HeaderValue, headers: &HeaderMap) -> bool {
    let page = page.to_str().unwrap_or_default();
    let authority = page.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    // A page without an address of its own has the origin `null`.
    authority.is_some() && authority == headers.get(HOST).and_then(|host| host.to_str().ok())
}

/// Whether a page of another site makes this request. Browsers say so; an older one says only where the page is from.
/// Scripts say neither.
fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "cross-site";
    }
    headers.get(ORIGIN).is_some_and(|origin| !is_of_host(origin, headers))
}

/// For paths that are none.
pub(super) async fn not_found() -> Result<HttpResponse, Failure> {
    Err(Failure::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here"))
}
