//! Starts and stops a target.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::AtomicU64;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};

use super::access_log::AccessLog;
use super::behaviour::Behaviour;
use super::counts::{Counter, Counts};
use super::gate::{self, Gate};
use super::limits::{BACKLOG, CONNECTIONS_PER_WORKER_MAX, KEEP_ALIVE, REQUEST_HEAD_TIMEOUT, STOP_GRACE};
use super::options::TargetOptions;
use super::routes;
use super::shop::Shop;

/// A running target. It stops when it is dropped, without waiting for requests in flight.
#[derive(Debug)]
pub struct Target {
    address: SocketAddr,
    gate: web::Data<Gate>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

/// Starts a target on its own threads and returns once it listens.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for options out of range; otherwise what opening the access log, binding the address
/// or starting the threads failed with.
pub fn start(options: TargetOptions) -> io::Result<Target> {
    options.check()?;
    let access_log = options.access_log.as_deref().map(AccessLog::open).transpose()?;
    let TargetOptions { latency, stall, error_rate, .. } = options;
    let gate = web::Data::new(Gate {
        counter: Counter::new(routes::PATHS),
        behaviour: Behaviour { latency, stall, error_rate },
        started: Instant::now(),
        number: AtomicU64::new(0),
        access_log,
    });

    let (report, listening) = mpsc::channel();
    let thread = thread::Builder::new().name("target".to_owned()).spawn({
        let gate = gate.clone();
        move || serve(&options, gate, &report)
    })?;
    let ended = |_| Err(io::Error::other("the target's thread ended before it listened"));
    let (handle, address) = listening.recv().unwrap_or_else(ended)?;
    Ok(Target { address, gate, handle, thread: Some(thread) })
}

/// Serves until it is stopped; reports once whether it listens.
fn serve(
    options: &TargetOptions,
    gate: web::Data<Gate>,
    report: &mpsc::Sender<io::Result<(ServerHandle, SocketAddr)>>,
) {
    actix_rt::System::new().block_on(async move {
        // Nobody waits for the report only if `start` is gone, and then the server ends with it.
        match listen(options, gate) {
            Err(problem) => drop(report.send(Err(problem))),
            Ok((server, address)) => {
                if report.send(Ok((server.handle(), address))).is_ok()
                    && let Err(problem) = server.await
                {
                    tracing::error!(%problem, "the target ended");
                }
            }
        }
    });
}

fn listen(options: &TargetOptions, gate: web::Data<Gate>) -> io::Result<(Server, SocketAddr)> {
    let shop = web::Data::new(Shop::default());
    let app = move || {
        App::new().app_data(gate.clone()).app_data(shop.clone()).configure(routes::configure).wrap(from_fn(gate::pass))
    };
    let workers = match options.workers {
        0 => thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let named = |problem: io::Error| io::Error::new(problem.kind(), format!("{}: {problem}", options.address));
    let server = HttpServer::new(app)
        .workers(workers)
        .backlog(BACKLOG)
        .max_connections(CONNECTIONS_PER_WORKER_MAX)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(REQUEST_HEAD_TIMEOUT)
        // A client that closes has gone: its request ends at once and counts as abandoned.
        .h1_allow_half_closed(false)
        .shutdown_timeout(STOP_GRACE.as_secs())
        .disable_signals()
        .bind(options.address)
        .map_err(named)?;
    let address = server.addrs()[0];
    Ok((server.run(), address))
}

impl Target {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base address without a slash at the end, for example `http://127.0.0.1:8000`. A target on every interface is
    /// addressed by the loopback one.
    pub fn url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, self.address.port()))
    }

    /// What it received so far.
    pub fn counts(&self) -> Counts {
        self.gate.counter.counts()
    }

    /// Tells how many requests it received so far, for as long as anybody wants to know.
    pub fn counter(&self) -> impl Fn() -> u64 + use<> {
        let gate = self.gate.clone();
        move || gate.counter.counts().received
    }

    /// Stops it: no new connections, up to a second for requests in flight. Returns the final counts.
    pub async fn stop(mut self) -> Counts {
        self.handle.stop(true).await;
        self.join();
        self.counts()
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the target's thread panicked");
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // The order to stop is sent by the call; the future only waits for its end, as `join` does.
        drop(self.handle.stop(false));
        self.join();
    }
}
