//! Takes samples: one recorder an arbiter, one writer, no lock, and no allocation for an endpoint it knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use hdrhistogram::Histogram as Dense;

use super::endpoint::EndpointKey;
use super::histogram::{Exact, Histogram};
use super::measurements::{
    Arrivals, EndpointMeasurements, ErrorCount, ErrorKey, ExceptionCount, ExceptionKey, Measurements,
};
use crate::limits;

/// A handle to an endpoint of one [`Recorder`]; valid for as long as the recorder lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EndpointId(u32);

/// One request or transaction.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Where.
    pub endpoint: EndpointId,
    /// From the start to the last byte of the response, redirects included.
    pub latency_us: u64,
    /// Why it failed; `None` if it passed.
    pub failure: Option<&'a str>,
    /// Bytes of the response body.
    pub content_bytes: u64,
    /// Parts of the latency.
    pub phases: Phases,
    /// In an open model: how late it started after it was due; 0 for a request that follows another one in its task.
    /// `None` in a closed model.
    pub lag_us: Option<u64>,
    /// When it ended, in plan time.
    pub ended_us: u64,
}

/// Parts of a latency, as far as they occurred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Time to establish the TCP connection, name look-up included.
    pub connect_us: Option<u64>,
    /// Time of the TLS handshake.
    pub tls_us: Option<u64>,
    /// Time to the first byte of the response.
    pub first_byte_us: Option<u64>,
}

/// Records samples until they are drained.
#[derive(Debug, Default)]
pub struct Recorder {
    endpoints: Vec<Slot>,
    ids: BTreeMap<EndpointKey, EndpointId>,
    errors: BTreeMap<(u32, Arc<str>), ErrorCount>,
    exceptions: BTreeMap<ExceptionKey, u64>,
    generator_errors: BTreeMap<Arc<str>, u64>,
    http_exchanges: u64,
    interrupted: u64,
    schedule_lag: Timer<{ limits::PHASE_DIGITS }>,
    arrivals: Arrivals,
}

#[derive(Debug)]
struct Slot {
    key: EndpointKey,
    ok_latency: Timer<{ limits::LATENCY_DIGITS }>,
    failed_latency: Timer<{ limits::LATENCY_DIGITS }>,
    corrected: Timer<{ limits::LATENCY_DIGITS }>,
    content_bytes: u64,
    connect: Timer<{ limits::PHASE_DIGITS }>,
    tls: Timer<{ limits::PHASE_DIGITS }>,
    first_byte: Timer<{ limits::PHASE_DIGITS }>,
}

impl Recorder {
    /// The handle of an endpoint, new or known. Beyond `limits::ENDPOINTS_MAX` it is that of "(other)".
    pub fn endpoint(&mut self, key: &EndpointKey) -> EndpointId {
        if let Some(&known) = self.ids.get(key) {
            return known;
        }
        if let Some(cut) = cut_to_bound(key) {
            return self.endpoint(&cut);
        }
        let of_this_kind = self.endpoints.iter().filter(|slot| slot.key.kind == key.kind).count();
        let other = EndpointKey::other(key.kind);
        if of_this_kind >= limits::ENDPOINTS_MAX && *key != other {
            return self.endpoint(&other);
        }
        let id = EndpointId(self.endpoints.len() as u32);
        self.endpoints.push(Slot::new(key.clone()));
        self.ids.insert(key.clone(), id);
        id
    }

    /// Records a request or transaction.
    pub fn record(&mut self, sample: &Sample<'_>) {
        let Some(slot) = self.endpoints.get_mut(sample.endpoint.0 as usize) else { return };
        match sample.failure {
            None => slot.ok_latency.record(sample.latency_us),
            Some(text) => {
                slot.failed_latency.record(sample.latency_us);
                self.record_error(sample.endpoint, text, sample.ended_us);
            }
        }
        let slot = &mut self.endpoints[sample.endpoint.0 as usize];
        sample.lag_us.into_iter().for_each(|lag_us| slot.corrected.record(sample.latency_us.saturating_add(lag_us)));
        slot.content_bytes = slot.content_bytes.saturating_add(sample.content_bytes);
        sample.phases.connect_us.into_iter().for_each(|us| slot.connect.record(us));
        sample.phases.tls_us.into_iter().for_each(|us| slot.tls.record(us));
        sample.phases.first_byte_us.into_iter().for_each(|us| slot.first_byte.record(us));
    }

    /// Counts a request that was written to the wire in full and is over.
    pub fn count_exchange(&mut self) {
        self.http_exchanges += 1;
    }

    /// Counts a request in flight that was cut off because the run stopped.
    pub fn count_interrupted(&mut self) {
        self.interrupted += 1;
    }

    /// Counts what the generator itself could not do.
    pub fn count_generator_error(&mut self, kind: &str) {
        match self.generator_errors.get_mut(kind) {
            Some(count) => *count += 1,
            None => {
                self.generator_errors.insert(kind.into(), 1);
            }
        }
    }

    /// Records a panic or an error of scenario code. True for the first of its kind since the last drain: that is when
    /// it is worth a line in the log.
    pub fn record_exception(&mut self, message: &str, traceback: &str) -> bool {
        let key = ExceptionKey { message: bounded(message), traceback: bounded(traceback) };
        let full = !self.exceptions.contains_key(&key) && self.exceptions.len() >= limits::EXCEPTIONS_MAX;
        let count = self.exceptions.entry(if full { ExceptionKey::other() } else { key }).or_default();
        *count += 1;
        *count == 1
    }

    /// Records how late something started that had been planned.
    pub fn record_schedule_lag(&mut self, lag_us: u64) {
        self.schedule_lag.record(lag_us);
    }

    /// Counts an arrival that is due.
    pub fn count_arrival_due(&mut self) {
        self.arrivals.due += 1;
    }

    /// Counts an arrival that a user took up.
    pub fn count_arrival_started(&mut self) {
        self.arrivals.started += 1;
    }

    /// Counts an arrival for which no user was free when it was due.
    pub fn count_arrival_late(&mut self) {
        self.arrivals.late += 1;
    }

    /// Counts arrivals that were given up.
    pub fn count_arrivals_dropped(&mut self, count: u64) {
        self.arrivals.dropped += count;
    }

    /// Takes out everything since the last call. The handles stay valid.
    pub fn drain(&mut self) -> Measurements {
        let mut measured = Measurements {
            http_exchanges: std::mem::take(&mut self.http_exchanges),
            interrupted: std::mem::take(&mut self.interrupted),
            schedule_lag: self.schedule_lag.drain(),
            arrivals: std::mem::take(&mut self.arrivals),
            generator_errors: std::mem::take(&mut self.generator_errors),
            ..Measurements::default()
        };
        for slot in &mut self.endpoints {
            if let Some(endpoint) = slot.drain() {
                measured.endpoints.insert(slot.key.clone(), endpoint);
            }
        }
        for ((id, text), count) in std::mem::take(&mut self.errors) {
            let endpoint = self.endpoints[id as usize].key.clone();
            measured.errors.insert(ErrorKey { endpoint, text }, count);
        }
        for (key, count) in std::mem::take(&mut self.exceptions) {
            measured.exceptions.insert(key, ExceptionCount { count, ..ExceptionCount::default() });
        }
        measured
    }

    fn record_error(&mut self, endpoint: EndpointId, text: &str, at_us: u64) {
        let once = ErrorCount { occurrences: 1, first_seen_us: at_us, last_seen_us: at_us };
        let mut key = (endpoint.0, bounded(text));
        if !self.errors.contains_key(&key) && self.errors.len() >= limits::ERRORS_MAX {
            let kind = self.endpoints[endpoint.0 as usize].key.kind;
            key = (self.endpoint(&EndpointKey::other(kind)).0, limits::OTHER.into());
        }
        self.errors.entry(key).and_modify(|known| known.merge(once)).or_insert(once);
    }
}

impl Slot {
    fn new(key: EndpointKey) -> Self {
        Self {
            key,
            ok_latency: Timer::default(),
            failed_latency: Timer::default(),
            corrected: Timer::default(),
            content_bytes: 0,
            connect: Timer::default(),
            tls: Timer::default(),
            first_byte: Timer::default(),
        }
    }

    fn drain(&mut self) -> Option<EndpointMeasurements> {
        let empty = EndpointMeasurements::default();
        let measured = EndpointMeasurements {
            ok_latency: self.ok_latency.drain().unwrap_or(empty.ok_latency),
            failed_latency: self.failed_latency.drain().unwrap_or(empty.failed_latency),
            corrected: self.corrected.drain().unwrap_or(empty.corrected),
            content_bytes: std::mem::take(&mut self.content_bytes),
            connect: self.connect.drain().unwrap_or(empty.connect),
            tls: self.tls.drain().unwrap_or(empty.tls),
            first_byte: self.first_byte.drain().unwrap_or(empty.first_byte),
        };
        (measured.requests() > 0).then_some(measured)
    }
}

/// A dense histogram that exists once something was recorded, with exact sum, minimum and maximum.
#[derive(Debug, Default)]
struct Timer<const DIGITS: u8> {
    dense: Option<Dense<u64>>,
    exact: Option<Exact>,
}

impl<const DIGITS: u8> Timer<DIGITS> {
    fn record(&mut self, value_us: u64) {
        let dense = self.dense.get_or_insert_with(|| {
            let mut dense = Dense::new(DIGITS).expect("digits are between 1 and 5");
            dense.auto(true);
            dense
        });
        let within_range_us = value_us.min(limits::LATENCY_MAX.as_micros() as u64);
        dense.record(within_range_us).expect("an auto-resizing histogram takes every value up to the bound");
        let exact = self.exact.get_or_insert(Exact { sum_us: 0, min_us: value_us, max_us: value_us });
        exact.sum_us = exact.sum_us.saturating_add(value_us);
        exact.min_us = exact.min_us.min(value_us);
        exact.max_us = exact.max_us.max(value_us);
    }

    fn drain(&mut self) -> Option<Histogram> {
        let exact = self.exact.take()?;
        let dense = self.dense.as_mut()?;
        let sparse = Histogram::from_dense(dense, exact);
        dense.reset();
        Some(sparse)
    }
}

/// The key with a shorter name and method, if they are too long.
fn cut_to_bound(key: &EndpointKey) -> Option<EndpointKey> {
    let cut = |text: &Arc<str>| cut_at(text, limits::ENDPOINT_NAME_CHARS_MAX - 1);
    let (name, method) = (cut(&key.name), cut(&key.method));
    (name.is_some() || method.is_some()).then(|| EndpointKey {
        name: name.unwrap_or_else(|| Arc::clone(&key.name)),
        method: method.unwrap_or_else(|| Arc::clone(&key.method)),
        kind: key.kind,
    })
}

fn bounded(text: &str) -> Arc<str> {
    cut_at(text, limits::ERROR_TEXT_CHARS_MAX).unwrap_or_else(|| text.into())
}

/// So many characters of a text and an ellipsis; `None` if they and one more are all there is.
fn cut_at(text: &str, chars: usize) -> Option<Arc<str>> {
    let (end, _) = text.char_indices().nth(chars)?;
    let is_whole = text[end..].chars().nth(1).is_none();
    (!is_whole).then(|| format!("{}…", &text[..end]).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::endpoint::EndpointKind;
    use super::*;

    fn sample(endpoint: EndpointId, latency_us: u64, failure: Option<&str>) -> Sample<'_> {
        Sample {
            endpoint,
            latency_us,
            failure,
            content_bytes: 3,
            phases: Phases::default(),
            lag_us: None,
            ended_us: latency_us,
        }
    }

    #[test]
    fn a_failure_is_a_request_and_a_failure_and_an_error() {
        let mut recorder = Recorder::default();
        let key = EndpointKey::request("GET", "/");
        let endpoint = recorder.endpoint(&key);
        recorder.record(&sample(endpoint, 10, None));
        recorder.record(&sample(endpoint, 20, Some("status was 500")));
        let measured = recorder.drain();
        let found = &measured.endpoints[&key];
        assert_eq!((found.requests(), found.failures(), found.content_bytes), (2, 1, 6));
        assert_eq!(found.latency().max_us(), Some(20));
        assert_eq!(measured.errors.values().next().map(|error| error.occurrences), Some(1));
        assert_eq!(recorder.drain(), Measurements::default(), "a drained recorder is empty");
    }

    #[test]
    fn endpoints_beyond_the_bound_are_recorded_as_other() {
        let mut recorder = Recorder::default();
        for at in 0..limits::ENDPOINTS_MAX + 10 {
            let endpoint = recorder.endpoint(&EndpointKey::request("GET", &format!("/{at}")));
            recorder.record(&sample(endpoint, 1, None));
        }
        let measured = recorder.drain();
        assert_eq!(measured.endpoints[&EndpointKey::other(EndpointKind::Request)].requests(), 10);
        assert_eq!(measured.total().requests(), limits::ENDPOINTS_MAX as u64 + 10);
    }

    #[test]
    fn long_names_are_cut_and_counted_together() {
        let mut recorder = Recorder::default();
        for ending in ["a", "b"] {
            let name = "é".repeat(100_000) + ending;
            let endpoint = recorder.endpoint(&EndpointKey::request("GET", &name));
            recorder.record(&sample(endpoint, 1, None));
        }
        let measured = recorder.drain();
        let (key, endpoint) = measured.endpoints.first_key_value().expect("recorded");
        assert_eq!((endpoint.requests(), key.name.chars().count()), (2, limits::ENDPOINT_NAME_CHARS_MAX));
    }

    #[test]
    fn percentiles_over_several_drains_are_exact_to_the_digits_promised() {
        let mut recorder = Recorder::default();
        let endpoint = recorder.endpoint(&EndpointKey::request("GET", "/"));
        let mut all = Measurements::default();
        for latency_us in 1..=100_000 {
            recorder.record(&sample(endpoint, latency_us, None));
            if latency_us % 7_000 == 0 {
                all.merge(&recorder.drain());
            }
        }
        all.merge(&recorder.drain());
        let latency = all.total().latency();
        for (quantile, exact) in [(0.5, 50_000.0), (0.95, 95_000.0), (0.999, 99_900.0)] {
            let found = latency.quantile_us(quantile).expect("not empty") as f64;
            assert!((found - exact).abs() / exact <= 0.001, "p{quantile}: {found} is not {exact}");
        }
    }

    #[test]
    fn in_an_open_model_latency_counts_from_when_a_request_was_due() {
        let mut recorder = Recorder::default();
        let endpoint = recorder.endpoint(&EndpointKey::request("GET", "/"));
        recorder.record(&Sample { lag_us: Some(1_000), ..sample(endpoint, 10, None) });
        recorder.record(&Sample { lag_us: Some(0), ..sample(endpoint, 20, Some("boom")) });
        let total = recorder.drain().total();
        assert_eq!((total.latency().max_us(), total.latency().min_us()), (Some(1_010), Some(20)));
        assert_eq!((total.service_latency().max_us(), total.requests()), (Some(20), 2));
    }

    #[test]
    fn a_value_beyond_the_range_keeps_its_exact_maximum() {
        let mut recorder = Recorder::default();
        let endpoint = recorder.endpoint(&EndpointKey::request("GET", "/"));
        let long_us = limits::LATENCY_MAX.as_micros() as u64 * 2;
        recorder.record(&sample(endpoint, long_us, None));
        assert_eq!(recorder.drain().total().latency().max_us(), Some(long_us));
    }

    #[test]
    fn an_exception_is_news_once_between_two_drains() {
        let mut recorder = Recorder::default();
        let news: Vec<_> = ["a", "a", "b", "a"].map(|message| recorder.record_exception(message, "")).into();
        assert_eq!(news, [true, false, true, false]);
        assert_eq!(recorder.drain().exceptions.values().map(|exception| exception.count).sum::<u64>(), 4);
        assert!(recorder.record_exception("a", ""));
        let distinct = (0..limits::EXCEPTIONS_MAX * 2).map(|at| recorder.record_exception(&at.to_string(), ""));
        assert_eq!(distinct.filter(|news| *news).count(), limits::EXCEPTIONS_MAX, "what is not kept apart is one kind");
    }

    #[test]
    fn long_error_texts_are_cut_at_a_character() {
        assert_eq!(bounded(&"é".repeat(1_000)).chars().count(), limits::ERROR_TEXT_CHARS_MAX + 1);
    }

    proptest! {
        #[test]
        fn splitting_over_recorders_and_intervals_changes_nothing(
            samples in prop::collection::vec((0_usize..4, 0_u64..10_000_000, any::<bool>(), 0_usize..3), 0..200),
        ) {
            let keys: Vec<_> = (0..4).map(|at| EndpointKey::request("GET", &format!("/{at}"))).collect();
            let (mut one, mut many) = (Recorder::default(), [(); 3].map(|()| Recorder::default()));
            let mut merged = Measurements::default();
            for (at, &(endpoint, latency_us, failed, recorder)) in samples.iter().enumerate() {
                let failure = failed.then_some("failed");
                let id = one.endpoint(&keys[endpoint]);
                one.record(&sample(id, latency_us, failure));
                let id = many[recorder].endpoint(&keys[endpoint]);
                many[recorder].record(&sample(id, latency_us, failure));
                if at % 50 == 0 {
                    merged.merge(&many[recorder].drain());
                }
            }
            many.iter_mut().for_each(|recorder| merged.merge(&recorder.drain()));
            prop_assert_eq!(one.drain(), merged);
        }
    }
}
