//! The cluster itself: look at, change.

use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use akrida_core::limits;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::cluster_handle::{MemberChange, Role};
use super::failure::Failure;
use super::forward;
use super::relayed::Relayed;
use super::site::Site;
use crate::api::{AddMember, Done, NamedMember, Transfer};

type Answer = Result<HttpResponse, Failure>;

/// Whose knowledge is wanted.
#[derive(Debug, Deserialize)]
pub(super) struct Scope {
    /// Whether that of the asked master, whatever it is.
    #[serde(default)]
    local: bool,
}

/// The cluster as its leader knows it. Without a leader that answers soon, the asked master tells what it knows, and says
/// so: an operator who asks wants to know most of all when something is wrong.
pub(super) async fn status(request: HttpRequest, scope: Query<Scope>, site: Data<Site>) -> Answer {
    let relayed = Relayed::reading(&request);
    let role = site.cluster().leadership().role;
    let is_leader = matches!(role, Role::Leading { .. });
    if let (false, false, Role::Following { leader: Some(leader) }) = (scope.local, relayed.was_forwarded, &role) {
        let soon = Instant::now() + limits::WEB_STATUS_WAIT;
        if let Ok(Some(answer)) = timeout_at(soon, forward::send(&site, leader, &relayed)).await {
            return Ok(answer);
        }
    }
    let mut status = site.cluster().status().await?;
    if !is_leader && !scope.local {
        let name = &site.setup.name;
        status.warnings.push(format!("no leader answers; this is what {name} knows, and it may be out of date"));
    }
    Ok(HttpResponse::Ok().json(status))
}

/// Hands the lead to another master.
pub(super) async fn transfer(request: HttpRequest, payload: Payload, site: Data<Site>) -> Answer {
    change(request, payload, &site, |wanted: Transfer| MemberChange::Transfer(wanted.to)).await
}

/// Adds a master.
pub(super) async fn add(request: HttpRequest, payload: Payload, site: Data<Site>) -> Answer {
    change(request, payload, &site, |wanted: AddMember| MemberChange::Add(wanted)).await
}

/// Removes a master.
pub(super) async fn remove(request: HttpRequest, payload: Payload, site: Data<Site>) -> Answer {
    change(request, payload, &site, |wanted: NamedMember| MemberChange::Remove(wanted.name)).await
}

/// Lets a master with an empty data folder take the place of the one of its name.
pub(super) async fn replace(request: HttpRequest, payload: Payload, site: Data<Site>) -> Answer {
    change(request, payload, &site, |wanted: NamedMember| MemberChange::Replace(wanted.name)).await
}

async fn change<T: DeserializeOwned>(
    request: HttpRequest,
    payload: Payload,
    site: &Site,
    change: impl FnOnce(T) -> MemberChange,
) -> Answer {
    let relayed = Relayed::changing(&request, payload, limits::WEB_BODY_BYTES_MAX).await?;
    let change = change(relayed.parsed()?);
    let local = async || {
        site.cluster().change_members(change.clone(), relayed.request_key()).await?;
        Ok(HttpResponse::Ok().json(Done { done: true }))
    };
    site.at_leader(&relayed, limits::WEB_START_WAIT, local).await
}

/// What this master has applied, in short: an operator sees at a glance that all masters agree.
pub(super) async fn digest(site: Data<Site>) -> Answer {
    Ok(HttpResponse::Ok().json(site.cluster().digest().await?))
}

/// The replicated state as this master has applied it: also a cluster that has lost its quorum can be saved.
pub(super) async fn snapshot(site: Data<Site>) -> Answer {
    let bytes = site.cluster().snapshot().await?;
    Ok(HttpResponse::Ok().content_type("application/octet-stream").body(bytes))
}
