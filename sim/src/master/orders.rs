//! What clients ask of a coordinator.

use akrida_core::coordinator::Order;
use akrida_core::state::request::RequestKey;

use crate::workload::ActionId;

/// An order of a client.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) action: ActionId,
    pub(crate) order: Order,
    pub(crate) request: Option<RequestKey>,
}
