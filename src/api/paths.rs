//! The paths of the web port.

/// Starts a run (POST), lists runs (GET).
pub const RUNS: &str = "/api/v1/runs";

/// A run: its summary.
pub const RUN: &str = "/api/v1/runs/{id}";

/// The whole view of a run, as MessagePack.
pub const RUN_VIEW: &str = "/api/v1/runs/{id}/view";

/// The view of the active or last run as this master knows it; waits for a newer one with `wait_ms`.
pub const CURRENT_VIEW: &str = "/api/v1/runs/current/view";

/// Stops a run.
pub const RUN_STOP: &str = "/api/v1/runs/{id}/stop";

/// Changes the users of a run.
pub const RUN_EDIT: &str = "/api/v1/runs/{id}/edit";

/// Forgets the statistics of a run so far.
pub const RUN_RESET: &str = "/api/v1/runs/{id}/reset";

/// The scenario of runs that bring none.
pub const SCENARIO: &str = "/api/v1/scenario";

/// The live feed, a WebSocket; goes on after an entry of the log with `after`.
pub const FEED: &str = "/api/v1/feed";

/// The state of the cluster, as its leader knows it; with `local=true` as the asked master knows it.
pub const CLUSTER: &str = "/api/v1/cluster";

/// Hands the lead to another master.
pub const CLUSTER_TRANSFER: &str = "/api/v1/cluster/transfer";

/// Adds a master.
pub const CLUSTER_ADD: &str = "/api/v1/cluster/add";

/// Removes a master.
pub const CLUSTER_REMOVE: &str = "/api/v1/cluster/remove";

/// Lets a master with an empty data folder take the place of the one of its name.
pub const CLUSTER_REPLACE: &str = "/api/v1/cluster/replace";

/// The replicated state as bytes, as the asked master has applied it.
pub const CLUSTER_SNAPSHOT: &str = "/api/v1/cluster/snapshot";

/// What the asked master has applied, in short.
pub const CLUSTER_DIGEST: &str = "/api/v1/cluster/digest";

/// A path with a run's id in it.
#[must_use]
pub fn of_run(path: &str, run: &str) -> String {
    path.replace("{id}", run)
}
