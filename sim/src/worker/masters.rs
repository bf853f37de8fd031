//! The masters that a worker has links to, and which of them leads: the same choice as in the program's worker actor.

use std::collections::BTreeMap;

use akrida_core::wire::Leadership;
use akrida_core::worker::Input;

use crate::links::{ConnectionId, Down};

/// The links of a worker, by the place of the master.
#[derive(Debug, Default)]
pub(crate) struct Masters {
    links: BTreeMap<usize, Link>,
    /// The master that leads, and its term.
    leader: Option<(usize, u64)>,
}

#[derive(Debug, Default)]
struct Link {
    connection: Option<ConnectionId>,
    is_up: bool,
    leads: Option<u64>,
}

impl Masters {
    /// A connection was made; it is not up before that is heard on it.
    pub(crate) fn connected(&mut self, master: usize, connection: ConnectionId) {
        self.links.insert(master, Link { connection: Some(connection), ..Link::default() });
    }

    /// Whether there is a connection to a master.
    pub(crate) fn has(&self, master: usize) -> bool {
        self.links.get(&master).is_some_and(|link| link.connection.is_some())
    }

    /// Whether a connection is one of these.
    pub(crate) fn is_any(&self, connection: ConnectionId) -> bool {
        self.links.values().any(|link| link.connection == Some(connection))
    }

    /// What is said on a connection to a master means this.
    pub(crate) fn hear(&mut self, master: usize, connection: ConnectionId, what: Down) -> Vec<Input> {
        let link = self.links.get_mut(&master).filter(|link| link.connection == Some(connection));
        let Some(link) = link else { return Vec::new() };
        match what {
            Down::Attached => {
                link.is_up = true;
                self.settle()
            }
            Down::Leadership(Leadership::Leads { term }) => {
                link.leads = Some(term);
                self.settle()
            }
            Down::Leadership(Leadership::Follows { .. }) => {
                link.leads = None;
                self.settle()
            }
            Down::Message(message) => {
                let leads = self.leader.is_some_and(|(leader, _)| leader == master);
                leads.then_some(Input::Message(message)).into_iter().collect()
            }
            Down::Closed => self.lost(connection),
        }
    }

    /// A connection is gone.
    pub(crate) fn lost(&mut self, connection: ConnectionId) -> Vec<Input> {
        let link = self.links.values_mut().find(|link| link.connection == Some(connection));
        if let Some(link) = link {
            *link = Link::default();
        }
        self.settle()
    }

    /// The connection to the leader.
    pub(crate) fn to_leader(&self) -> Option<ConnectionId> {
        let (leader, _) = self.leader?;
        self.links.get(&leader).filter(|link| link.is_up).and_then(|link| link.connection)
    }

    fn settle(&mut self) -> Vec<Input> {
        let there = self.links.iter().filter(|(_, link)| link.is_up);
        let leader = there.filter_map(|(at, link)| Some((*at, link.leads?))).max_by_key(|(at, term)| (*term, *at));
        if leader == self.leader {
            return Vec::new();
        }
        self.leader = leader;
        vec![if leader.is_some() { Input::LeaderFound } else { Input::LeaderLost }]
    }
}
