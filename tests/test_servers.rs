//! The test servers do what the tests that use them rely on.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use support::bad_server::{BadServer, HUGE_BODY_BYTES, Misbehaviour, SHORT_BODY_BYTES};
use support::nginx::{BIG_BYTES, Nginx};
use support::raw_http::{connect, get, request, send};

mod support;

#[test]
fn nginx_logs_every_request_by_the_time_it_has_quit() {
    let mut nginx = Nginx::start();
    let url = nginx.url();
    assert_eq!(get(&url, "/").body, b"Hello, World!");
    for (path, status) in [("/missing", 404), ("/error", 500), ("/redirect", 302), ("/redirect2", 302)] {
        assert_eq!(get(&url, path).status, status, "{path}");
    }
    assert_eq!(get(&url, "/big?x=1").body.len(), BIG_BYTES);
    assert!(send(&url, "POST", "/reset", &[], b"").is_err());
    assert_eq!(
        nginx.log_lines(),
        [
            "200 GET /",
            "404 GET /missing",
            "500 GET /error",
            "302 GET /redirect",
            "302 GET /redirect2",
            "200 GET /big?x=1",
            "444 POST /reset",
        ]
    );
    assert!(connect(&url).is_err(), "it has quit");
}

#[test]
fn nginx_answers_what_is_in_flight_before_it_quits() {
    let mut nginx = Nginx::start();
    let mut stream = connect(&nginx.url()).expect("a connection");
    stream.write_all(&request("GET", "/slow", &[], b"")).expect("a request");
    stream.read_exact(&mut [0; 1]).expect("the answer has begun");
    assert_eq!(nginx.log_lines(), ["200 GET /slow"]);
}

#[test]
fn nginx_has_a_certificate_that_its_authority_vouches_for() {
    let nginx = Nginx::start();
    for host in ["127.0.0.1", "localhost"] {
        let url = nginx.tls_url().replace("127.0.0.1", host) + "/";
        let mut curl = Command::new("curl");
        let output = curl.arg("--cacert").arg(nginx.ca_path()).args(["--silent", "--show-error", "-4", &url]).output();
        let output = output.expect("curl: run scripts/test.sh, which installs it");
        assert_eq!(output.stdout, b"Hello, World!", "{}", String::from_utf8_lossy(&output.stderr));
    }
    nginx.stop();
}

/// Sends a request and reads until the connection ends: the bytes, and how it ended.
fn exchange(server: &BadServer) -> (Vec<u8>, Result<usize, ErrorKind>) {
    let mut stream = connect(&server.url()).expect("a connection");
    let mut answer = Vec::new();
    let sent = stream.write_all(&request("POST", "/", &[], b"body"));
    let end = sent.and_then(|()| stream.read_to_end(&mut answer)).map_err(|problem| problem.kind());
    (answer, end)
}

#[test]
fn a_bad_server_that_closes_gives_what_it_promises() {
    let server = BadServer::start(Misbehaviour::ClosesAfterRequest);
    assert_eq!(exchange(&server), (vec![], Ok(0)));
    assert_eq!((server.connections(), server.requests()), (1, 1));

    let server = BadServer::start(Misbehaviour::Resets);
    assert_eq!(exchange(&server), (vec![], Err(ErrorKind::ConnectionReset)));
    assert_eq!(server.requests(), 1);

    let server = BadServer::start(Misbehaviour::ClosesAtOnce);
    assert!(exchange(&server).0.is_empty());
    assert_eq!((server.connections(), server.requests()), (1, 0));

    let server = BadServer::start(Misbehaviour::Garbage);
    let (answer, _) = exchange(&server);
    assert!(!answer.is_empty() && !answer.starts_with(b"HTTP"));

    let server = BadServer::start(Misbehaviour::ShortBody);
    assert!(exchange(&server).0.ends_with(&vec![b'x'; SHORT_BODY_BYTES.1 as usize]));
    assert_eq!(get_error(&server), ErrorKind::UnexpectedEof);

    let server = BadServer::start(Misbehaviour::ClosesAfterAnswer);
    let (answer, end) = exchange(&server);
    assert!(end.is_ok() && answer.ends_with(b"\r\n\r\nok"));
    assert!(!String::from_utf8_lossy(&answer).to_lowercase().contains("connection:"));
}

fn get_error(server: &BadServer) -> ErrorKind {
    send(&server.url(), "GET", "/", &[], b"").expect_err("a broken answer").kind()
}

#[test]
fn a_bad_server_that_goes_on_gives_what_it_promises() {
    let server = BadServer::start(Misbehaviour::EndlessBody);
    let mut stream = connect(&server.url()).expect("a connection");
    stream.write_all(&request("GET", "/", &[], b"")).expect("a request");
    stream.read_exact(&mut vec![0; 200_000]).expect("a long answer");

    for silent in [Misbehaviour::NeverAnswers, Misbehaviour::StallsAfterHeaders] {
        let server = BadServer::start(silent);
        let mut stream = connect(&server.url()).expect("a connection");
        stream.write_all(&request("GET", "/", &[], b"")).expect("a request");
        if silent == Misbehaviour::StallsAfterHeaders {
            read_head(&mut stream);
        }
        stream.set_read_timeout(Some(Duration::from_millis(100))).expect("a time-out");
        let end = stream.read(&mut [0; 100]).expect_err("silence");
        assert_eq!(end.kind(), ErrorKind::WouldBlock, "{silent:?}");
        assert_eq!(server.requests(), 1);
    }

    let server = BadServer::start(Misbehaviour::HugeBody);
    let mut stream = connect(&server.url()).expect("a connection");
    stream.write_all(&request("GET", "/", &[], b"")).expect("a request");
    read_head(&mut stream);
    let read = std::io::copy(&mut stream.take(HUGE_BODY_BYTES), &mut std::io::sink()).expect("a long answer");
    assert_eq!(read, HUGE_BODY_BYTES);
}

/// Reads an answer up to its body.
fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the headers");
        head.extend(byte);
    }
}
