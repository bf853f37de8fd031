//! Where a request goes: a URL, parsed once where it is written without templates.

use std::cell::OnceCell;

use actix_http::Uri;
use actix_http::uri::{Authority, PathAndQuery, Scheme};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use url::Url;

use super::HeaderValue;
use super::error::HttpError;

/// A parsed URL in the parts that go to the wire.
#[derive(Clone, Debug)]
pub struct Target {
    https: bool,
    /// Always with scheme `http` and a port. The scheme is ours to act on, see [`super::awc_client`].
    uri: Uri,
    host_header: HeaderValue,
    credentials: Option<HeaderValue>,
    url: OnceCell<Option<Url>>,
}

impl Target {
    /// Parses an absolute URL.
    ///
    /// # Errors
    /// When it is not an `http` or `https` URL with a host.
    pub fn parse(text: &str) -> Result<Self, HttpError> {
        let url = Url::parse(text).map_err(|error| invalid(text, &error.to_string()))?;
        Self::of_url(url)
    }

    /// The target of a URL.
    ///
    /// # Errors
    /// When it is not an `http` or `https` URL with a host.
    pub fn of_url(mut url: Url) -> Result<Self, HttpError> {
        // A WebSocket begins as a request.
        for (scheme, http) in [("ws", "http"), ("wss", "https")] {
            if url.scheme() == scheme && url.set_scheme(http).is_err() {
                return Err(invalid(url.as_str(), "no host"));
            }
        }
        let https = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(invalid(url.as_str(), "scheme is neither http nor https")),
        };
        let host = url.host_str().ok_or_else(|| invalid(url.as_str(), "no host"))?;
        let host_header = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let port = url.port_or_known_default().unwrap_or(80);
        let authority = Authority::try_from(format!("{host}:{port}"));
        let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let path = PathAndQuery::try_from(path).map_err(|error| invalid(url.as_str(), &error.to_string()))?;
        let authority = authority.map_err(|error| invalid(url.as_str(), &error.to_string()))?;
        let bad_host = |_| invalid(url.as_str(), "host");
        Ok(Self {
            https,
            uri: uri_of(authority, path).ok_or_else(|| invalid(url.as_str(), "not a URI"))?,
            host_header: HeaderValue::try_from(host_header).map_err(bad_host)?,
            credentials: credentials(&url),
            url: OnceCell::from(Some(url)),
        })
    }

    /// Another path on the same server. The path, with its query, is appended to this target's own path.
    ///
    /// # Errors
    /// When the result is no URL.
    pub fn join(&self, path: &str) -> Result<Self, HttpError> {
        let prefix = self.uri.path().trim_end_matches('/');
        let slash = if path.starts_with('/') { "" } else { "/" };
        let joined =
            if prefix.is_empty() && slash.is_empty() { path.to_owned() } else { format!("{prefix}{slash}{path}") };
        if !is_plain(&joined) {
            // Characters to encode, dots to resolve or a fragment to drop: the full parser knows how.
            let scheme = if self.https { "https" } else { "http" };
            let mut other = Self::parse(&format!("{scheme}://{}{joined}", self.authority()))?;
            other.credentials.clone_from(&self.credentials);
            return Ok(other);
        }
        let path = PathAndQuery::try_from(joined).map_err(|error| invalid(path, &error.to_string()))?;
        let uri = uri_of(self.authority().clone(), path).ok_or_else(|| invalid(self.uri.path(), "not a URI"))?;
        Ok(Self {
            https: self.https,
            uri,
            host_header: self.host_header.clone(),
            credentials: self.credentials.clone(),
            url: OnceCell::new(),
        })
    }

    /// Whether it is an `https` URL.
    #[must_use]
    pub fn https(&self) -> bool {
        self.https
    }

    /// Server, port and path, with the scheme `http` whatever the URL said.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Server and port.
    ///
    /// # Panics
    /// Never: every target has them.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        self.uri.authority().expect("a target is built with an authority")
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.authority().port_u16().unwrap_or(if self.https { 443 } else { 80 })
    }

    /// The value of the `Host` header.
    #[must_use]
    pub fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }

    /// The value of `Authorization` for `user:password@` in the URL.
    #[must_use]
    pub fn credentials(&self) -> Option<&HeaderValue> {
        self.credentials.as_ref()
    }

    /// The URL, for cookies and redirects; parsed when first asked for.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        let scheme = if self.https { "https" } else { "http" };
        let parse = || {
            let path = self.uri.path_and_query().map_or("/", PathAndQuery::as_str);
            Url::parse(&format!("{scheme}://{}{path}", self.authority())).ok()
        };
        self.url.get_or_init(parse).as_ref()
    }

    /// Whether scheme, host and port are the same.
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.https == other.https && self.authority() == other.authority()
    }
}

fn uri_of(authority: Authority, path: PathAndQuery) -> Option<Uri> {
    Uri::builder().scheme(Scheme::HTTP).authority(authority).path_and_query(path).build().ok()
}

/// Whether a path can go to the wire as it is.
fn is_plain(path: &str) -> bool {
    path.bytes().all(|byte| {
        byte.is_ascii_graphic()
            && !matches!(byte, b'"' | b'<' | b'>' | b'#' | b'\\' | b'{' | b'}' | b'|' | b'^' | b'`' | b'\'')
    }) && !path.contains("/.")
}

fn credentials(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text: &str| {
        url::form_urlencoded::parse(format!("v={}", text.replace('+', "%2B")).as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let pair = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
    HeaderValue::try_from(format!("Basic {}", BASE64.encode(pair))).ok()
}

fn invalid(url: &str, reason: &str) -> HttpError {
    HttpError::InvalidUrl(format!("{url}: {reason}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(target: &Target) -> &str {
        target.uri().path_and_query().expect("has a path").as_str()
    }

    #[test]
    fn a_url_is_taken_apart() {
        let target = Target::parse("https://example.com/a b?q=é#part").expect("valid");
        assert!(target.https());
        assert_eq!(target.authority(), "example.com:443");
        assert_eq!(target.host_header(), "example.com");
        assert_eq!(path_of(&target), "/a%20b?q=%C3%A9");
        let target = Target::parse("http://user:p%40ss@[::1]:8080").expect("valid");
        assert_eq!(target.host_header(), "[::1]:8080");
        assert_eq!(path_of(&target), "/");
        assert_eq!(target.credentials().expect("has credentials"), "Basic dXNlcjpwQHNz");
    }

    #[test]
    fn what_is_no_http_url_is_refused() {
        for text in ["/path", "ftp://example.com/", "http://", "example.com"] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_is_appended_to_the_host() {
        let plain = Target::parse("http://example.com:81").expect("valid");
        let prefixed = Target::parse("http://example.com:81/api/").expect("valid");
        for (path, on_plain, on_prefixed) in [
            ("/x?y=1&z=%20", "/x?y=1&z=%20", "/api/x?y=1&z=%20"),
            ("x", "/x", "/api/x"),
            ("/a b/ü#frag", "/a%20b/%C3%BC", "/api/a%20b/%C3%BC"),
            ("/a/../b", "/b", "/api/b"),
        ] {
            assert_eq!(path_of(&plain.join(path).expect("valid")), on_plain);
            let joined = prefixed.join(path).expect("valid");
            assert_eq!(path_of(&joined), on_prefixed);
            assert!(joined.same_origin(&plain));
            assert_eq!(joined.host_header(), "example.com:81");
            assert_eq!(joined.url().expect("valid").path(), joined.uri().path());
        }
    }

    #[test]
    fn the_default_port_is_the_same_origin() {
        let target = |text| Target::parse(text).expect("valid");
        assert!(target("http://a/x").same_origin(&target("http://a:80/y")));
        assert!(!target("http://a/").same_origin(&target("https://a/")));
        assert!(!target("http://a/").same_origin(&target("http://a:81/")));
    }
}
