//! What a response means.

use akrida_actors::http::TransportKind;
use proptest::prelude::*;

use crate::bodies::compressed;
use crate::play::{BOTH, gets, play};
use crate::server::{Step, answer, hold};

/// A script for one connection and one GET that is to end in the same way on both transports, unless `awc` says how
/// that one differs.
struct Case {
    name: &'static str,
    /// With `|` for the end of a line.
    response: &'static str,
    expected: &'static str,
    awc: Option<&'static str>,
    /// Whether the server closes after it; otherwise the response must be known without the end.
    closes: bool,
}

const fn case(name: &'static str, response: &'static str, expected: &'static str) -> Case {
    Case { name, response, expected, awc: None, closes: false }
}

impl Case {
    const fn closes(self) -> Self {
        Self { closes: true, ..self }
    }

    const fn awc(self, outcome: &'static str) -> Self {
        Self { awc: Some(outcome), ..self }
    }
}

const CASES: &[Case] = &[
    case("length", "HTTP/1.1 200 OK|Content-Length: 5||hello", "200 hello 5B x1"),
    case("no reason", "HTTP/1.1 404|Content-Length: 0||", "404 0B x1"),
    case("bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "200 hello 5B x1"),
    case("chunks", "HTTP/1.1 200 OK|Transfer-Encoding: chunked||3|hel|2|lo|0||", "200 hello 5B x1"),
    case("chunk extensions", "HTTP/1.1 200 OK|Transfer-Encoding: chunked||5;a=b|hello|0;c||", "200 hello 5B x1"),
    case("trailers", "HTTP/1.1 200 OK|Transfer-Encoding: chunked||5|hello|0|A: b|C: d||", "200 hello 5B x1"),
    case("until the end", "HTTP/1.0 200 OK||hello", "200 hello 5B x1").closes(),
    case("until the end, 1.1", "HTTP/1.1 200 OK||hello", "200 hello 5B x1")
        .closes()
        .awc("a response without a length is not supported x1"),
    case(
        "interim",
        "HTTP/1.1 100 Continue||HTTP/1.1 103 Hints|Link: a||HTTP/1.1 200 OK|Content-Length: 5||hello",
        "200 hello 5B x1",
    )
    .awc("an interim response is not supported x1"),
    case("other protocol", "HTTP/1.1 101 Switching|Upgrade: x||xyz", "invalid HTTP response x1")
        .awc("an interim response is not supported x1"),
    case("no content", "HTTP/1.1 204 None||", "204 0B x1"),
    case("not modified", "HTTP/1.1 304 Same|Content-Length: 5||", "304 0B x1").closes().awc("response ended early x1"),
    case("equal lengths", "HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 5||hello", "200 hello 5B x1")
        .awc("invalid HTTP response x1"),
    case("two lengths", "HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 6||hello", "invalid HTTP response x1"),
    case("a signed length", "HTTP/1.1 200 OK|Content-Length: +5||hello", "invalid HTTP response x1"),
    case(
        "a length and chunks",
        "HTTP/1.1 200 OK|Content-Length: 5|Transfer-Encoding: chunked||5|hello|0||",
        "invalid HTTP response x1",
    )
    .awc("200 hello 5B x1"),
    case("a folded header", "HTTP/1.1 200 OK|A: b| c|Content-Length: 0||", "invalid HTTP response x1"),
    case("a bad chunk", "HTTP/1.1 200 OK|Transfer-Encoding: chunked||xyz|", "invalid HTTP response x1"),
    case("another protocol's greeting", "220 ready||", "invalid HTTP response x1"),
    case("nothing", "", "connection closed before the response x1").closes(),
    case("half a head", "HTTP/1.1 200 OK|Conte", "response ended early x1").closes(),
    case("half a body", "HTTP/1.1 200 OK|Content-Length: 5||hel", "response ended early x1").closes(),
    case("half a chunk", "HTTP/1.1 200 OK|Transfer-Encoding: chunked||5|hel", "response ended early x1").closes(),
    case("no last chunk", "HTTP/1.1 200 OK|Transfer-Encoding: chunked||5|hello|", "response ended early x1").closes(),
    case("unknown coding", "HTTP/1.1 200 OK|Content-Encoding: br|Content-Length: 3||abc", "200 abc 3B x1"),
    case(
        "not gzip",
        "HTTP/1.1 200 OK|Content-Encoding: gzip|Content-Length: 5||hello",
        "response body cannot be decoded x1",
    ),
    case("an empty gzip", "HTTP/1.1 200 OK|Content-Encoding: gzip|Content-Length: 0||", "200 0B x1")
        .awc("response body cannot be decoded x1"),
    case("nothing but an interim", "HTTP/1.1 100 Continue||", "response ended early x1")
        .closes()
        .awc("an interim response is not supported x1"),
    case("chunks of an empty body", "HTTP/1.1 200 OK|Transfer-Encoding: chunked||0||", "200 0B x1"),
];

#[actix_rt::test]
async fn a_response_means_the_same_to_both() {
    let mut wrong = Vec::new();
    for case in CASES {
        for transport in BOTH {
            let expected = case.awc.filter(|_| transport == TransportKind::Awc).unwrap_or(case.expected);
            let script = answer(&[&case.response.replace('|', "\r\n")]);
            let script = if case.closes { script } else { hold(script) };
            let (lines, _) = play(transport, vec![script], gets::<1>, false).await;
            if lines != [expected] {
                wrong.push(format!("{} on {transport:?}: {lines:?}, expected {expected:?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whatever the pieces are in which a response comes, it is the same response.
#[actix_rt::test]
async fn a_response_may_be_split_anywhere() {
    for (response, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\nhello", "200 hello 5B x1"),
        (
            "HTTP/1.1 201 \r\nTransfer-Encoding: chunked\r\n\r\na;b=c\r\n0123456789\r\n2\r\nab\r\n0\r\n\r\n",
            "201 0123456789ab 12B x1",
        ),
    ] {
        for transport in BOTH {
            for at in 1..response.len() {
                let (first, second) = response.split_at(at);
                let (lines, _) = play(transport, vec![hold(answer(&[first, second]))], gets::<1>, false).await;
                assert_eq!(lines, [expected], "{transport:?}, split at {at}");
            }
            let bytes: Vec<&str> = response.split_inclusive(|_| true).collect();
            let (lines, _) = play(transport, vec![hold(answer(&bytes))], gets::<1>, false).await;
            assert_eq!(lines, [expected], "{transport:?}, byte by byte");
        }
    }
}

/// Bytes that are like a response, and bytes that are not.
fn server_bytes() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Just(b"HTTP/1.0 ".to_vec()),
        Just(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
        Just(b"Content-Length: 3\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b"Content-Encoding: gzip\r\n".to_vec()),
        Just(b"Connection: close\r\n".to_vec()),
        Just(b"Set-Cookie: a=b\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        Just(b"3\r\nabc\r\n".to_vec()),
        Just(b"0\r\n\r\n".to_vec()),
        Just(b"ffffffffffffffff\r\n".to_vec()),
        Just(compressed(b"hello hello")),
        proptest::collection::vec(any::<u8>(), 0..12),
        proptest::collection::vec(any::<u8>(), 0..40_000),
    ];
    proptest::collection::vec(token, 0..10).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a server sends before it closes, a request ends with it.
    #[test]
    fn a_request_ends_when_the_server_closes(bytes in server_bytes(), lean in any::<bool>()) {
        let transport = if lean { TransportKind::Lean } else { TransportKind::Awc };
        let lines = actix_rt::System::new().block_on(async {
            play(transport, vec![vec![Step::Request, Step::Send(bytes)]], gets::<1>, false).await.0
        });
        prop_assert!(!lines[0].starts_with("timed out"), "{}", lines[0]);
    }
}
