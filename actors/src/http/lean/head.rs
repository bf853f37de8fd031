//! Status line and headers, and what they say about the body and the connection.

use std::mem::MaybeUninit;

use akrida_core::limits;
use httparse::{ParserConfig, Status};

use super::super::error::HttpError;
use super::content::Coding;

/// A head that was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Its length, with the empty line.
    pub(crate) bytes: usize,
    pub(super) framing: Framing,
    pub(super) coding: Coding,
    pub(super) sets_cookies: bool,
    /// Whether the server leaves the connection open.
    pub(super) keep_alive: bool,
}

/// Where a body ends (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// After this many bytes.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// What the headers say that matters here.
#[derive(Default)]
struct Fields {
    length: Option<u64>,
    /// Whether there is a transfer coding, and whether the last one is chunked.
    transfer: Option<bool>,
    close: bool,
    keep_alive: bool,
    coding: Coding,
    sets_cookies: bool,
}

/// Reads a head from the front of `bytes`; `None` when it is not complete yet.
///
/// # Errors
/// When it is no HTTP/1.x, too long, or contradicts itself about the length of the body.
pub(crate) fn parse(bytes: &[u8], answers_head: bool) -> Result<Option<Head>, HttpError> {
    let mut headers = [const { MaybeUninit::uninit() }; limits::RESPONSE_HEADERS_MAX];
    let mut response = httparse::Response::new(&mut []);
    let parsed = ParserConfig::default()
        .allow_spaces_after_header_name_in_responses(true)
        .parse_response_with_uninit_headers(&mut response, bytes, &mut headers);
    let length = match parsed {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) if bytes.len() < limits::RESPONSE_HEAD_BYTES_MAX => return Ok(None),
        Ok(Status::Partial) | Err(_) => return Err(HttpError::InvalidResponse),
    };
    let (Some(status), Some(minor)) = (response.code, response.version) else { return Err(HttpError::InvalidResponse) };
    if length > limits::RESPONSE_HEAD_BYTES_MAX || status < 100 {
        return Err(HttpError::InvalidResponse);
    }
    let mut fields = Fields::default();
    for header in &*response.headers {
        fields.add(header.name, header.value)?;
    }
    let framing = fields.framing(status, minor, answers_head)?;
    Ok(Some(Head {
        status,
        bytes: length,
        framing,
        coding: fields.coding,
        sets_cookies: fields.sets_cookies,
        keep_alive: !fields.close && (minor > 0 || fields.keep_alive) && framing != Framing::UntilClose,
    }))
}

impl Fields {
    fn add(&mut self, name: &str, value: &[u8]) -> Result<(), HttpError> {
        // The lengths tell almost all headers apart.
        match name.len() {
            10 if name.eq_ignore_ascii_case("connection") => {
                for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    self.close |= option.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            10 if name.eq_ignore_ascii_case("set-cookie") => self.sets_cookies = true,
            14 if name.eq_ignore_ascii_case("content-length") => {
                for length in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    let length = decimal(length).ok_or(HttpError::InvalidResponse)?;
                    if self.length.replace(length).is_some_and(|before| before != length) {
                        return Err(HttpError::InvalidResponse);
                    }
                }
            }
            16 if name.eq_ignore_ascii_case("content-encoding") => self.coding = Coding::of(value),
            17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                for coding in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    // Chunked comes once and last.
                    if self.transfer == Some(true) {
                        return Err(HttpError::InvalidResponse);
                    }
                    self.transfer = Some(coding.eq_ignore_ascii_case(b"chunked"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn framing(&self, status: u16, minor: u8, answers_head: bool) -> Result<Framing, HttpError> {
        // Both together are how responses are smuggled, and version 1.0 knows no transfer coding.
        if self.transfer.is_some() && (self.length.is_some() || minor == 0) {
            return Err(HttpError::InvalidResponse);
        }
        Ok(match (self.transfer, self.length) {
            _ if answers_head || matches!(status, 100..=199 | 204 | 304) => Framing::Length(0),
            (Some(true), _) => Framing::Chunked,
            (None, Some(length)) => Framing::Length(length),
            (Some(false), _) | (None, None) => Framing::UntilClose,
        })
    }
}

/// A number of digits alone, without a sign.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Head, HttpError> {
        parse(format!("{text}\r\n\r\n").as_bytes(), false).map(|head| head.expect("complete"))
    }

    #[test]
    fn the_end_of_a_body_follows_the_rules_in_order() {
        for (text, framing) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5", Framing::Length(5)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\ncontent-length: 5", Framing::Length(5)),
            ("HTTP/1.1 200\r\nTransfer-Encoding: gzip, Chunked", Framing::Chunked),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip", Framing::UntilClose),
            ("HTTP/1.1 200 OK", Framing::UntilClose),
            ("HTTP/1.1 204 None\r\nContent-Length: 5", Framing::Length(0)),
            ("HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked", Framing::Length(0)),
            ("HTTP/1.1 103 Early", Framing::Length(0)),
        ] {
            assert_eq!(head(text).expect("valid").framing, framing, "{text}");
        }
        let answer = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true).expect("valid").expect("complete");
        assert_eq!(answer.framing, Framing::Length(0), "an answer to HEAD");
    }

    #[test]
    fn what_contradicts_itself_or_is_no_http_is_refused() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6",
            "HTTP/1.1 200 OK\r\nContent-Length: 5, 6",
            "HTTP/1.1 200 OK\r\nContent-Length: +5",
            "HTTP/1.1 200 OK\r\nContent-Length: ",
            "HTTP/1.1 200 OK\r\nContent-Length: 5x",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
            "HTTP/1.1 200 OK\r\nA: b\r\n folded",
            "HTTP/1.1 200 OK\r\nno colon",
            "HTTP/1.1 099 Low",
            "HTTP/2.0 200 OK",
            "ICY 200 OK",
        ] {
            assert_eq!(head(text), Err(HttpError::InvalidResponse), "{text}");
        }
        let many = format!("HTTP/1.1 200 OK{}", "\r\nA: b".repeat(limits::RESPONSE_HEADERS_MAX + 1));
        assert_eq!(head(&many), Err(HttpError::InvalidResponse));
        let long = format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(limits::RESPONSE_HEAD_BYTES_MAX));
        assert_eq!(parse(long.as_bytes(), false), Err(HttpError::InvalidResponse));
    }

    #[test]
    fn the_connection_stays_open_unless_one_side_says_otherwise() {
        for (text, keep_alive) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 0", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: foo, Close", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 0", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive", true),
            ("HTTP/1.1 200 OK", false),
        ] {
            assert_eq!(head(text).expect("valid").keep_alive, keep_alive, "{text}");
        }
    }
}
