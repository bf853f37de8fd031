//! What was measured in some span of time, by some part of a cluster. Measurements merge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::endpoint::EndpointKey;
use super::histogram::Histogram;
use crate::ids::WorkerId;
use crate::limits;

/// Everything that was measured in a span.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurements {
    /// Per endpoint; at most `limits::ENDPOINTS_MAX` of each kind and one "(other)".
    pub endpoints: BTreeMap<EndpointKey, EndpointMeasurements>,
    /// Failures by endpoint and text; at most `limits::ERRORS_MAX` and "(other)".
    pub errors: BTreeMap<ErrorKey, ErrorCount>,
    /// Panics and errors of scenario code, by message and trace; at most `limits::EXCEPTIONS_MAX` and "(other)".
    pub exceptions: BTreeMap<ExceptionKey, ExceptionCount>,
    /// What the generator itself could not do, by kind (out of descriptors, out of ports): neither requests nor
    /// failures of the target.
    pub generator_errors: BTreeMap<Arc<str>, u64>,
    /// Requests that were written to the wire in full and then answered, failed or timed out, redirects included.
    pub http_exchanges: u64,
    /// Requests in flight that were cut off because the run stopped.
    pub interrupted: u64,
    /// How late the generator started what it had planned: users, tasks after a wait, arrivals.
    pub schedule_lag: Option<Histogram>,
    /// Arrivals of an open model.
    pub arrivals: Arrivals,
}

/// What became of the arrivals of an open model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrivals {
    /// Those that were due, as the arbiters drew them.
    pub due: u64,
    /// Those that a user took up.
    pub started: u64,
    /// Those for which no user was free when they were due; they are started or dropped later.
    pub late: u64,
    /// Those that were given up: by policy, after waiting too long, or because the run stopped.
    pub dropped: u64,
}

impl Arrivals {
    fn merge(&mut self, other: Self) {
        self.due = self.due.saturating_add(other.due);
        self.started = self.started.saturating_add(other.started);
        self.late = self.late.saturating_add(other.late);
        self.dropped = self.dropped.saturating_add(other.dropped);
    }
}

/// What was measured at one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointMeasurements {
    /// Latencies of requests that passed.
    pub ok_latency: Histogram,
    /// Latencies of requests that failed.
    pub failed_latency: Histogram,
    /// In an open model: latencies of all requests from when they were due, not from when they were sent. Empty in a
    /// closed model, where nothing is due.
    pub corrected: Histogram,
    /// Bytes of response bodies, decoded from no content encoding.
    pub content_bytes: u64,
    /// Time to establish a TCP connection, of requests that did, name look-up included.
    pub connect: Histogram,
    /// Time of the TLS handshake, of requests that did one.
    pub tls: Histogram,
    /// Time from the start of a request to the first byte of its response, of requests that got one.
    pub first_byte: Histogram,
}

/// The identity of a kind of failure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ErrorKey {
    /// Where.
    pub endpoint: EndpointKey,
    /// What, at most `limits::ERROR_TEXT_CHARS_MAX` characters.
    pub text: Arc<str>,
}

/// How often and when a failure was seen, in microseconds of plan time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorCount {
    /// How often.
    pub occurrences: u64,
    /// First time.
    pub first_seen_us: u64,
    /// Last time.
    pub last_seen_us: u64,
}

/// The identity of an exception.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExceptionKey {
    /// What happened.
    pub message: Arc<str>,
    /// Where it happened.
    pub traceback: Arc<str>,
}

/// How often and where an exception was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionCount {
    /// How often.
    pub count: u64,
    /// On which workers.
    pub nodes: BTreeSet<WorkerId>,
}

impl Default for EndpointMeasurements {
    fn default() -> Self {
        Self {
            ok_latency: Histogram::new(limits::LATENCY_DIGITS),
            failed_latency: Histogram::new(limits::LATENCY_DIGITS),
            corrected: Histogram::new(limits::LATENCY_DIGITS),
            content_bytes: 0,
            connect: Histogram::new(limits::PHASE_DIGITS),
            tls: Histogram::new(limits::PHASE_DIGITS),
            first_byte: Histogram::new(limits::PHASE_DIGITS),
        }
    }
}

impl EndpointMeasurements {
    /// All requests, failed ones included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.ok_latency.count().saturating_add(self.failed_latency.count())
    }

    /// Failed requests.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failed_latency.count()
    }

    /// Latencies of all requests, failed ones included. In an open model they count from when a request was due, so that
    /// a target that stalls cannot hide how long its users waited (coordinated omission).
    #[must_use]
    pub fn latency(&self) -> Histogram {
        if self.corrected.is_empty() { self.service_latency() } else { self.corrected.clone() }
    }

    /// Latencies of all requests from when they were sent.
    #[must_use]
    pub fn service_latency(&self) -> Histogram {
        let mut all = self.ok_latency.clone();
        all.merge(&self.failed_latency);
        all
    }

    /// Adds what was measured elsewhere or at another time.
    pub fn merge(&mut self, other: &Self) {
        self.ok_latency.merge(&other.ok_latency);
        self.failed_latency.merge(&other.failed_latency);
        self.corrected.merge(&other.corrected);
        self.content_bytes = self.content_bytes.saturating_add(other.content_bytes);
        self.connect.merge(&other.connect);
        self.tls.merge(&other.tls);
        self.first_byte.merge(&other.first_byte);
    }
}

impl Measurements {
    /// Adds what was measured elsewhere or at another time. What exceeds a bound is counted under "(other)", so that
    /// the totals stay whole.
    pub fn merge(&mut self, other: &Self) {
        for (key, measured) in &other.endpoints {
            let key = self.admitted(key);
            self.endpoints.entry(key).or_default().merge(measured);
        }
        for (key, count) in &other.errors {
            self.merge_error(key, *count);
        }
        for (key, count) in &other.exceptions {
            self.merge_exception(key, count);
        }
        for (kind, count) in &other.generator_errors {
            *self.generator_errors.entry(Arc::clone(kind)).or_default() += count;
        }
        self.http_exchanges = self.http_exchanges.saturating_add(other.http_exchanges);
        self.interrupted = self.interrupted.saturating_add(other.interrupted);
        self.arrivals.merge(other.arrivals);
        if let Some(lag) = &other.schedule_lag {
            self.schedule_lag.get_or_insert_with(|| Histogram::new(lag.digits())).merge(lag);
        }
    }

    /// Says on which worker the exceptions happened.
    pub fn stamp(&mut self, worker: &WorkerId) {
        for count in self.exceptions.values_mut() {
            count.nodes.insert(worker.clone());
        }
    }

    /// All requests together: the line "Aggregated".
    #[must_use]
    pub fn total(&self) -> EndpointMeasurements {
        let mut total = EndpointMeasurements::default();
        for (key, measured) in &self.endpoints {
            if key.kind == super::endpoint::EndpointKind::Request {
                total.merge(measured);
            }
        }
        total
    }

    fn admitted(&self, key: &EndpointKey) -> EndpointKey {
        let full = || self.endpoints.keys().filter(|known| known.kind == key.kind).count() >= limits::ENDPOINTS_MAX;
        if self.endpoints.contains_key(key) || !full() { key.clone() } else { EndpointKey::other(key.kind) }
    }

    fn merge_error(&mut self, key: &ErrorKey, count: ErrorCount) {
        let endpoint = if self.endpoints.contains_key(&key.endpoint) {
            key.endpoint.clone()
        } else {
            EndpointKey::other(key.endpoint.kind)
        };
        let mut key = ErrorKey { endpoint, text: Arc::clone(&key.text) };
        if !self.errors.contains_key(&key) && self.errors.len() >= limits::ERRORS_MAX {
            key.endpoint = EndpointKey::other(key.endpoint.kind);
            key.text = limits::OTHER.into();
        }
        self.errors.entry(key).and_modify(|known| known.merge(count)).or_insert(count);
    }

    fn merge_exception(&mut self, key: &ExceptionKey, count: &ExceptionCount) {
        let full = !self.exceptions.contains_key(key) && self.exceptions.len() >= limits::EXCEPTIONS_MAX;
        let key = if full { ExceptionKey::other() } else { key.clone() };
        let known = self.exceptions.entry(key).or_default();
        known.count = known.count.saturating_add(count.count);
        known.nodes.extend(count.nodes.iter().cloned());
    }
}

impl ErrorCount {
    /// Adds further occurrences.
    pub fn merge(&mut self, other: Self) {
        self.occurrences = self.occurrences.saturating_add(other.occurrences);
        self.first_seen_us = self.first_seen_us.min(other.first_seen_us);
        self.last_seen_us = self.last_seen_us.max(other.last_seen_us);
    }
}

impl ExceptionKey {
    /// The entry that collects what exceeds `limits::EXCEPTIONS_MAX`.
    #[must_use]
    pub fn other() -> Self {
        Self { message: limits::OTHER.into(), traceback: "".into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str) -> Measurements {
        let mut measured = Measurements::default();
        let key = EndpointKey::request("GET", name);
        measured.endpoints.entry(key.clone()).or_default().failed_latency.record(5);
        let count = ErrorCount { occurrences: 1, first_seen_us: 7, last_seen_us: 7 };
        measured.errors.insert(ErrorKey { endpoint: key, text: "boom".into() }, count);
        measured.http_exchanges = 1;
        measured
    }

    #[test]
    fn beyond_the_bound_endpoints_fold_into_other_and_totals_stay_whole() {
        let mut all = Measurements::default();
        let count = limits::ENDPOINTS_MAX + 50;
        (0..count).for_each(|at| all.merge(&one(&format!("/{at}"))));
        assert_eq!(all.endpoints.len(), limits::ENDPOINTS_MAX + 1);
        let other = &all.endpoints[&EndpointKey::other(super::super::endpoint::EndpointKind::Request)];
        assert_eq!(other.requests(), 50);
        assert_eq!((all.total().requests(), all.total().failures()), (count as u64, count as u64));
        assert!(all.errors.len() <= limits::ERRORS_MAX + 1);
        assert_eq!(all.errors.values().map(|error| error.occurrences).sum::<u64>(), count as u64);
    }

    #[test]
    fn errors_keep_their_first_and_last_time() {
        let mut left = ErrorCount { occurrences: 2, first_seen_us: 10, last_seen_us: 20 };
        left.merge(ErrorCount { occurrences: 3, first_seen_us: 5, last_seen_us: 15 });
        assert_eq!(left, ErrorCount { occurrences: 5, first_seen_us: 5, last_seen_us: 20 });
    }
}
