//! A server that misbehaves in one chosen way.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Bytes of the body of [`Misbehaviour::HugeBody`].
pub const HUGE_BODY_BYTES: u64 = 100_000_000;

/// Bytes that [`Misbehaviour::ShortBody`] announces, and those that it sends.
pub const SHORT_BODY_BYTES: (u64, u64) = (1_000, 10);

/// Bytes of a request, head and body, that the server reads at most.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// What the server does wrong, on every connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Accepts and closes without reading.
    ClosesAtOnce,
    /// Reads a request and closes without an answer.
    ClosesAfterRequest,
    /// Reads a request and resets the connection (RST).
    Resets,
    /// Reads requests and says nothing.
    NeverAnswers,
    /// Answers with bytes that are not HTTP, then closes.
    Garbage,
    /// Sends headers that announce a body, and nothing more.
    StallsAfterHeaders,
    /// Sends a chunked body without an end.
    EndlessBody,
    /// Closes before the announced end of the body.
    ShortBody,
    /// A correct answer of 100 MB.
    HugeBody,
    /// Answers correctly, without announcing that it closes, and closes.
    ClosesAfterAnswer,
}

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct BadServer {
    address: SocketAddr,
    counts: Arc<Received>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Received {
    connections: AtomicU64,
    requests: AtomicU64,
}

impl BadServer {
    /// Starts it on a free port of the loopback interface.
    pub fn start(misbehaviour: Misbehaviour) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a non-blocking listener");
        let address = listener.local_addr().expect("a local address");
        let counts = Arc::new(Received::default());
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn({
            let counts = counts.clone();
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(async {
                    let listener = TcpListener::from_std(listener).expect("a listener");
                    tokio::select! {
                        _ = stopped => {}
                        () = accept(listener, misbehaviour, counts) => {}
                    }
                });
            }
        });
        Self { address, counts, stop: Some(stop), thread: Some(thread) }
    }

    /// Its base address without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Connections that it accepted.
    pub fn connections(&self) -> u64 {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// Requests that it read to their last byte.
    pub fn requests(&self) -> u64 {
        self.counts.requests.load(Ordering::SeqCst)
    }
}

impl Drop for BadServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; a second one here would abort the test.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, misbehaviour: Misbehaviour, counts: Arc<Received>) {
    while let Ok((stream, _)) = listener.accept().await {
        counts.connections.fetch_add(1, Ordering::SeqCst);
        let counts = counts.clone();
        // An error of the socket means that the client went away, and the connection ends with it.
        tokio::spawn(async move { drop(serve(stream, misbehaviour, &counts).await) });
    }
}

async fn serve(mut stream: TcpStream, misbehaviour: Misbehaviour, counts: &Received) -> io::Result<()> {
    if misbehaviour == Misbehaviour::ClosesAtOnce {
        return Ok(());
    }
    while read_request(&mut stream).await? {
        counts.requests.fetch_add(1, Ordering::SeqCst);
        match misbehaviour {
            Misbehaviour::ClosesAtOnce | Misbehaviour::ClosesAfterRequest => return Ok(()),
            Misbehaviour::Resets => return stream.set_zero_linger(),
            Misbehaviour::NeverAnswers => {}
            Misbehaviour::Garbage => return stream.write_all(b"\x16\x03 this is not HTTP\r\n\r\n").await,
            Misbehaviour::StallsAfterHeaders => stream.write_all(&head("content-length: 100")).await?,
            Misbehaviour::EndlessBody => return send_without_end(&mut stream).await,
            Misbehaviour::ShortBody => {
                let (announced, sent) = SHORT_BODY_BYTES;
                stream.write_all(&head(&format!("content-length: {announced}"))).await?;
                return send_body(&mut stream, sent).await;
            }
            Misbehaviour::HugeBody => {
                stream.write_all(&head(&format!("content-length: {HUGE_BODY_BYTES}"))).await?;
                send_body(&mut stream, HUGE_BODY_BYTES).await?;
            }
            Misbehaviour::ClosesAfterAnswer => {
                stream.write_all(&head("content-length: 2")).await?;
                return stream.write_all(b"ok").await;
            }
        }
    }
    Ok(())
}

fn head(field: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n{field}\r\n\r\n").into_bytes()
}

async fn send_body(stream: &mut TcpStream, bytes: u64) -> io::Result<()> {
    let chunk = [b'x'; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let size = left.min(chunk.len() as u64);
        stream.write_all(&chunk[..size as usize]).await?;
        left -= size;
    }
    Ok(())
}

/// Sends chunks, with a pause between them so that the test machine has time for others.
async fn send_without_end(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&head("transfer-encoding: chunked")).await?;
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    loop {
        stream.write_all(chunk.as_bytes()).await?;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Reads one request. False if the client closed before the first byte of another one.
async fn read_request(stream: &mut TcpStream) -> io::Result<bool> {
    let mut request = Vec::new();
    while !is_complete(&request) {
        if request.len() > REQUEST_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if stream.read_buf(&mut request).await? == 0 {
            return if request.is_empty() { Ok(false) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
    }
    Ok(true)
}

/// Whether this is a whole request of a client that does not pipeline.
fn is_complete(request: &[u8]) -> bool {
    let Some(head_end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..head_end]).to_ascii_lowercase();
    let field = |name: &str| head.split("\r\n").find_map(|line| line.strip_prefix(name)).map(str::trim);
    let body = &request[head_end + 4..];
    match (field("transfer-encoding:"), field("content-length:")) {
        (Some(_), _) => body.ends_with(b"0\r\n\r\n"),
        (None, Some(length)) => length.parse().is_ok_and(|length: usize| body.len() >= length),
        (None, None) => true,
    }
}
