//! TLS settings: rustls with ring, certificates checked against the system's roots.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// What an operator may set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Accept any certificate.
    pub insecure: bool,
    /// Certificates (PEM) trusted in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate and its chain (PEM).
    pub client_certificate: Option<PathBuf>,
    /// The client's private key (PEM).
    pub client_key: Option<PathBuf>,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or is not PEM.
    #[error("{file}: cannot read {what}: {reason}", file = file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A file holds no certificate.
    #[error("{file}: holds no certificate in PEM form", file = .0.display())]
    NoCertificate(PathBuf),
    /// A certificate of the private CA cannot be used.
    #[error("{file}: certificate cannot be used as a root: {reason}", file = file.display())]
    BadRoot {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: rustls::Error,
    },
    /// A client certificate without a key, or the other way round.
    #[error("a client certificate needs both files, the certificate and the key")]
    HalfIdentity,
    /// Certificate and key do not fit each other, or the key has an unknown form.
    #[error("{certificate} and {key} cannot be used together: {reason}",
        certificate = certificate.display(), key = key.display())]
    BadIdentity {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        reason: rustls::Error,
    },
    /// The cryptography refuses the protocol versions.
    #[error("TLS is not available: {0}")]
    Unavailable(rustls::Error),
}

/// Builds the settings that all users of a process share.
///
/// Sessions are not resumed: users are different clients, so each of their connections makes a full handshake.
///
/// # Errors
/// When a file cannot be read or used.
pub fn build(options: &TlsOptions) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Unavailable)?;
    let roots = roots(options.ca_file.as_deref())?;
    let builder = if options.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
    } else {
        builder.with_root_certificates(roots)
    };
    let mut config = match (&options.client_certificate, &options.client_key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|reason| TlsError::BadIdentity { certificate: certificate.clone(), key: key.clone(), reason })?,
        _ => return Err(TlsError::HalfIdentity),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "some of the system's root certificates cannot be read");
    }
    roots.add_parsable_certificates(system.certs);
    if let Some(file) = ca_file {
        for certificate in certificates(file)? {
            roots.add(certificate).map_err(|reason| TlsError::BadRoot { file: file.to_owned(), reason })?;
        }
    }
    Ok(roots)
}

/// The certificates of a PEM file; at least one.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |error: rustls::pki_types::pem::Error| TlsError::Unreadable {
        file: file.to_owned(),
        what: "certificates",
        reason: error.to_string(),
    };
    let found: Vec<_> =
        CertificateDer::pem_file_iter(file).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)?;
    if found.is_empty() { Err(TlsError::NoCertificate(file.to_owned())) } else { Ok(found) }
}

/// The private key of a PEM file.
pub(crate) fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| TlsError::Unreadable {
        file: file.to_owned(),
        what: "a private key",
        reason: error.to_string(),
    })
}

/// Trusts every certificate; the operator asked for it.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_build() {
        let config = build(&TlsOptions::default()).expect("builds");
        assert_eq!(config.alpn_protocols, [b"http/1.1"]);
        build(&TlsOptions { insecure: true, ..TlsOptions::default() }).expect("builds");
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let missing = PathBuf::from("no/such/ca.pem");
        let error = build(&TlsOptions { ca_file: Some(missing), ..TlsOptions::default() }).expect_err("is missing");
        assert!(error.to_string().starts_with("no/such/ca.pem: cannot read certificates"), "{error}");
        let text = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        let error = build(&TlsOptions { ca_file: Some(text), ..TlsOptions::default() }).expect_err("is no PEM");
        assert!(error.to_string().ends_with("Cargo.toml: holds no certificate in PEM form"), "{error}");
    }

    #[test]
    fn a_certificate_without_a_key_is_refused() {
        let options = TlsOptions { client_certificate: Some("a.pem".into()), ..TlsOptions::default() };
        assert!(matches!(build(&options), Err(TlsError::HalfIdentity)));
    }
}
