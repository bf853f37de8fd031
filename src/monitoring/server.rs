//! The ports of a process that is watched.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use akrida_core::limits;
use serde_json::json;
use tokio::time::timeout;

use super::exposition::{self, Exposition};
use super::figures::Figures;

/// An answer that takes a moment.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A process that is watched. Whatever takes longer than [`limits::MONITORING_ANSWER_WAIT`] counts as no answer.
pub trait Watched: Send + Sync + 'static {
    /// What there is to see.
    fn figures(&self) -> Answering<'_, Option<Figures>>;

    /// Whether it lives, or should be started anew.
    fn is_alive(&self) -> Answering<'_, bool>;

    /// Whether it can do its work.
    fn is_ready(&self) -> Answering<'_, bool>;
}

/// What is served on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/metrics`.
    Metrics,
    /// `/health` and `/ready`.
    Health,
}

/// Open ports. They close when this is dropped.
#[derive(Debug)]
pub struct MonitoringServer(Vec<ServerHandle>);

impl Drop for MonitoringServer {
    fn drop(&mut self) {
        for handle in &self.0 {
            // The order to stop is sent by the call; the future only waits for its end.
            drop(handle.stop(false));
        }
    }
}

/// Opens ports on all addresses, each for an endpoint. They are served by threads of their own; the calling thread's
/// `System` is needed to accept.
///
/// # Errors
/// When a port cannot be listened on. The message names it.
pub fn start(
    name: &str,
    ports: impl IntoIterator<Item = (Endpoint, u16)>,
    watched: &Arc<dyn Watched>,
) -> io::Result<MonitoringServer> {
    let mut servers = MonitoringServer(Vec::new());
    for (endpoint, port) in ports {
        let handle = listen(endpoint, port, &Site { name: name.into(), watched: Arc::clone(watched) });
        let named = |problem: io::Error| io::Error::new(problem.kind(), format!("{endpoint:?} port {port}: {problem}"));
        servers.0.push(handle.map_err(named)?);
    }
    Ok(servers)
}

fn listen(endpoint: Endpoint, port: u16, site: &Site) -> io::Result<ServerHandle> {
    let site = site.clone();
    let app = move || {
        let site = Data::new(site.clone());
        App::new().app_data(site).app_data(Data::new(Exposition::new())).configure(|config| routes(endpoint, config))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .max_connections(limits::MONITORING_CONNECTIONS_MAX)
        .keep_alive(limits::WEB_KEEP_ALIVE)
        .client_request_timeout(limits::WEB_HEAD_WAIT)
        .disable_signals();
    let server = server.bind(every_address(port)?)?.run();
    let handle = server.handle();
    actix_rt::spawn(async move {
        if let Err(problem) = server.await {
            tracing::error!(%problem, port, "a monitoring port is closed");
        }
    });
    Ok(handle)
}

/// All addresses of both families where there are both.
fn every_address(port: u16) -> io::Result<SocketAddr> {
    let all = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    match std::net::TcpListener::bind(all) {
        Ok(_) => Ok(all),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        Err(_) => Ok(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
    }
}

fn routes(endpoint: Endpoint, config: &mut ServiceConfig) {
    match endpoint {
        Endpoint::Metrics => {
            config.service(web::resource("/metrics").route(web::get().to(metrics)).route(web::head().to(metrics)));
        }
        Endpoint::Health => {
            for path in ["/health", "/health/live"] {
                config.service(web::resource(path).route(web::get().to(alive)).route(web::head().to(alive)));
            }
            for path in ["/ready", "/health/ready"] {
                config.service(web::resource(path).route(web::get().to(ready)).route(web::head().to(ready)));
            }
        }
    }
}

/// What the handlers share.
#[derive(Clone)]
struct Site {
    name: Arc<str>,
    watched: Arc<dyn Watched>,
}

async fn metrics(site: Data<Site>, exposition: Data<Exposition>) -> HttpResponse {
    let figures = timeout(limits::MONITORING_ANSWER_WAIT, site.watched.figures()).await.ok().flatten();
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, exposition::content_type()))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(exposition.text(figures.as_ref()))
}

async fn alive(site: Data<Site>) -> HttpResponse {
    let is_alive = timeout(limits::MONITORING_ANSWER_WAIT, site.watched.is_alive()).await;
    answer(&site, is_alive.unwrap_or(false))
}

async fn ready(site: Data<Site>) -> HttpResponse {
    let is_ready = timeout(limits::MONITORING_ANSWER_WAIT, site.watched.is_ready()).await;
    answer(&site, is_ready.unwrap_or(false))
}

fn answer(site: &Site, is_good: bool) -> HttpResponse {
    let status = if is_good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({"node": &*site.name, "ok": is_good});
    HttpResponse::build(status).insert_header((CACHE_CONTROL, "no-store")).json(body)
}
