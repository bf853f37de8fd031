//! Passes a request on to the leader: one hop, never two.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, RETRY_AFTER};
use akrida_core::limits;

use super::cluster_handle::WebAddress;
use super::relayed::Relayed;
use super::site::Site;
use crate::api::{FORWARDED_BY, IDEMPOTENCY_KEY, NOT_LEADER};

/// The leader's answer to a request; `None` when there was none, or when the leader turned out not to lead. Whether the
/// request was carried out is not known then; its key makes it safe to send it again.
pub(super) async fn send(site: &Site, leader: &WebAddress, relayed: &Relayed) -> Option<HttpResponse> {
    let url = format!("http://{}{}", authority(leader), relayed.path_and_query);
    let mut request = site.client.request(relayed.method.clone(), url);
    request = request.insert_header((FORWARDED_BY, &*site.setup.name));
    if let Some(content_type) = &relayed.content_type {
        request = request.insert_header((CONTENT_TYPE, content_type.as_str()));
    }
    if let Some(key) = &relayed.key {
        request = request.insert_header((IDEMPOTENCY_KEY, &**key));
    }
    let sent = request.send_body(relayed.body.clone()).await;
    let mut answer = sent.inspect_err(|error| tracing::debug!(leader = %leader.name, %error, "no answer")).ok()?;
    if answer.headers().contains_key(NOT_LEADER) {
        return None;
    }
    let body = answer.body().limit(limits::WEB_ANSWER_BYTES_MAX).await;
    let body = body.inspect_err(|error| tracing::debug!(leader = %leader.name, %error, "answer cut off")).ok()?;
    let status = StatusCode::from_u16(answer.status().as_u16()).ok()?;
    let mut passed_on = HttpResponse::build(status);
    for name in [CONTENT_TYPE, CONTENT_DISPOSITION, RETRY_AFTER] {
        if let Some(value) = answer.headers().get(&name) {
            passed_on.insert_header((name, value.clone()));
        }
    }
    Some(passed_on.body(body))
}

/// Host and port as they stand in a URL: an IPv6 address in brackets.
fn authority(address: &WebAddress) -> String {
    match &*address.host {
        host if host.contains(':') && !host.starts_with('[') => format!("[{host}]:{}", address.port),
        host => format!("{host}:{}", address.port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_is_put_in_brackets() {
        let at = |host: &str| authority(&WebAddress { name: "a".into(), host: host.into(), port: 1 });
        assert_eq!([at("::1"), at("[::1]"), at("m1")], ["[::1]:1", "[::1]:1", "m1:1"]);
    }
}
