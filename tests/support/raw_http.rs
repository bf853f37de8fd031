//! A blocking HTTP/1.1 client of a few lines, independent of the clients and servers under test.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// No test waits longer for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An answer, its body read to the end of the connection.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a body in JSON")
    }
}

/// `GET` of a path on a base address such as `http://127.0.0.1:8000`. Panics if there is no answer.
pub fn get(url: &str, path: &str) -> Reply {
    send(url, "GET", path, &[], b"").expect("an answer")
}

/// Sends one request on a connection of its own, and reads the answer until the server closes.
pub fn send(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Reply> {
    let mut stream = connect(url)?;
    stream.write_all(&request(method, path, headers, body))?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer)
}

/// A connection to a base address.
pub fn connect(url: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(url.strip_prefix("http://").expect("an http address"))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// The bytes of a request that asks the server to close.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    if !body.is_empty() {
        head += &format!("content-length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    [head.as_bytes(), body].concat()
}

/// Splits an answer with a content length or none; other transfer codings are left in the body.
pub fn parse(answer: &[u8]) -> io::Result<Reply> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer");
    let head_end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or_else(invalid)?;
    let head = std::str::from_utf8(&answer[..head_end]).map_err(|_| invalid())?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")).and_then(|rest| rest.get(..3));
    let status = status.and_then(|code| code.parse().ok()).ok_or_else(invalid)?;
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let reply = Reply { status, headers, body: answer[head_end + 4..].to_vec() };
    match reply.header("content-length") {
        Some(length) if length.parse() != Ok(reply.body.len()) => {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the body is not as long as announced"))
        }
        _ => Ok(reply),
    }
}
