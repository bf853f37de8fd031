//! From the replicated state to what is shown.

use std::sync::Arc;

use super::validity::{Validity, ValidityLimits};
use super::{
    ArrivalsView, EndpointView, ErrorView, ExceptionView, Incidents, LostWorkerView, RunInfo, RunView, Status, history,
};
use crate::state::run::{Run, RunPhase};
use crate::stats::endpoint::{EndpointKey, EndpointKind};
use crate::stats::measurements::EndpointMeasurements;
use crate::stats::run::RunStats;

impl RunView {
    /// What there is to show of a run.
    #[must_use]
    pub fn of(run: &Run, limits: &ValidityLimits) -> Self {
        let stats = run.stats();
        let users = stats.users_per_class();
        let classes = run.spec().classes.iter().cloned();
        let (requests, groups) = endpoints(stats).partition(|(kind, _)| *kind == EndpointKind::Request);
        let views = |lines: Vec<(EndpointKind, EndpointView)>| lines.into_iter().map(|(_, view)| view).collect();
        Self {
            run: info(run),
            status: status(run),
            elapsed_s: elapsed_s(stats),
            user_count: users.iter().sum(),
            users_per_class: classes.zip(users.into_iter().chain(std::iter::repeat(0))).collect(),
            endpoints: views(requests),
            groups: views(groups),
            total: endpoint(
                stats,
                &EndpointKey::request("", "Aggregated"),
                &stats.total.total(),
                &stats.current_total(),
            ),
            errors: errors(run),
            exceptions: exceptions(stats),
            generator_errors: stats.total.generator_errors.iter().map(|(kind, n)| (Arc::clone(kind), *n)).collect(),
            http_exchanges: stats.total.http_exchanges,
            interrupted: stats.total.interrupted,
            schedule_lag: stats.total.schedule_lag.clone(),
            arrivals: arrivals(run),
            thresholds: run.threshold_results(),
            history: history::points(run),
            incidents: incidents(run),
            validity: Validity::judge(stats, arrivals(run), limits)
                .without_figures_of(run.missing())
                .of_run_that_stopped(run.stop_reason(), &incidents(run))
                .after(&incidents(run), run.plan().users_max()),
        }
    }
}

fn info(run: &Run) -> RunInfo {
    let spec = run.spec();
    let serving = spec.plan.arrivals().map(|arrivals| arrivals.users_max);
    RunInfo {
        id: run.id(),
        scenario: Arc::clone(&spec.scenario),
        host: spec.host.clone(),
        profile: spec.profile.clone(),
        started_unix_ms: run.started_unix_ms(),
        ended_unix_ms: run.ended_unix_ms(),
        statistics_since_unix_ms: unix_ms(run, run.stats().since_us),
        target_users: serving.unwrap_or_else(|| spec.plan.last_target()),
        users_max: spec.plan.users_max(),
        stages: spec.plan.stages().len(),
        spawn_rate_per_s: spec.plan.last_rate().as_per_second(),
        warm_up_s: spec.warm_up_ms as f64 / 1e3,
        stop_reason: run.stop_reason(),
        run_time_s: spec.run_time_ms.map(|ms| ms as f64 / 1e3),
        classes: spec.classes.clone(),
    }
}

fn status(run: &Run) -> Status {
    let at_us = run.stats().until_us;
    match run.phase() {
        RunPhase::Preparing => Status::Spawning,
        RunPhase::Active if at_us < run.plan().last_target_reached_us() => Status::Spawning,
        RunPhase::Active => Status::Running,
        RunPhase::Stopping => Status::Stopping,
        RunPhase::Ended => Status::Stopped,
    }
}

fn arrivals(run: &Run) -> Option<ArrivalsView> {
    let plan = run.plan().arrivals()?;
    let stats = run.stats();
    let counted = stats.total.arrivals;
    Some(ArrivalsView {
        peak: plan.peak(),
        distribution: plan.distribution,
        due: run.arrivals_due(),
        started: counted.started,
        late: counted.late,
        dropped: counted.dropped,
        missed: run.missed_arrivals(),
    })
}

fn incidents(run: &Run) -> Incidents {
    let seconds = |us: u64| us as f64 / 1e6;
    let lost = run.losses().iter().map(|loss| LostWorkerView {
        worker: loss.worker.clone(),
        at_s: seconds(loss.at_us),
        reported_until_s: seconds(loss.reported_until_us),
        reason: loss.reason,
    });
    Incidents {
        lost_workers: lost.collect(),
        excluded_workers: run.excluded().map(|(worker, reason)| (worker.clone(), Arc::clone(reason))).collect(),
        leader_changes_s: run.elections_us().iter().map(|us| seconds(*us)).collect(),
        idle_users_max: run.idle_users_max(),
        burnt_rows: run.burnt_rows(),
    }
}

fn elapsed_s(stats: &RunStats) -> f64 {
    stats.until_us.saturating_sub(stats.since_us) as f64 / 1e6
}

pub(super) fn unix_ms(run: &Run, plan_us: u64) -> u64 {
    run.started_unix_ms().saturating_add(plan_us / 1_000)
}

fn endpoints(stats: &RunStats) -> impl Iterator<Item = (EndpointKind, EndpointView)> + '_ {
    stats.total.endpoints.iter().map(|(key, total)| (key.kind, endpoint(stats, key, total, &stats.current(key))))
}

fn endpoint(
    stats: &RunStats,
    key: &EndpointKey,
    total: &EndpointMeasurements,
    current: &EndpointMeasurements,
) -> EndpointView {
    let per_s = |count: u64, seconds: f64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
    let (elapsed_s, window_s) = (elapsed_s(stats), stats.current_window_s());
    EndpointView {
        method: Arc::clone(&key.method),
        name: Arc::clone(&key.name),
        requests: total.requests(),
        failures: total.failures(),
        current_rps: per_s(current.requests(), window_s),
        current_failures_per_s: per_s(current.failures(), window_s),
        total_rps: per_s(total.requests(), elapsed_s),
        total_failures_per_s: per_s(total.failures(), elapsed_s),
        content_bytes: total.content_bytes,
        latency: total.latency(),
        service_latency: (!total.corrected.is_empty()).then(|| total.service_latency()),
        ok_latency: total.ok_latency.clone(),
        current_latency: current.latency(),
        connect: total.connect.clone(),
        tls: total.tls.clone(),
        first_byte: total.first_byte.clone(),
    }
}

fn errors(run: &Run) -> Vec<ErrorView> {
    let view =
        |(key, count): (&crate::stats::measurements::ErrorKey, &crate::stats::measurements::ErrorCount)| ErrorView {
            method: Arc::clone(&key.endpoint.method),
            name: Arc::clone(&key.endpoint.name),
            error: Arc::clone(&key.text),
            occurrences: count.occurrences,
            first_seen_unix_ms: unix_ms(run, count.first_seen_us),
            last_seen_unix_ms: unix_ms(run, count.last_seen_us),
        };
    run.stats().total.errors.iter().map(view).collect()
}

fn exceptions(stats: &RunStats) -> Vec<ExceptionView> {
    let exceptions = stats.total.exceptions.iter().map(|(key, count)| ExceptionView {
        count: count.count,
        message: Arc::clone(&key.message),
        traceback: Arc::clone(&key.traceback),
        nodes: count.nodes.iter().map(|worker| Arc::clone(&worker.0)).collect(),
    });
    exceptions.collect()
}
