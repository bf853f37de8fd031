//! How a task ends early.

use std::error::Error;
use std::fmt;

/// What a task gives.
pub type TaskResult<T = ()> = Result<T, TaskError>;

/// Why a task ended early. Any error becomes one with `?`, and is then counted as an exception; a request that failed
/// is in the statistics already and is not counted again.
pub struct TaskError(pub(super) Reason);

/// What is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Nothing: it is in the statistics.
    Recorded(String),
    /// It is an exception.
    Raised(String),
    /// The user ends for good.
    StopUser,
}

impl TaskError {
    /// An exception with this text. Keep it free of numbers and names that differ each time: equal texts are counted
    /// together.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Reason::Raised(text.into()))
    }

    /// Ends this user for good, after its `stop`.
    #[must_use]
    pub fn stop_user() -> Self {
        Self(Reason::StopUser)
    }

    pub(super) fn recorded(text: impl Into<String>) -> Self {
        Self(Reason::Recorded(text.into()))
    }
}

impl<E: Error + 'static> From<E> for TaskError {
    fn from(error: E) -> Self {
        Self(Reason::Raised(text_of(&error)))
    }
}

/// The text of an error and of the errors behind it.
pub(super) fn text_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        // Many errors repeat their source.
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = error.source();
    }
    text
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Reason::Recorded(text) | Reason::Raised(text) => text,
            Reason::StopUser => "the user stops",
        })
    }
}

impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no answer")]
    struct NoAnswer(#[source] std::fmt::Error);

    #[test]
    fn an_error_is_told_with_what_is_behind_it() {
        let error = TaskError::from(NoAnswer(std::fmt::Error));
        let behind = std::fmt::Error.to_string();
        assert_eq!(error.0, Reason::Raised(format!("no answer: {behind}")));
    }
}
