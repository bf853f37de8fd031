//! A protocol that is not HTTP: a line goes out, a line comes back.
//!
//! ```console
//! cargo run --example line_protocol -- -u 50 -r 50 -t 10s
//! cargo run --example line_protocol -- -H tcp://127.0.0.1:7000 -u 50 -r 50 -t 10s
//! ```
//!
//! Without a host, the example serves the protocol itself: `PING` is answered by `PONG`, `ECHO text` by the text.

use std::io::{self, BufRead, Write};
use std::sync::OnceLock;

use akrida::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    App::new().user::<Talker>().main()
}

/// The client of the protocol. Any crate with async functions takes its place.
struct Connection(BufReader<TcpStream>);

/// What a request gives says how many bytes it brought. A connection brought none.
impl Content for Connection {}

impl Connection {
    async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    async fn ask(&mut self, line: &str) -> io::Result<String> {
        self.0.write_all(format!("{line}\n").as_bytes()).await?;
        let mut answer = String::new();
        if self.0.read_line(&mut answer).await? == 0 {
            return Err(io::Error::other("connection closed"));
        }
        Ok(answer.trim_end().to_owned())
    }
}

/// Keeps one connection and asks over it.
struct Talker {
    address: String,
    connection: Option<Connection>,
}

impl User for Talker {
    fn describe() -> UserDescription<Self> {
        UserDescription::new("Talker").wait_time(wait::throughput(50.0)).task("ping", 3, Self::ping).tagged_task(
            "echo",
            1,
            ["payload"],
            Self::echo,
        )
    }

    async fn start(context: &mut UserContext) -> TaskResult<Self> {
        let address = match context.host() {
            Some(host) => host.strip_prefix("tcp://").ok_or_else(|| TaskError::new("the host is no tcp:// URL"))?,
            None => own_server()?,
        };
        Ok(Self { address: address.to_owned(), connection: None })
    }
}

impl Talker {
    async fn ping(&mut self, context: &mut UserContext) -> TaskResult {
        self.ask(context, "PING", "PING", "PONG").await
    }

    async fn echo(&mut self, context: &mut UserContext) -> TaskResult {
        let text = format!("{:x}", context.random().u64(..));
        self.ask(context, "ECHO", &format!("ECHO {text}"), &text).await
    }

    /// One request: a line of the statistics, with its latency, the bytes of the answer, and why it failed if it did.
    async fn ask(&mut self, context: &mut UserContext, name: &str, line: &str, expected: &str) -> TaskResult {
        let mut connection = match self.connection.take() {
            Some(kept) => kept,
            None => context.measure("LINE", "connect", Connection::open(&self.address)).await?,
        };
        let asked = async {
            let answer = connection.ask(line).await?;
            if answer == expected { Ok(answer) } else { Err(io::Error::other("wrong answer")) }
        };
        context.measure("LINE", name, asked).await?;
        // A connection on which something went wrong is not used again.
        self.connection = Some(connection);
        Ok(())
    }
}

/// Serves the protocol in this process, once; returns the address.
fn own_server() -> io::Result<&'static str> {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    if let Some(address) = ADDRESS.get() {
        return Ok(address);
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    // Two arbiters may come here at once: the server of the second one is dropped with its listener.
    Ok(ADDRESS.get_or_init(|| {
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || serve(&stream));
            }
        });
        address
    }))
}

fn serve(stream: &std::net::TcpStream) -> io::Result<()> {
    let mut writer = stream;
    for line in io::BufReader::new(stream).lines() {
        let line = line?;
        let answer = if line == "PING" { "PONG" } else { line.strip_prefix("ECHO ").unwrap_or("ERROR") };
        writer.write_all(format!("{answer}\n").as_bytes())?;
    }
    Ok(())
}
