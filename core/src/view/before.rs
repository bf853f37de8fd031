//! What there is to show before the first run.

use super::validity::{Validity, Verdict};
use super::{EndpointView, Incidents, RunInfo, RunView, Status};
use crate::ids::RunId;
use crate::limits;
use crate::stats::histogram::Histogram;

impl RunView {
    /// A run that was never started: ready, with an aggregate of nothing.
    #[must_use]
    pub fn before_the_first() -> Self {
        Self {
            run: RunInfo {
                id: RunId(0),
                scenario: "".into(),
                host: None,
                profile: None,
                started_unix_ms: 0,
                ended_unix_ms: None,
                statistics_since_unix_ms: 0,
                target_users: 0,
                users_max: 0,
                stages: 0,
                spawn_rate_per_s: 0.0,
                warm_up_s: 0.0,
                stop_reason: None,
                run_time_s: None,
                classes: Vec::new(),
            },
            status: Status::Ready,
            elapsed_s: 0.0,
            user_count: 0,
            users_per_class: Vec::new(),
            endpoints: Vec::new(),
            groups: Vec::new(),
            total: nothing(),
            errors: Vec::new(),
            exceptions: Vec::new(),
            generator_errors: Vec::new(),
            http_exchanges: 0,
            interrupted: 0,
            schedule_lag: None,
            arrivals: None,
            thresholds: Vec::new(),
            history: Vec::new(),
            incidents: Incidents::default(),
            validity: Validity { verdict: Verdict::Valid, reasons: Vec::new() },
        }
    }
}

fn nothing() -> EndpointView {
    let (latency, phase) = (Histogram::new(limits::LATENCY_DIGITS), Histogram::new(limits::PHASE_DIGITS));
    EndpointView {
        method: "".into(),
        name: "Aggregated".into(),
        requests: 0,
        failures: 0,
        current_rps: 0.0,
        current_failures_per_s: 0.0,
        total_rps: 0.0,
        total_failures_per_s: 0.0,
        content_bytes: 0,
        latency: latency.clone(),
        service_latency: None,
        ok_latency: latency.clone(),
        current_latency: latency,
        connect: phase.clone(),
        tls: phase.clone(),
        first_byte: phase,
    }
}
