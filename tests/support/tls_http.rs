//! A blocking HTTP/1.1 client over TLS, of a few lines, that repeats nothing.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::raw_http::{self, Reply};

/// No test waits longer for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A connection.
pub type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// Knows one server and the authority that signed its certificate.
#[derive(Clone, Debug)]
pub struct TlsClient {
    address: String,
    config: Arc<ClientConfig>,
}

impl TlsClient {
    /// A client of `127.0.0.1` at this port.
    pub fn new(port: u16, authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(authority).expect("the certificate of an authority");
        roots.add(authority).expect("the certificate of an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("the default versions").with_root_certificates(roots).with_no_client_auth();
        Self { address: format!("127.0.0.1:{port}"), config: config.into() }
    }

    /// A connection of its own.
    pub fn connect(&self) -> io::Result<TlsStream> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        let name = "localhost".try_into().expect("a name");
        let connection = ClientConnection::new(Arc::clone(&self.config), name).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    }

    /// Sends one request on a connection of its own, and reads the answer until the server closes.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Reply> {
        let mut stream = self.connect()?;
        stream.write_all(&raw_http::request(method, path, headers, body))?;
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            // Some servers close without the goodbye of TLS; what was read shows whether the answer is whole.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            _ => raw_http::parse(&answer),
        }
    }

    /// `GET` of a path. Panics if there is no answer.
    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"").expect("an answer")
    }
}
