//! Byte streams to other nodes: TCP, with TLS over it where it is set up.

use std::net::SocketAddr;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::error::LinkError;
use super::tls::LinkTls;

/// How long a connection is idle before the system asks whether the other side is there. Links ask by themselves; this
/// is for those that hang in a handshake or behind a firewall.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Anything that bytes go through.
pub(super) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A stream to another node.
pub(super) struct Stream {
    pub(super) io: Box<dyn Io>,
    /// What the other side showed, if it was asked for one.
    pub(super) certificate: Option<CertificateDer<'static>>,
}

/// Connects to an address of a host. Whoever calls sets the deadline of the TLS handshake.
pub(super) async fn connect(
    address: SocketAddr,
    host: &str,
    tls: Option<&LinkTls>,
    connect_timeout: Duration,
) -> Result<Stream, LinkError> {
    let tcp = timeout(connect_timeout, TcpStream::connect(address))
        .await
        .map_err(|_| LinkError::ConnectTimeout(connect_timeout))??;
    tune(&tcp)?;
    let Some(tls) = tls else { return Ok(Stream { io: Box::new(tcp), certificate: None }) };
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| LinkError::Tls(std::io::Error::new(std::io::ErrorKind::InvalidInput, error)))?;
    let secured = TlsConnector::from(std::sync::Arc::clone(&tls.client)).connect(name, tcp);
    Ok(Stream { io: Box::new(secured.await.map_err(LinkError::Tls)?), certificate: None })
}

/// Takes a connection that came in.
pub(super) async fn accept(tcp: TcpStream, tls: Option<&TlsAcceptor>) -> Result<Stream, LinkError> {
    tune(&tcp)?;
    let Some(tls) = tls else { return Ok(Stream { io: Box::new(tcp), certificate: None }) };
    let secured = tls.accept(tcp).await.map_err(LinkError::Tls)?;
    let shown = secured.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let certificate = shown.map(|certificate| certificate.clone().into_owned());
    Ok(Stream { io: Box::new(secured), certificate })
}

fn tune(tcp: &TcpStream) -> std::io::Result<()> {
    tcp.set_nodelay(true)?;
    SockRef::from(tcp).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))
}
