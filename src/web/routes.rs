//! Which path does what.

use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, QueryConfig, ServiceConfig};
use actix_web::{Resource, Route};

use super::failure::Failure;
#[cfg(feature = "ui")]
use super::ui;
use super::{cluster, documents, feed, gate, health, locust, runs, scenario};
use crate::api::paths;

/// Registers every path.
pub(super) fn configure(config: &mut ServiceConfig) {
    let query = QueryConfig::default().error_handler(|error, _| Failure::bad_request(error.to_string()).into());
    config.app_data(query);
    for path in ["/health", "/health/live"] {
        config.service(looked_at(path, |route| route.to(health::alive)));
    }
    for path in ["/ready", "/health/ready"] {
        config.service(looked_at(path, |route| route.to(health::ready)));
    }
    for path in ["/leader", "/health/leader"] {
        config.service(looked_at(path, |route| route.to(health::leader)));
    }
    config
        .service(at(paths::RUNS).route(web::post().to(runs::start)).route(web::get().to(runs::list)))
        // Before the path with an id in it, which this one looks like.
        .service(at(paths::CURRENT_VIEW).route(web::get().to(runs::current_view)))
        .service(at(paths::RUN).route(web::get().to(runs::summary)))
        .service(at(paths::RUN_VIEW).route(web::get().to(runs::view)))
        .service(at(paths::RUN_STOP).route(web::post().to(runs::stop)))
        .service(at(paths::RUN_EDIT).route(web::post().to(runs::edit)))
        .service(at(paths::RUN_RESET).route(web::post().to(runs::reset)));
    config
        .service(at(paths::FEED).route(web::get().to(feed::open)))
        .service(at(paths::SCENARIO).route(web::get().to(scenario::of_masters)));
    #[cfg(feature = "ui")]
    config
        .service(looked_at("/", |route| route.to(ui::page)))
        .service(looked_at("/icon.svg", |route| route.to(ui::icon)))
        .service(looked_at("/assets/{name}", |route| route.to(ui::asset)));
    config
        .service(at(paths::CLUSTER).route(web::get().to(cluster::status)))
        .service(at(paths::CLUSTER_TRANSFER).route(web::post().to(cluster::transfer)))
        .service(at(paths::CLUSTER_ADD).route(web::post().to(cluster::add)))
        .service(at(paths::CLUSTER_REMOVE).route(web::post().to(cluster::remove)))
        .service(at(paths::CLUSTER_REPLACE).route(web::post().to(cluster::replace)))
        .service(at(paths::CLUSTER_DIGEST).route(web::get().to(cluster::digest)))
        .service(at(paths::CLUSTER_SNAPSHOT).route(web::get().to(cluster::snapshot)));
    config.configure(documents::configure);
    // Scripts for older versions of Locust stop and reset with GET.
    config
        .service(at("/stats/requests").route(web::get().to(locust::stats_requests)))
        .service(at("/swarm").route(web::post().to(locust::swarm)))
        .service(at("/stop").route(web::get().to(locust::stop)).route(web::post().to(locust::stop)))
        .service(at("/stats/reset").route(web::get().to(locust::reset)).route(web::post().to(locust::reset)))
        .default_service(web::to(gate::not_found));
}

/// A path that says what is wrong with a method that it does not know.
pub(super) fn at(path: &str) -> Resource {
    web::resource(path).default_service(web::to(async || {
        Err::<&str, _>(Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "not with this method"))
    }))
}

/// A path for whoever looks on, with the methods that balancers use.
fn looked_at(path: &str, to: impl Fn(Route) -> Route) -> Resource {
    let methods = [Method::GET, Method::HEAD, Method::OPTIONS];
    methods.into_iter().fold(at(path), |resource, method| resource.route(to(web::method(method))))
}
