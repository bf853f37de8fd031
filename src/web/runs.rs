//! Runs: start, look at, change.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use akrida_core::coordinator::Order;
use akrida_core::ids::RunId;
use akrida_core::limits;
use akrida_core::plan::rate::SpawnRate;
use akrida_core::state::command::RunSpec;
use akrida_core::state::request::Reply;
use akrida_core::view::RunView;
use serde::Deserialize;

use super::cluster_handle::ControlError;
use super::failure::Failure;
use super::relayed::{Relayed, announced_bytes};
use super::site::Site;
use super::to_leader::{Local, NotDone};
use crate::api::{Done, EditRun, MSGPACK, StartRun, Started, run_id};

type Answer = Result<HttpResponse, Failure>;

/// Starts a run.
pub(super) async fn start(request: HttpRequest, payload: Payload, site: Data<Site>) -> Answer {
    let permit = || {
        let reason = "too many runs are being started at once";
        let busy = |_| Failure::new(StatusCode::SERVICE_UNAVAILABLE, "busy", reason);
        Arc::clone(&site.turns.starts).try_acquire_owned().map_err(busy)
    };
    // What is read before its turn comes must be small; and who sends a little slowly must not take the turn of others.
    let is_small = announced_bytes(&request).is_some_and(|bytes| bytes <= limits::WEB_BODY_BYTES_MAX as u64);
    let before = if is_small { None } else { Some(permit()?) };
    let relayed = Relayed::changing(&request, payload, limits::WEB_START_BYTES_MAX).await?;
    let _permit = before.map_or_else(permit, Ok)?;
    site.at_leader(&relayed, limits::WEB_START_WAIT, async || site.start_run(&relayed, relayed.parsed()?).await).await
}

impl Site {
    /// Starts a run as the leader.
    pub(super) async fn start_run(&self, relayed: &Relayed, start: StartRun) -> Local {
        let started = self.started(relayed, start).await?;
        Ok(HttpResponse::Created().json(Started { run: started.to_string() }))
    }

    /// The run that a request started, now or before.
    pub(super) async fn started(&self, relayed: &Relayed, start: StartRun) -> Result<RunId, NotDone> {
        let spec = self.spec(start).await?;
        let run = RunId(fastrand::u64(..));
        match self.cluster().order(Order::Start(run, Box::new(spec)), relayed.request_key()).await? {
            Reply::Run(started) => Ok(started),
            Reply::Done => Ok(run),
        }
    }

    /// The specification of a run. A scenario with its data takes long to read, hence another thread does it.
    async fn spec(&self, mut start: StartRun) -> Result<RunSpec, NotDone> {
        if start.bundle.is_none() {
            start.bundle = self.cluster().scenario().await?;
        }
        if start.bundle.is_none() {
            return Err(Failure::bad_request("the run has no scenario, and the masters were given none").into());
        }
        let build = Arc::clone(&self.setup.build_spec);
        let built = web::block(move || build(&start)).await;
        let built = built.map_err(|_| Failure::from(ControlError::Unavailable))?;
        Ok(built.map_err(|reason| Failure::new(StatusCode::BAD_REQUEST, "bad_run", reason))?)
    }
}

/// Lists the runs that are remembered.
pub(super) async fn list(request: HttpRequest, site: Data<Site>) -> Answer {
    let relayed = Relayed::reading(&request);
    let local = async || {
        site.cluster().read_barrier().await?;
        Ok(HttpResponse::Ok().json(site.cluster().runs().await?))
    };
    site.at_leader(&relayed, limits::WEB_HOLD, local).await
}

/// The summary of a run.
pub(super) async fn summary(request: HttpRequest, id: Path<String>, site: Data<Site>) -> Answer {
    let render = site.setup.renderers.summary;
    show(request, &id, &site, |view| Ok(HttpResponse::Ok().json(render(view)))).await
}

/// The whole view of a run.
pub(super) async fn view(request: HttpRequest, id: Path<String>, site: Data<Site>) -> Answer {
    show(request, &id, &site, packed).await
}

async fn show(request: HttpRequest, id: &str, site: &Site, render: impl Fn(&RunView) -> Answer) -> Answer {
    let run = run_id(id).ok_or_else(Failure::no_such_run)?;
    let relayed = Relayed::reading(&request);
    let local = async || {
        site.cluster().read_barrier().await?;
        let view = site.cluster().run_view(run).await?.ok_or_else(Failure::no_such_run)?;
        Ok(render(&view)?)
    };
    site.at_leader(&relayed, limits::WEB_HOLD, local).await
}

fn packed(view: &RunView) -> Answer {
    let bytes = rmp_serde::to_vec_named(view).map_err(|error| {
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", format!("the view cannot be written: {error}"))
    })?;
    Ok(HttpResponse::Ok().content_type(MSGPACK).body(bytes))
}

/// Whether to wait for news.
#[derive(Debug, Deserialize)]
pub(super) struct News {
    /// How long to wait for a view that is newer than the one that there is now.
    #[serde(default)]
    wait_ms: u64,
}

/// The view of the active or last run as this master knows it. Nothing is asked of the leader: whoever looks on is not
/// cut off by its loss.
pub(super) async fn current_view(news: Query<News>, site: Data<Site>) -> Answer {
    let mut views = site.cluster().views();
    views.borrow_and_update();
    let wait = Duration::from_millis(news.wait_ms).min(limits::WEB_NEWS_WAIT_MAX);
    if !wait.is_zero() {
        // Without news in time, or ever, what there is is told again.
        let _ = tokio::time::timeout(wait, views.changed()).await;
    }
    let view = views.borrow().clone();
    packed(&*view.ok_or_else(Failure::no_such_run)?)
}

/// Stops a run.
pub(super) async fn stop(request: HttpRequest, payload: Payload, id: Path<String>, site: Data<Site>) -> Answer {
    change(request, payload, &id, &site, |_| Ok(Order::Stop)).await
}

/// Forgets the statistics of a run so far.
pub(super) async fn reset(request: HttpRequest, payload: Payload, id: Path<String>, site: Data<Site>) -> Answer {
    change(request, payload, &id, &site, |_| Ok(Order::Reset)).await
}

/// Changes the users of a run.
pub(super) async fn edit(request: HttpRequest, payload: Payload, id: Path<String>, site: Data<Site>) -> Answer {
    change(request, payload, &id, &site, |relayed| edit_order(relayed.parsed()?)).await
}

/// The order that an edit comes to.
pub(super) fn edit_order(edit: EditRun) -> Result<Order, Failure> {
    if edit.users > limits::USERS_MAX {
        return Err(Failure::bad_request(format!("a run has at most {} users", limits::USERS_MAX)));
    }
    let rate = SpawnRate::per_second(edit.spawn_rate_per_s);
    let rate = rate.ok_or_else(|| Failure::bad_request("the spawn rate is out of range"))?;
    Ok(Order::Edit { users: edit.users, rate })
}

async fn change(
    request: HttpRequest,
    payload: Payload,
    id: &str,
    site: &Site,
    order: impl FnOnce(&Relayed) -> Result<Order, Failure>,
) -> Answer {
    let run = run_id(id).ok_or_else(Failure::no_such_run)?;
    let relayed = Relayed::changing(&request, payload, limits::WEB_BODY_BYTES_MAX).await?;
    let order = Order::To(run, Box::new(order(&relayed)?));
    let local = async || {
        site.cluster().order(order.clone(), relayed.request_key()).await?;
        Ok(HttpResponse::Ok().json(Done { done: true }))
    };
    site.at_leader(&relayed, limits::WEB_HOLD, local).await
}
