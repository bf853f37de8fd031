//! The hosts that a run may send requests to, so that a slip in a scenario does not load somebody else's server.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use url::Url;

use super::target::Target;

/// A host, perhaps with one port alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    /// As URLs have it: lower case, IPv6 addresses in brackets.
    host: Box<str>,
    port: Option<u16>,
}

impl AllowedHost {
    /// Whether it is the host of a target.
    #[must_use]
    pub fn permits(&self, target: &Target) -> bool {
        self.permits_server(target.authority().host(), Some(target.port()))
    }

    /// Whether it is this server, of any protocol. One whose port is not known is permitted if all ports are.
    #[must_use]
    pub fn permits_server(&self, host: &str, port: Option<u16>) -> bool {
        host.eq_ignore_ascii_case(&self.host) && self.port.is_none_or(|own| port == Some(own))
    }
}

impl FromStr for AllowedHost {
    type Err = String;

    /// Reads `HOST` or `HOST:PORT`, without a scheme and a path.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no host; allowed: HOST or HOST:PORT, such as shop.test or 10.0.0.5:8080");
        let is_bare_v6 = text.parse::<Ipv6Addr>().is_ok();
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !is_bare_v6 && !port.ends_with(']') => {
                let port = port.parse::<u16>().ok().filter(|port| *port > 0);
                (host.to_owned(), Some(port.ok_or_else(wrong)?))
            }
            _ if is_bare_v6 => (format!("[{text}]"), None),
            _ => (text.to_owned(), None),
        };
        if host.is_empty() || host.contains(['/', '?', '#', '@', '\\']) {
            return Err(wrong());
        }
        // The same rules as for the URLs that it is compared with: case, punycode, forms of addresses.
        let url = Url::parse(&format!("http://{host}/")).map_err(|_| wrong())?;
        let host = url.host_str().filter(|_| url.port().is_none()).ok_or_else(wrong)?;
        Ok(Self { host: host.into(), port })
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(allowed: &str, url: &str) -> bool {
        allowed.parse::<AllowedHost>().expect("a host").permits(&Target::parse(url).expect("a URL"))
    }

    #[test]
    fn a_server_of_another_protocol_is_compared_by_host_and_port() {
        let permits =
            |allowed: &str, host, port| allowed.parse::<AllowedHost>().expect("a host").permits_server(host, port);
        assert!(permits("broker.test", "Broker.test", None) && permits("broker.test:1883", "broker.test", Some(1883)));
        assert!(!permits("broker.test:1883", "broker.test", None) && !permits("broker.test", "test", None));
    }

    #[test]
    fn a_host_is_compared_as_a_whole_and_a_port_if_there_is_one() {
        for (allowed, url, expected) in [
            ("a.test", "http://a.test/x", true),
            ("A.Test", "https://a.TEST:8443", true),
            ("a.test", "http://b.a.test", false),
            ("a.test", "http://a.test.evil", false),
            ("a.test:80", "http://a.test", true),
            ("a.test:80", "https://a.test", false),
            ("a.test:443", "https://a.test", true),
            ("bücher.test", "http://xn--bcher-kva.test", true),
            ("127.0.0.1:8000", "http://127.0.0.1:8000", true),
            ("127.0.0.1:8000", "http://127.0.0.1:8001", false),
            ("::1", "http://[::1]:99", true),
            ("[::1]:80", "http://[::1]", true),
            ("[::1]:80", "http://[::1]:81", false),
        ] {
            assert_eq!(permits(allowed, url), expected, "{allowed} {url}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in
            ["", ":80", "http://a.test", "a.test/x", "a.test:", "a.test:0", "a.test:x", "u@a.test", "a b", "a:1:2"]
        {
            assert!(text.parse::<AllowedHost>().is_err(), "{text:?}");
        }
    }
}
