//! How masters and workers reach each other: as actor messages, whatever lies between them.
//!
//! In one process a link is the other actor's address. Over TCP it is the address of a session actor that frames the same
//! messages, so that neither side can tell the difference.
//!
//! - [`server`]: the port of a master; each worker that connects gets a [`session`]
//! - [`masters`]: a worker's links to all masters, each kept by a [`master_link`]
//! - [`peers`]: what masters say to each other, on the [`runtime`] of links
//! - [`strangers`]: who was not let in
//! - [`tls`]: certificates of nodes

pub mod addresses;
pub mod attempts;
mod connection;
mod error;
mod greet;
mod handshakes;
pub mod master_link;
pub mod masters;
pub mod peers;
mod places;
mod queue;
pub mod runtime;
pub mod server;
pub mod session;
pub mod strangers;
mod stream;
pub mod tls;
mod uplinker;

use std::sync::Arc;

use actix::{Message, Recipient};
use akrida_core::ids::{Incarnation, WorkerId};
use akrida_core::wire::{FromWorker, MasterPlace, ToWorker};

/// What a master tells a worker that is attached to it. Every master announces who it is; only a leader has messages.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum Downlink {
    /// This master leads since this term and has applied its own first entry.
    Leads {
        /// Its term. Of two masters that say so, the one with the higher term leads.
        term: u64,
    },
    /// This master does not lead.
    Follows {
        /// The term that it knows.
        term: u64,
    },
    /// Where the masters are, as far as this one knows.
    Masters(Vec<MasterPlace>),
    /// A leader's message.
    Message(ToWorker),
}

/// A message of a worker, delivered to a master.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Uplink {
    /// Who says it.
    pub worker: WorkerId,
    /// Which life of it.
    pub incarnation: Incarnation,
    /// What.
    pub message: FromWorker,
}

/// Connects a worker to a master: from now on it hears what the master says.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Attach {
    /// Its name.
    pub worker: WorkerId,
    /// Its life.
    pub incarnation: Incarnation,
    /// Where its messages go.
    pub downlink: Recipient<Downlink>,
}

/// A worker's link to a master has ended. Only the link that was attached last counts.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Detach {
    /// Its name.
    pub worker: WorkerId,
    /// Its life.
    pub incarnation: Incarnation,
    /// The link that ended.
    pub downlink: Recipient<Downlink>,
    /// Whether its process is certainly gone: nobody listens any more where it did.
    pub died: bool,
}

/// One of a worker's links, by its place in the list of masters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u16);

/// What a link tells its worker.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Heard {
    /// Which link.
    pub link: LinkId,
    /// What.
    pub event: LinkEvent,
}

/// What happens on a worker's link.
#[derive(Clone, Debug)]
pub enum LinkEvent {
    /// It is up: authenticated, and the master knows who the worker is.
    Up {
        /// The master's name.
        master: Arc<str>,
        /// Takes what the worker says.
        uplink: Recipient<Says>,
    },
    /// The master says something.
    Says(Downlink),
    /// It is down, and is being restored.
    Down,
    /// It was given up: the master refuses this worker, or attempts are used up.
    GivenUp {
        /// Why.
        reason: Arc<str>,
    },
}

/// What a worker says on a link.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Says(pub FromWorker);
