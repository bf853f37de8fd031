//! Addresses: where to listen, whom to reach, whom to trust.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use akrida_core::limits::HOST_NAME_CHARS_MAX;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketBind {
    /// An address or a host name of this machine; `0.0.0.0` for all addresses.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
}

/// Where a master is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MasterAddress {
    /// A host name, which may have several addresses, or an address.
    pub host: String,
    /// Its port for masters and workers.
    pub port: u16,
}

impl fmt::Display for MasterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A host that may have a port: `host`, `host:port`, `::1` or `[::1]:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAndPort {
    /// The host.
    pub host: String,
    /// The port, if it is given.
    pub port: Option<u16>,
}

impl FromStr for HostAndPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => match rest.split_once(']') {
                Some((host, "")) => (host, None),
                Some((host, after)) => (host, Some(after.strip_prefix(':').unwrap_or("?"))),
                None => (text, None),
            },
            None => match text.split_once(':') {
                // More than one colon without brackets: an IPv6 address.
                Some((_, port)) if port.contains(':') => (text, None),
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = port.map(|port| port.parse::<u16>().ok().filter(|port| *port > 0));
        match (host_name(host), port) {
            (Ok(host), None) => Ok(Self { host, port: None }),
            (Ok(host), Some(Some(port))) => Ok(Self { host, port: Some(port) }),
            (Err(reason), _) => Err(reason),
            (_, Some(None)) => Err(format!("{text:?} has no port from 1 to 65535 after its colon")),
        }
    }
}

/// A host name or address, without brackets around one of IPv6.
///
/// # Errors
/// What is wrong with it.
pub fn host_name(text: &str) -> Result<String, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let is_name = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let is_address = bare.parse::<IpAddr>().is_ok();
    if !bare.is_empty() && bare.len() <= HOST_NAME_CHARS_MAX && (is_address || is_name(bare)) {
        return Ok(bare.to_owned());
    }
    let shown: String = text.chars().take(60).collect();
    Err(format!("{shown:?} is no host name or address"))
}

/// An address to listen on; `*` is all of them.
///
/// # Errors
/// What is wrong with it.
pub fn listen_host(text: &str) -> Result<String, String> {
    if text == "*" { Ok("0.0.0.0".to_owned()) } else { host_name(text) }
}

/// Whether an address to listen on means all addresses.
#[must_use]
pub fn is_every_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
}

/// Addresses of proxies whose word about a client is believed: one address, or a network such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedProxy {
    network: IpAddr,
    prefix_bits: u8,
}

impl TrustedProxy {
    /// Whether an address is one of these. An IPv4 address that came in through IPv6 counts as itself.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix_bits)).unwrap_or(0);
                u32::from(network) & mask == u32::from(address) & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix_bits)).unwrap_or(0);
                u128::from(network) & mask == u128::from(address) & mask
            }
            _ => false,
        }
    }
}

impl FromStr for TrustedProxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let shown: String = text.chars().take(60).collect();
            format!("{shown:?} is no IP address or network, expected one such as `10.0.0.1` or `10.0.0.0/8`")
        };
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let network: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if network.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong)?,
        };
        Ok(Self { network, prefix_bits })
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_and_without_ports() {
        for (text, host, port) in [
            ("a.example", "a.example", None),
            ("a:5558", "a", Some(5_558)),
            ("10.0.0.1:1", "10.0.0.1", Some(1)),
            ("::1", "::1", None),
            ("[::1]", "::1", None),
            ("[fe80::2]:5557", "fe80::2", Some(5_557)),
            (" a ", "a", None),
        ] {
            assert_eq!(text.parse(), Ok(HostAndPort { host: host.to_owned(), port }), "{text}");
        }
        for text in ["", ":5557", "a:", "a:0", "a:65536", "a b", "http://a", "[::1]5557", "[::1", "a/b", "a:x", "ä"] {
            assert!(text.parse::<HostAndPort>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        let contains =
            |network: &str, address: &str| network.parse::<TrustedProxy>().unwrap().contains(address.parse().unwrap());
        assert!(contains("10.0.0.0/8", "10.200.0.1") && !contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("10.0.0.1", "10.0.0.1") && !contains("10.0.0.1", "10.0.0.2"));
        assert!(contains("10.0.0.1", "::ffff:10.0.0.1"));
        assert!(contains("0.0.0.0/0", "1.2.3.4") && !contains("0.0.0.0/0", "::1"));
        assert!(contains("fd00::/8", "fd12::1") && contains("::/0", "::1") && !contains("fd00::/8", "fe80::1"));
        for text in ["", "a", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.0/-1"] {
            assert!(text.parse::<TrustedProxy>().is_err(), "{text}");
        }
    }
}
