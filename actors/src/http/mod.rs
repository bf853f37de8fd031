//! One HTTP client a user, behind one interface.

use std::sync::Arc;

/// How users connect.
#[derive(Clone, Debug, Default)]
pub struct HttpOptions {
    /// TLS settings; `None` when they were never needed.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}
