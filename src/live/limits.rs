//! The bounds of the live view.

use std::time::Duration;

/// The shortest time between two drawings.
pub(super) const REDRAW_INTERVAL: Duration = Duration::from_millis(200);

/// Log lines that wait to be printed; more are counted and left out.
pub(super) const LOG_LINES_MAX: usize = 1_000;

/// Bytes of a log line that are printed while the view is up; the rest is cut.
pub(super) const LOG_LINE_BYTES_MAX: usize = 4_096;

/// How often the view looks for keys.
pub(super) const INPUT_INTERVAL: Duration = Duration::from_millis(50);

/// Bytes of input read at once: all that a terminal holds back.
pub(super) const INPUT_BYTES: usize = 4_096;

/// Age from which the figures shown are called old.
pub(super) const OLD_FIGURES: Duration = Duration::from_secs(3);

/// The most error lines that are shown.
pub(super) const ERROR_LINES_MAX: usize = 5;

/// Seconds of history that the sparkline covers, one column each.
pub(super) const SPARKLINE_S: u64 = 60;

/// How long the view leaves the terminal to the message of a panic.
pub(super) const PANIC_PAUSE: Duration = Duration::from_secs(1);

/// The share of the rows that the view leaves free, at least one: the newest log lines stay in sight there.
pub(super) const ROWS_FOR_LOG_SHARE: u16 = 6;
