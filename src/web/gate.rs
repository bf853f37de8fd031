//! What every request passes.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HOST, HeaderMap, HeaderValue, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

use super::failure::Failure;

/// Paths that change something also with GET, for scripts that know them so.
const CHANGED_BY_GET: [&str; 2] = ["/stop", "/stats/reset"];

/// Keeps answers out of caches, and pages of other sites from acting through a visitor's browser.
pub(super) async fn pass(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let changes = !request.method().is_safe() || CHANGED_BY_GET.contains(&request.path());
    if changes && comes_from_elsewhere(request.headers()) {
        let reason = "pages of other sites may not change anything here";
        return Err(Failure::new(StatusCode::FORBIDDEN, "cross_site", reason).into());
    }
    let mut response = next.call(request).await?;
    if !response.headers().contains_key(CACHE_CONTROL) {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

/// Whether a page of another site makes this request. Browsers say so; an older one says only where the page is from.
/// Scripts say neither.
fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "cross-site";
    }
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let origin = origin.to_str().unwrap_or_default();
    let from = origin.split_once("://").map(|(_, authority)| authority);
    // A page without an address of its own has the origin `null`.
    from.is_none() || from != headers.get(HOST).and_then(|host| host.to_str().ok())
}

/// For paths that are none.
pub(super) async fn not_found() -> Result<HttpResponse, Failure> {
    Err(Failure::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here"))
}
