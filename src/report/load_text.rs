//! The load of a run in words: its model, its warm-up, and why it stopped.

use akrida_core::state::command::StopReason;
use akrida_core::stats::histogram::Histogram;
use akrida_core::view::{RunInfo, RunView};

use super::numbers::{finite, grouped};
use super::{duration_text, milliseconds};

/// The sentence that goes with the latencies of an open model.
pub const LATENCY_FROM_DUE: &str = "Latency counts from when a request was due";

/// The title of the percentiles that count from when a request was sent.
pub const SERVICE_TIME: &str = "Service time (from when it was sent)";

/// The model: "closed" when users decide about the next request, "open" when arrivals come at a rate.
#[must_use]
pub fn model(view: &RunView) -> &'static str {
    if view.arrivals.is_some() { "open" } else { "closed" }
}

/// "closed: up to 100 users, spawned at 10 per second, for 1 minute".
#[must_use]
pub fn model_in_words(view: &RunView) -> String {
    let run = &view.run;
    let limit = match run.run_time_s {
        Some(seconds) => format!(", for {}", seconds_in_words(finite(seconds))),
        None => String::new(),
    };
    let users = format!("{} {}", grouped(run.users_max), if run.users_max == 1 { "user" } else { "users" });
    match &view.arrivals {
        Some(arrivals) => {
            let peak = arrivals.peak.as_per_second();
            let distribution = arrivals.distribution.as_str();
            format!("open: up to {peak} arrivals per second ({distribution}), served by at most {users}{limit}")
        }
        None if run.stages > 1 => format!("closed: up to {users}, in {} stages{limit}", run.stages),
        None => format!("closed: up to {users}, spawned at {} per second{limit}", finite(run.spawn_rate_per_s)),
    }
}

/// What a warm-up means for the figures; `None` for a run without one.
#[must_use]
pub fn warm_up(run: &RunInfo) -> Option<String> {
    let warm_up_s = Some(finite(run.warm_up_s)).filter(|seconds| *seconds > 0.0)?;
    let length = seconds(warm_up_s);
    Some(if run.is_warming_up() {
        format!("not over when the run ended: these are figures of the warm-up of {length}")
    } else {
        format!("the first {length} do not count")
    })
}

/// "p50 1.21 ms, p99 4.45 ms, max 28 ms"; `None` if nothing was planned.
#[must_use]
pub fn schedule_lag(lag: &Histogram) -> Option<String> {
    let [p50, p99, max] = [lag.quantile_us(0.5)?, lag.quantile_us(0.99)?, lag.max_us()?].map(milliseconds::for_table);
    Some(format!("p50 {p50} ms, p99 {p99} ms, max {max} ms"))
}

/// Why a run stopped, as a key of the summary.
#[must_use]
pub fn stop_reason(reason: StopReason) -> &'static str {
    match reason {
        StopReason::RunTime => "run_time",
        StopReason::Requested => "requested",
        StopReason::Threshold => "threshold",
        StopReason::DataExhausted => "data_exhausted",
        StopReason::WorkerLost => "worker_lost",
        StopReason::NoWorkerReady => "no_worker_ready",
    }
}

/// "10 s", "1.5 s".
fn seconds(seconds: f64) -> String {
    format!("{seconds} s")
}

/// Whole seconds in words, others as "1.5 s".
fn seconds_in_words(length_s: f64) -> String {
    if length_s.fract() == 0.0 { duration_text::in_words(length_s as u64) } else { seconds(length_s) }
}

#[cfg(test)]
mod tests {
    use super::super::sample_view;
    use super::*;

    #[test]
    fn each_model_is_told_by_what_drives_it() {
        let mut view = sample_view::busy();
        assert_eq!(model_in_words(&view), "closed: up to 100 users, spawned at 10 per second, for 1 minute");
        (view.run.stages, view.run.users_max, view.run.target_users) = (3, 250, 0);
        assert_eq!(model_in_words(&view), "closed: up to 250 users, in 3 stages, for 1 minute");
        assert_eq!(
            model_in_words(&sample_view::open()),
            "open: up to 100 arrivals per second (poisson), served by at most 1 user, for 1.5 s"
        );
    }

    #[test]
    fn a_run_that_ends_in_its_warm_up_says_so() {
        let mut run = sample_view::open().run;
        assert_eq!(warm_up(&run).as_deref(), Some("the first 10 s do not count"));
        run.statistics_since_unix_ms = run.started_unix_ms;
        assert!(warm_up(&run).is_some_and(|text| text.starts_with("not over")));
        run.warm_up_s = 0.0;
        assert_eq!(warm_up(&run), None);
    }
}
