//! Uploads as `multipart/form-data`.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use thiserror::Error;

use super::basics::bad_request;
use super::limits::PARTS_MAX;

/// `POST /upload`: how many parts the body has, and how many bytes they hold without their headers.
pub(super) async fn upload(request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match boundary(content_type).and_then(|boundary| measure(&body, boundary)) {
        Ok(upload) => HttpResponse::Ok().json(json!({"parts": upload.parts, "bytes": upload.bytes})),
        Err(problem) => bad_request(&problem.to_string()),
    }
}

/// The sizes of a multipart body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Upload {
    parts: usize,
    bytes: usize,
}

/// Why a body is not a multipart one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
enum UploadProblem {
    #[error("the content type is not multipart/form-data with a boundary")]
    ContentType,
    #[error("the body does not begin with the boundary")]
    NoBoundary,
    #[error("a part has no empty line after its headers")]
    NoHeaderEnd,
    #[error("the body does not end with the closing boundary")]
    NotClosed,
    #[error("the body has more than {PARTS_MAX} parts")]
    TooManyParts,
}

/// The boundary that a content type names.
fn boundary(content_type: &str) -> Result<&str, UploadProblem> {
    let mut fields = content_type.split(';').map(str::trim);
    if !fields.next().is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/form-data")) {
        return Err(UploadProblem::ContentType);
    }
    fields
        .filter_map(|field| field.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| value.trim_matches('"'))
        .filter(|value| (1..=70).contains(&value.len()))
        .ok_or(UploadProblem::ContentType)
}

/// Walks over the parts of a body (RFC 2046, section 5.1.1). What follows the closing boundary is ignored.
fn measure(body: &[u8], boundary: &str) -> Result<Upload, UploadProblem> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    let mut rest = body.strip_prefix(&delimiter[2..]).ok_or(UploadProblem::NoBoundary)?;
    let mut upload = Upload::default();
    while !rest.starts_with(b"--") {
        if upload.parts == PARTS_MAX {
            return Err(UploadProblem::TooManyParts);
        }
        let content = find(rest, b"\r\n\r\n").ok_or(UploadProblem::NoHeaderEnd)? + 4;
        let length = find(&rest[content..], &delimiter).ok_or(UploadProblem::NotClosed)?;
        upload.parts += 1;
        upload.bytes += length;
        rest = &rest[content + length + delimiter.len()..];
    }
    Ok(upload)
}

/// Where `needle`, which begins with a carriage return, first occurs.
fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(offset) = haystack[from..].iter().position(|byte| *byte == b'\r') {
        if haystack[from + offset..].starts_with(needle) {
            return Some(from + offset);
        }
        from += offset + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_boundary_is_taken_from_the_content_type() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=abc", Ok("abc")),
            ("Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b\"", Ok("a b")),
            ("multipart/form-data", Err(UploadProblem::ContentType)),
            ("multipart/form-data; boundary=", Err(UploadProblem::ContentType)),
            ("application/json; boundary=abc", Err(UploadProblem::ContentType)),
            ("", Err(UploadProblem::ContentType)),
        ] {
            assert_eq!(boundary(content_type), expected, "{content_type}");
        }
    }

    #[test]
    fn what_is_no_multipart_body_is_refused_with_the_reason() {
        for (body, problem) in [
            ("", UploadProblem::NoBoundary),
            ("hello", UploadProblem::NoBoundary),
            ("--b\r\nheader: x\r\n", UploadProblem::NoHeaderEnd),
            ("--b\r\n\r\nunfinished", UploadProblem::NotClosed),
            ("--b\r\n\r\none\r\n--b\r\n\r\ntwo", UploadProblem::NotClosed),
        ] {
            assert_eq!(measure(body.as_bytes(), "b"), Err(problem), "{body:?}");
        }
        let many = "--b\r\n\r\n\r\n".repeat(PARTS_MAX + 1) + "--b--";
        assert_eq!(measure(many.as_bytes(), "b"), Err(UploadProblem::TooManyParts));
    }

    proptest! {
        #[test]
        fn parts_are_counted_and_measured(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..8),
        ) {
            let mut body = Vec::new();
            for part in &parts {
                body.extend_from_slice(b"--zzzzzzzzzzzz\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n");
                body.extend_from_slice(part);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"--zzzzzzzzzzzz--\r\n");
            let expected = Upload { parts: parts.len(), bytes: parts.iter().map(Vec::len).sum() };
            prop_assert_eq!(measure(&body, "zzzzzzzzzzzz"), Ok(expected));
        }

        #[test]
        fn no_body_makes_the_parser_panic(body in proptest::collection::vec(prop_oneof![
            Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'b'), any::<u8>(),
        ], 0..100)) {
            let _ = measure(&body, "b");
        }
    }
}
