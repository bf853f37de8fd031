//! The paths of the target.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Responder};

use super::gate::Gate;
use super::limits::BODY_BYTES_MAX;
use super::{basics, echo, shop, upload};

/// The paths that are counted apart, as registered below.
pub(super) const PATHS: &[&str] = &[
    "/",
    "/json",
    "/gzip",
    "/html",
    "/missing",
    "/status/{code}",
    "/delay/{ms}",
    "/bytes/{count}",
    "/redirect/{hops}",
    "/echo",
    "/cookies/set/{name}/{value}",
    "/login",
    "/account",
    "/products/{id}",
    "/cart",
    "/cart/{id}",
    "/upload",
];

/// Registers every path. Those that only show something answer any method.
pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
        .app_data(web::JsonConfig::default().limit(BODY_BYTES_MAX))
        .service(web::resource("/_count").route(web::get().to(count)))
        .service(web::resource("/_reset").route(web::post().to(reset)));
    config
        .service(web::resource("/").to(basics::hello))
        .service(web::resource("/json").to(basics::json))
        .service(web::resource("/gzip").to(basics::gzip))
        .service(web::resource("/html").to(basics::html))
        .service(web::resource("/missing").to(basics::missing))
        .service(web::resource("/status/{code}").to(basics::status))
        .service(web::resource("/delay/{ms}").to(basics::delay))
        .service(web::resource("/bytes/{count}").to(basics::bytes))
        .service(web::resource("/redirect/{hops}").to(basics::redirect))
        .service(web::resource("/echo").to(echo::echo))
        .service(web::resource("/cookies/set/{name}/{value}").to(echo::set_cookie));
    config
        .service(web::resource("/login").route(web::post().to(shop::log_in)))
        .service(web::resource("/account").route(web::get().to(shop::account)))
        .service(web::resource("/products/{id}").route(web::get().to(shop::product)))
        .service(web::resource("/cart").route(web::post().to(shop::add_to_cart)))
        .service(web::resource("/cart/{id}").route(web::get().to(shop::cart)))
        .service(web::resource("/upload").route(web::post().to(upload::upload)))
        .default_service(web::to(basics::missing));
}

async fn count(gate: Data<Gate>) -> impl Responder {
    web::Json(gate.counter.counts())
}

async fn reset(gate: Data<Gate>) -> impl Responder {
    gate.counter.reset();
    HttpResponse::NoContent()
}
