//! What Locust serves of the active or last run beside its statistics: CSV files, exceptions, ratios of tasks, the report,
//! and what the workers and the log say.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{self, Data, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use akrida_core::limits;
use serde::Deserialize;
use serde_json::json;

use super::cluster_handle::ControlError;
use super::failure::Failure;
use super::relayed::Relayed;
use super::routes::at;
use super::site::{Document, Shown, Site, Theme};
use super::to_leader::Local;

type Answer = Result<HttpResponse, Failure>;

/// The documents that take no options.
const DOCUMENTS: [(&str, Document); 6] = [
    ("/stats/requests/csv", Document::RequestsCsv),
    ("/stats/requests_full_history/csv", Document::HistoryCsv),
    ("/stats/failures/csv", Document::FailuresCsv),
    ("/exceptions/csv", Document::ExceptionsCsv),
    ("/exceptions", Document::Exceptions),
    ("/tasks", Document::Tasks),
];

/// Registers the paths.
pub(super) fn configure(config: &mut ServiceConfig) {
    for (path, document) in DOCUMENTS {
        let serve =
            move |request: HttpRequest, site: Data<Site>| async move { site.document(&request, document, false).await };
        config.service(at(path).route(web::get().to(serve)));
    }
    config
        .service(at("/stats/report").route(web::get().to(report)))
        .service(at("/worker-count").route(web::get().to(worker_count)))
        .service(at("/logs").route(web::get().to(logs)))
        .service(at("/user").route(web::post().to(user)));
}

/// How a report is wanted.
#[derive(Debug, Deserialize)]
struct Wanted {
    /// Whether to save it and not to show it: with any value but an empty one, as in Locust.
    #[serde(default)]
    download: String,
    #[serde(default)]
    theme: String,
}

async fn report(request: HttpRequest, wanted: Query<Wanted>, site: Data<Site>) -> Answer {
    let theme = match &*wanted.theme {
        "dark" => Theme::Dark,
        "light" => Theme::Light,
        "" => Theme::System,
        other => return Err(Failure::bad_request(format!("there is no theme {other:?}; allowed: dark, light"))),
    };
    site.document(&request, Document::Report(theme), !wanted.download.is_empty()).await
}

/// How many workers there are.
async fn worker_count(request: HttpRequest, site: Data<Site>) -> Answer {
    let relayed = Relayed::reading(&request);
    let local = async || {
        site.cluster().read_barrier().await?;
        let status = site.cluster().status().await?;
        let present = status.workers.iter().filter(|worker| worker.is_present()).count();
        Ok(HttpResponse::Ok().json(json!({"worker_count": present})))
    };
    site.at_leader(&relayed, limits::WEB_HOLD, local).await
}

/// The last lines of the logs of the leader and of the workers.
async fn logs(request: HttpRequest, site: Data<Site>) -> Answer {
    let relayed = Relayed::reading(&request);
    let local = async || {
        let workers = site.cluster().worker_logs().await?;
        Ok(HttpResponse::Ok().json(json!({"master": (site.setup.recent_log)(), "workers": workers})))
    };
    site.at_leader(&relayed, limits::WEB_HOLD, local).await
}

/// Locust changes attributes of classes in mid-run here. A run of ours is what its scenario says.
async fn user() -> Answer {
    let reason = "user classes are changed in the scenario, not in mid-run";
    Err(Failure::new(StatusCode::NOT_IMPLEMENTED, "not_supported", reason))
}

impl Site {
    /// A document, made by the leader, which knows the latest. It may be large, hence another thread makes it.
    async fn document(&self, request: &HttpRequest, document: Document, is_download: bool) -> Answer {
        let relayed = Relayed::reading(request);
        self.at_leader(&relayed, limits::WEB_HOLD, async || self.made(document, is_download).await).await
    }

    async fn made(&self, document: Document, is_download: bool) -> Local {
        self.cluster().read_barrier().await?;
        let view = self.cluster().views().borrow().clone();
        if view.is_none() && matches!(document, Document::Report(_)) {
            return Err(Failure::no_such_run().into());
        }
        let bundle = match &view {
            Some(view) => self.cluster().scenario_of(view.run.id).await?,
            None => self.cluster().scenario().await?,
        };
        let _turn = self.document_turn().await?;
        let (make, shown) = (self.setup.make_document.clone(), Shown { view, bundle });
        let made = web::block(move || make(document, &shown)).await;
        let made = made.map_err(|_| Failure::from(ControlError::Unavailable))?;
        let made = made.map_err(|reason| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", reason))?;
        let content_type = match document {
            Document::Exceptions | Document::Tasks => "application/json",
            Document::Report(_) => "text/html; charset=utf-8",
            Document::RequestsCsv | Document::HistoryCsv | Document::FailuresCsv | Document::ExceptionsCsv => {
                "text/csv"
            }
        };
        let mut response = HttpResponse::Ok();
        response.content_type(content_type);
        if is_download || content_type == "text/csv" {
            response.insert_header((CONTENT_DISPOSITION, format!("attachment;filename={}", made.file_name)));
        }
        Ok(response.body(made.text))
    }
}
