//! Requests against a script, and their outcomes in words.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use akrida_actors::http::client::{Client, Outcome};
use akrida_actors::http::connect::Network;
use akrida_actors::http::request::Outgoing;
use akrida_actors::http::target::Target;
use akrida_actors::http::{HeaderName, HeaderValue, HttpOptions, Method, TransportKind};
use akrida_core::ids::UserIndex;

use crate::server::{Server, Step};

pub(crate) fn request(address: SocketAddr, method: Method) -> Outgoing {
    Outgoing {
        method,
        target: Rc::new(Target::parse(&format!("http://{address}/path?query")).unwrap()),
        headers: Rc::from([(HeaderName::from_static("x-test"), HeaderValue::from_static("1"))]),
        body: None,
        timeout: Duration::from_secs(20),
        redirects_max: 5,
        keep_body: true,
    }
}

pub(crate) const BOTH: [TransportKind; 2] = [TransportKind::Lean, TransportKind::Awc];

pub(crate) fn client(transport: TransportKind) -> Client {
    Client::new(Rc::new(Network::new(&HttpOptions { transport, ..HttpOptions::default() })), UserIndex(0))
}

/// What matters of an outcome, in one line.
pub(crate) fn line_of(outcome: &Outcome) -> String {
    let what = match &outcome.result {
        Ok(response) if response.body.is_empty() => format!("{} {}B", response.status, response.content_bytes),
        Ok(response) => {
            let body = String::from_utf8_lossy(&response.body);
            format!("{} {body} {}B", response.status, response.content_bytes)
        }
        Err(error) => error.to_string(),
    };
    format!("{what} x{}", outcome.exchanges)
}

/// Runs requests one after the other, each after the scripts of the connections before have ended if `wait` says so.
pub(crate) async fn play(
    transport: TransportKind,
    scripts: Vec<Vec<Step>>,
    requests: impl Fn(SocketAddr) -> Vec<Outgoing>,
    wait: bool,
) -> (Vec<String>, Vec<usize>) {
    let server = Server::start(scripts).await;
    let mut client = client(transport);
    let mut lines = Vec::new();
    for (number, request) in requests(server.address).iter().enumerate() {
        while wait && server.over.get() < number {
            tokio::task::yield_now().await;
        }
        lines.push(line_of(&client.send(request).await));
    }
    drop(client);
    server.acceptor.abort();
    (lines, server.requests_by_connection())
}

pub(crate) fn gets<const N: usize>(address: SocketAddr) -> Vec<Outgoing> {
    vec![request(address, Method::GET); N]
}

/// A complete response.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
