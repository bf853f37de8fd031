//! When a connection is used again, and what becomes of a request on one that is gone.

use std::time::Duration;

use akrida_actors::http::request::Outgoing;
use akrida_actors::http::{Method, TransportKind};

use crate::play::{BOTH, OK, client, gets, line_of, play, request};
use crate::server::{Server, Step, answer, hold};

#[actix_rt::test]
async fn a_connection_is_used_again_while_it_can_be() {
    for (name, first, expected) in [
        ("as it is", OK, vec![2]),
        ("chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", vec![2]),
        ("1.0", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", vec![2]),
        ("1.0 closes", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", vec![1, 1]),
        ("close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", vec![1, 1]),
        (
            "surplus",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Bad\r\nContent-Length: 0\r\n\r\n",
            vec![1, 1],
        ),
    ] {
        for transport in BOTH {
            let script = hold([answer(&[first]), answer(&[OK])].concat());
            let scripts = vec![script, hold(answer(&[OK]))];
            let (lines, connections) = play(transport, scripts, gets::<2>, false).await;
            assert_eq!(lines, ["200 ok 2B x1", "200 ok 2B x1"], "{name} on {transport:?}");
            // awc takes version 1.0 for 1.1, and drops what nobody asked for.
            let lax = transport == TransportKind::Awc && ["1.0 closes", "surplus"].contains(&name);
            assert_eq!(connections, if lax { vec![2] } else { expected.clone() }, "{name} on {transport:?}");
        }
    }
}

#[actix_rt::test]
async fn a_connection_that_the_server_closed_while_idle_costs_nothing() {
    for transport in BOTH {
        for method in [Method::GET, Method::POST] {
            let requests = |address| vec![request(address, method.clone()); 3];
            let scripts = vec![answer(&[OK]), [answer(&[OK]), vec![Step::Reset]].concat(), answer(&[OK])];
            let (lines, connections) = play(transport, scripts, requests, true).await;
            assert_eq!(lines, ["200 ok 2B x1"; 3], "{method} on {transport:?}");
            assert_eq!(connections, [1, 1, 1], "{method} on {transport:?}");
        }
    }
}

#[actix_rt::test]
async fn a_request_is_sent_twice_only_if_it_may_be() {
    for transport in BOTH {
        for (method, expected) in [
            (Method::GET, vec!["200 ok 2B x1", "200 ok 2B x2"]),
            (Method::PUT, vec!["200 ok 2B x1", "200 ok 2B x2"]),
            (Method::POST, vec!["200 ok 2B x1", "connection closed before the response x1"]),
        ] {
            // The second request is read and not answered.
            let scripts = vec![[answer(&[OK]), vec![Step::Request]].concat(), answer(&[OK])];
            let requests = |address| vec![request(address, method.clone()); 2];
            let (lines, _) = play(transport, scripts, requests, false).await;
            assert_eq!(lines, expected, "{method} on {transport:?}");
        }
        // On a new connection never: the server meant it.
        let (lines, _) = play(transport, vec![vec![Step::Request, Step::Reset]], gets::<1>, false).await;
        assert_eq!(lines, ["connection reset by peer x1"], "{transport:?}");
    }
}

#[actix_rt::test]
async fn a_connection_that_never_came_about_is_no_exchange() {
    for transport in BOTH {
        let server = Server::start(Vec::new()).await;
        let address = server.address;
        let _ = server.acceptor.await;
        let outcome = client(transport).send(&request(address, Method::GET)).await;
        assert_eq!(line_of(&outcome), "connection refused x0", "{transport:?}");
    }
}

#[actix_rt::test]
async fn a_time_out_closes_the_connection() {
    for transport in BOTH {
        for begun in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"] {
            let scripts = vec![hold(answer(&[begun])), hold(answer(&[OK]))];
            let requests = |address| {
                let slow = Outgoing { timeout: Duration::from_millis(50), ..request(address, Method::GET) };
                vec![slow, request(address, Method::GET)]
            };
            // The second request waits until the server has seen the end of the first connection.
            let (lines, connections) = play(transport, scripts, requests, true).await;
            assert_eq!(lines, ["timed out after 50ms x1", "200 ok 2B x1"], "{begun:?} on {transport:?}");
            assert_eq!(connections, [1, 1], "{begun:?} on {transport:?}");
        }
    }
}
