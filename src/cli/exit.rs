//! How the program ends.

use std::process::ExitCode;

/// Why the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything asked for was done, and no request failed.
    Passed,
    /// Requests failed, a user raised an exception, or a threshold was missed: 1, or what `--exit-code-on-error` says.
    Failed {
        /// The exit code.
        code: i32,
    },
    /// 2: an option, a configuration file or a scenario is wrong.
    Usage,
    /// 3: the measurement is INVALID and `--fail-on-invalid` was given.
    Invalid,
}

impl Exit {
    /// How a run ends. A measurement that cannot be trusted outranks the failures that it counted.
    #[must_use]
    pub fn of_run(failed: bool, invalid: bool, options: &super::RunOptions) -> Self {
        if invalid && options.fail_on_invalid {
            Self::Invalid
        } else if failed && options.exit_code_on_error != 0 {
            Self::Failed { code: options.exit_code_on_error }
        } else {
            Self::Passed
        }
    }

    /// The exit code.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Passed => 0,
            Self::Failed { code } => code,
            Self::Usage => 2,
            Self::Invalid => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    /// The process's exit code. One that does not fit a byte becomes 1, never a success.
    fn from(exit: Exit) -> Self {
        Self::from(u8::try_from(exit.code()).unwrap_or(1))
    }
}
