//! What goes out.

use std::net::SocketAddr;
use std::rc::Rc;

use akrida_actors::http::request::Outgoing;
use akrida_actors::http::{HeaderName, HeaderValue, Method};
use bytes::Bytes;

use crate::play::{BOTH, OK, client, line_of, request};
use crate::server::{Server, answer, hold};

#[actix_rt::test]
async fn both_write_the_same_request() {
    let header = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    let own = [
        header("accept", "*/*"),
        header("cookie", "own=1"),
        header("content-length", "7"),
        header("connection", "keep-alive"),
    ];
    for (method, body) in [
        (Method::GET, None),
        (Method::POST, None),
        (Method::DELETE, None),
        (Method::PUT, Some(Bytes::from_static(b"small"))),
        (Method::POST, Some(Bytes::from(vec![b'x'; 3_000_000]))),
    ] {
        let mut seen = Vec::new();
        for transport in BOTH {
            // The first response sets a cookie, so that the second request has two.
            let first = "HTTP/1.1 200 OK\r\nSet-Cookie: jar=2\r\nContent-Length: 0\r\n\r\n";
            let server = Server::start(vec![hold([answer(&[first]), answer(&[OK])].concat())]).await;
            let mut client = client(transport);
            let request = Outgoing {
                headers: Rc::from(own.clone()),
                body: body.clone(),
                ..request(server.address, method.clone())
            };
            assert_eq!(line_of(&client.send(&request).await), "200 0B x1");
            assert_eq!(line_of(&client.send(&request).await), "200 ok 2B x1");
            let requests = server.requests.take().concat();
            seen.push(requests.iter().map(|request| canonical(request, server.address)).collect::<Vec<_>>());
        }
        assert_eq!(seen[0], seen[1], "{method}");
        let second = &seen[0][1].0;
        assert!(second.contains(&"cookie: own=1; jar=2".to_owned()), "{second:?}");
        let length = body.as_ref().map(|body| format!("content-length: {}", body.len()));
        let length = length.or_else(|| (method == Method::POST).then(|| "content-length: 0".to_owned()));
        assert_eq!(second.iter().find(|line| line.starts_with("content-length")), length.as_ref(), "{method}");
        assert_eq!(seen[0][1].1, body.unwrap_or_default(), "{method}");
    }
}

/// The lines of a request's head, sorted, but for the date that awc adds, and its body.
fn canonical(request: &[u8], address: SocketAddr) -> (Vec<String>, Vec<u8>) {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(request[..end].to_vec()).unwrap().replace(&address.to_string(), "SERVER");
    let mut lines: Vec<String> =
        head.split("\r\n").map(str::to_owned).filter(|line| !line.starts_with("date: ")).collect();
    lines[1..].sort();
    (lines, request[end + 4..].to_vec())
}

#[actix_rt::test]
async fn a_wish_to_close_is_sent_and_kept() {
    for transport in BOTH {
        let server = Server::start(vec![hold(answer(&[OK])), hold(answer(&[OK]))]).await;
        let mut client = client(transport);
        let close = (HeaderName::from_static("connection"), HeaderValue::from_static("close"));
        let request = Outgoing { headers: Rc::from([close]), ..request(server.address, Method::GET) };
        for _ in 0..2 {
            assert_eq!(line_of(&client.send(&request).await), "200 ok 2B x1", "{transport:?}");
        }
        assert_eq!(server.requests_by_connection(), [1, 1], "{transport:?}");
        let requests = server.requests.take().concat();
        assert!(String::from_utf8_lossy(&requests[0]).contains("connection: close\r\n"), "{transport:?}");
    }
}

#[actix_rt::test]
async fn a_redirect_stays_on_the_connection() {
    let away = "HTTP/1.1 302 Found\r\nSet-Cookie: a=1\r\nLocation: /next\r\nContent-Length: 2\r\n\r\nno";
    for transport in BOTH {
        let server = Server::start(vec![hold([answer(&[away]), answer(&[OK])].concat())]).await;
        let mut client = client(transport);
        let outcome = client.send(&request(server.address, Method::POST)).await;
        assert_eq!(line_of(&outcome), "200 ok 2B x2", "{transport:?}");
        let second = String::from_utf8(server.requests.borrow()[0][1].clone()).unwrap();
        assert!(second.starts_with("GET /next HTTP/1.1\r\n") && second.contains("cookie: a=1\r\n"), "{second}");
    }
}
