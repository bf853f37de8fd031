//! Log lines while the view is up.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

use super::limits::{LOG_LINE_BYTES_MAX, LOG_LINES_MAX};

/// Where to write the log: standard error, or above the block of the live view while there is one on that terminal.
///
/// Whoever logs never waits for the view. If more is logged than it prints, it says how many lines were left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogLines;

impl MakeWriter<'_> for LogLines {
    type Writer = LogEntry;

    fn make_writer(&self) -> Self::Writer {
        LogEntry::default()
    }
}

/// One entry of the log, of one or more lines. It is passed on as a whole when it is dropped.
#[derive(Debug, Default)]
pub struct LogEntry(Vec<u8>);

impl Write for LogEntry {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogEntry {
    fn drop(&mut self) {
        let mut waiting = waiting();
        if waiting.held {
            waiting.push(&String::from_utf8_lossy(&self.0));
        } else {
            // There is nowhere to complain that standard error is gone.
            let _ = io::stderr().write_all(&self.0);
        }
    }
}

/// From now on lines wait for the view, unless standard error leads elsewhere than to a terminal.
pub(super) fn hold() {
    waiting().held = io::stderr().is_terminal();
}

/// The lines that have come since the last time.
pub(super) fn take() -> Vec<String> {
    waiting().take()
}

/// From now on lines go to standard error again, those that still wait first.
pub(super) fn release() {
    let mut waiting = waiting();
    waiting.held = false;
    for line in waiting.take() {
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// There is one log and one terminal in a process.
static WAITING: Mutex<Waiting> = Mutex::new(Waiting { held: false, lines: VecDeque::new(), left_out: 0 });

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, Default)]
struct Waiting {
    held: bool,
    lines: VecDeque<String>,
    left_out: u64,
}

impl Waiting {
    fn push(&mut self, entry: &str) {
        for line in entry.lines() {
            if self.lines.len() < LOG_LINES_MAX {
                self.lines.push_back(shortened(line));
            } else {
                self.left_out += 1;
            }
        }
    }

    fn take(&mut self) -> Vec<String> {
        let left_out = std::mem::take(&mut self.left_out);
        let note = (left_out > 0).then(|| format!("… {left_out} more log lines were left out"));
        self.lines.drain(..).chain(note).collect()
    }
}

fn shortened(line: &str) -> String {
    let end = line.floor_char_boundary(LOG_LINE_BYTES_MAX);
    if end == line.len() { line.to_owned() } else { format!("{}…", &line[..end]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut waiting = Waiting::default();
        (0..LOG_LINES_MAX - 1).for_each(|n| waiting.push(&format!("{n}\n")));
        waiting.push("one fits\ntwo do\nnot\n");
        let taken = waiting.take();
        assert_eq!(taken.len(), LOG_LINES_MAX + 1);
        assert_eq!(taken[LOG_LINES_MAX - 1..], ["one fits", "… 2 more log lines were left out"]);
        assert!(waiting.take().is_empty(), "the note comes once");
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let shown = shortened(&"é".repeat(LOG_LINE_BYTES_MAX));
        assert_eq!(shown.chars().count(), LOG_LINE_BYTES_MAX / 2 + 1);
        assert!(shown.ends_with("é…"));
    }
}
