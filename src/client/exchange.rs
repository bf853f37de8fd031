//! One request, made of one master after the other until one answers it.

use std::cell::Cell;
use std::time::Duration;

use akrida_core::limits;
use awc::http::Method;
use awc::http::header::CONTENT_TYPE;
use bytes::Bytes;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::error::ClientError;
use super::retry::{self, Patience};
use crate::api::{ApiError, IDEMPOTENCY_KEY, MasterAddress};

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    /// Its media type and bytes.
    pub(super) body: Option<(&'static str, Bytes)>,
    /// How long one master may take.
    pub(super) answer_wait: Duration,
}

/// A good answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Who gave it.
    pub(super) master: String,
    pub(super) body: Bytes,
}

/// The masters of a cluster, and which of them answered last.
pub(super) struct Masters {
    all: Vec<MasterAddress>,
    preferred: Cell<usize>,
    patience: Patience,
    http: awc::Client,
}

/// What one master made of a request.
enum Outcome {
    Answered(Answer),
    /// No master will do better.
    Refused(ClientError),
    /// Another one may, or the same one later; why.
    MayPass(String),
}

impl Masters {
    pub(super) fn new(all: Vec<MasterAddress>, patience: Patience) -> Self {
        let connector = awc::Connector::new().timeout(limits::CLIENT_CONNECT_WAIT);
        let http = awc::Client::builder().connector(connector).disable_timeout().disable_redirects().finish();
        Self { all, preferred: Cell::new(0), patience, http }
    }

    /// Makes a request with one key, until a master answers it or patience ends.
    pub(super) async fn send(&self, request: &Request) -> Result<Answer, ClientError> {
        let started = Instant::now();
        let key = (request.method != Method::GET).then(|| format!("{:032x}", fastrand::u128(..)));
        let mut rounds = 0;
        loop {
            let mut last = String::from("there are no masters");
            for _ in 0..self.all.len() {
                match self.ask(request, key.as_deref()).await {
                    Outcome::Answered(answer) => return Ok(answer),
                    Outcome::Refused(error) => return Err(error),
                    Outcome::MayPass(why) => last = why,
                }
                self.preferred.set((self.preferred.get() + 1) % self.all.len());
            }
            rounds += 1;
            let pause = self.patience.pause(rounds, fastrand::f64());
            if started.elapsed() + pause > self.patience.total {
                return Err(ClientError::Unreachable { masters: self.names(), waited: started.elapsed(), last });
            }
            if rounds == 1 {
                tracing::warn!("no master can act at the moment ({last}); trying again");
            }
            sleep(pause).await;
        }
    }

    /// The next request goes to the master at this place first.
    pub(super) fn prefer(&self, place: usize) {
        self.preferred.set(place);
    }

    /// Makes a request that reads of all masters at once, of each once. Gives the answers in their order, or why there is
    /// none.
    pub(super) async fn send_to_each(&self, request: &Request) -> Vec<Result<Answer, String>> {
        let ask = async |master: &MasterAddress| match self.ask_one(master, request, None).await {
            Outcome::Answered(answer) => Ok(answer),
            Outcome::Refused(error) => Err(format!("{master}: {error}")),
            Outcome::MayPass(why) => Err(why),
        };
        join_all(self.all.iter().map(ask)).await
    }

    /// Asks the preferred master once.
    async fn ask(&self, request: &Request, key: Option<&str>) -> Outcome {
        match self.all.get(self.preferred.get()) {
            Some(master) => self.ask_one(master, request, key).await,
            None => Outcome::MayPass(String::new()),
        }
    }

    async fn ask_one(&self, master: &MasterAddress, request: &Request, key: Option<&str>) -> Outcome {
        let mut sending = self.http.request(request.method.clone(), format!("http://{master}{}", request.path));
        if let Some(key) = key {
            sending = sending.insert_header((IDEMPOTENCY_KEY, key));
        }
        let mut body = Bytes::new();
        if let Some((media_type, bytes)) = &request.body {
            sending = sending.insert_header((CONTENT_TYPE, *media_type));
            body = bytes.clone();
        }
        let exchange = async {
            let mut answer = sending.send_body(body).await.map_err(|error| error.to_string())?;
            let status = answer.status().as_u16();
            let body = answer.body().limit(limits::WEB_ANSWER_BYTES_MAX).await.map_err(|error| error.to_string())?;
            Ok::<_, String>((status, body))
        };
        match tokio::time::timeout(request.answer_wait, exchange).await {
            Err(_) => Outcome::MayPass(format!("{master} does not answer")),
            Ok(Err(error)) => Outcome::MayPass(format!("{master}: {error}")),
            Ok(Ok((status, body))) => judged(master, status, body),
        }
    }

    fn names(&self) -> String {
        self.all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

fn judged(master: &MasterAddress, status: u16, body: Bytes) -> Outcome {
    if (200..300).contains(&status) {
        return Outcome::Answered(Answer { master: master.to_string(), body });
    }
    let error = serde_json::from_slice::<ApiError>(&body).ok();
    if retry::may_pass(status) {
        let reason = error.map_or_else(|| format!("status {status}"), |error| error.reason);
        return Outcome::MayPass(format!("{master}: {reason}"));
    }
    Outcome::Refused(match error {
        Some(error) => ClientError::Refused { status, error },
        None => ClientError::Malformed { master: master.to_string(), reason: format!("status {status}") },
    })
}
