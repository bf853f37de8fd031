//! Runs over HTTP.

use std::sync::Arc;

use akrida_core::ids::RunId;
use akrida_core::scenario::bundle::Bundle;
use akrida_core::state::command::{LossPolicy, Strategy};
use akrida_core::view::RunView;
use serde::{Deserialize, Serialize};

/// A run to start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StartRun {
    /// What the users do; that of the masters' own configuration if there is none.
    #[serde(default)]
    pub bundle: Option<Arc<Bundle>>,
    /// The peak number of users.
    #[serde(default = "one")]
    pub users: u64,
    /// Users started per second.
    #[serde(default = "one_per_second")]
    pub spawn_rate_per_s: f64,
    /// How long the run lasts, from its start; until it is stopped if `None`.
    #[serde(default)]
    pub run_time_ms: Option<u64>,
    /// How long running tasks may take to end when the run stops.
    #[serde(default)]
    pub stop_timeout_ms: u64,
    /// Whether the statistics start afresh once all users are spawned.
    #[serde(default)]
    pub reset_stats: bool,
    /// The label of the run.
    #[serde(default)]
    pub profile: Option<String>,
    /// Only workers with all these tags take part; all if there are none.
    #[serde(default)]
    pub select_tags: Vec<String>,
    /// What happens when a worker is lost; as the masters are configured if `None`.
    #[serde(default)]
    pub on_loss: Option<LossPolicy>,
    /// How the users are dealt to the workers; as the masters are configured if `None`.
    #[serde(default)]
    pub strategy: Option<Strategy>,
}

impl Default for StartRun {
    /// One user of the masters' own scenario, until it is stopped.
    fn default() -> Self {
        Self {
            bundle: None,
            users: one(),
            spawn_rate_per_s: one_per_second(),
            run_time_ms: None,
            stop_timeout_ms: 0,
            reset_stats: false,
            profile: None,
            select_tags: Vec::new(),
            on_loss: None,
            strategy: None,
        }
    }
}

fn one() -> u64 {
    1
}

fn one_per_second() -> f64 {
    1.0
}

/// A run that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Its id.
    pub run: String,
}

/// A change of the users of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EditRun {
    /// New target.
    pub users: u64,
    /// Users started or stopped per second to get there.
    pub spawn_rate_per_s: f64,
}

/// The answer to what has no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Always true.
    pub done: bool,
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunListed {
    /// Its id.
    pub id: String,
    /// The name of the scenario file.
    pub scenario: String,
    /// Its label.
    #[serde(default)]
    pub profile: Option<String>,
    /// Where it stands, in Locust's words.
    pub status: String,
    /// Start, milliseconds since the Unix epoch.
    pub started_unix_ms: u64,
    /// End, once it has ended.
    #[serde(default)]
    pub ended_unix_ms: Option<u64>,
    /// Users that exist.
    #[serde(default)]
    pub users: u64,
    /// Requests, failed ones included.
    #[serde(default)]
    pub requests: u64,
    /// Failed requests.
    #[serde(default)]
    pub failures: u64,
    /// Thresholds that were not kept.
    #[serde(default)]
    pub thresholds_missed: u64,
    /// Whether the generator spoiled the measurement.
    #[serde(default)]
    pub validity: String,
}

impl RunListed {
    /// The line of a run.
    #[must_use]
    pub fn of(view: &RunView) -> Self {
        Self {
            id: view.run.id.to_string(),
            scenario: view.run.scenario.to_string(),
            profile: view.run.profile.as_deref().map(str::to_owned),
            status: view.status.as_str().to_owned(),
            started_unix_ms: view.run.started_unix_ms,
            ended_unix_ms: view.run.ended_unix_ms,
            users: view.user_count,
            requests: view.total.requests,
            failures: view.total.failures,
            thresholds_missed: view.thresholds.iter().filter(|result| !result.verdict.is_kept()).count() as u64,
            validity: view.validity.verdict.as_str().to_owned(),
        }
    }
}

/// A run's id from its text: 16 hexadecimal digits.
#[must_use]
pub fn run_id(text: &str) -> Option<RunId> {
    let is_id = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| u64::from_str_radix(text, 16).ok().map(RunId)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        for id in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
            assert_eq!(run_id(&RunId(id).to_string()), Some(RunId(id)));
        }
        for bad in ["", "1", "+000000000000001", "0123456789abcdeg", "00123456789abcdef", "０１２３４５"] {
            assert_eq!(run_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_start_needs_nothing_but_what_has_no_default() {
        let start: StartRun = serde_json::from_str("{}").expect("a start");
        assert_eq!((start.users, start.bundle), (1, None));
    }
}
