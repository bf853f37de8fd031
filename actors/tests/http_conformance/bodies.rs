//! What is kept of a body.

use akrida_actors::http::request::Outgoing;
use akrida_actors::http::{Method, TransportKind};
use akrida_core::limits;

use crate::play::{BOTH, OK, client, play, request};
use crate::server::{Server, Step, answer, hold};

/// With gzip.
pub(crate) fn compressed(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[actix_rt::test]
async fn a_body_is_decoded_if_it_is_kept_and_counted_as_it_came() {
    // Incompressible enough to need several reads, and longer than what is kept when it is decoded.
    let text: Vec<u8> = (0..9_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 29) as u8).collect();
    let coded = compressed(&text);
    for transport in BOTH {
        for (keep_body, cut_by) in [(true, 0), (false, 0), (true, 9)] {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
                coded.len() - cut_by
            );
            let body = coded[..coded.len() - cut_by].to_vec();
            let script = vec![Step::Request, Step::Send(head.into_bytes()), Step::Send(body), Step::Hold];
            let server = Server::start(vec![script]).await;
            let mut client = client(transport);
            let outcome = client.send(&Outgoing { keep_body, ..request(server.address, Method::GET) }).await;
            let shape = outcome.result.map(|response| (response.body.len(), response.body_cut, response.content_bytes));
            let expected = match (keep_body, cut_by) {
                (_, 9) => Err("response body cannot be decoded".to_owned()),
                (true, _) => Ok((limits::BODY_KEPT_BYTES_MAX, true, coded.len() as u64)),
                (false, _) => Ok((0, false, coded.len() as u64)),
            };
            assert_eq!(shape.map_err(|error| error.to_string()), expected, "{keep_body} {cut_by} on {transport:?}");
        }
    }
}

#[actix_rt::test]
async fn responses_without_a_body_leave_the_connection_usable() {
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 500\r\n\r\n";
    for transport in BOTH {
        let scripts = vec![hold([answer(&[head]), answer(&["HTTP/1.1 204 None\r\n\r\n"]), answer(&[OK])].concat())];
        let requests =
            |address| [Method::HEAD, Method::GET, Method::GET].map(|method| request(address, method)).to_vec();
        let (lines, connections) = play(transport, scripts, requests, false).await;
        let first = if transport == TransportKind::Awc { "response body cannot be decoded x1" } else { "200 0B x1" };
        assert_eq!(lines, [first, "204 0B x1", "200 ok 2B x1"], "{transport:?}");
        assert_eq!(connections, [3], "{transport:?}");
    }
}
