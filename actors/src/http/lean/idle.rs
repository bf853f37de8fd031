//! Connections that wait for the next request: one a server.

use std::time::{Duration, Instant};

use actix_http::uri::Authority;
use akrida_core::scenario::connection::ConnectionRules;

use super::{Stream, Target};

/// The idle connections of one user, the longest unused first.
#[derive(Default)]
pub(super) struct IdleConnections(Vec<Idle>);

/// A connection whose last response was read to its end.
pub(super) struct Idle {
    https: bool,
    authority: Authority,
    pub(super) stream: Stream,
    pub(super) since: Instant,
    pub(super) usage: Usage,
}

/// What a connection has been through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    opened: Instant,
    requests: u64,
}

impl Usage {
    /// That of a connection that was just opened.
    pub(crate) fn new() -> Self {
        Self { opened: Instant::now(), requests: 0 }
    }

    /// After one more request.
    pub(crate) fn and_one_more(self) -> Self {
        Self { requests: self.requests + 1, ..self }
    }

    /// Whether the rules let it be used again.
    pub(crate) fn is_worn(&self, rules: &ConnectionRules) -> bool {
        let age = rules.max_age.map_or(Duration::ZERO, |_| self.opened.elapsed());
        rules.is_worn(age, self.requests)
    }
}

impl Idle {
    fn is_to(&self, target: &Target) -> bool {
        let (ours, theirs) = (&self.authority, target.authority());
        // Most users stay with one target, whose text is shared.
        self.https == target.https() && (std::ptr::eq(ours.as_str(), theirs.as_str()) || ours == theirs)
    }
}

impl IdleConnections {
    /// Takes out the connection to a server.
    pub(super) fn take(&mut self, target: &Target) -> Option<Idle> {
        let at = self.0.iter().position(|idle| idle.is_to(target))?;
        Some(self.0.remove(at))
    }

    /// Whether there is a connection to a server.
    pub(super) fn has(&self, target: &Target) -> bool {
        self.0.iter().any(|idle| idle.is_to(target))
    }

    /// Keeps a connection. If there are `count_max` already, the one that has been unused for longest is closed.
    pub(super) fn put(&mut self, target: &Target, stream: Stream, usage: Usage, count_max: usize) {
        if self.0.len() >= count_max {
            self.0.remove(0);
        }
        if self.0.capacity() == 0 {
            // The usual growth would begin with room for four.
            self.0.reserve_exact(1);
        }
        let (https, authority, since) = (target.https(), target.authority().clone(), Instant::now());
        self.0.push(Idle { https, authority, stream, since, usage });
    }
}
