//! Readers of single values. Each says what is allowed when it refuses one.

use std::num::NonZeroUsize;
use std::time::Duration;

use akrida_core::limits;
use url::Url;

use super::span;

/// The most arbiters that `--processes` accepts.
pub(crate) const PROCESSES_MAX: usize = 1_024;

/// What `--processes` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processes {
    /// One for each core.
    Cores,
    /// That many.
    Count(NonZeroUsize),
}

/// What `--autoquit` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Autoquit {
    /// Locust's `-1`: stay.
    Never,
    /// Quit that long after the run has ended.
    After(Duration),
}

/// What a text in a configuration file or a variable says about a flag.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(format!("\"{text}\" is neither true nor false; allowed: true, false, 1, 0, yes, no")),
    }
}

/// A number of users.
pub(crate) fn users(text: &str) -> Result<u64, String> {
    whole_number(text, 1, limits::USERS_MAX)
}

/// An exit code of a process.
pub(crate) fn exit_code(text: &str) -> Result<i32, String> {
    whole_number(text, 0, 255).map(|code| code as i32)
}

/// A spawn rate in users per second.
pub(crate) fn spawn_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 && rate <= limits::SPAWN_RATE_MAX_PER_S => Ok(rate),
        _ => Err(format!(
            "\"{text}\" is not a spawn rate; allowed: more than 0, up to {} users per second",
            limits::SPAWN_RATE_MAX_PER_S
        )),
    }
}

/// A probability.
pub(crate) fn probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("\"{text}\" is not a probability; allowed: 0 to 1")),
    }
}

/// A number of arbiters.
pub(crate) fn processes(text: &str) -> Result<Processes, String> {
    if text == "-1" {
        return Ok(Processes::Cores);
    }
    threads(text).map(Processes::Count).map_err(|_| {
        format!("\"{text}\" is not a number of processes; allowed: 1 to {PROCESSES_MAX}, or -1 for one for each core")
    })
}

/// A number of threads.
pub(crate) fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let count = whole_number(text, 1, PROCESSES_MAX as u64)?;
    Ok(NonZeroUsize::new(count as usize).unwrap_or(NonZeroUsize::MIN))
}

/// A port to listen on.
pub(crate) fn port(text: &str) -> Result<u16, String> {
    whole_number(text, 0, u16::MAX.into()).map(|port| port as u16)
}

/// A port to connect to.
pub(crate) fn remote_port(text: &str) -> Result<u16, String> {
    whole_number(text, 1, u16::MAX.into()).map(|port| port as u16)
}

/// A number of workers to wait for.
pub(crate) fn expected_workers(text: &str) -> Result<u64, String> {
    whole_number(text, 1, limits::EXPECTED_WORKERS_MAX)
}

/// How long to stay after the run.
pub(crate) fn autoquit(text: &str) -> Result<Autoquit, String> {
    if text == "-1" {
        return Ok(Autoquit::Never);
    }
    span::parse(text).map(Autoquit::After).map_err(|message| format!("{message}, or -1 to stay"))
}

/// A base URL of any protocol, kept as it was written.
pub(crate) fn host(text: &str) -> Result<String, String> {
    match Url::parse(text) {
        // Without its scheme, `localhost:8000` parses as a URL of the scheme `localhost`.
        Ok(_) if !text.contains("://") => refused_host(text, "has no scheme"),
        Ok(url) if url.host_str().is_none_or(str::is_empty) => refused_host(text, "has no host"),
        Ok(url) if url.query().is_some() || url.fragment().is_some() => refused_host(text, "has a query or a fragment"),
        Ok(_) => Ok(text.to_owned()),
        Err(url::ParseError::RelativeUrlWithoutBase) => refused_host(text, "has no scheme"),
        Err(error) => refused_host(text, &format!("is not a URL ({error})")),
    }
}

/// A base URL of HTTP.
pub(crate) fn http_host(text: &str) -> Result<String, String> {
    let host = host(text)?;
    match host.split_once("://") {
        Some((scheme, _)) if ["http", "https"].iter().any(|http| scheme.eq_ignore_ascii_case(http)) => Ok(host),
        _ => refused_host(text, "does not start with http:// or https://"),
    }
}

fn refused_host(text: &str, why: &str) -> Result<String, String> {
    Err(format!("\"{text}\" {why}; allowed: a base URL such as http://127.0.0.1:8000"))
}

fn whole_number(text: &str, min: u64, max: u64) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        Ok(_) => Err(format!("{text} is out of range; allowed: {min} to {max}")),
        Err(_) => Err(format!("\"{text}\" is not a whole number in range; allowed: {min} to {max}")),
    }
}

/// The items of a list in a configuration file or a variable: `[a, b]`, or items apart by commas or white space. An
/// item in quotes is kept as it is.
pub(crate) fn list(text: &str) -> Result<Vec<String>, String> {
    let text = text.trim();
    let (inner, bracketed) = match text.strip_prefix('[') {
        Some(rest) => match rest.strip_suffix(']') {
            Some(inner) => (inner, true),
            None => return Err(format!("\"{text}\" is a list without its end; allowed: [a, b]")),
        },
        None => (text, false),
    };
    let mut items = Vec::new();
    let mut rest = inner.trim_start();
    while let Some(first) = rest.chars().next() {
        let (item, after) = if first == '"' || first == '\'' {
            rest[1..].split_once(first).ok_or_else(|| format!("\"{text}\" has a quote without its end"))?
        } else {
            // Within brackets a comma alone parts items, so that an item may hold blanks.
            let end = rest.find(|c: char| c == ',' || (!bracketed && c.is_whitespace())).unwrap_or(rest.len());
            (rest[..end].trim_end(), &rest[end..])
        };
        if !item.is_empty() {
            items.push(item.to_owned());
        }
        rest = after.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_take_every_form() {
        for text in ["[a, b]", "[a,b]", "a b", "a,b", "a, b", " a  b ", "[\"a\", 'b']", "\"a\" \"b\"", "[a, b,]"] {
            assert_eq!(list(text), Ok(vec!["a".to_owned(), "b".to_owned()]), "{text}");
        }
        assert_eq!(list("[a b, c]"), Ok(vec!["a b".to_owned(), "c".to_owned()]));
        assert_eq!(list("'a b' c"), Ok(vec!["a b".to_owned(), "c".to_owned()]));
        assert_eq!(list("[]"), Ok(vec![]));
        assert!(list("[a, b").is_err());
        assert!(list("[\"a]").is_err());
    }

    #[test]
    fn hosts_are_base_urls() {
        for good in ["http://127.0.0.1:8000", "https://example.org/base/", "http://[::1]:80"] {
            assert_eq!(http_host(good), Ok(good.to_owned()));
        }
        for other in ["tcp://127.0.0.1:7000", "mqtt://broker", "redis://[::1]:6379"] {
            assert_eq!(host(other), Ok(other.to_owned()));
            assert!(http_host(other).is_err(), "{other}");
        }
        for bad in
            ["", "localhost:8000", "example.org", "tcp://", "http://", "http://a?b=c", "http://a#b", "http://a:99999"]
        {
            assert!(host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_have_bounds() {
        assert_eq!(users("10"), Ok(10));
        for bad in ["0", "-1", "ten", "1.5", "10000001", "99999999999999999999"] {
            assert!(users(bad).is_err(), "{bad}");
        }
        assert_eq!(spawn_rate("0.5"), Ok(0.5));
        for bad in ["0", "-1", "NaN", "inf", "1e300", "fast"] {
            assert!(spawn_rate(bad).is_err(), "{bad}");
        }
        assert_eq!(processes("-1"), Ok(Processes::Cores));
        for bad in ["0", "-2", "1025", "all"] {
            assert!(processes(bad).is_err(), "{bad}");
        }
        assert!(exit_code("256").is_err());
        assert_eq!(autoquit("-1"), Ok(Autoquit::Never));
        assert_eq!(autoquit("10"), Ok(Autoquit::After(Duration::from_secs(10))));
        assert!(probability("1.1").is_err());
    }
}
