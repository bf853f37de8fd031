//! HTTP/2 against a server of the test's own: what is sent, what is counted, and what becomes of connections that end.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use actix_service::{Service as _, ServiceFactory};
use actix_tls::accept::rustls_0_23::Acceptor;
use akrida_actors::http::client::{Client, Outcome};
use akrida_actors::http::connect::Network;
use akrida_actors::http::request::Outgoing;
use akrida_actors::http::target::Target;
use akrida_actors::http::tls::{TlsOptions, build};
use akrida_actors::http::{HeaderName, HeaderValue, HttpOptions, Method};
use akrida_core::ids::UserIndex;
use akrida_core::scenario::connection::ConnectionRules;
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reply {
    /// Answers with method, path and length of the body.
    Echo,
    /// The same, and says that it will close.
    EchoAndGoAway,
    /// Says that it did nothing with it.
    Refuse,
    /// Answers, and breaks off in the body.
    CancelBody,
    /// Ends the connection without a word.
    HangUp,
    /// Never answers.
    Silence,
}

use Reply::{CancelBody, Echo, EchoAndGoAway, HangUp, Refuse, Silence};

/// A server whose `n`-th request gets the `n`-th reply.
struct Server {
    address: SocketAddr,
    connections: Rc<Cell<usize>>,
    requests: Rc<RefCell<Vec<http::Request<()>>>>,
}

fn tls(protocol: &[u8]) -> Acceptor {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/key.pem")).unwrap();
    let mut config = ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    Acceptor::new(config)
}

impl Server {
    async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, connections: Rc::default(), requests: Rc::default() };
        let (connections, requests) = (Rc::clone(&server.connections), Rc::clone(&server.requests));
        let replies = Rc::new(RefCell::new(replies.into_iter()));
        actix_rt::spawn(async move {
            let acceptor = ServiceFactory::<TcpStream>::new_service(&tls(b"h2"), ()).await.unwrap();
            loop {
                let stream = acceptor.call(listener.accept().await.unwrap().0).await.unwrap();
                connections.set(connections.get() + 1);
                let (requests, replies) = (Rc::clone(&requests), Rc::clone(&replies));
                actix_rt::spawn(async move {
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    while let Some(Ok((request, respond))) = connection.accept().await {
                        let (head, body) = request.into_parts();
                        let line = format!("{} {}", head.method, head.uri.path());
                        requests.borrow_mut().push(http::Request::from_parts(head, ()));
                        let reply = replies.borrow_mut().next().unwrap_or(Echo);
                        match reply {
                            HangUp => return,
                            reply => drop(actix_rt::spawn(answer(reply, line, body, respond))),
                        }
                        if reply == EchoAndGoAway {
                            connection.graceful_shutdown();
                        }
                    }
                });
            }
        });
        server
    }

    fn url(&self) -> String {
        format!("https://{}/path", self.address)
    }
}

async fn answer(reply: Reply, line: String, mut body: RecvStream, mut respond: SendResponse<Bytes>) {
    let mut length = 0;
    while let Some(Ok(piece)) = body.data().await {
        length += piece.len();
        body.flow_control().release_capacity(piece.len()).unwrap();
    }
    let ok = http::Response::builder().header("x-number", "7").header("set-cookie", "sid=1").body(()).unwrap();
    match reply {
        Echo | EchoAndGoAway => {
            let mut stream = respond.send_response(ok, false).unwrap();
            stream.send_data(format!("{line} {length}").into(), true).unwrap();
        }
        Refuse => respond.send_reset(Reason::REFUSED_STREAM),
        CancelBody => {
            let mut stream = respond.send_response(ok, false).unwrap();
            stream.send_data("part".into(), false).unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            stream.send_reset(Reason::CANCEL);
        }
        HangUp | Silence => std::future::pending().await,
    }
}

fn client(rules: ConnectionRules) -> Client {
    let tls = build(&TlsOptions { insecure: true, ..TlsOptions::default() }).unwrap();
    let network = Network::new(&HttpOptions { tls: Some(tls), ..HttpOptions::default() });
    Client::with_rules(Rc::new(network), UserIndex(0), Rc::new(ConnectionRules { http2: true, ..rules }))
}

fn request(url: &str, method: Method, body: Option<usize>) -> Outgoing {
    Outgoing {
        method,
        target: Rc::new(Target::parse(url).unwrap()),
        headers: Rc::from([
            (HeaderName::from_static("x-test"), HeaderValue::from_static("1")),
            (HeaderName::from_static("connection"), HeaderValue::from_static("close")),
        ]),
        body: body.map(|length| vec![b'x'; length].into()),
        timeout: Duration::from_secs(20),
        redirects_max: 5,
        keep_body: true,
    }
}

fn line_of(outcome: &Outcome) -> String {
    let what = match &outcome.result {
        Ok(response) => format!("{} {}", response.status, String::from_utf8_lossy(&response.body)),
        Err(error) => error.to_string(),
    };
    format!("{what} x{}", outcome.exchanges)
}

/// What comes of requests of one method, one after the other, and how many connections they took.
async fn lines(replies: Vec<Reply>, method: Method, count: usize) -> (Vec<String>, usize) {
    let server = Server::start(replies).await;
    let mut client = client(ConnectionRules::default());
    let mut lines = Vec::new();
    for _ in 0..count {
        lines.push(line_of(&client.send(&request(&server.url(), method.clone(), None)).await));
    }
    (lines, server.connections.get())
}

#[actix_rt::test]
async fn requests_share_a_connection_whatever_their_bodies() {
    let server = Server::start(Vec::new()).await;
    let mut client = client(ConnectionRules::default());
    for (method, body, expected) in [
        (Method::GET, None, "200 GET /path 0 x1"),
        (Method::POST, Some(3_000_000), "200 POST /path 3000000 x1"),
        (Method::PUT, None, "200 PUT /path 0 x1"),
        (Method::POST, Some(0), "200 POST /path 0 x1"),
    ] {
        let outcome = client.send(&request(&server.url(), method, body)).await;
        assert_eq!(line_of(&outcome), expected);
        assert!(outcome.phases.first_byte_us.is_some());
    }
    assert_eq!(server.connections.get(), 1);
    let requests = server.requests.borrow();
    assert_eq!(requests[0].uri().authority().unwrap().as_str(), server.address.to_string());
    let header =
        |at: usize, name: &str| requests[at].headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!([header(0, "x-test"), header(0, "connection")], [Some("1".to_owned()), None]);
    assert_eq!([header(0, "cookie"), header(1, "cookie")], [None, Some("sid=1".to_owned())]);
    let lengths = [0, 1, 2, 3].map(|at| header(at, "content-length"));
    assert_eq!(lengths, [None, Some("3000000".to_owned()), Some("0".to_owned()), Some("0".to_owned())]);
}

#[actix_rt::test]
async fn a_connection_lasts_as_the_rules_say() {
    let server = Server::start(Vec::new()).await;
    let mut client = client(ConnectionRules { max_requests: Some(2), ..ConnectionRules::default() });
    for _ in 0..5 {
        let outcome = client.send(&request(&server.url(), Method::GET, None)).await;
        assert_eq!(line_of(&outcome), "200 GET /path 0 x1");
    }
    assert_eq!(server.connections.get(), 3);
}

#[actix_rt::test]
async fn a_server_may_choose_the_version_before() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Rc::new(Cell::new(0));
    let count = Rc::clone(&accepted);
    actix_rt::spawn(async move {
        let acceptor = ServiceFactory::<TcpStream>::new_service(&tls(b"http/1.1"), ()).await.unwrap();
        loop {
            let mut stream = acceptor.call(listener.accept().await.unwrap().0).await.unwrap();
            count.set(count.get() + 1);
            actix_rt::spawn(async move {
                let mut bytes = Vec::new();
                while stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
                    if bytes.ends_with(b"\r\n\r\n") {
                        bytes.clear();
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nold").await.unwrap();
                        stream.flush().await.unwrap();
                    }
                }
            });
        }
    });
    let mut client = client(ConnectionRules::default());
    for _ in 0..3 {
        let request = Outgoing { headers: Rc::from([]), ..request(&format!("https://{address}/"), Method::GET, None) };
        assert_eq!(line_of(&client.send(&request).await), "200 old x1");
    }
    assert_eq!(accepted.get(), 1, "it is kept");
}

#[actix_rt::test]
async fn a_server_that_goes_away_costs_nothing() {
    for method in [Method::GET, Method::POST] {
        let echo = format!("200 {method} /path 0 x1");
        let (found, connections) = lines(vec![Echo, Refuse], method.clone(), 3).await;
        assert_eq!((found, connections), (vec![echo.clone(); 3], 2), "a request that it did not look at is sent again");
        let (found, connections) = lines(vec![EchoAndGoAway, Echo, EchoAndGoAway], method, 4).await;
        assert_eq!((found, connections), (vec![echo; 4], 3), "it answers what it has, and no more");
    }
}

#[actix_rt::test]
async fn a_refused_request_on_a_new_connection_is_a_failure() {
    let (found, _) = lines(vec![Refuse], Method::GET, 2).await;
    assert_eq!(found, ["connection closed before the response x0", "200 GET /path 0 x1"]);
}

#[actix_rt::test]
async fn a_connection_that_is_cut_repeats_only_what_may_be() {
    for (method, expected) in [
        (Method::GET, ["200 GET /path 0 x1", "200 GET /path 0 x2", "200 GET /path 0 x1"]),
        (Method::POST, ["200 POST /path 0 x1", "connection closed before the response x1", "200 POST /path 0 x1"]),
    ] {
        let (found, connections) = lines(vec![Echo, HangUp], method, 3).await;
        assert_eq!((&found[..], connections), (&expected.map(str::to_owned)[..], 2));
    }
}

#[actix_rt::test]
async fn a_stream_that_is_reset_leaves_the_connection_alone() {
    let (found, connections) = lines(vec![CancelBody, Echo], Method::GET, 2).await;
    assert_eq!(found, ["HTTP/2: stream reset (CANCEL) x1", "200 GET /path 0 x1"]);
    assert_eq!(connections, 1);
}

#[actix_rt::test]
async fn a_server_that_never_answers_fails_by_the_time_out() {
    let server = Server::start(vec![Silence]).await;
    let mut client = client(ConnectionRules::default());
    let request = Outgoing { timeout: Duration::from_millis(200), ..request(&server.url(), Method::GET, None) };
    assert_eq!(line_of(&client.send(&request).await), "timed out after 200ms x1");
    assert_eq!(line_of(&client.send(&request).await), "200 GET /path 0 x1");
}
