//! Pages that only show something: fixed texts, statuses, delays, sizes and redirects.

use std::io::Write;
use std::sync::LazyLock;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, LOCATION};
use actix_web::{Error, HttpResponse, web};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;

use super::limits::{BYTES_MAX, DELAY_MAX, REDIRECTS_MAX};

/// Bytes that `/bytes/N` sends at once.
const CHUNK_BYTES: usize = 64 * 1024;

static CHUNK: [u8; CHUNK_BYTES] = [b'x'; CHUNK_BYTES];

/// About a kilobyte, with a list to select from and a token to extract.
static JSON: LazyLock<Bytes> = LazyLock::new(|| {
    let items: Vec<_> = (1..=20)
        .map(|id| serde_json::json!({"id": id, "name": format!("item number {id:02} out of twenty")}))
        .collect();
    let page = serde_json::json!({"id": 1, "items": items, "token": "8f14e45fceea167a5a36dedd4bea2543"});
    Bytes::from(page.to_string())
});

static JSON_GZIPPED: LazyLock<Bytes> = LazyLock::new(|| {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let gzipped = encoder.write_all(&JSON).and_then(|()| encoder.finish());
    Bytes::from(gzipped.unwrap_or_default())
});

/// `/`: 13 bytes of text.
pub(super) async fn hello() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("Hello, World!")
}

/// `/json`
pub(super) async fn json() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(JSON.clone())
}

/// `/gzip`: the page of `/json`, compressed whether the client accepts it or not.
pub(super) async fn gzip() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CONTENT_ENCODING, "gzip"))
        .body(JSON_GZIPPED.clone())
}

/// `/html`: links, and a login form with a hidden token that differs on every page.
pub(super) async fn html() -> HttpResponse {
    let csrf = format!("{:016x}", fastrand::u64(..));
    let page = format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Target</title></head>
<body>
<h1>Target</h1>
<nav><a href="/">home</a> <a href="/json">json</a> <a class="product" href="/products/1">product</a></nav>
<form action="/login" method="post">
<input type="hidden" name="csrf" value="{csrf}">
<input type="text" name="username">
<input type="password" name="password">
<button type="submit">Log in</button>
</form>
</body>
</html>
"#
    );
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page)
}

/// `/missing` and every path that is not known.
pub(super) async fn missing() -> HttpResponse {
    HttpResponse::NotFound().content_type("text/plain; charset=utf-8").body("not found\n")
}

/// `/status/NNN`: any status of a final answer.
pub(super) async fn status(code: web::Path<u16>) -> HttpResponse {
    match StatusCode::from_u16(*code) {
        // 204 and 304 have no body by definition.
        Ok(status) if matches!(status.as_u16(), 204 | 304) => HttpResponse::new(status),
        Ok(status) if (200..600).contains(&status.as_u16()) => {
            HttpResponse::build(status).body(format!("status {status}\n"))
        }
        _ => bad_request("the status is a number from 200 to 599"),
    }
}

/// `/delay/MS`: answers after that many milliseconds, beside the latency that all requests have.
pub(super) async fn delay(ms: web::Path<u64>) -> HttpResponse {
    let delay = Duration::from_millis(*ms);
    if delay > DELAY_MAX {
        return bad_request(&format!("the delay is at most {} ms", DELAY_MAX.as_millis()));
    }
    actix_rt::time::sleep(delay).await;
    HttpResponse::Ok().body(format!("waited {ms} ms\n"))
}

/// `/bytes/N`: that many bytes with a content length, made while they are sent.
pub(super) async fn bytes(count: web::Path<u64>) -> HttpResponse {
    if *count > BYTES_MAX {
        return bad_request(&format!("the number of bytes is at most {BYTES_MAX}"));
    }
    let chunks = stream::unfold(*count, |left| async move {
        let size = left.min(CHUNK_BYTES as u64);
        (size > 0).then(|| (Ok::<_, Error>(Bytes::from_static(&CHUNK[..size as usize])), left - size))
    });
    HttpResponse::Ok().content_type("application/octet-stream").body(SizedStream::new(*count, chunks))
}

/// `/redirect/N`: N hops to `/`, each a 302.
pub(super) async fn redirect(hops: web::Path<u32>) -> HttpResponse {
    match *hops {
        hops if !(1..=REDIRECTS_MAX).contains(&hops) => {
            bad_request(&format!("the number of hops is from 1 to {REDIRECTS_MAX}"))
        }
        1 => HttpResponse::Found().insert_header((LOCATION, "/")).finish(),
        hops => HttpResponse::Found().insert_header((LOCATION, format!("/redirect/{}", hops - 1))).finish(),
    }
}

/// 400 with the reason in a line.
pub(super) fn bad_request(reason: &str) -> HttpResponse {
    HttpResponse::BadRequest().content_type("text/plain; charset=utf-8").body(format!("{reason}\n"))
}
