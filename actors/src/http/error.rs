//! Why a request failed, in texts that are keys of the error statistics: short, stable, without addresses.

use std::fmt;
use std::io;
use std::time::Duration;

use nix::errno::Errno;
use rustls::CertificateError;

/// Why a request has no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The name has no address.
    #[error("host not found: {0}")]
    HostNotFound(Box<str>),
    /// The proxy could not be used, or it refused.
    #[error("proxy: {0}")]
    Proxy(Box<str>),
    /// There is no own address of the target's kind, IPv4 or IPv6, to connect from.
    #[error("no source address of the target's address family")]
    NoSource,
    /// The host is not on the list of those that requests may go to.
    #[error("host not allowed: {0}")]
    NotAllowed(Box<str>),
    /// The server did not open a WebSocket.
    #[error("no WebSocket: status was {0}")]
    NoWebSocket(u16),
    /// What comes over a WebSocket, or opens it, breaks the protocol or is too long.
    #[error("invalid WebSocket message")]
    InvalidWebSocket,
    /// The server ended a WebSocket, with this code if it said goodbye.
    #[error("WebSocket closed by the server{}", .0.map(|code| format!(" (code {code})")).unwrap_or_default())]
    WebSocketClosed(Option<u16>),
    /// The server broke an exchange over HTTP/2 off.
    #[error("HTTP/2: {0}")]
    Http2(Box<str>),
    /// The name servers gave no answer.
    #[error("name look-up failed: {0}")]
    LookupFailed(Box<str>),
    /// Nothing listens there.
    #[error("connection refused")]
    ConnectionRefused,
    /// The peer broke the connection off.
    #[error("connection reset by peer")]
    ConnectionReset,
    /// The peer closed the connection and had not sent a byte of the response.
    #[error("connection closed before the response")]
    ClosedBeforeResponse,
    /// No route leads there.
    #[error("host unreachable")]
    Unreachable,
    /// The kernel gave the connection up.
    #[error("connection timed out")]
    ConnectionTimedOut,
    /// The request's own time-out passed.
    #[error("timed out after {0:?}")]
    TimedOut(Duration),
    /// The TLS handshake failed.
    #[error("TLS handshake failed: {0}")]
    Tls(Box<str>),
    /// An `https` URL without TLS settings.
    #[error("https is not set up")]
    TlsNotSetUp,
    /// What came back is not HTTP.
    #[error("invalid HTTP response")]
    InvalidResponse,
    /// A valid response of a kind that this client cannot read.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// The connection ended within the response.
    #[error("response ended early")]
    EndedEarly,
    /// The body is not what its `Content-Encoding` says.
    #[error("response body cannot be decoded")]
    UndecodableBody,
    /// More redirects than the request follows.
    #[error("more than {0} redirects")]
    TooManyRedirects(u32),
    /// A redirect to something that is no URL for HTTP.
    #[error("redirect to an invalid URL")]
    InvalidRedirect,
    /// The URL of the request cannot be used.
    #[error("invalid URL: {0}")]
    InvalidUrl(Box<str>),
    /// A header, method or other part of the request cannot be used.
    #[error("invalid request: {0}")]
    InvalidRequest(Box<str>),
    /// This machine, not the target, is at its limit.
    #[error("{0}")]
    Generator(GeneratorFault),
    /// Any other error of the network.
    #[error("network error: {0}")]
    Io(Box<str>),
}

/// What the generator's machine ran out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneratorFault {
    /// `EMFILE`
    FilesOfProcess,
    /// `ENFILE`
    FilesOfSystem,
    /// `EADDRNOTAVAIL`
    LocalPorts,
    /// `EADDRNOTAVAIL` for an address of our own to connect from.
    SourceAddress,
    /// `ENOBUFS`
    NetworkBuffers,
    /// `ENOMEM`
    Memory,
}

impl GeneratorFault {
    /// A stable name for the statistics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FilesOfProcess => "too many open files in this process",
            Self::FilesOfSystem => "too many open files on this machine",
            Self::LocalPorts => "no local ports left",
            Self::SourceAddress => "source address is not one of this machine",
            Self::NetworkBuffers => "no network buffers left",
            Self::Memory => "no memory left for sockets",
        }
    }

    /// What keeps an own address from being bound.
    #[must_use]
    pub fn of_bind(error: &io::Error) -> Option<Self> {
        match error.kind() {
            io::ErrorKind::AddrNotAvailable => Some(Self::SourceAddress),
            io::ErrorKind::AddrInUse => Some(Self::LocalPorts),
            _ => Self::of(error),
        }
    }

    /// Whether an error of the operating system is about this machine.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        Some(match Errno::from_raw(error.raw_os_error()?) {
            Errno::EMFILE => Self::FilesOfProcess,
            Errno::ENFILE => Self::FilesOfSystem,
            Errno::EADDRNOTAVAIL => Self::LocalPorts,
            Errno::ENOBUFS => Self::NetworkBuffers,
            Errno::ENOMEM => Self::Memory,
            _ => return None,
        })
    }
}

impl fmt::Display for GeneratorFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl HttpError {
    /// The fault of this machine behind it, if there is one: then it is neither a request nor a failure.
    #[must_use]
    pub fn generator_fault(&self) -> Option<GeneratorFault> {
        match self {
            Self::Generator(fault) => Some(*fault),
            _ => None,
        }
    }

    /// Whether this machine is at its limit, so that the target is not to blame.
    #[must_use]
    pub fn is_generator_fault(&self) -> bool {
        self.generator_fault().is_some()
    }

    /// Whether the peer ended the connection, as it may do with one that was idle.
    #[must_use]
    pub fn is_hang_up(&self) -> bool {
        matches!(self, Self::ConnectionReset | Self::ClosedBeforeResponse)
    }

    /// From an error of a socket.
    #[must_use]
    pub fn from_io(error: &io::Error) -> Self {
        if let Some(fault) = GeneratorFault::of(error) {
            return Self::Generator(fault);
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::ConnectionRefused,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
                Self::ConnectionReset
            }
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Self::Unreachable,
            io::ErrorKind::TimedOut => Self::ConnectionTimedOut,
            io::ErrorKind::UnexpectedEof => Self::EndedEarly,
            _ => Self::Io(text_of(error).into()),
        }
    }

    /// From an error of a handshake, which may hold an error of TLS inside.
    #[must_use]
    pub fn from_handshake(error: &io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match (tls, error.kind()) {
            (Some(tls), _) => Self::Tls(tls_text(tls).into()),
            (None, io::ErrorKind::UnexpectedEof) => Self::Tls("connection closed by peer".into()),
            (None, _) => match Self::from_io(error) {
                fault @ Self::Generator(_) => fault,
                other => Self::Tls(other.to_string().into()),
            },
        }
    }
}

/// The operating system's text without the number that the standard library appends.
fn text_of(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => Errno::from_raw(code).desc().to_lowercase(),
        None => error.kind().to_string(),
    }
}

fn tls_text(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => "certificate not trusted".to_owned(),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "certificate expired".to_owned(),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "certificate not valid yet".to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "certificate is for another name".to_owned()
            }
            CertificateError::Revoked => "certificate revoked".to_owned(),
            _ => "certificate invalid".to_owned(),
        },
        rustls::Error::AlertReceived(alert) => format!("peer sent alert {alert:?}"),
        rustls::Error::InvalidMessage(_) => "peer does not speak TLS".to_owned(),
        rustls::Error::PeerIncompatible(_) => "peer is incompatible".to_owned(),
        _ => "protocol error".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_this_machine_are_told_from_failures_of_the_target() {
        for errno in [Errno::EMFILE, Errno::ENFILE, Errno::EADDRNOTAVAIL, Errno::ENOBUFS, Errno::ENOMEM] {
            let error = HttpError::from_io(&io::Error::from_raw_os_error(errno as i32));
            assert!(error.is_generator_fault(), "{errno}");
        }
        for errno in [Errno::ECONNREFUSED, Errno::ECONNRESET, Errno::EPIPE, Errno::EHOSTUNREACH, Errno::EACCES] {
            let error = HttpError::from_io(&io::Error::from_raw_os_error(errno as i32));
            assert!(!error.is_generator_fault(), "{errno}");
        }
    }

    #[test]
    fn texts_are_short_and_hold_no_address_or_number_of_the_system() {
        let text = |errno: Errno| HttpError::from_io(&io::Error::from_raw_os_error(errno as i32)).to_string();
        assert_eq!(text(Errno::ECONNREFUSED), "connection refused");
        assert_eq!(text(Errno::EPIPE), "connection reset by peer");
        assert_eq!(text(Errno::EACCES), "network error: permission denied");
        assert_eq!(HttpError::TimedOut(Duration::from_secs(60)).to_string(), "timed out after 60s");
        assert_eq!(HttpError::TimedOut(Duration::from_millis(300)).to_string(), "timed out after 300ms");
    }

    #[test]
    fn an_untrusted_certificate_says_so() {
        let tls = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let error = HttpError::from_handshake(&io::Error::new(io::ErrorKind::InvalidData, tls));
        assert_eq!(error.to_string(), "TLS handshake failed: certificate not trusted");
    }
}
