//! The end of the process when the log cannot be trusted to go on.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The exit code after an internal failure, as in sysexits.h.
const EXIT_INTERNAL: i32 = 70;

/// Ends the process: the disk holds everything that others rely on, and what is in memory may be ahead of it.
pub(super) fn end_process(reason: &str) -> ! {
    tracing::error!(reason, "the Raft log cannot go on; this process ends");
    eprintln!("akrida: the Raft log cannot go on: {reason}");
    std::process::exit(EXIT_INTERNAL)
}

/// Runs a thread's work; a panic ends the process.
pub(super) fn or_end_process(thread: &str, work: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        end_process(&format!("thread {thread} panicked: {text}"));
    }
}
