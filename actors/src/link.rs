//! How masters and workers reach each other: as actor messages, whatever lies between them.
//!
//! In one process a link is the other actor's address. Over TCP it will be the address of a session actor that frames
//! the same messages, so that neither side can tell the difference.

use actix::Message;
use akrida_core::ids::WorkerId;
use akrida_core::wire::{FromWorker, ToWorker};

/// A message of a master, delivered to a worker.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Downlink(pub ToWorker);

/// A message of a worker, delivered to a master.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Uplink {
    /// Who says it.
    pub worker: WorkerId,
    /// What.
    pub message: FromWorker,
}
