//! Opens connections: name, TCP, TLS, each timed.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_http::Uri;
use actix_rt::net::TcpStream;
use actix_service::Service;
use actix_tls::connect::rustls_0_23::reexports::AsyncTlsStream;
use actix_tls::connect::rustls_0_23::{TlsConnector, TlsConnectorService};
use actix_tls::connect::{ConnectError, ConnectInfo, Connection, Host};
use akrida_core::ids::UserIndex;
use akrida_core::scenario::connection::ConnectionRules;
use futures_util::future::LocalBoxFuture;
use rustls::ClientConfig;
use tokio::net::TcpSocket;

use super::allowed_hosts::AllowedHost;
use super::connection::MeteredStream;
use super::dns::Resolver;
use super::error::{GeneratorFault, HttpError};
use super::lean::Scratch;
use super::meter::Meter;
use super::proxy;
use super::stream::Stream;
use super::target::Target;
use super::{HttpOptions, TransportKind};
use crate::observe::Observer;

/// What the connections of an arbiter share.
pub struct Network {
    resolver: Resolver,
    tls: Option<TlsConnectorService>,
    /// The same, which also offers HTTP/2.
    tls_http2: Option<TlsConnectorService>,
    pub(super) transport: TransportKind,
    pub(super) scratch: Scratch,
    /// Servers to which one user keeps an idle connection.
    pub(super) idle_servers_max: usize,
    allowed: Option<Arc<[AllowedHost]>>,
    pub(super) observer: Option<Rc<dyn Observer>>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("resolver", &self.resolver).finish_non_exhaustive()
    }
}

impl Network {
    /// The network as the users of one arbiter see it.
    #[must_use]
    pub fn new(options: &HttpOptions) -> Self {
        Self {
            resolver: Resolver::new(options.dns, options.addresses.clone(), options.kept.names),
            tls: options.tls.clone().map(TlsConnector::service),
            tls_http2: options.tls.as_deref().map(|tls| {
                let mut offering: ClientConfig = tls.clone();
                offering.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
                TlsConnector::service(Arc::new(offering))
            }),
            transport: options.transport,
            scratch: Scratch::default(),
            idle_servers_max: options.kept.idle_servers,
            allowed: options.allowed.clone(),
            observer: None,
        }
    }

    /// Refuses a target that requests may not go to.
    pub(super) fn check_allowed(&self, target: &Target) -> Result<(), HttpError> {
        match &self.allowed {
            Some(allowed) if !allowed.iter().any(|host| host.permits(target)) => {
                Err(HttpError::NotAllowed(target.authority().as_str().into()))
            }
            _ => Ok(()),
        }
    }

    /// The same, with somebody who sees every exchange.
    #[must_use]
    pub fn observed_by(self, observer: Option<Rc<dyn Observer>>) -> Self {
        Self { observer, ..self }
    }
}

/// The connector of one user.
#[derive(Clone)]
pub(super) struct UserConnector {
    pub(super) network: Rc<Network>,
    pub(super) meter: Rc<Meter>,
    pub(super) user: UserIndex,
    pub(super) rules: Rc<ConnectionRules>,
}

impl UserConnector {
    /// Opens a connection, encrypted if the [`Meter`] says so. Through a proxy a plain one is one to the proxy; for a
    /// WebSocket it is a tunnel, and never one of HTTP/2.
    pub(super) async fn connect(&self, host: &str, port: u16, websocket: bool) -> Result<Stream, HttpError> {
        self.meter.on_opening();
        let started = Instant::now();
        // A literal IPv6 address stands in brackets in a URL and nowhere else.
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let stream = match &self.rules.proxy {
            None => self.open(bare, port).await?,
            Some(proxy) => {
                let mut stream = self.open(&proxy.host, proxy.port).await.map_err(proxy::unreachable)?;
                if websocket || self.meter.https() {
                    proxy::open_tunnel(&mut stream, proxy, host, port).await?;
                }
                stream
            }
        };
        self.meter.on_connected(started.elapsed());
        Ok(if self.meter.https() {
            Stream::Tls(Box::new(self.handshake(bare, stream, self.rules.http2 && !websocket).await?))
        } else {
            Stream::Plain(stream)
        })
    }

    /// Tries the addresses of a name in turn. User `k` begins with the `k`-th, so that users spread over all of them.
    async fn open(&self, host: &str, port: u16) -> Result<TcpStream, HttpError> {
        let addresses = self.network.resolver.resolve(host).await?;
        let first = (self.user.0 % addresses.len() as u64) as usize;
        let mut failure = HttpError::HostNotFound(host.into());
        for address in addresses.iter().cycle().skip(first).take(addresses.len()) {
            match self.dial(SocketAddr::new(*address, port)).await {
                Ok(stream) => {
                    // Only a latency would suffer if the kernel refused, and it refuses for a dead connection alone.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => failure = error,
            }
            if failure.is_generator_fault() {
                break;
            }
        }
        Err(failure)
    }

    /// Connects from the user's own source address, if there are any to choose from. User `k` has the `k`-th of those of
    /// the target's address family.
    async fn dial(&self, address: SocketAddr) -> Result<TcpStream, HttpError> {
        let failed = |error: io::Error| HttpError::from_io(&error);
        if self.rules.sources.is_empty() {
            return TcpStream::connect(address).await.map_err(failed);
        }
        let of_family = || self.rules.sources.iter().filter(|source| source.is_ipv4() == address.is_ipv4());
        let count = of_family().count().max(1) as u64;
        let source = of_family().nth((self.user.0 % count) as usize).ok_or(HttpError::NoSource)?;
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(failed)?;
        let bound = socket.bind(SocketAddr::new(*source, 0));
        bound.map_err(|error| GeneratorFault::of_bind(&error).map_or_else(|| failed(error), HttpError::Generator))?;
        socket.connect(address).await.map_err(failed)
    }

    async fn handshake(
        &self,
        host: &str,
        stream: TcpStream,
        http2: bool,
    ) -> Result<AsyncTlsStream<TcpStream>, HttpError> {
        let tls = if http2 { &self.network.tls_http2 } else { &self.network.tls };
        let tls = tls.as_ref().ok_or(HttpError::TlsNotSetUp)?;
        let started = Instant::now();
        let connection = tls.call(Connection::new(ServerName(host.into()), stream)).await;
        self.meter.on_handshake(started.elapsed());
        connection.map(|connection| connection.into_parts().0).map_err(|error| HttpError::from_handshake(&error))
    }
}

/// The name that a certificate must be for.
struct ServerName(Box<str>);

impl Host for ServerName {
    fn hostname(&self) -> &str {
        &self.0
    }
}

impl Service<ConnectInfo<Uri>> for UserConnector {
    type Response = Connection<Uri, MeteredStream>;
    type Error = ConnectError;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Self::Error>>;

    actix_service::always_ready!();

    fn call(&self, info: ConnectInfo<Uri>) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let meter = Rc::clone(&connector.meter);
            match connector.connect(info.hostname(), info.port(), false).await {
                Ok(stream) => Ok(Connection::new(info.request().clone(), MeteredStream::new(stream, meter))),
                Err(error) => {
                    // The meter carries the real error: awc's own type has no room for it.
                    meter.on_connect_error(error);
                    Err(ConnectError::Unresolved)
                }
            }
        })
    }
}
