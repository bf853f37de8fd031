//! Why the command line asks for nothing that can be run.

use std::fmt;

use super::{Exit, Problem};

/// Help, version, or everything that is wrong. It is printed as it is, and the program ends with its exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliError {
    exit: Exit,
    text: String,
}

impl CliError {
    /// One block that lists all problems.
    pub(crate) fn of_problems(problems: &[Problem]) -> Self {
        let mut text = match problems {
            [one] => format!("error: {one}\n"),
            many => {
                let mut text = format!("error: {} problems\n", many.len());
                for problem in many {
                    text.push_str(&format!("  {problem}\n"));
                }
                text
            }
        };
        text.push_str("\nFor more, try 'akrida --help'.\n");
        Self { exit: Exit::Usage, text }
    }

    /// Text that was asked for.
    pub(crate) fn of_answer(text: String) -> Self {
        Self { exit: Exit::Passed, text }
    }

    /// The exit code: [`Exit::Passed`] for help and version, else [`Exit::Usage`].
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The text, ending in a line break. It belongs on standard output if the exit code is 0, else on standard error.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl From<clap::Error> for CliError {
    fn from(error: clap::Error) -> Self {
        let exit = if error.use_stderr() { Exit::Usage } else { Exit::Passed };
        Self { exit, text: error.render().to_string() }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

impl std::error::Error for CliError {}
