//! The live feed: what a master has applied, once a second and whenever the status of the run or the leader changes.
//!
//! Nothing is asked of the leader, so that its loss cuts no page on another master. Each event has the entry of the log
//! that it takes in; whoever lost a connection asks another master for what came `after` it.
//!
//! - `picture`: what an event says, of what a master knows and what the other side knows
//! - `board`: keeps the picture that all feeds of a master show, and tells them when to look
//! - `session`: one connection, an actor; nothing else knows of `actix-web-actors`

mod board;
mod picture;
mod session;

pub(super) use board::{Board, follow};

use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use actix_web::web::{Data, Payload, Query};
use actix_web::{Error, HttpRequest, HttpResponse};
use akrida_core::ids::LogIndex;
use serde::Deserialize;

use super::failure::Failure;
use super::site::Site;

/// Where a feed goes on.
#[derive(Debug, Deserialize)]
pub(super) struct Position {
    /// What came after this entry is wanted; everything without one.
    after: Option<u64>,
}

/// Opens a feed.
pub(super) async fn open(
    request: HttpRequest,
    payload: Payload,
    position: Query<Position>,
    site: Data<Site>,
) -> Result<HttpResponse, Error> {
    if !is_own_page(request.headers()) {
        let reason = "pages of other sites may not listen here";
        return Err(Failure::new(StatusCode::FORBIDDEN, "cross_site", reason).into());
    }
    let unavailable = |word, reason| Failure::new(StatusCode::SERVICE_UNAVAILABLE, word, reason);
    if site.cluster().health().is_draining {
        return Err(unavailable("draining", "this master is about to end").into());
    }
    let place = site.board.take_place();
    let place = place.ok_or_else(|| unavailable("too_many_feeds", "this master serves no more live feeds"))?;
    session::start(&request, payload, &site.board, position.after.map(LogIndex), place)
}

/// Whether a browser that shows a page of another site is not the one who asks: the rules that keep such pages from
/// reading answers do not hold for WebSockets.
fn is_own_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        (Some(site), _) => site != "cross-site",
        (None, Some(origin)) => {
            let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
            // Balancers may leave the port out.
            text(HOST.as_str()).is_some_and(|host| host_name(host).eq_ignore_ascii_case(host_name(authority)))
        }
        (None, None) => true,
    }
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
            is_own_page(request.to_http_request().headers())
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
