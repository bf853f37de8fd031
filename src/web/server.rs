//! Starts and stops the web port.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use akrida_core::limits;
use socket2::SockRef;

use super::feed::{self, Board};
use super::site::{Site, Turns, WebSetup};
use super::{base_path, gate, routes};

/// An open web port. It closes when it is dropped, without waiting for requests in flight.
#[derive(Debug)]
pub struct WebServer {
    address: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

/// Serves a web port that is open, on its own threads, and returns once it does.
///
/// # Errors
/// When the port cannot be used, or the threads cannot be started.
pub fn start(listener: TcpListener, setup: WebSetup) -> io::Result<WebServer> {
    let (report, listening) = mpsc::channel();
    let thread = thread::Builder::new().name("web".to_owned()).spawn(move || serve(listener, setup, &report))?;
    let ended = |_| Err(io::Error::other("the web thread ended before it listened"));
    let (handle, address) = listening.recv().unwrap_or_else(ended)?;
    Ok(WebServer { address, handle, thread: Some(thread) })
}

/// Serves until it is stopped; reports once whether it listens.
fn serve(listener: TcpListener, setup: WebSetup, report: &mpsc::Sender<io::Result<(ServerHandle, SocketAddr)>>) {
    actix_rt::System::new().block_on(async move {
        // Nobody waits for the report only if `start` is gone, and then the server ends with it.
        match listen(listener, setup) {
            Err(problem) => drop(report.send(Err(problem))),
            Ok((server, address)) => {
                if report.send(Ok((server.handle(), address))).is_ok()
                    && let Err(problem) = server.await
                {
                    tracing::error!(%problem, "the web port is closed");
                }
            }
        }
    });
}

fn listen(listener: TcpListener, setup: WebSetup) -> io::Result<(Server, SocketAddr)> {
    let address = listener.local_addr()?;
    SockRef::from(&listener).listen(limits::WEB_BACKLOG.cast_signed())?;
    let turns = Turns::new();
    let board = Arc::new(Board::new(&setup));
    actix_rt::spawn(feed::follow(Arc::clone(&board), setup.cluster.clone()));
    let app = move || {
        let site = Site::new(setup.clone(), turns.clone(), Arc::clone(&board));
        App::new()
            .app_data(Data::new(site))
            .configure(routes::configure)
            .wrap(from_fn(gate::pass))
            .wrap(from_fn(base_path::strip))
    };
    let server = HttpServer::new(app)
        .workers(limits::WEB_THREADS)
        .max_connections(limits::WEB_CONNECTIONS_MAX)
        .keep_alive(limits::WEB_KEEP_ALIVE)
        .client_request_timeout(limits::WEB_HEAD_WAIT)
        .shutdown_timeout(limits::WEB_STOP_GRACE.as_secs())
        .disable_signals()
        .listen(listener)?;
    Ok((server.run(), address))
}

impl WebServer {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes it: no new connections, and a few seconds for requests in flight.
    pub async fn stop(mut self) {
        self.handle.stop(true).await;
        self.join();
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the web thread panicked");
        }
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        // The order to stop is sent by the call; the future only waits for its end, as `join` does.
        drop(self.handle.stop(false));
        self.join();
    }
}
