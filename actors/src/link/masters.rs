//! A worker's links to all masters.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use actix::{Actor, Addr, Recipient};
use akrida_core::ids::{Incarnation, WorkerId};
use akrida_core::limits;
use akrida_core::wire::MasterPlace;
use akrida_core::wire::handshake::secret::Secret;
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::addresses::{Claims, MasterAddress, masters_behind, resolve};
use super::attempts::Attempts;
use super::master_link::{CloseLink, MasterLink};
use super::tls::LinkTls;
use super::{Heard, LinkId};

/// What the links of a worker need to know.
#[derive(Clone, Debug)]
pub struct MasterLinksOptions {
    /// The masters.
    pub masters: Vec<MasterAddress>,
    /// The worker's name.
    pub worker: WorkerId,
    /// Its life.
    pub incarnation: Incarnation,
    /// What it proves itself with.
    pub secret: Option<Secret>,
    /// TLS; none if masters are spoken to in the clear.
    pub tls: Option<LinkTls>,
    /// The shortest pause between two attempts to reach a master; the longest is
    /// [`limits::RECONNECT_INTERVALS_MAX`] times as long.
    pub reconnect_interval: Duration,
    /// How long to try to connect to one address.
    pub connect_timeout: Duration,
    /// How long nothing may come on a link.
    pub idle: Duration,
}

impl MasterLinksOptions {
    /// In the clear, without a secret, with the usual limits.
    #[must_use]
    pub fn new(masters: Vec<MasterAddress>, worker: WorkerId, incarnation: Incarnation) -> Self {
        Self {
            masters,
            worker,
            incarnation,
            secret: None,
            tls: None,
            reconnect_interval: limits::RECONNECT_INTERVAL,
            connect_timeout: limits::LINK_CONNECT_TIMEOUT,
            idle: limits::LINK_IDLE,
        }
    }
}

/// What the links of one worker have in common.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) options: Arc<MasterLinksOptions>,
    pub(super) claims: Claims,
    pub(super) attempts: Attempts,
    /// The cluster that took the worker first: it belongs to no other one.
    pub(super) cluster: Arc<OnceLock<u64>>,
    pub(super) known: Arc<Mutex<Known>>,
}

/// The masters that there are links to.
#[derive(Debug, Default)]
pub(super) struct Known {
    addresses: BTreeSet<MasterAddress>,
    links: Vec<Addr<MasterLink>>,
}

impl Group {
    /// Masters have said where they all are. Starts links to those that none goes to after a while: a master that was
    /// added since this worker was configured may become the leader.
    pub(super) async fn learn(&self, masters: Vec<MasterPlace>, listener: Recipient<Heard>) {
        // A master may be configured here under another address than the others use. Its link is up by then.
        sleep(limits::MASTER_LEARNED_AFTER).await;
        for MasterPlace { name, host, port } in masters {
            let address = MasterAddress { host, port };
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let has_room = known.links.len() < limits::MASTER_ADDRESSES_MAX;
            if !has_room || self.claims.has_master(&name) || !known.addresses.insert(address.clone()) {
                continue;
            }
            tracing::info!(master = %name, %address, "a master was added to the cluster");
            let link = self.attempts.add();
            known.links.push(MasterLink::new(link, address, 0, self.clone(), listener.clone()).start());
        }
    }
}

/// A worker's links to all masters: one to each, all of them up all the time. They end when this is dropped.
#[derive(Debug)]
pub struct MasterLinks {
    known: Arc<Mutex<Known>>,
    cycles: watch::Receiver<u32>,
}

impl MasterLinks {
    /// Starts the links on the arbiter that calls this. A name with several addresses gets a link for each; a name that
    /// does not resolve yet gets one. What happens on them is told to `listener`, link by link in order.
    pub async fn start(options: MasterLinksOptions, listener: Recipient<Heard>) -> Self {
        let mut places = Vec::new();
        for master in &options.masters {
            let resolved = timeout(options.connect_timeout, resolve(&master.host, master.port)).await;
            let count = resolved.ok().and_then(Result::ok).map_or(1, |addresses| masters_behind(&addresses));
            places.extend((0..count).map(|place| (master.clone(), place)));
        }
        places.truncate(usize::from(u16::MAX));
        let attempts = Attempts::new(places.len());
        let cycles = attempts.cycles();
        let (claims, cluster) = (Claims::default(), Arc::default());
        let known =
            Arc::new(Mutex::new(Known { addresses: options.masters.iter().cloned().collect(), links: Vec::new() }));
        let group = Group { options: Arc::new(options), claims, attempts, cluster, known: Arc::clone(&known) };
        let links: Vec<_> = (0..)
            .map(LinkId)
            .zip(places)
            .map(|(link, (master, place))| {
                MasterLink::new(link, master, place, group.clone(), listener.clone()).start()
            })
            .collect();
        // Those that were learned of meanwhile, if any, come after them.
        known.lock().unwrap_or_else(PoisonError::into_inner).links.splice(0..0, links);
        Self { known, cycles }
    }

    /// How many links there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.links().len()
    }

    fn links(&self) -> Vec<Addr<MasterLink>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).links.clone()
    }

    /// Cycles of vain attempts over all masters since one of them was last reached; `u32::MAX` once all are given up.
    #[must_use]
    pub fn cycles(&self) -> watch::Receiver<u32> {
        self.cycles.clone()
    }

    /// Ends all links, after what was said on them is written, or after [`limits::LINK_CLOSE_WAIT`].
    pub async fn close(&self) {
        let closing = join_all(self.links().into_iter().map(|link| async move { link.send(CloseLink).await }));
        // A link that is gone already, or one that does not get rid of its words, cannot be closed better.
        let _ = timeout(limits::LINK_CLOSE_WAIT, closing).await;
    }
}

impl Drop for MasterLinks {
    fn drop(&mut self) {
        self.links().iter().for_each(|link| link.do_send(CloseLink));
    }
}
