//! TLS between nodes: certificates of one private authority, checked on both sides when that is wanted.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::http::tls::{TlsError, certificates, private_key};

/// The files of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkTlsOptions {
    /// The certificates (PEM) that others are checked against, and nothing else.
    pub ca_file: PathBuf,
    /// The node's own certificate and its chain (PEM). A master needs one.
    pub certificate: Option<PathBuf>,
    /// Its private key (PEM).
    pub key: Option<PathBuf>,
    /// Whether a master asks its callers for a certificate.
    pub mutual: bool,
}

/// What the links of a node encrypt with.
#[derive(Clone)]
pub struct LinkTls {
    pub(super) client: Arc<ClientConfig>,
    /// `None` without a certificate of its own.
    pub(super) server: Option<Arc<ServerConfig>>,
    pub(super) mutual: bool,
}

impl LinkTls {
    /// Reads the files.
    ///
    /// # Errors
    /// When a file cannot be read or used; the error names it.
    pub fn load(options: &LinkTlsOptions) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = Arc::new(roots(options)?);
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(TlsError::Unavailable)?
            .with_root_certificates(Arc::clone(&roots));
        let (Some(certificate), Some(key)) = (&options.certificate, &options.key) else {
            if options.certificate.is_some() || options.key.is_some() {
                return Err(TlsError::HalfIdentity);
            }
            let client = Arc::new(client.with_no_client_auth());
            return Ok(Self { client, server: None, mutual: options.mutual });
        };
        let unfit = |reason| TlsError::BadIdentity { certificate: certificate.clone(), key: key.clone(), reason };
        let client = client.with_client_auth_cert(certificates(certificate)?, private_key(key)?).map_err(unfit)?;
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(TlsError::Unavailable)?;
        let server = if options.mutual {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            server.with_client_cert_verifier(verifier.expect("there is a root"))
        } else {
            server.with_no_client_auth()
        };
        let server = server.with_single_cert(certificates(certificate)?, private_key(key)?).map_err(unfit)?;
        Ok(Self { client: Arc::new(client), server: Some(Arc::new(server)), mutual: options.mutual })
    }
}

impl fmt::Debug for LinkTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkTls").field("mutual", &self.mutual).finish_non_exhaustive()
    }
}

fn roots(options: &LinkTlsOptions) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&options.ca_file)? {
        roots.add(certificate).map_err(|reason| TlsError::BadRoot { file: options.ca_file.clone(), reason })?;
    }
    Ok(roots)
}

/// Whether a certificate is for a host.
pub(super) fn is_for(certificate: &CertificateDer<'_>, host: &str) -> bool {
    let Ok(name) = ServerName::try_from(host) else { return false };
    ParsedCertificate::try_from(certificate).is_ok_and(|parsed| verify_server_name(&parsed, &name).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let load = |options| LinkTls::load(&options).expect_err("cannot be used").to_string();
        let missing = LinkTlsOptions { ca_file: "no/ca.pem".into(), ..LinkTlsOptions::default() };
        assert!(load(missing).starts_with("no/ca.pem: cannot read certificates"));
        let ca_file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/certificate.pem"));
        let key = Some("no/key.pem".into());
        let missing =
            LinkTlsOptions { ca_file: ca_file.clone(), certificate: Some(ca_file.clone()), key, mutual: true };
        assert!(load(missing).starts_with("no/key.pem: cannot read a private key"));
        let half = LinkTlsOptions { certificate: Some(ca_file.clone()), ca_file, ..LinkTlsOptions::default() };
        assert!(load(half).contains("needs both files"));
    }
}
