//! Which masters to ask.

use std::fmt;
use std::str::FromStr;

use akrida_core::limits;

use super::WEB_PORT;

/// Where the web port of a master is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterAddress {
    host: String,
    port: u16,
}

impl FromStr for MasterAddress {
    type Err = String;

    /// Reads `host`, `host:port` or `http://host:port`; an IPv6 address with a port is in brackets.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is not a master; allowed: HOST or HOST:PORT, such as m1:{WEB_PORT}");
        if text.starts_with("https://") {
            return Err(format!(
                "\"{text}\" asks for TLS, which the web port of a master does not speak in this build"
            ));
        }
        let place = text.strip_prefix("http://").unwrap_or(text);
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = match place.rsplit_once(':') {
            // An address of IPv6 without a port.
            Some((front, _)) if front.contains(':') && !front.ends_with(']') => (place, None),
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        if host.is_empty() || !host.chars().all(is_name) {
            return Err(wrong());
        }
        let port = port.map_or(Ok(WEB_PORT), |port| port.parse().map_err(|_| wrong()))?;
        if port == 0 { Err(wrong()) } else { Ok(Self { host: host.to_owned(), port }) }
    }
}

/// Host and port as they stand in a URL.
impl fmt::Display for MasterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Reads masters apart by commas or blanks; at least one.
///
/// # Errors
/// What is wrong with the first that is no master, or with their number.
pub fn parse_list(text: &str) -> Result<Vec<MasterAddress>, String> {
    let parts = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
    let masters: Vec<MasterAddress> = parts.map(str::parse).collect::<Result<_, _>>()?;
    match masters.len() {
        0 => Err("no master is named".to_owned()),
        count if count > limits::CLIENT_MASTERS_MAX => {
            Err(format!("{count} masters are named; allowed: up to {}", limits::CLIENT_MASTERS_MAX))
        }
        _ => Ok(masters),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        parse_list(text).expect(text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn masters_have_a_port_or_the_usual_one() {
        assert_eq!(shown("m1, m2:80 http://m3:90/"), ["m1:8089", "m2:80", "m3:90"]);
        assert_eq!(
            shown("10.0.0.1,[::1]:70,::1,[fe80::1]"),
            ["10.0.0.1:8089", "[::1]:70", "[::1]:8089", "[fe80::1]:8089"]
        );
    }

    #[test]
    fn what_is_no_master_is_refused() {
        for bad in ["", " , ", "m1:", "m1:0", "m1:65536", ":80", "https://m1", "m1/x", "a@b", "m1:8089/x?y", "ä"] {
            assert!(parse_list(bad).is_err(), "{bad}");
        }
        assert!(parse_list(&"m,".repeat(limits::CLIENT_MASTERS_MAX + 1)).is_err());
    }
}
