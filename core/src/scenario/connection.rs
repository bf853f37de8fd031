//! How the users of a class connect.

use core::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use url::{Url, form_urlencoded};

/// How users connect. The default keeps connections for as long as both sides like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionRules {
    /// A connection that is older is closed before the next request.
    pub max_age: Option<Duration>,
    /// Requests on one connection.
    pub max_requests: Option<u64>,
    /// Own addresses to connect from, in turn over the users; any if there are none.
    pub sources: Arc<[IpAddr]>,
    /// The proxy to go through.
    pub proxy: Option<Proxy>,
    /// Whether servers over TLS may choose HTTP/2.
    pub http2: bool,
}

impl ConnectionRules {
    /// Whether a connection of this age, on which so many requests were sent, is not to be used again.
    #[must_use]
    pub fn is_worn(&self, age: Duration, requests: u64) -> bool {
        self.max_age.is_some_and(|max| age >= max) || self.max_requests.is_some_and(|max| requests >= max)
    }
}

/// An HTTP proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its name or address; an IPv6 address without brackets.
    pub host: Arc<str>,
    /// Its port.
    pub port: u16,
    /// The value of `Proxy-Authorization`.
    pub authorization: Option<Arc<str>>,
}

impl Proxy {
    /// Reads `http://host:port` or `http://user:password@host:port`. Without a port it is 80.
    ///
    /// # Errors
    /// Why the text is no such URL.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        if url.scheme() != "http" {
            return Err("a proxy is spoken to over http://".to_owned());
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err("a proxy has neither a path nor a query".to_owned());
        }
        let host = url.host_str().ok_or("it has no host")?.trim_matches(['[', ']']);
        let named = !url.username().is_empty() || url.password().is_some();
        let authorization = named.then(|| {
            let pair = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
            format!("Basic {}", BASE64.encode(pair)).into()
        });
        Ok(Self { host: host.into(), port: url.port_or_known_default().unwrap_or(80), authorization })
    }
}

/// Undoes the percent-encoding of a part of a URL.
fn decoded(part: &str) -> String {
    let pair = format!("v={}", part.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_base_url_with_or_without_credentials() {
        let proxy = Proxy::parse("http://u%40x:p+%3A@proxy.test:3128").expect("valid");
        assert_eq!((&*proxy.host, proxy.port), ("proxy.test", 3128));
        assert_eq!(proxy.authorization.as_deref(), Some("Basic dUB4OnArOg=="));
        let proxy = Proxy::parse("http://[::1]/").expect("valid");
        assert_eq!((&*proxy.host, proxy.port, proxy.authorization), ("::1", 80, None));
        for text in ["", "proxy:3128", "https://p", "socks5://p:1", "http://p/path", "http://p?q", "http://"] {
            assert!(Proxy::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_connection_is_worn_by_age_or_by_use() {
        let (s, none) = (Duration::from_secs, ConnectionRules::default());
        assert!(!none.is_worn(s(1_000_000), u64::MAX));
        let aged = ConnectionRules { max_age: Some(s(60)), ..none.clone() };
        assert_eq!([aged.is_worn(s(59), 1_000), aged.is_worn(s(60), 0)], [false, true]);
        let used = ConnectionRules { max_requests: Some(2), ..none };
        assert_eq!([used.is_worn(s(600), 1), used.is_worn(s(0), 2)], [false, true]);
    }
}
