//! The last lines of the log, for whoever looks on from elsewhere.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use akrida_core::limits;

/// The last lines of this process's log, oldest first.
#[must_use]
pub fn recent_lines() -> Vec<String> {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
}

/// There is one log in a process.
static RECENT: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Keeps what is written to it. Each write is one entry, of one or more lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recent;

impl Write for Recent {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        keep(&mut RECENT.lock().unwrap_or_else(PoisonError::into_inner), &String::from_utf8_lossy(entry));
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn keep(kept: &mut VecDeque<String>, entry: &str) {
    for line in entry.lines() {
        let end = line.floor_char_boundary(limits::LOG_LINE_KEPT_BYTES_MAX);
        if kept.len() == limits::LOG_LINES_KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(line[..end].to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_long_ones_cut() {
        let mut kept = VecDeque::new();
        keep(&mut kept, "first\n");
        let long = "é".repeat(limits::LOG_LINE_KEPT_BYTES_MAX);
        (0..limits::LOG_LINES_KEPT_MAX).for_each(|_| keep(&mut kept, &long));
        assert_eq!(kept.len(), limits::LOG_LINES_KEPT_MAX);
        assert!(kept.iter().all(|line| line.len() <= limits::LOG_LINE_KEPT_BYTES_MAX && line.starts_with('é')));
        keep(&mut kept, "two\nlines\n");
        assert_eq!(kept.iter().skip(limits::LOG_LINES_KEPT_MAX - 2).collect::<Vec<_>>(), ["two", "lines"]);
    }
}
