//! A path before all paths, for masters that share a host name with other services.
//!
//! Everything is served below it as well as without it: balancers' checks, `akrida` and the other masters need not know of
//! it.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::LOCATION;
use actix_web::http::uri::{PathAndQuery, Uri};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};

use super::site::Site;

/// Takes the path of the site off the path of a request. Its own name without a slash leads to the one with it, from where
/// relative addresses of pages are right.
pub(super) async fn strip(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let base = request.app_data::<Data<Site>>().map(|site| site.setup.base_path.clone()).unwrap_or_default();
    if !base.is_empty() && request.path() == &*base {
        let moved = HttpResponse::TemporaryRedirect().insert_header((LOCATION, format!("{base}/"))).finish();
        return Ok(request.into_response(moved).map_into_right_body());
    }
    if let Some(uri) = stripped(request.uri(), &base) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

/// The address without the base path; `None` if it does not have it.
fn stripped(uri: &Uri, base: &str) -> Option<Uri> {
    if base.is_empty() {
        return None;
    }
    let rest = uri.path_and_query()?.as_str().strip_prefix(base).filter(|rest| rest.starts_with('/'))?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_of_the_path_are_taken_off() {
        let of = |uri: &str, base: &str| stripped(&uri.parse().expect("an address"), base).map(|uri| uri.to_string());
        assert_eq!(of("/locust/stats/requests?a=/locust/", "/locust").as_deref(), Some("/stats/requests?a=/locust/"));
        assert_eq!(of("http://h/a/b/", "/a/b").as_deref(), Some("http://h/"));
        for (uri, base) in [("/locusts/x", "/locust"), ("/x/locust/", "/locust"), ("/locust", "/locust"), ("/x", "")] {
            assert_eq!(of(uri, base), None, "{uri} {base}");
        }
    }
}
