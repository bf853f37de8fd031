//! For balancers, and whoever else wants to know how this master is.
//!
//! Health is of this process and its knowledge: nothing is asked of anybody, so that an answer comes at once.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use serde_json::json;

use super::cluster_handle::{Health, Leadership, Role};
use super::site::Site;

/// Whether this process lives.
pub(super) async fn alive(site: Data<Site>) -> HttpResponse {
    answer(&site, site.cluster().health().is_alive)
}

/// Whether this master can carry requests out or pass them on. One that has lost its leader lately still can: it holds
/// requests, and a balancer that took every master out during an election would do harm. One that has not known any
/// leader since its start cannot: it may wait to be let into its cluster.
pub(super) async fn ready(site: Data<Site>) -> HttpResponse {
    answer(&site, is_ready(site.cluster().health(), &site.cluster().leadership(), site.setup.ready_grace))
}

/// Whether a master can carry requests out or pass them on, if it is still ready for `grace` without a leader.
#[must_use]
pub fn is_ready(health: Health, leadership: &Leadership, grace: Duration) -> bool {
    let knows_a_leader = match &leadership.role {
        Role::Leading { is_ready } => *is_ready,
        Role::Following { leader } => leader.is_some(),
    };
    let can_serve = knows_a_leader || leadership.without_leader_ms < grace.as_millis() as u64;
    health.is_alive && !health.is_draining && can_serve
}

/// Whether this master leads and can act.
pub(super) async fn leader(site: Data<Site>) -> HttpResponse {
    let leads = matches!(site.cluster().leadership().role, Role::Leading { is_ready: true });
    answer(&site, leads && site.cluster().health().is_alive)
}

fn answer(site: &Site, is_good: bool) -> HttpResponse {
    let leadership = site.cluster().leadership();
    let (role, leader) = match leadership.role {
        Role::Leading { .. } => ("leader", Some(site.setup.name.to_string())),
        Role::Following { leader } => ("follower", leader.map(|leader| leader.name.to_string())),
    };
    let status = if is_good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut response = HttpResponse::build(status);
    if let Some(leader) = &leader {
        response.insert_header(("x-leader", leader.as_str()));
    }
    response.json(json!({"node": &*site.setup.name, "role": role, "term": leadership.term, "leader": leader}))
}
