//! What a scenario says of connections: age, requests, source addresses, a proxy.

use std::rc::Rc;
use std::time::Duration;

use akrida_actors::http::client::Client;
use akrida_actors::http::connect::Network;
use akrida_actors::http::error::GeneratorFault;
use akrida_actors::http::request::Outgoing;
use akrida_actors::http::target::Target;
use akrida_actors::http::tls::{self, TlsOptions};
use akrida_actors::http::{HttpOptions, KeptMax, Method, TransportKind};
use akrida_core::ids::UserIndex;
use akrida_core::scenario::connection::{ConnectionRules, Proxy};
use tokio::net::TcpListener;

use crate::play::{BOTH, OK, line_of, request};
use crate::server::{Server, Step, answer, hold};

fn client(transport: TransportKind, user: u64, rules: ConnectionRules) -> Client {
    let tls = tls::build(&TlsOptions { insecure: true, ..TlsOptions::default() }).unwrap();
    let options = HttpOptions { transport, tls: Some(tls), ..HttpOptions::default() };
    Client::with_rules(Rc::new(Network::new(&options)), UserIndex(user), Rc::new(rules))
}

#[actix_rt::test]
async fn a_connection_lasts_for_as_long_and_as_many_requests_as_the_rules_say() {
    let none = ConnectionRules::default();
    for (name, rules, expected) in [
        ("two requests", ConnectionRules { max_requests: Some(2), ..none.clone() }, vec![2, 2, 1]),
        ("one request", ConnectionRules { max_requests: Some(1), ..none.clone() }, vec![1; 5]),
        ("no age", ConnectionRules { max_age: Some(Duration::from_nanos(1)), ..none.clone() }, vec![1; 5]),
        ("an hour", ConnectionRules { max_age: Some(Duration::from_secs(3_600)), ..none }, vec![5]),
    ] {
        for transport in BOTH {
            let scripts = expected.iter().map(|requests| hold(vec![answer(&[OK]); *requests].concat())).collect();
            let server = Server::start(scripts).await;
            let mut client = client(transport, 0, rules.clone());
            for _ in 0..5 {
                let outcome = client.send(&request(server.address, Method::POST)).await;
                assert_eq!(line_of(&outcome), "200 ok 2B x1", "{name} on {transport:?}");
            }
            assert_eq!(server.requests_by_connection(), expected, "{name} on {transport:?}");
        }
    }
}

#[actix_rt::test]
async fn a_user_keeps_connections_to_as_many_servers_as_it_may() {
    for transport in BOTH {
        for (idle_servers, expected) in [(1, vec![1, 1]), (3, vec![2])] {
            let scripts = expected.iter().map(|requests| hold(vec![answer(&[OK]); *requests].concat())).collect();
            let (server, other) = (Server::start(scripts).await, Server::start(vec![hold(answer(&[OK]))]).await);
            let kept = KeptMax { idle_servers, ..KeptMax::default() };
            let options = HttpOptions { transport, kept, ..HttpOptions::default() };
            let mut client = Client::new(Rc::new(Network::new(&options)), UserIndex(0));
            for address in [server.address, other.address, server.address] {
                let outcome = client.send(&request(address, Method::POST)).await;
                assert_eq!(line_of(&outcome), "200 ok 2B x1", "{idle_servers} on {transport:?}");
            }
            assert_eq!(server.requests_by_connection(), expected, "{idle_servers} on {transport:?}");
        }
    }
}

#[actix_rt::test]
async fn users_take_the_source_addresses_in_turn() {
    let sources = ["::1", "127.0.0.2", "127.0.0.3"].map(|text| text.parse().unwrap());
    for transport in BOTH {
        for (user, expected) in [(0, "127.0.0.2"), (1, "127.0.0.3"), (2, "127.0.0.2")] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let request = request(listener.local_addr().unwrap(), Method::GET);
            let request = Outgoing { timeout: Duration::from_millis(200), ..request };
            let rules = ConnectionRules { sources: sources.into(), ..ConnectionRules::default() };
            let mut client = client(transport, user, rules);
            let (accepted, outcome) =
                tokio::join!(async { listener.accept().await.unwrap().1.ip().to_string() }, client.send(&request));
            assert_eq!(accepted, expected, "{transport:?}");
            assert!(outcome.result.is_err(), "nobody answers");
        }
    }
}

#[actix_rt::test]
async fn a_source_address_that_is_not_ours_is_no_failure_of_the_target() {
    let server = Server::start(Vec::new()).await;
    for transport in BOTH {
        for (source, fault, text) in [
            ("192.0.2.1", Some(GeneratorFault::SourceAddress), "source address is not one of this machine"),
            ("::1", None, "no source address of the target's address family"),
        ] {
            let sources = [source.parse().unwrap()];
            let rules = ConnectionRules { sources: sources.into(), ..ConnectionRules::default() };
            let outcome = client(transport, 0, rules).send(&request(server.address, Method::GET)).await;
            let error = outcome.result.unwrap_err();
            assert_eq!((error.generator_fault(), error.to_string().as_str()), (fault, text), "{transport:?}");
        }
    }
}

fn through(server: &Server, credentials: &str) -> ConnectionRules {
    let proxy = Proxy::parse(&format!("http://{credentials}{}", server.address)).unwrap();
    ConnectionRules { proxy: Some(proxy), ..ConnectionRules::default() }
}

fn to(url: &str) -> Outgoing {
    let target = Rc::new(Target::parse(url).unwrap());
    Outgoing { target, ..request(([127, 0, 0, 1], 1).into(), Method::GET) }
}

#[actix_rt::test]
async fn a_proxy_is_told_the_server_and_who_asks() {
    for transport in BOTH {
        let server = Server::start(vec![hold([answer(&[OK]), answer(&[OK])].concat())]).await;
        let mut client = client(transport, 0, through(&server, "u:p@"));
        for _ in 0..2 {
            assert_eq!(line_of(&client.send(&to("http://no-such-name.invalid:81/a?b")).await), "200 ok 2B x1");
        }
        let text = String::from_utf8(server.requests.borrow()[0][0].clone()).unwrap();
        assert!(text.starts_with("GET http://no-such-name.invalid:81/a?b HTTP/1.1\r\n"), "{text}");
        assert!(text.contains("\r\nhost: no-such-name.invalid:81\r\n"), "{text}");
        assert!(text.contains("\r\nproxy-authorization: Basic dTpw\r\n"), "{text}");
    }
}

#[actix_rt::test]
async fn a_proxy_that_gives_no_tunnel_says_why() {
    for (steps, expected) in [
        (answer(&["HTTP/1.1 407 Auth\r\nContent-Length: 0\r\n\r\n"]), "credentials are missing or wrong (status 407)"),
        (answer(&["HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 403 No\r\n\r\n"]), "no tunnel, status was 403"),
        (answer(&["SSH-2.0-OpenSSH\r\n\r\n"]), "it does not speak HTTP"),
        (answer(&["HTTP/1.1 200 OK\r\n\r\nearly"]), "it does not speak HTTP"),
        (answer(&["HTTP/1.1 200 O"]), "it closed the connection"),
        ([answer(&[]), vec![Step::Reset]].concat(), "connection reset by peer"),
    ] {
        for transport in BOTH {
            let server = Server::start(vec![steps.clone()]).await;
            let mut client = client(transport, 0, through(&server, ""));
            let line = line_of(&client.send(&to("https://no-such-name.invalid/")).await);
            assert_eq!(line, format!("proxy: {expected} x0"), "a tunnel is no exchange");
            let text = String::from_utf8(server.requests.borrow()[0][0].clone()).unwrap();
            assert_eq!(text, "CONNECT no-such-name.invalid:443 HTTP/1.1\r\nhost: no-such-name.invalid:443\r\n\r\n");
        }
    }
}

#[actix_rt::test]
async fn a_tunnel_is_a_connection_to_the_server() {
    let server = Server::start(vec![hold(answer(&["HTTP/1.1 200 OK\r\n\r\n", "no TLS at all"]))]).await;
    let mut client = client(TransportKind::Lean, 0, through(&server, ""));
    let line = line_of(&client.send(&to("https://no-such-name.invalid/")).await);
    assert_eq!(line, "TLS handshake failed: peer does not speak TLS x0");
}
