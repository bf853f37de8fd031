//! What is wrong with an option, and where it was given.

use std::fmt;

use akrida_core::document;

/// Where an option was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On the command line.
    CommandLine,
    /// In an environment variable.
    Variable(String),
    /// In a configuration file.
    File {
        /// The file as the user knows it.
        name: String,
        /// The line, from 1.
        line: usize,
    },
    /// In a document, such as the configuration of a cluster.
    Document {
        /// The file as the user knows it.
        name: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub origin: Origin,
    /// The key of the option, such as `spawn-rate`; empty if no option is meant.
    pub key: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl Problem {
    /// A problem of the option `key`.
    pub(crate) fn new(origin: Origin, key: &str, message: impl Into<String>) -> Self {
        Self { origin, key: key.to_owned(), message: message.into() }
    }

    /// A problem of the command line as a whole.
    pub(crate) fn on_command_line(message: impl Into<String>) -> Self {
        Self::new(Origin::CommandLine, "", message)
    }

    /// A problem of a file as a whole, or of a line that is no option.
    pub(crate) fn in_file(name: &str, line: usize, message: impl Into<String>) -> Self {
        Self::new(Origin::File { name: name.to_owned(), line }, "", message)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.origin, self.key.as_str()) {
            (Origin::CommandLine, "") => f.write_str(&self.message),
            (Origin::CommandLine, key) => write!(f, "--{key}: {}", self.message),
            (Origin::Variable(name), _) => write!(f, "{name}: {}", self.message),
            (Origin::Document { name, line, column }, "") => write!(f, "{name}:{line}:{column}: {}", self.message),
            (Origin::Document { name, line, column }, key) => {
                write!(f, "{name}:{line}:{column}: {key}: {}", self.message)
            }
            (Origin::File { name, line }, "") => write!(f, "{name}:{line}: {}", self.message),
            (Origin::File { name, line }, key) => write!(f, "{name}:{line}: {key}: {}", self.message),
        }
    }
}

impl From<document::problem::Problem> for Problem {
    fn from(problem: document::problem::Problem) -> Self {
        let name = problem.file.to_string();
        let origin = Origin::Document { name, line: problem.line, column: problem.column };
        Self { origin, key: problem.path, message: problem.message }
    }
}
