//! The part of Locust's own interface that scripts use.
//!
//! `/swarm` and `/stop` answer with status 200 and say in the body whether it worked, as in Locust. Without a leader the
//! answer is 503: a made-up state would end the polling of Locust's pages for good.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use akrida_core::coordinator::Order;
use akrida_core::limits;
use akrida_core::plan::rate::SpawnRate;
use akrida_core::state::command::Refusal;
use akrida_core::view::Status;
use serde_json::json;

use super::cluster_handle::ControlError;
use super::failure::Failure;
use super::relayed::Relayed;
use super::site::Site;
use super::to_leader::{Local, NotDone};
use crate::api::StartRun;

type Answer = Result<HttpResponse, Failure>;

/// The statistics of the active or last run.
pub(super) async fn stats_requests(request: HttpRequest, site: Data<Site>) -> Answer {
    let relayed = Relayed::reading(&request);
    let local = async || {
        site.cluster().read_barrier().await?;
        let status = site.cluster().status().await?;
        let view = site.cluster().views().borrow().clone();
        Ok(HttpResponse::Ok().json((site.setup.renderers.stats_requests)(view.as_deref(), &status)))
    };
    site.at_leader(&relayed, limits::WEB_HOLD, local).await
}

/// Stops the active run. Without one there is nothing to do, and that is done.
pub(super) async fn stop(request: HttpRequest, payload: Payload, site: Data<Site>) -> Answer {
    let done = || HttpResponse::Ok().json(json!({"success": true, "message": "Test stopped"}));
    ordered(request, payload, &site, Order::Stop, done).await
}

/// Forgets the statistics so far.
pub(super) async fn reset(request: HttpRequest, payload: Payload, site: Data<Site>) -> Answer {
    ordered(request, payload, &site, Order::Reset, || HttpResponse::Ok().content_type("text/html").body("ok")).await
}

async fn ordered(
    request: HttpRequest,
    payload: Payload,
    site: &Site,
    order: Order,
    done: impl Fn() -> HttpResponse,
) -> Answer {
    let relayed = Relayed::changing(&request, payload, limits::WEB_BODY_BYTES_MAX).await?;
    let local = async || match site.cluster().order(order.clone(), relayed.request_key()).await {
        Ok(_) | Err(ControlError::Refused(Refusal::NoSuchRun)) => Ok(done()),
        Err(error) => Err(error.into()),
    };
    site.at_leader(&relayed, limits::WEB_HOLD, local).await
}

/// Starts a run, or changes the users of the active one.
pub(super) async fn swarm(request: HttpRequest, payload: Payload, site: Data<Site>) -> Answer {
    let relayed = Relayed::changing(&request, payload, limits::WEB_BODY_BYTES_MAX).await?;
    site.at_leader(&relayed, limits::WEB_START_WAIT, async || site.swarm(&relayed).await).await
}

impl Site {
    async fn swarm(&self, relayed: &Relayed) -> Local {
        let form = match SwarmForm::read(&relayed.body) {
            Ok(form) => form,
            Err(message) => return Ok(swarm_answer(false, &message, self.known_host().await?.as_deref(), None)),
        };
        let host = match &form.host {
            Some(host) => Some(host.clone()),
            None => self.known_host().await?,
        };
        let host = host.as_deref();
        match self.swarmed(relayed, &form).await {
            Ok(()) => Ok(swarm_answer(true, "Swarming started", host, form.run_time_ms)),
            Err(NotDone::Control(error)) if error.may_pass() => Err(error.into()),
            Err(NotDone::Control(error)) => Ok(swarm_answer(false, &error.to_string(), host, None)),
            Err(NotDone::Failure(failure)) => Ok(swarm_answer(false, &failure.to_string(), host, None)),
        }
    }

    /// The host of the active run, or else the one that the masters were given with their scenario.
    async fn known_host(&self) -> Result<Option<String>, ControlError> {
        let view = self.cluster().views().borrow().clone();
        if let Some(view) = view.filter(|view| goes_on(view.status)) {
            return Ok(view.run.host.as_deref().map(str::to_owned));
        }
        Ok(self.cluster().scenario().await?.and_then(|bundle| bundle.selection.host.clone()))
    }

    async fn swarmed(&self, relayed: &Relayed, form: &SwarmForm) -> Result<(), NotDone> {
        let is_active = self.cluster().views().borrow().as_ref().is_some_and(|view| goes_on(view.status));
        if is_active {
            let order = Order::Edit { users: form.users, rate: form.rate };
            self.cluster().order(order, relayed.request_key()).await?;
            return Ok(());
        }
        let mut bundle = self.cluster().scenario().await?;
        if let (Some(bundle), Some(host)) = (&mut bundle, &form.host) {
            let mut own = (**bundle).clone();
            own.selection.host = Some(host.clone());
            *bundle = own.into();
        }
        let start = StartRun {
            bundle,
            users: form.users,
            spawn_rate_per_s: form.rate.as_per_second(),
            run_time_ms: form.run_time_ms,
            stop_timeout_ms: 0,
            reset_stats: false,
            profile: form.profile.clone(),
            select_tags: Vec::new(),
            on_loss: None,
            strategy: None,
        };
        self.started(relayed, start).await?;
        Ok(())
    }
}

/// Whether `/swarm` edits the run.
fn goes_on(status: Status) -> bool {
    matches!(status, Status::Spawning | Status::Running)
}

fn swarm_answer(success: bool, message: &str, host: Option<&str>, run_time_ms: Option<u64>) -> HttpResponse {
    let mut answer = json!({"success": success, "message": message, "host": host});
    if let Some(run_time_ms) = run_time_ms {
        answer["run_time"] = (run_time_ms / 1_000).into();
    }
    HttpResponse::Ok().json(answer)
}

/// The fields of `/swarm` that matter; others are ignored, as in Locust.
#[derive(Debug, PartialEq)]
struct SwarmForm {
    users: u64,
    rate: SpawnRate,
    host: Option<String>,
    run_time_ms: Option<u64>,
    profile: Option<String>,
}

impl SwarmForm {
    /// Reads a form, or says what is wrong in Locust's words.
    fn read(body: &[u8]) -> Result<Self, String> {
        let field = |name: &str| {
            let mut fields = url::form_urlencoded::parse(body);
            fields
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let missing = || "Missing or invalid user_count or spawn_rate from /swarm request".to_owned();
        let users = field("user_count").ok_or_else(missing)?;
        let rate = field("spawn_rate").ok_or_else(missing)?;
        let users = match users.parse::<i64>() {
            Ok(count) => u64::try_from(count).map_err(|_| missing())?,
            Err(_) => return Err(format!("Invalid user_count value: '{users}' (must be an integer)")),
        };
        if users > limits::USERS_MAX {
            return Err(format!("Invalid user_count value: '{users}' (a run has at most {})", limits::USERS_MAX));
        }
        let rate = match rate.parse::<f64>() {
            Ok(number) if number.is_finite() && number > 0.0 => SpawnRate::per_second(number)
                .ok_or_else(|| format!("Invalid spawn_rate value: '{rate}' (the rate is out of range)"))?,
            Ok(_) => return Err(missing()),
            Err(_) => return Err(format!("Invalid spawn_rate value: '{rate}' (must be a number)")),
        };
        let run_time_ms = field("run_time").map(|span| span_ms(&span)).transpose()?;
        let host = field("host").map(|host| host.replace(['<', '>'], ""));
        Ok(Self { users, rate, host, run_time_ms, profile: field("profile") })
    }
}

/// A span in Locust's form, such as `20`, `3m` or `1h30m10s`.
fn span_ms(text: &str) -> Result<u64, String> {
    let wrong = || "Valid run_time formats are : 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.".to_owned();
    if let Ok(seconds) = text.parse::<u64>() {
        return seconds.checked_mul(1_000).filter(|ms| *ms > 0).ok_or_else(wrong);
    }
    let (mut total, mut rest) = (0_u64, text);
    for (unit, seconds) in [('h', 3_600), ('m', 60), ('s', 1)] {
        if let Some((count, after)) = rest.split_once(unit) {
            let count: u64 = count.parse().map_err(|_| wrong())?;
            total = count.checked_mul(seconds).and_then(|span| span.checked_add(total)).ok_or_else(wrong)?;
            rest = after;
        }
    }
    total.checked_mul(1_000).filter(|ms| rest.is_empty() && *ms > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_locust_reads_it() {
        let form = SwarmForm::read(b"user_count=10&spawn_rate=2.5&host=%3Chttp://a%3E&run_time=1m30s&other=1");
        let form = form.expect("a form");
        assert_eq!((form.users, form.rate.as_per_second(), form.run_time_ms), (10, 2.5, Some(90_000)));
        assert_eq!((form.host.as_deref(), form.profile), (Some("http://a"), None));
        for (body, message) in [
            ("", "Missing"),
            ("user_count=1", "Missing"),
            ("user_count=abc&spawn_rate=1", "Invalid user_count value: 'abc'"),
            ("user_count=99999999999999999999&spawn_rate=1", "Invalid user_count"),
            ("user_count=99999999999&spawn_rate=1", "Invalid user_count"),
            ("user_count=-1&spawn_rate=1", "Missing"),
            ("user_count=2.5&spawn_rate=1", "Invalid user_count value: '2.5'"),
            ("user_count=1&spawn_rate=x", "Invalid spawn_rate value: 'x'"),
            ("user_count=1&spawn_rate=nan", "Missing"),
            ("user_count=1&spawn_rate=0", "Missing"),
            ("user_count=1&spawn_rate=1e300", "Invalid spawn_rate value: '1e300'"),
            ("user_count=1&spawn_rate=1&run_time=soon", "Valid run_time formats"),
        ] {
            let read = SwarmForm::read(body.as_bytes()).expect_err(body);
            assert!(read.starts_with(message), "{body}: {read}");
        }
    }

    #[test]
    fn spans_are_locusts() {
        for (text, ms) in [("20", 20_000), ("20s", 20_000), ("3m", 180_000), ("1h20m", 4_800_000)] {
            assert_eq!(span_ms(text), Ok(ms), "{text}");
        }
        for bad in ["", "s", "0", "1d", "5s3m", "-1", "99999999999999999999h", "1.5m"] {
            assert!(span_ms(bad).is_err(), "{bad}");
        }
    }
}
