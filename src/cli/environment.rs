//! What the command line depends on besides its arguments.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The surroundings of the process, as plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// The environment variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// The home folder, where `.locust.conf` is looked for.
    pub home: Option<PathBuf>,
    /// The folder that relative paths start from, where `locust.conf`, `pyproject.toml` and `akrida.yml` are looked for.
    pub current_dir: PathBuf,
    /// The cores that this process may use.
    pub cores: NonZeroUsize,
}

impl Environment {
    /// The surroundings of this process. What the system does not tell is left out: no home folder, one core, and
    /// `.` for the current folder.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            variables: std::env::vars_os().collect(),
            home: std::env::home_dir(),
            current_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            cores: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        }
    }

    /// The value of a variable. An empty one counts as not set.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }
}
