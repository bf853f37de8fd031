//! Where masters are: names are looked up before each attempt, and no two links go to one address or one master.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::LinkId;
use super::error::LinkError;

/// A master, or several behind one name, as a worker is told of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MasterAddress {
    /// A host name or address.
    pub host: Arc<str>,
    /// The port for workers.
    pub port: u16,
}

impl std::fmt::Display for MasterAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The addresses of a name, in a fixed order.
pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, LinkError> {
    let found = tokio::net::lookup_host((host, port)).await.map_err(LinkError::Unresolved)?;
    let mut addresses: Vec<SocketAddr> = found.collect();
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

/// How many masters are behind the addresses of one name. A master may have an address of each family, so the family
/// with more addresses counts.
pub(super) fn masters_behind(addresses: &[SocketAddr]) -> usize {
    let v4 = addresses.iter().filter(|address| address.is_ipv4()).count();
    v4.max(addresses.len() - v4).max(1)
}

/// What the links of one worker have claimed, so that each goes to a master of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims(Arc<Mutex<BTreeMap<Claimed, LinkId>>>);

/// What can be claimed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claimed {
    /// An address, from the attempt to connect to it.
    Address(SocketAddr),
    /// A master, by its name.
    Master(Arc<str>),
}

/// A claim; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    claims: Claims,
    claimed: Claimed,
}

impl Claims {
    /// Claims something for a link, unless another one has it.
    pub(super) fn claim(&self, claimed: Claimed, link: LinkId) -> Option<Claim> {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if claims.contains_key(&claimed) {
            return None;
        }
        claims.insert(claimed.clone(), link);
        Some(Claim { claims: self.clone(), claimed })
    }

    /// Whether a link goes to the master of this name.
    pub(super) fn has_master(&self, name: &Arc<str>) -> bool {
        let claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        claims.contains_key(&Claimed::Master(Arc::clone(name)))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.claimed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    #[test]
    fn a_master_may_have_an_address_of_each_family() {
        assert_eq!(masters_behind(&addresses(&["127.0.0.1:1", "[::1]:1"])), 1);
        assert_eq!(masters_behind(&addresses(&["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"])), 3);
        assert_eq!(masters_behind(&addresses(&["10.0.0.1:1", "10.0.0.2:1", "[fd00::1]:1"])), 2);
        assert_eq!(masters_behind(&[]), 1, "the name may resolve later");
    }

    #[test]
    fn a_claim_holds_until_it_is_dropped() {
        let claims = Claims::default();
        let master = || Claimed::Master("a".into());
        let claim = claims.claim(master(), LinkId(0));
        assert!(claim.is_some());
        assert!(claims.claim(master(), LinkId(1)).is_none());
        drop(claim);
        assert!(claims.claim(master(), LinkId(1)).is_some());
    }
}
