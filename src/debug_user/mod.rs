//! Prints what a single user does, in full, so that one sees why a scenario does not do what it should.
//!
//! - [`DebugPrinter`]: an observer that writes each event to standard output as it happens
//! - `secrets`: which headers are masked

mod secrets;
mod text;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::Write as _;

use akrida_actors::observe::{Event, Observer};

/// Writes what the observed user does to standard output.
#[derive(Debug, Default)]
pub struct DebugPrinter {
    /// Whether values of `Authorization`, `Cookie` and the like are shown.
    shows_secrets: bool,
    /// The variables as they were shown last.
    variables: RefCell<BTreeMap<String, String>>,
    failures: Cell<u64>,
}

impl DebugPrinter {
    /// A printer, which shows secrets or masks them.
    #[must_use]
    pub fn new(shows_secrets: bool) -> Self {
        Self { shows_secrets, ..Self::default() }
    }

    /// Failed samples, errors of the scenario and limits of this machine so far.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.get()
    }

    /// The lines of an event; none for one that has nothing new to say.
    fn lines(&self, event: &Event<'_>) -> String {
        match event {
            Event::Variables(variables) => text::changes(&mut self.variables.borrow_mut(), variables),
            other => text::of(other, self.shows_secrets),
        }
    }
}

impl Observer for DebugPrinter {
    fn see(&self, event: &Event<'_>) {
        let failed = match event {
            Event::Samples { failure, .. } => failure.is_some(),
            Event::Raises(_) | Event::Limited(_) => true,
            _ => false,
        };
        self.failures.set(self.failures.get() + u64::from(failed));
        let lines = self.lines(event);
        let mut stdout = std::io::stdout().lock();
        if let Err(error) = stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush()) {
            tracing::debug!(%error, "standard output is closed");
        }
    }
}
