//! Through a proxy: tunnels, and what it means when there is none.

use actix_rt::net::TcpStream;
use akrida_core::scenario::connection::Proxy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::error::HttpError;
use super::lean::head;

/// The status with which a proxy asks for credentials (RFC 9110, section 15.5.8).
pub(super) const CREDENTIALS_WANTED: u16 = 407;

/// The proxy itself could not be reached.
pub(super) fn unreachable(error: HttpError) -> HttpError {
    if error.is_generator_fault() { error } else { HttpError::Proxy(error.to_string().into()) }
}

/// The proxy answered and gave no tunnel.
pub(super) fn refusal(status: u16) -> HttpError {
    HttpError::Proxy(match status {
        CREDENTIALS_WANTED => "credentials are missing or wrong (status 407)".into(),
        other => format!("no tunnel, status was {other}").into(),
    })
}

/// Makes a connection to a proxy one to a server (RFC 9110, section 9.3.6). `host` has brackets around an IPv6 address.
pub(super) async fn open_tunnel(stream: &mut TcpStream, proxy: &Proxy, host: &str, port: u16) -> Result<(), HttpError> {
    let authorization = proxy.authorization.as_ref().map(|value| format!("proxy-authorization: {value}\r\n"));
    let request = format!(
        "CONNECT {host}:{port} HTTP/1.1\r\nhost: {host}:{port}\r\n{}\r\n",
        authorization.as_deref().unwrap_or_default()
    );
    let broken = |error: std::io::Error| unreachable(HttpError::from_io(&error));
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let mut answer = Vec::new();
    loop {
        let known = head::parse(&answer, true).map_err(|_| no_http())?;
        match known.map(|head| (head.status, head.bytes)) {
            Some((100..=199, bytes)) => drop(answer.drain(..bytes)),
            // Nobody speaks in a new tunnel before we do.
            Some((200..=299, bytes)) => return if answer.len() == bytes { Ok(()) } else { Err(no_http()) },
            Some((status, _)) => return Err(refusal(status)),
            None if stream.read_buf(&mut answer).await.map_err(broken)? == 0 => {
                return Err(HttpError::Proxy("it closed the connection".into()));
            }
            None => {}
        }
    }
}

fn no_http() -> HttpError {
    HttpError::Proxy("it does not speak HTTP".into())
}
