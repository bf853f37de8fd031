//! The log of a group of one: what is proposed is committed at once.

use akrida_core::ids::LogIndex;
use akrida_core::state::command::Command;
use akrida_core::state::{Applied, ClusterState, Entry};

/// A one-voter log that is kept in memory only: the state is what it has applied.
#[derive(Debug, Default)]
pub(super) struct LocalLog {
    state: ClusterState,
}

impl LocalLog {
    /// Commits and applies a command.
    pub(super) fn commit(&mut self, command: Command, now_unix_ms: u64) -> Applied {
        let index = LogIndex(self.state.applied().0 + 1);
        let time_ms = now_unix_ms.max(self.state.time_ms());
        self.state.apply(&Entry { index, time_ms, request: None, command })
    }

    /// The state as it is applied.
    pub(super) fn state(&self) -> &ClusterState {
        &self.state
    }
}
