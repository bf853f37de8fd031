//! What a request leaves in the statistics, whether a step of a scenario or code of the program made it.

use std::rc::Rc;
use std::time::{Duration, Instant};

use akrida_core::limits;
use akrida_core::stats::recorder::{EndpointId, Phases, Sample};

use super::context::SharedContext;
use super::runner::{Flow, Runner};
use super::stop::{Phase, StopSignal};
use crate::http::client::Outcome;
use crate::http::error::{GeneratorFault, HttpError};
use crate::http::meter::Meter;
use crate::http::request::Outgoing;
use crate::http::websocket::WebSocket;
use crate::observe::Event;

/// What the statistics say of a group whose steps failed.
const GROUP_FAILURE: &str = "a step in the group failed";

/// A request, or a message that was waited for, when it is over.
pub(super) struct Exchanged<'a> {
    pub(super) latency: Duration,
    pub(super) ended: Instant,
    pub(super) phases: Phases,
    pub(super) failure: Option<&'a str>,
    pub(super) content_bytes: u64,
}

impl Runner {
    /// Sends an HTTP request, as soon as one may be sent, and counts its exchanges. What came of it is for the caller to record, unless this machine
    /// was at its limit: then that is counted, the user pauses, and the error says how its task goes on.
    pub(super) async fn exchange(&mut self, outgoing: &Outgoing) -> Result<Outcome, Flow> {
        self.permitted().await?;
        let in_flight = InFlight::new(self, Some(self.session.client.meter()));
        let outcome = self.session.client.send(outgoing).await;
        in_flight.landed();
        self.counted(outcome).await
    }

    /// Opens a WebSocket, as [`Self::exchange`].
    pub(super) async fn open_websocket(&mut self, outgoing: &Outgoing) -> Result<Outcome<WebSocket>, Flow> {
        self.permitted().await?;
        let in_flight = InFlight::new(self, Some(self.session.client.meter()));
        let outcome = self.session.client.open_websocket(outgoing).await;
        in_flight.landed();
        self.counted(outcome).await
    }

    /// Waits until a request may be sent. `Cut` once the user is to stop and none may be any more.
    pub(super) async fn permitted(&self) -> Result<(), Flow> {
        if self.context.permit.holds() {
            return Ok(());
        }
        // Boxed, since it hardly ever happens.
        Box::pin(self.await_permit()).await
    }

    /// The worker's lease has ended, so the worker is about to stop its users. They may end what they are at if there is
    /// time for it.
    async fn await_permit(&self) -> Result<(), Flow> {
        self.stop.reaches(Phase::Finishing).await;
        if self.context.permit.holds() {
            return Ok(());
        }
        self.stop.reaches(Phase::Cut).await;
        Err(Flow::Cut)
    }

    async fn counted<T>(&mut self, outcome: Outcome<T>) -> Result<Outcome<T>, Flow> {
        self.count_exchanges(outcome.exchanges);
        match outcome.result.as_ref().map_err(HttpError::generator_fault) {
            Err(Some(fault)) => Err(self.back_off(fault).await),
            _ => Ok(outcome),
        }
    }

    /// Records an HTTP request that has ended.
    pub(super) fn record_outcome(&mut self, endpoint: EndpointId, outcome: &Outcome, failure: Option<&str>) {
        self.record_exchanged(
            endpoint,
            &Exchanged {
                latency: outcome.latency,
                ended: outcome.ended,
                phases: outcome.phases,
                failure,
                content_bytes: outcome.result.as_ref().map_or(0, |response| response.content_bytes),
            },
        );
    }

    /// Records a request that could not be made: a failure that took no time and reached no wire.
    pub(super) fn record_not_sent(&mut self, endpoint: EndpointId, reason: &str) {
        let (latency, ended, phases) = (Duration::ZERO, Instant::now(), Phases::default());
        let failed = Exchanged { latency, ended, phases, failure: Some(reason), content_bytes: 0 };
        self.record_exchanged(endpoint, &failed);
    }

    /// Records what has ended. In an open model the first one after an arrival takes on how late its task started.
    pub(super) fn record_exchanged(&mut self, endpoint: EndpointId, exchanged: &Exchanged<'_>) {
        let Exchanged { latency, ended, phases, failure, content_bytes } = *exchanged;
        let lag_us = self.take_lag_us();
        self.record_sample(&Sample {
            endpoint,
            latency_us: latency.as_micros() as u64,
            failure,
            content_bytes,
            phases,
            lag_us,
            ended_us: self.context.clock.at_us(ended),
        });
    }

    /// Records a transaction that began at this time and has ended now.
    pub(super) fn record_group(&mut self, endpoint: EndpointId, started: Instant, failed: bool) {
        let ended = Instant::now();
        self.context.recorder.borrow_mut().record(&Sample {
            endpoint,
            latency_us: (ended - started).as_micros() as u64,
            failure: failed.then_some(GROUP_FAILURE),
            content_bytes: 0,
            phases: Phases::default(),
            lag_us: None,
            ended_us: self.context.clock.at_us(ended),
        });
    }

    /// Records a request of any protocol.
    pub(super) fn record_sample(&mut self, sample: &Sample<'_>) {
        self.failures += u64::from(sample.failure.is_some());
        let latency = Duration::from_micros(sample.latency_us);
        self.context.show(&Event::Samples { latency, failure: sample.failure });
        self.context.recorder.borrow_mut().record(sample);
    }

    fn count_exchanges(&mut self, exchanges: u32) {
        let mut recorder = self.context.recorder.borrow_mut();
        (0..exchanges).for_each(|_| recorder.count_exchange());
    }

    /// This machine is at its limit, which says nothing about the target. Pauses, so that trying again does not make
    /// it worse, and ends the task, whose request is missing.
    pub(super) async fn back_off(&mut self, fault: GeneratorFault) -> Flow {
        self.context.recorder.borrow_mut().count_generator_error(fault.as_str());
        self.context.show(&Event::Limited(fault.as_str()));
        let jitter = 0.5 + self.session.random().f64();
        match self.pause(limits::GENERATOR_FAULT_PAUSE.mul_f64(jitter), Phase::Cut).await {
            Flow::Continue => Flow::EndTask,
            cut => cut,
        }
    }
}

/// A request under way, which a cut lets end. Counts it as interrupted if it is dropped before it landed; its HTTP hops
/// that were over by then are exchanges.
pub(super) struct InFlight {
    context: SharedContext,
    stop: Rc<StopSignal>,
    meter: Option<Rc<Meter>>,
    landed: bool,
}

impl InFlight {
    /// One that begins now; `meter` is that of an HTTP request.
    pub(super) fn new(runner: &Runner, meter: Option<Rc<Meter>>) -> Self {
        runner.stop.set_under_way(true);
        Self { context: Rc::clone(&runner.context), stop: Rc::clone(&runner.stop), meter, landed: false }
    }

    /// It ended by itself.
    pub(super) fn landed(mut self) {
        self.landed = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.stop.set_under_way(false);
        if self.landed || std::thread::panicking() {
            return;
        }
        if let Ok(mut recorder) = self.context.recorder.try_borrow_mut() {
            let exchanges = self.meter.as_ref().map_or(0, |meter| meter.exchanges_over());
            (0..exchanges).for_each(|_| recorder.count_exchange());
            recorder.count_interrupted();
        }
    }
}
