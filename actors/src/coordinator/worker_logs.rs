//! What the logs of workers say, as far as workers have told this master.

use std::collections::BTreeMap;
use std::sync::Arc;

use akrida_core::ids::WorkerId;
use akrida_core::limits;

/// The last lines of the log of each worker, oldest first. They are for people who look on, and are not replicated: a new
/// leader is told anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerLogs(BTreeMap<WorkerId, Vec<Arc<str>>>);

impl WorkerLogs {
    /// The lines by worker.
    pub fn iter(&self) -> impl Iterator<Item = (&WorkerId, &[Arc<str>])> {
        self.0.iter().map(|(worker, lines)| (worker, &lines[..]))
    }

    /// Keeps the lines of a worker in place of earlier ones, and only those of workers that are known.
    pub(super) fn keep(&mut self, worker: &WorkerId, lines: &[Arc<str>], is_known: impl Fn(&WorkerId) -> bool) {
        self.0.retain(|worker, _| is_known(worker));
        if is_known(worker) {
            let last = &lines[lines.len().saturating_sub(limits::WORKER_LOG_LINES_MAX)..];
            self.0.insert(worker.clone(), last.iter().map(shortened).collect());
        }
    }
}

fn shortened(line: &Arc<str>) -> Arc<str> {
    let end = line.floor_char_boundary(limits::WORKER_LOG_LINE_BYTES_MAX);
    if end == line.len() { Arc::clone(line) } else { line[..end].into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(name: &str) -> WorkerId {
        WorkerId(name.into())
    }

    #[test]
    fn only_known_workers_have_lines_and_only_the_last_ones() {
        let mut logs = WorkerLogs::default();
        let many: Vec<Arc<str>> = (0..limits::WORKER_LOG_LINES_MAX + 5).map(|n| n.to_string().into()).collect();
        logs.keep(&worker("a"), &many, |_| true);
        logs.keep(&worker("stranger"), &many, |worker| &*worker.0 == "a");
        let kept: Vec<_> = logs.iter().collect();
        assert_eq!((kept.len(), kept[0].1.len(), &*kept[0].1[0]), (1, limits::WORKER_LOG_LINES_MAX, "5"));
        logs.keep(&worker("b"), &["é".repeat(limits::WORKER_LOG_LINE_BYTES_MAX).into()], |worker| &*worker.0 == "b");
        let kept: Vec<_> = logs.iter().collect();
        assert_eq!((kept.len(), kept[0].0, kept[0].1[0].len()), (1, &worker("b"), limits::WORKER_LOG_LINE_BYTES_MAX));
    }
}
