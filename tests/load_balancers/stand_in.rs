//! Three servers in the place of masters: what reaches them is noted, and a test decides what they answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::balancer::{Balancer, Kind};
use crate::support::tls_http::{TlsClient, TlsStream};

/// The key of a WebSocket and the answer to it, from RFC 6455.
const WEBSOCKET_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const WEBSOCKET_ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// What a server does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Answers with this status and a header of its own.
    Status(u16),
    /// Upgrades the connection and sends back what comes.
    Upgrade,
    /// Closes the connection.
    Close,
    /// Says nothing.
    Silence,
}

/// A request that reached a server.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) server: usize,
    /// Method and path.
    pub(crate) what: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// The values of all headers of this name.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The value of the only header of this name.
    pub(crate) fn header(&self, name: &str) -> &str {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name} of {self:?}");
        all[0]
    }
}

type Decide = Arc<dyn Fn(usize, &str) -> Answer + Send + Sync>;

/// A balancer in front of the three servers.
pub(crate) struct Front {
    pub(crate) balancer: Balancer,
    pub(crate) client: TlsClient,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Front {
    /// Servers that answer everything with 200.
    pub(crate) fn of(kind: Kind) -> Self {
        Self::deciding(kind, |_, _| Answer::Status(200))
    }

    /// Servers that answer as `decide` says, which is told the number of the server, and method and path. Checks of
    /// health are among the requests.
    pub(crate) fn deciding(kind: Kind, decide: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Self {
        let seen = Arc::default();
        let decide: Decide = Arc::new(decide);
        let masters = [0, 1, 2].map(|server| serve(server, Arc::clone(&decide), Arc::clone(&seen)));
        let balancer = Balancer::start(kind, &masters);
        Self { client: balancer.client(), balancer, seen }
    }

    /// A live feed.
    pub(crate) fn open_feed(&self) -> TlsStream {
        let mut stream = self.client.connect().unwrap();
        let ask = "GET /api/v1/feed HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n";
        write!(stream, "{ask}sec-websocket-version: 13\r\nsec-websocket-key: {WEBSOCKET_KEY}\r\n\r\n").unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        stream
    }

    /// What reached the servers so far, without checks of health.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap().clone();
        seen.into_iter().filter(|seen| seen.what != "GET /ready").collect()
    }

    /// The only request that reached them.
    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.into_iter().next().unwrap()
    }

    /// How many checks of health reached a server.
    pub(crate) fn checks_of(&self, server: usize) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.server == server && seen.what == "GET /ready").count()
    }
}

/// Starts a server and says where.
fn serve(server: usize, decide: Decide, seen: Arc<Mutex<Vec<Seen>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (decide, seen) = (Arc::clone(&decide), Arc::clone(&seen));
            thread::spawn(move || converse(server, stream.unwrap(), &*decide, &seen));
        }
    });
    address
}

/// Takes requests on a connection until either side closes it.
fn converse(server: usize, stream: TcpStream, decide: &dyn Fn(usize, &str) -> Answer, seen: &Mutex<Vec<Seen>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some(request) = read_request(server, &mut reader) {
        let answer = decide(server, &request.what);
        seen.lock().unwrap().push(request);
        match answer {
            Answer::Status(status) => {
                let head = format!("HTTP/1.1 {status} Word\r\nx-server: {server}\r\nx-frame-options: DENY\r\n");
                if write!(writer, "{head}content-length: 2\r\n\r\nok").is_err() {
                    return;
                }
            }
            Answer::Upgrade => {
                let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n";
                write!(writer, "{head}sec-websocket-accept: {WEBSOCKET_ACCEPT}\r\n\r\n").unwrap();
                let _ = std::io::copy(&mut reader, &mut writer);
                return;
            }
            Answer::Close => return,
            Answer::Silence => {
                // Until the balancer gives up.
                let _ = reader.read(&mut [0]);
                return;
            }
        }
    }
}

fn read_request(server: usize, reader: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let what = line.rsplit_once(' ')?.0.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { server, what, headers, body })
}
