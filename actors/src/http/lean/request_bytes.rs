//! A request as bytes.

use std::io::Write as _;

use actix_http::header::{CONNECTION, CONTENT_LENGTH, COOKIE, HOST, TRANSFER_ENCODING};
use actix_http::uri::PathAndQuery;

use super::super::request::expects_body;
use super::super::transport::Exchange;

/// Appends request line and headers. Whether the connection is to be closed after the response.
pub(crate) fn write_head(out: &mut Vec<u8>, exchange: &Exchange<'_>) -> bool {
    let path = exchange.target.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let host = exchange.target.host_header().as_bytes();
    // A proxy is told the server as well (RFC 9112, section 3.2.2).
    let server: [&[u8]; 2] = if exchange.proxy.is_some() { [b"http://", host] } else { [b"", b""] };
    let [scheme, server] = server;
    for part in [exchange.method.as_str().as_bytes(), b" ", scheme, server, path.as_bytes(), b" HTTP/1.1\r\n"] {
        out.extend_from_slice(part);
    }
    let (mut close, mut has_host) = (false, false);
    let mut own_cookie: Option<&[u8]> = None;
    for (name, value) in exchange.headers() {
        let value = value.as_bytes();
        if *name == CONNECTION {
            // Whether the connection stays open is decided here; a wish to close it is heard.
            close |= value.eq_ignore_ascii_case(b"close");
        } else if *name == COOKIE && own_cookie.is_none() && exchange.cookie.is_some() {
            own_cookie = Some(value);
        } else if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            has_host |= *name == HOST;
            write_header(out, name.as_str(), value);
        }
    }
    if !has_host {
        write_header(out, "host", host);
    }
    if let Some(cookie) = &exchange.cookie {
        out.extend_from_slice(b"cookie: ");
        if let Some(own) = own_cookie {
            out.extend_from_slice(own);
            out.extend_from_slice(b"; ");
        }
        out.extend_from_slice(cookie.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if let Some(authorization) = exchange.proxy.and_then(|proxy| proxy.authorization.as_ref()) {
        write_header(out, "proxy-authorization", authorization.as_bytes());
    }
    if close {
        write_header(out, "connection", b"close");
    }
    match exchange.request.body.as_ref().filter(|_| exchange.with_body) {
        Some(body) => write_length(out, body.len()),
        None if expects_body(exchange.method) => write_length(out, 0),
        None => {}
    }
    out.extend_from_slice(b"\r\n");
    close
}

fn write_header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn write_length(out: &mut Vec<u8>, bytes: usize) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "content-length: {bytes}\r\n");
}
