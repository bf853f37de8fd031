//! What masters and workers prove who they are with, from the configuration.

use akrida_actors::link::tls::{LinkTls, LinkTlsOptions};
use akrida_core::wire::handshake::secret::{Secret as LinkSecret, Secrets};
use anyhow::Context;

use crate::config::credentials::TlsFiles;
use crate::config::secret::Secret;

/// The secret of the cluster, if there is one.
pub(super) fn secret(secret: Option<&Secret>) -> anyhow::Result<Option<LinkSecret>> {
    let secret = secret.map(|secret| LinkSecret::new(secret.expose())).transpose();
    secret.context("cluster.secret")
}

/// The secrets that a master asks for.
pub(super) fn secrets(cluster: Option<&Secret>) -> anyhow::Result<Secrets> {
    Secrets::new(secret(cluster)?, None).context("cluster.secret")
}

/// Mutual TLS, if it is configured.
pub(super) fn tls(files: Option<&TlsFiles>) -> anyhow::Result<Option<LinkTls>> {
    let Some(TlsFiles { ca, certificate, key }) = files else { return Ok(None) };
    let options = LinkTlsOptions {
        ca_file: ca.clone(),
        certificate: Some(certificate.clone()),
        key: Some(key.clone()),
        mutual: true,
    };
    LinkTls::load(&options).context("cluster.tls").map(Some)
}
