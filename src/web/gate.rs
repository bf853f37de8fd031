//! What every request passes.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

use super::failure::Failure;
use super::origin;

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
    if changes && origin::is_elsewhere(headers) || changes_by_get && origin::is_unsaid(headers) {
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

/// For paths that are none.
pub(super) async fn not_found() -> Result<HttpResponse, Failure> {
    Err(Failure::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here"))
}
