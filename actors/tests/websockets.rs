//! Conversations over WebSockets against a server that follows a script.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use actix_http::ws::{CloseCode, OpCode, Parser, hash_key};
use actix_service::{Service as _, ServiceFactory};
use actix_tls::accept::rustls_0_23::Acceptor;
use akrida_actors::http::HttpOptions;
use akrida_actors::http::tls::{TlsOptions, build};
use akrida_actors::user::functions;
use bytes::BytesMut;
use support::{Users, counts, failures, header, once, requests};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does after the handshake.
#[derive(Clone)]
enum Step {
    /// Reads the next message.
    Read,
    /// Sends frames: code, whether it is the last of its message, content.
    Send(Vec<(OpCode, bool, &'static str)>),
    /// Sends bytes as they are.
    Raw(&'static [u8]),
    /// Says goodbye.
    Close(CloseCode),
    /// Ends the connection.
    Hang,
}

use Step::{Close, Hang, Raw, Read, Send};

fn say(text: &'static str) -> Step {
    Send(vec![(OpCode::Text, true, text)])
}

/// What the server saw: the opening, then each message; a pong as `pong`, a goodbye as `close`.
type Seen = Rc<RefCell<Vec<String>>>;

async fn serve(answer: Option<&'static str>, script: Vec<Step>, tls: bool) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Seen::default();
    let (log, acceptor) = (Rc::clone(&seen), tls.then(tls_acceptor));
    actix::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (log, script) = (Rc::clone(&log), script.clone());
            match &acceptor {
                None => drop(actix::spawn(async move { follow(stream, answer, script, &log).await })),
                Some(acceptor) => {
                    let acceptor = ServiceFactory::<TcpStream>::new_service(acceptor, ()).await.unwrap();
                    let stream = acceptor.call(stream).await.unwrap();
                    actix::spawn(async move { follow(stream, answer, script, &log).await });
                }
            }
        }
    });
    (address, seen)
}

fn tls_acceptor() -> Acceptor {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/key.pem")).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Acceptor::new(config)
}

async fn follow<S>(mut stream: S, answer: Option<&str>, script: Vec<Step>, seen: &Seen)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut input = BytesMut::new();
    let end = loop {
        if let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut input).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let opening = String::from_utf8(input.split_to(end).to_vec()).unwrap();
    let accept = hash_key(header(&opening, "sec-websocket-key").unwrap().as_bytes());
    seen.borrow_mut().push(opening);
    let accept = String::from_utf8_lossy(&accept).into_owned();
    let upgrade = format!(
        "HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.unwrap_or(&upgrade).as_bytes()).await.unwrap();
    for step in script {
        let mut output = BytesMut::new();
        match step {
            Read => {
                if !read_frame(&mut stream, &mut input, seen).await {
                    return;
                }
            }
            Send(frames) => {
                frames.iter().for_each(|(code, last, text)| {
                    Parser::write_message(&mut output, text, *code, *last, false);
                });
            }
            Raw(bytes) => output.extend_from_slice(bytes),
            Close(code) => Parser::write_close(&mut output, Some(code.into()), false),
            Hang => return,
        }
        if stream.write_all(&output).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
    while read_frame(&mut stream, &mut input, seen).await {}
}

async fn read_frame<S: AsyncRead + Unpin>(stream: &mut S, input: &mut BytesMut, seen: &Seen) -> bool {
    loop {
        if let Some((_, code, content)) = Parser::parse(input, true, 1_000_000).unwrap() {
            let content = String::from_utf8_lossy(&content.unwrap_or_default()).into_owned();
            seen.borrow_mut().push(match code {
                OpCode::Pong => format!("pong {content}"),
                OpCode::Close => "close".to_owned(),
                _ => content,
            });
            return code != OpCode::Close;
        }
        if stream.read_buf(input).await.unwrap_or(0) == 0 {
            return false;
        }
    }
}

async fn converse(steps: &str, host: &str) -> akrida_core::stats::measurements::Measurements {
    let tls = build(&TlsOptions { insecure: true, ..TlsOptions::default() }).unwrap();
    let http = HttpOptions { tls: Some(tls), ..HttpOptions::default() };
    let users = Users::with(&once(steps), host, http, functions::register);
    let _user = users.start();
    users.end().await
}

const CHAT: &str = "\
- set: { room: 7 }
- websocket: /chat/{{ room }}
  query: { v: 1 }
  headers: { X-Own: 'yes' }
  steps:
  - expect: { json: { $.type: welcome } }
    name: welcome
    extract: { id: $.id }
  - send: 'hello {{ id }}'
  - expect: { contains: [echo], regex: 'hello \\d+' }
  - wait: 20ms
  - expect: ''
- get: /after/{{ id }}";

fn chat() -> Vec<Step> {
    vec![
        say("noise"),
        Send(vec![
            (OpCode::Text, false, "{\"type\": \"wel"),
            (OpCode::Ping, true, "p"),
            (OpCode::Continue, true, "come\", \"id\": 5}"),
        ]),
        Read,
        Read,
        say("not yet"),
        Send(vec![(OpCode::Binary, true, "echo: hello 5")]),
        say("late"),
    ]
}

#[actix::test]
async fn a_conversation_is_held_in_order_and_each_awaited_message_is_a_sample() {
    for (tls, scheme) in [(false, "http"), (true, "https"), (false, "ws"), (true, "wss")] {
        let (address, seen) = serve(None, chat(), tls).await;
        // A path belongs to the host of the class, which is http or https; a URL may say ws or wss itself.
        let (host, steps) = match scheme {
            "http" | "https" => (format!("{scheme}://{address}"), CHAT.to_owned()),
            _ => ("http://127.0.0.1:1".to_owned(), CHAT.replace("/chat", &format!("{scheme}://{address}/chat"))),
        };
        let steps = steps.split("- get: /after").next().unwrap();
        let measured = converse(steps, &host).await;
        assert_eq!(failures(&measured), [], "{scheme}");
        support::until(|| seen.borrow().len() == 4).await;
        let opening = seen.borrow()[0].clone();
        assert!(opening.starts_with("GET /chat/7?v=1 HTTP/1.1\r\n"), "{opening}");
        for (name, value) in [("x-own", "yes"), ("upgrade", "websocket"), ("connection", "upgrade")] {
            assert_eq!(header(&opening, name), Some(value), "{opening}");
        }
        assert_eq!(header(&opening, "sec-websocket-version"), Some("13"));
        assert_eq!(seen.borrow()[1..], ["pong p", "hello 5", "close"], "{scheme}");
        assert_eq!(counts(&measured), (4, 0, 1), "opening and three messages, one exchange");
        assert_eq!(requests(&measured, "WS", "welcome"), 1);
        if scheme == "http" {
            assert_eq!(requests(&measured, "WS", "connect /chat/{{ room }}"), 1);
            assert_eq!(requests(&measured, "WS", "/chat/{{ room }}"), 2);
        }
    }
}

async fn failure_of(
    answer: Option<&'static str>,
    script: Vec<Step>,
    steps: &str,
) -> (Vec<(String, u64)>, (u64, u64, u64)) {
    let (address, _) = serve(answer, script, false).await;
    let measured = converse(&format!("- websocket: /x\n{steps}"), &format!("http://{address}")).await;
    (failures(&measured), counts(&measured))
}

#[actix::test]
async fn a_server_that_opens_none_says_why() {
    for (answer, expected, exchanges) in [
        ("HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n", "no WebSocket: status was 403", 1),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "no WebSocket: status was 200", 1),
        ("HTTP/1.1 101 Yes\r\nsec-websocket-accept: wrong\r\n\r\n", "invalid WebSocket message", 1),
        ("HTTP/1.1 101 Yes\r\n\r\n", "invalid WebSocket message", 1),
        ("SSH-2.0-x\r\n\r\n", "invalid HTTP response", 1),
    ] {
        let found = failure_of(Some(answer), Vec::new(), "  steps: [ expect: '' ]").await;
        assert_eq!(found, (vec![(expected.to_owned(), 1)], (1, 1, exchanges)), "{answer}");
    }
    let measured = converse("- websocket: /x", "http://127.0.0.1:1").await;
    assert_eq!((failures(&measured), counts(&measured)), (vec![("connection refused".to_owned(), 1)], (1, 1, 0)));
}

#[actix::test]
async fn a_server_that_never_answers_fails_by_the_time_out() {
    let silent = failure_of(Some(""), Vec::new(), "  timeout: 50ms").await;
    assert_eq!(silent, (vec![("timed out after 50ms".to_owned(), 1)], (1, 1, 1)));
    let steps = "  steps: [ { send: a }, { expect: b, timeout: 50ms }, { send: never } ]";
    let no_match = failure_of(None, vec![Read, say("a"), say("c")], steps).await;
    assert_eq!(no_match, (vec![("no expected message within 50ms".to_owned(), 1)], (2, 1, 1)));
}

#[actix::test]
async fn a_conversation_that_the_server_ends_or_breaks_is_a_failure() {
    for (step, expected) in [
        (Close(CloseCode::Away), "WebSocket closed by the server (code 1001)"),
        (Hang, "WebSocket closed by the server"),
        (Raw(b"\x88\x00"), "WebSocket closed by the server"),
        (Raw(b"\x81\x82abcdzz"), "invalid WebSocket message"),
        (Raw(b"\x80\x01x"), "invalid WebSocket message"),
        (Raw(b"\x81\x7f\x00\x00\x01\x00\x00\x00\x00\x00"), "invalid WebSocket message"),
        (Send(vec![(OpCode::Text, false, "a"), (OpCode::Text, true, "b")]), "invalid WebSocket message"),
    ] {
        for steps in ["  steps: [ { expect: b } ]", "  steps: [ { wait: 20ms }, { expect: b } ]"] {
            let found = failure_of(None, vec![step.clone()], steps).await;
            assert_eq!(found, (vec![(expected.to_owned(), 1)], (2, 1, 1)), "{steps}");
        }
    }
}

#[actix::test]
async fn what_is_not_found_in_a_message_ends_the_task() {
    let (address, seen) = serve(None, vec![say("{}")], false).await;
    let scenario = "\
host: HOST
users:
  User:
    order: sequential
    tasks:
      first:
        - { websocket: /x, steps: [ { expect: '', extract: { id: $.id } } ] }
        - websocket: /never
      last: [ stop_user ]";
    let measured = support::run(scenario, &format!("http://{address}")).await;
    assert_eq!(failures(&measured), [("cannot extract id: $.id found nothing".to_owned(), 1)]);
    assert_eq!((counts(&measured), seen.borrow().len()), ((2, 1, 1), 2));
}
