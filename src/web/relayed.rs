//! A request that was read in full, so that it can be carried out here or passed on, and again.

use std::sync::Arc;

use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, web};
use akrida_core::limits;
use akrida_core::state::request::RequestKey;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::failure::Failure;
use super::idempotency;
use crate::api::{FORWARDED_BY, IDEMPOTENCY_KEY, JSON, MSGPACK};

/// A request in full.
#[derive(Clone, Debug)]
pub(super) struct Relayed {
    pub(super) method: Method,
    pub(super) path_and_query: String,
    pub(super) content_type: Option<String>,
    pub(super) body: Bytes,
    /// Of a request that changes something: its key, given by the client or drawn here.
    pub(super) key: Option<Arc<str>>,
    /// Whether another master passed it on.
    pub(super) was_forwarded: bool,
}

impl Relayed {
    /// A request that reads. Its body does not matter.
    pub(super) fn reading(request: &HttpRequest) -> Self {
        Self {
            method: request.method().clone(),
            // Never the host: the request goes to the leader, whatever host it names.
            path_and_query: request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            content_type: None,
            body: Bytes::new(),
            key: None,
            was_forwarded: request.headers().contains_key(FORWARDED_BY),
        }
    }

    /// A request that changes something, with a body of at most this size.
    pub(super) async fn changing(
        request: &HttpRequest,
        payload: web::Payload,
        bytes_max: usize,
    ) -> Result<Self, Failure> {
        let key = match text_of(request.headers(), IDEMPOTENCY_KEY) {
            None => idempotency::drawn(),
            Some(given) => given.and_then(idempotency::checked).ok_or_else(|| {
                let most = limits::IDEMPOTENCY_KEY_CHARS_MAX;
                Failure::bad_request(format!("an idempotency key has 1 to {most} visible ASCII characters"))
            })?,
        };
        let content_type = text_of(request.headers(), CONTENT_TYPE.as_str()).flatten().map(str::to_owned);
        if announced_bytes(request).is_some_and(|bytes| bytes > bytes_max as u64) {
            return Err(too_large(bytes_max));
        }
        let body = body(payload, bytes_max).await?;
        Ok(Self { content_type, body, key: Some(key), ..Self::reading(request) })
    }

    /// Its key as the state knows it.
    pub(super) fn request_key(&self) -> Option<RequestKey> {
        let key = self.key.as_ref()?;
        Some(idempotency::bound(key, self.method.as_str(), &self.path_and_query, &self.body))
    }

    /// What its body says: MessagePack if it says so, else JSON.
    pub(super) fn parsed<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let media_type = self.content_type.as_deref().unwrap_or(JSON);
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case(MSGPACK) {
            return rmp_serde::from_slice(&self.body).map_err(|error| Failure::bad_request(error.to_string()));
        }
        if !media_type.eq_ignore_ascii_case(JSON) {
            let reason = format!("the body is {JSON} or {MSGPACK}");
            return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", reason));
        }
        serde_json::from_slice(&self.body).map_err(|error| Failure::bad_request(error.to_string()))
    }
}

/// The value of a header: nothing without the header, `Some(None)` if it is no text.
fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<Option<&'a str>> {
    headers.get(name).map(|value| value.to_str().ok())
}

/// How long the client says that the body of a request is.
pub(super) fn announced_bytes(request: &HttpRequest) -> Option<u64> {
    text_of(request.headers(), CONTENT_LENGTH.as_str()).flatten()?.parse().ok()
}

fn too_large(bytes_max: usize) -> Failure {
    let reason = format!("the body has more than {bytes_max} bytes");
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", reason)
}

async fn body(mut payload: web::Payload, bytes_max: usize) -> Result<Bytes, Failure> {
    let reading = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| Failure::bad_request(error.to_string()))?;
            if body.len() + chunk.len() > bytes_max {
                return Err(too_large(bytes_max));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    tokio::time::timeout(limits::WEB_BODY_WAIT, reading).await.unwrap_or_else(|_| {
        Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "body_timed_out", "the body did not come in time"))
    })
}
