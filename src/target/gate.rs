//! What every request passes before its handler.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};

use super::access_log::AccessLog;
use super::behaviour::Behaviour;
use super::counts::Counter;

/// What the threads of a target share.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) counter: Counter,
    pub(super) behaviour: Behaviour,
    pub(super) started: Instant,
    /// Requests so far; never reset, so that chance goes on.
    pub(super) number: AtomicU64,
    pub(super) access_log: Option<AccessLog>,
}

/// Receives the whole request, counts it, waits as the behaviour says, has it answered and counts the answer.
///
/// Paths that begin with `/_` are the target's own and go through untouched.
pub(super) async fn pass(
    gate: web::Data<Gate>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.path().starts_with("/_") {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let body = request.extract::<web::Bytes>().await.inspect_err(|_| gate.counter.refused())?;
    if !body.is_empty() {
        request.set_payload(body.into());
    }
    let visit = gate.counter.received(request.match_pattern().as_deref());
    let arrival = gate.started.elapsed();
    let verdict = gate.behaviour.decide(gate.number.fetch_add(1, Ordering::Relaxed), arrival);
    let logged = gate.access_log.as_ref().map(|log| (log, request.method().clone(), request.path().to_owned()));

    if verdict.answer_at > arrival {
        actix_rt::time::sleep(verdict.answer_at - arrival).await;
    }
    let answer = if verdict.fails {
        Ok(request.into_response(HttpResponse::InternalServerError().body("error on purpose\n")))
    } else {
        next.call(request).await.map(ServiceResponse::map_into_boxed_body)
    };
    let status = match &answer {
        Ok(response) => response.status(),
        Err(problem) => problem.as_response_error().status_code(),
    };
    visit.answered(status.as_u16());
    if let Some((log, method, path)) = logged {
        log.write(method.as_str(), &path, status.as_u16(), gate.started.elapsed() - arrival);
    }
    answer
}
