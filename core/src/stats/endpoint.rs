//! What a line of the statistics is about.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits;

/// What kind of thing is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EndpointKind {
    /// Requests: they make up the totals.
    Request,
    /// Transactions made of several steps: shown beside requests, not part of the totals.
    Group,
}

/// The identity of a line of the statistics.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EndpointKey {
    /// The name; first, because tables are sorted by it.
    pub name: Arc<str>,
    /// The method (`GET`), or `GROUP`.
    pub method: Arc<str>,
    /// Request or group.
    pub kind: EndpointKind,
}

impl EndpointKey {
    /// A request.
    #[must_use]
    pub fn request(method: &str, name: &str) -> Self {
        Self { name: name.into(), method: method.into(), kind: EndpointKind::Request }
    }

    /// A transaction.
    #[must_use]
    pub fn group(name: &str) -> Self {
        Self { name: name.into(), method: "GROUP".into(), kind: EndpointKind::Group }
    }

    /// The line that collects what exceeds `limits::ENDPOINTS_MAX`.
    #[must_use]
    pub fn other(kind: EndpointKind) -> Self {
        match kind {
            EndpointKind::Request => Self::request("", limits::OTHER),
            EndpointKind::Group => Self::group(limits::OTHER),
        }
    }
}
