//! The web pages, which are part of the program.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH, VARY,
};
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use include_dir::{Dir, File, include_dir};
use sha2::{Digest, Sha256};

use super::failure::Failure;

/// The files that `build.rs` had built.
static FILES: Dir<'_> = include_dir!("$OUT_DIR/ui");

/// The tag of each file, by its path.
static TAGS: LazyLock<BTreeMap<&Path, String>> =
    LazyLock::new(|| all_files().map(|file| (file.path(), tag(file.contents()))).collect());

/// What a page may do: run and show what comes from here, ask nobody else, be shown by nobody else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Encodings that files are kept in, the smaller first, with the ending of their names.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The page.
pub(super) async fn page(request: HttpRequest) -> Result<HttpResponse, Failure> {
    // Always asked for again: it names the files of this build.
    answer("index.html", "no-cache", &request)
}

/// A file whose name changes with its content. One that is not here may be of another build, as while masters are upgraded
/// one by one: with this answer balancers ask the next master.
pub(super) async fn asset(name: web::Path<String>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let reason = "this master has the web pages of another build";
    answer(&format!("assets/{name}"), "public, max-age=31536000, immutable", &request)
        .map_err(|_| Failure::new(StatusCode::SERVICE_UNAVAILABLE, "other_build", reason))
}

/// The icon.
pub(super) async fn icon(request: HttpRequest) -> Result<HttpResponse, Failure> {
    answer("icon.svg", "no-cache", &request)
}

fn answer(path: &str, cache: &'static str, request: &HttpRequest) -> Result<HttpResponse, Failure> {
    let media_type = media_type(path).ok_or_else(no_such_file)?;
    let file = FILES.get_file(path).ok_or_else(no_such_file)?;
    let tag = TAGS.get(file.path()).ok_or_else(no_such_file)?;
    let is_known = request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = HttpResponse::build(if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    response
        .insert_header((ETAG, tag.as_str()))
        .insert_header((CACHE_CONTROL, cache))
        .insert_header((VARY, "accept-encoding"));
    secure(&mut response);
    if is_known {
        return Ok(response.finish());
    }
    response.insert_header((CONTENT_TYPE, media_type));
    for (encoding, ending) in ENCODINGS {
        if accepts(request.headers(), encoding)
            && let Some(encoded) = FILES.get_file(format!("{path}{ending}"))
        {
            response.insert_header((CONTENT_ENCODING, encoding));
            return Ok(response.body(Bytes::from_static(encoded.contents())));
        }
    }
    Ok(response.body(Bytes::from_static(file.contents())))
}

fn secure(response: &mut HttpResponseBuilder) {
    for header in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        response.insert_header(header);
    }
}

/// Files of other kinds are none that a page asks for.
fn media_type(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "html" => Some("text/html; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

/// The files of the pages: those right in the folder, and those in the folders of it.
fn all_files() -> impl Iterator<Item = &'static File<'static>> {
    FILES.files().chain(FILES.dirs().flat_map(Dir::files))
}

fn tag(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    let digits: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

fn no_such_file() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
}

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|part| {
        let (name, weight) = part.split_once(';').unwrap_or((part, ""));
        name.trim().eq_ignore_ascii_case(encoding) && !matches!(weight.trim(), "q=0" | "q=0.0")
    })
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;
    use actix_web::test::TestRequest;

    use super::*;

    /// What a connection gets, in kilobytes that it pays for.
    const COMPRESSED_BYTES_MAX: usize = 500_000;

    fn asked(path: &str, headers: &[(&'static str, &str)]) -> HttpResponse {
        let request = headers.iter().fold(TestRequest::get(), |request, header| request.insert_header(*header));
        answer(path, "no-cache", &request.to_http_request()).expect(path)
    }

    fn header<'a>(response: &'a HttpResponse, name: &str) -> Option<&'a str> {
        response.headers().get(name).and_then(|value| value.to_str().ok())
    }

    #[test]
    fn a_page_is_compressed_for_those_who_can_read_it() {
        let plain = asked("index.html", &[]);
        assert_eq!(header(&plain, "content-encoding"), None);
        assert_eq!(header(&asked("index.html", &[("accept-encoding", "gzip, br")]), "content-encoding"), Some("br"));
        assert_eq!(
            header(&asked("index.html", &[("accept-encoding", "gzip;q=1, br;q=0")]), "content-encoding"),
            Some("gzip")
        );
        assert!(header(&plain, "content-security-policy").is_some_and(|policy| !policy.contains("unsafe")));
    }

    #[test]
    fn who_has_the_file_gets_no_body() {
        let first = asked("index.html", &[]);
        let tag = header(&first, "etag").expect("a tag").to_owned();
        let again = asked("index.html", &[("if-none-match", &tag)]);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(asked("index.html", &[("if-none-match", "\"other\"")]).status(), StatusCode::OK);
    }

    #[test]
    fn nothing_but_files_of_the_pages_is_served() {
        for path in ["../Cargo.toml", "assets/../index.html", "index.html.br", "assets/x.js", "", "."] {
            let request = TestRequest::get().to_http_request();
            assert!(answer(path, "no-cache", &request).is_err(), "{path}");
        }
    }

    #[test]
    fn all_files_together_are_small() {
        let names = all_files().filter_map(|file| file.path().to_str()).filter(|name| media_type(name).is_some());
        let sizes = names.map(|name| asked(name, &[("accept-encoding", "br")]).into_body().try_into_bytes());
        let total: usize = sizes.map(|bytes| bytes.map_or(0, |bytes| bytes.len())).sum();
        assert!((1_000..COMPRESSED_BYTES_MAX).contains(&total), "{total} bytes");
    }
}
