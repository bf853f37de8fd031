//! A server that follows a script, one for each connection.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does on one connection.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Reads a request with its body.
    Request,
    /// Writes bytes in one piece.
    Send(Vec<u8>),
    /// Breaks the connection off with a reset.
    Reset,
    /// Waits for the client to close.
    Hold,
}

/// Reads a request and answers with pieces.
pub(crate) fn answer(pieces: &[&str]) -> Vec<Step> {
    let pieces = pieces.iter().map(|piece| Step::Send(piece.as_bytes().to_vec()));
    std::iter::once(Step::Request).chain(pieces).collect()
}

pub(crate) fn hold(mut steps: Vec<Step>) -> Vec<Step> {
    steps.push(Step::Hold);
    steps
}

/// A server with one script for each connection, after which it refuses.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// The requests of each connection.
    pub(crate) requests: Rc<RefCell<Vec<Vec<Vec<u8>>>>>,
    /// Connections whose script is over.
    pub(crate) over: Rc<Cell<usize>>,
    pub(crate) acceptor: actix_rt::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Rc::new(RefCell::new(Vec::new()));
        let over = Rc::new(Cell::new(0));
        let (seen, ended) = (Rc::clone(&requests), Rc::clone(&over));
        let acceptor = actix_rt::spawn(async move {
            for (number, script) in scripts.into_iter().enumerate() {
                let (stream, _) = listener.accept().await.unwrap();
                seen.borrow_mut().push(Vec::new());
                let (seen, ended) = (Rc::clone(&seen), Rc::clone(&ended));
                actix_rt::spawn(async move {
                    follow(script, stream, |request| seen.borrow_mut()[number].push(request)).await;
                    ended.set(ended.get() + 1);
                });
            }
        });
        Self { address, requests, over, acceptor }
    }

    /// Requests on each connection.
    pub(crate) fn requests_by_connection(&self) -> Vec<usize> {
        self.requests.borrow().iter().map(Vec::len).collect()
    }
}

async fn follow(script: Vec<Step>, mut stream: TcpStream, mut on_request: impl FnMut(Vec<u8>)) {
    stream.set_nodelay(true).unwrap();
    for step in script {
        match step {
            Step::Request => match read_request(&mut stream).await {
                Some(request) => on_request(request),
                None => return,
            },
            Step::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
                // Lets the client read this piece before the next one follows.
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
            }
            Step::Reset => socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap(),
            Step::Hold => {
                let _ = stream.read(&mut [0; 1_024]).await;
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        if let Some(head) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).map(str::parse::<usize>);
            if request.len() >= head + 4 + length.map_or(0, Result::unwrap) {
                return Some(request);
            }
        }
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
}
