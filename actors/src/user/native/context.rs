//! What the code of a user may use.

use std::error::Error;
use std::fmt;
use std::future::{Future, pending};
use std::rc::Rc;
use std::time::{Duration, Instant};

use akrida_core::stats::endpoint::EndpointKey;
use akrida_core::stats::recorder::{self, EndpointId, Phases};
use fastrand::Rng;

use super::UserContext;
use super::error::{Reason, TaskError, TaskResult};
use super::http::Http;
use super::names::NativeNames;
use super::sample::{ClientError, Content, Sample, judged};
use crate::http::target::Target;
use crate::observe::Event;
use crate::user::recording::InFlight;
use crate::user::runner::Flow;
use crate::user::stop::Phase;

impl UserContext {
    /// The user's HTTP client. Its requests are recorded by themselves.
    pub fn http(&mut self) -> Http<'_> {
        Http::new(self)
    }

    /// Does one request of any protocol and records it: how long it took, how many bytes it brought, and the text of
    /// the error if it failed. Errors of sockets have the texts that they have for HTTP.
    ///
    /// When the user is to stop, a request that has begun gets a second to end; after that it is dropped and counted as
    /// interrupted. None is begun any more.
    ///
    /// # Errors
    /// When the request failed, which is recorded by then; with `?` that ends the task. When this machine is at its
    /// limit (no file handles, no ports), which is counted apart.
    pub async fn measure<T, E>(
        &mut self,
        method: &str,
        name: &str,
        request: impl Future<Output = Result<T, E>>,
    ) -> TaskResult<T>
    where
        T: Content,
        E: Into<Box<dyn Error>>,
    {
        self.give_way().await;
        self.may_begin().await;
        let in_flight = InFlight::new(self, None);
        let started = Instant::now();
        let result = request.await;
        let ended = Instant::now();
        in_flight.landed();
        let sample = Sample::new(method, name, ended - started);
        match result {
            Ok(content) => {
                self.record_at(&sample.content_bytes(content.content_bytes()), ended);
                Ok(content)
            }
            Err(error) => Err(self.failed(sample, &*error.into(), ended).await),
        }
    }

    /// Records a request that was measured elsewhere and has just ended.
    pub fn record(&mut self, sample: &Sample<'_>) {
        self.record_at(sample, Instant::now());
    }

    /// Times what is done as one transaction, pauses included: a line of its own in the statistics, not part of the
    /// totals. It fails when a request in it fails or it ends with an error. One that is cut short by a stop is not
    /// recorded.
    ///
    /// # Errors
    /// Those of what is done.
    pub async fn group<T>(
        &mut self,
        name: &str,
        steps: impl AsyncFnOnce(&mut UserContext) -> TaskResult<T>,
    ) -> TaskResult<T> {
        let (failures, started) = (self.failures, Instant::now());
        let result = steps(self).await;
        let raised = matches!(&result, Err(error) if error.0 != Reason::StopUser);
        let endpoint = self.context.recorder.borrow_mut().endpoint(&EndpointKey::group(name));
        self.record_group(endpoint, started, raised || self.failures > failures);
        result
    }

    /// Pauses. A task that pauses when the user is to stop ends here.
    pub async fn wait(&mut self, pause: Duration) {
        self.give_way().await;
        if self.pause(pause, self.pauses_until()).await == Flow::Cut {
            pending().await
        }
    }

    /// The user's random numbers: with the same seed and index the same.
    pub fn random(&mut self) -> &mut Rng {
        self.session.random()
    }

    /// The user's index in the run, from 0; no other user has it at the same time.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.spec.index.0
    }

    /// The name of the user's class.
    #[must_use]
    pub fn class(&self) -> &str {
        &self.program.classes[self.spec.class].name
    }

    /// The host as `-H`, the class or the program gave it, without a slash at its end.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.names().host()
    }

    /// Whether the user was told to stop, so that a long task can come to its end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.phase() > Phase::Running
    }

    /// Writes a line to the log.
    pub fn log(&self, text: impl fmt::Display) {
        match self.context.observer.as_deref() {
            Some(observer) => observer.see(&Event::Logs(&text.to_string())),
            None => tracing::info!(user = self.index(), class = %self.class(), "{text}"),
        }
    }

    /// Goes on unless the user is cut off: then the task is dropped here.
    pub(super) async fn may_begin(&self) {
        if self.is_cut() || self.permitted().await.is_err() {
            pending().await
        }
    }

    /// The line of the statistics for requests of this method and name.
    pub(super) fn endpoint_named(&self, method: &str, name: &str) -> EndpointId {
        self.names().endpoint(&self.context.recorder, method, name)
    }

    /// The target of a URL or path.
    pub(super) fn target(&self, url: &str) -> Result<Rc<Target>, String> {
        self.names().target(url)
    }

    fn names(&self) -> &NativeNames {
        &self.program.classes[self.spec.class].names
    }

    fn record_at(&mut self, sample: &Sample<'_>, ended: Instant) {
        let endpoint = self.endpoint_named(sample.method, sample.name);
        let lag_us = self.take_lag_us();
        self.record_sample(&recorder::Sample {
            endpoint,
            latency_us: sample.latency.as_micros() as u64,
            failure: sample.failure.as_deref(),
            content_bytes: sample.content_bytes,
            phases: Phases::default(),
            lag_us,
            ended_us: self.context.clock.at_us(ended),
        });
    }

    /// Records the error of a client, or counts it if it is this machine's.
    async fn failed(&mut self, sample: Sample<'_>, error: &(dyn Error + 'static), ended: Instant) -> TaskError {
        match judged(error) {
            ClientError::Failure(text) => {
                self.record_at(&sample.failed(text.as_str()), ended);
                TaskError::recorded(text)
            }
            ClientError::Generator(fault) => match self.back_off(fault).await {
                Flow::Cut => pending().await,
                _ => TaskError::recorded(fault.as_str()),
            },
        }
    }
}

impl fmt::Debug for UserContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserContext").field("spec", &self.spec).finish_non_exhaustive()
    }
}
