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
use actix_web::web::{Data, Payload, Query};
use actix_web::{Error, HttpRequest, HttpResponse};
use akrida_core::ids::LogIndex;
use serde::Deserialize;

use super::failure::Failure;
use super::origin;
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
    // The rules that keep pages of other sites from reading answers do not hold for WebSockets.
    if origin::is_on_other_host(request.headers()) {
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
