//! Tells the leader what the worker's log says.

use std::sync::Arc;

use akrida_core::limits;
use akrida_core::wire::FromWorker;

/// Gives the last lines of the log of this process, oldest first.
pub type ReadLog = fn() -> Vec<String>;

/// What of the log was told to whom.
#[derive(Debug, Default)]
pub(super) struct LogTail {
    read: Option<ReadLog>,
    told: Option<(u64, Vec<Arc<str>>)>,
}

impl LogTail {
    /// A tail of this log.
    pub(super) fn of(read: ReadLog) -> Self {
        Self { read: Some(read), told: None }
    }

    /// What to tell a leader of this term: nothing if it knows all of it.
    pub(super) fn news_for(&mut self, term: u64) -> Option<FromWorker> {
        let all = self.read?();
        let last = &all[all.len().saturating_sub(limits::WORKER_LOG_LINES_MAX)..];
        let lines: Vec<Arc<str>> = last.iter().map(|line| cut(line).into()).collect();
        let news = Some((term, lines.clone()));
        if self.told == news {
            return None;
        }
        self.told = news;
        Some(FromWorker::Log { lines })
    }
}

fn cut(line: &str) -> &str {
    &line[..line.floor_char_boundary(limits::WORKER_LOG_LINE_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_is_told_once_and_a_new_one_again() {
        let mut tail = LogTail::of(|| (0..500).map(|number| format!("line {number}")).collect());
        let told = |news: Option<FromWorker>| match news {
            Some(FromWorker::Log { lines }) => Some((lines.len(), lines.last().map(ToString::to_string))),
            _ => None,
        };
        let all = Some((limits::WORKER_LOG_LINES_MAX, Some("line 499".to_owned())));
        assert_eq!(told(tail.news_for(3)), all);
        assert_eq!(told(tail.news_for(3)), None);
        assert_eq!(told(tail.news_for(4)), all);
        assert_eq!(LogTail::default().news_for(1), None);
    }
}
