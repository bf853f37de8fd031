//! How a name becomes addresses: once, every so often, or for each connection.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::error::{GeneratorFault, HttpError};

/// When names are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DnsPolicy {
    /// Once in a run; a run then measures the target and not the name server.
    #[default]
    Once,
    /// Again when the last answer is older than this.
    Ttl(Duration),
    /// For each new connection.
    PerConnection,
}

/// Addresses by name, shared by the arbiters of a process.
pub type KnownAddresses = Arc<BTreeMap<Box<str>, Vec<IpAddr>>>;

/// How long a failed look-up is the answer for the connections that follow, so that a thousand users do not queue for
/// the same failure.
const FAILURE_KEPT: Duration = Duration::from_secs(1);

/// Looks up names at the start of a run.
///
/// # Errors
/// The first name without an address.
pub async fn look_up_all(names: &BTreeSet<String>) -> Result<KnownAddresses, HttpError> {
    let mut known = BTreeMap::new();
    for name in names {
        let addresses = match literal(name) {
            Some(address) => vec![address],
            None => look_up(name).await?.to_vec(),
        };
        known.insert(name.as_str().into(), addresses);
    }
    Ok(Arc::new(known))
}

/// The addresses of the names that the users of one arbiter connect to.
#[derive(Debug)]
pub struct Resolver {
    policy: DnsPolicy,
    known: KnownAddresses,
    /// Names whose answers are kept; beyond it the cache starts anew.
    names_max: usize,
    cache: RefCell<BTreeMap<Box<str>, Rc<Entry>>>,
}

/// The last answer for a name. The lock is held while a look-up is under way, so that users wait for one.
type Entry = Mutex<Option<Answer>>;

#[derive(Debug)]
struct Answer {
    at: Instant,
    addresses: Result<Rc<[IpAddr]>, HttpError>,
}

impl Resolver {
    /// A resolver with nothing in it but what is known from the start; it remembers `names_max` names at most.
    #[must_use]
    pub fn new(policy: DnsPolicy, known: KnownAddresses, names_max: usize) -> Self {
        Self { policy, known, names_max, cache: RefCell::default() }
    }

    /// The addresses of a name, never none.
    ///
    /// # Errors
    /// When the name has no address or the look-up failed.
    pub async fn resolve(&self, name: &str) -> Result<Rc<[IpAddr]>, HttpError> {
        if let Some(address) = literal(name) {
            return Ok(Rc::from([address]));
        }
        if self.policy == DnsPolicy::PerConnection {
            return look_up(name).await;
        }
        let entry = self.entry(name);
        let mut answer = entry.lock().await;
        if let Some(answer) = answer.as_ref().filter(|answer| self.is_fresh(answer)) {
            return answer.addresses.clone();
        }
        let addresses = look_up(name).await;
        *answer = Some(Answer { at: Instant::now(), addresses: addresses.clone() });
        addresses
    }

    fn entry(&self, name: &str) -> Rc<Entry> {
        let mut cache = self.cache.borrow_mut();
        if let Some(entry) = cache.get(name) {
            return Rc::clone(entry);
        }
        if cache.len() >= self.names_max {
            cache.clear();
        }
        let known = self.known.get(name).filter(|addresses| !addresses.is_empty());
        let answer = known.map(|addresses| Answer { at: Instant::now(), addresses: Ok(addresses.as_slice().into()) });
        let entry = Rc::new(Mutex::new(answer));
        cache.insert(name.into(), Rc::clone(&entry));
        entry
    }

    fn is_fresh(&self, answer: &Answer) -> bool {
        match (&answer.addresses, self.policy) {
            (Err(_), _) => answer.at.elapsed() < FAILURE_KEPT,
            (Ok(_), DnsPolicy::Once) => true,
            (Ok(_), DnsPolicy::Ttl(ttl)) => answer.at.elapsed() < ttl,
            (Ok(_), DnsPolicy::PerConnection) => false,
        }
    }
}

/// The address that a host of a URL is, if it is no name. An IPv6 address has brackets there.
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

async fn look_up(name: &str) -> Result<Rc<[IpAddr]>, HttpError> {
    match tokio::net::lookup_host((name, 0)).await {
        Ok(found) => {
            let mut addresses: Vec<IpAddr> = Vec::new();
            for address in found.map(|address| address.ip()) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            if addresses.is_empty() { Err(HttpError::HostNotFound(name.into())) } else { Ok(addresses.into()) }
        }
        Err(error) => Err(failure(name, &error)),
    }
}

fn failure(name: &str, error: &io::Error) -> HttpError {
    if let Some(fault) = GeneratorFault::of(error) {
        return HttpError::Generator(fault);
    }
    // The standard library gives the resolver's answer as text only.
    if error.to_string().contains("Temporary failure") {
        HttpError::LookupFailed(name.into())
    } else {
        HttpError::HostNotFound(name.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn addresses_known_at_the_start_are_used() {
        let known: KnownAddresses =
            Arc::new(BTreeMap::from([("a.invalid".into(), vec![[10, 0, 0, 1].into(), [10, 0, 0, 2].into()])]));
        let resolver = Resolver::new(DnsPolicy::Once, known, 8);
        assert_eq!(resolver.resolve("a.invalid").await.expect("known").len(), 2);
        let error = resolver.resolve("b.invalid").await.expect_err("unknown");
        assert!(
            matches!(&error, HttpError::HostNotFound(name) | HttpError::LookupFailed(name) if &**name == "b.invalid")
        );
    }

    #[actix_rt::test]
    async fn no_more_names_are_remembered_than_allowed() {
        let names = ["a.invalid", "b.invalid", "c.invalid"];
        let known = names.map(|name| (name.into(), vec![[10, 0, 0, 1].into()]));
        let resolver = Resolver::new(DnsPolicy::Once, Arc::new(BTreeMap::from(known)), 2);
        for (name, remembered) in names.into_iter().zip([1, 2, 1]) {
            resolver.resolve(name).await.expect("known");
            assert_eq!(resolver.cache.borrow().len(), remembered, "{name}");
        }
    }

    #[actix_rt::test]
    async fn an_address_needs_no_look_up() {
        let resolver = Resolver::new(DnsPolicy::PerConnection, KnownAddresses::default(), 8);
        for host in ["::1", "[::1]"] {
            let found = resolver.resolve(host).await.expect("an address");
            assert_eq!(*found, [IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])], "{host}");
            assert_eq!(look_up_all(&BTreeSet::from([host.to_owned()])).await.expect("an address")[host], *found);
        }
    }
}
