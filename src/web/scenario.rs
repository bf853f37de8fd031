//! The scenario of runs that bring none.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use serde_json::json;

use super::cluster_handle::ControlError;
use super::failure::Failure;
use super::site::Site;
use crate::api::StartRun;

/// What a run of the masters' own scenario would be, as this master has applied it.
pub(super) async fn of_masters(site: Data<Site>) -> Result<HttpResponse, Failure> {
    let none = || {
        Failure::new(
            StatusCode::NOT_FOUND,
            "no_scenario",
            "the masters were given no scenario; start them with -f, or a run with akrida run",
        )
    };
    let bundle = site.cluster().scenario().await?.ok_or_else(none)?;
    let name = Arc::clone(&bundle.name);
    let start = StartRun { bundle: Some(bundle), ..StartRun::default() };
    let build = Arc::clone(&site.setup.build_spec);
    let _turn = site.document_turn().await?;
    // It may have data that takes long to read.
    let built = web::block(move || build(&start)).await.map_err(|_| Failure::from(ControlError::Unavailable))?;
    let spec = built.as_ref().ok();
    Ok(HttpResponse::Ok().json(json!({
        "name": &*name,
        "host": spec.and_then(|spec| spec.host.as_deref()),
        "classes": spec.map(|spec| spec.classes.iter().map(|class| &**class).collect::<Vec<_>>()).unwrap_or_default(),
        "says_load": spec.is_some_and(|spec| spec.plan.arrivals().is_some() || spec.plan.stages().len() > 1),
        "problem": built.as_ref().err(),
    })))
}
