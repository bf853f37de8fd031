//! What the command line depends on besides its arguments.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use akrida_core::limits::CONFIG_BYTES_MAX;
use nix::unistd::{AccessFlags, access};

use crate::config::Surroundings;

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
    /// The name of this machine.
    pub host_name: String,
    /// The number of this process.
    pub process_id: u32,
    /// The folder in which masters have a folder of their own, unless they are told another one.
    pub data_root: PathBuf,
}

/// Where programs of this system keep data, and what we use of it.
const SYSTEM_DATA: (&str, &str) = ("/var/lib", "/var/lib/akrida");

/// Where masters keep data if they may not write to the system's place.
const LOCAL_DATA: &str = "./akrida-data";

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
            host_name: nix::unistd::gethostname()
                .ok()
                .and_then(|name| name.into_string().ok())
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "localhost".to_owned()),
            process_id: std::process::id(),
            data_root: data_root(),
        }
    }

    /// What configurations depend on, for `use_it`.
    pub fn with_surroundings<T>(&self, use_it: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        let variable = |name: &str| self.variable(name).and_then(OsStr::to_str).map(str::to_owned);
        let read_file = |path: &Path| read_up_to(&self.current_dir.join(path), CONFIG_BYTES_MAX);
        use_it(&Surroundings {
            variable: &variable,
            read_file: &read_file,
            host_name: &self.host_name,
            process_id: self.process_id,
            cores: self.cores,
            data_root: &self.data_root,
        })
    }

    /// The value of a variable. An empty one counts as not set.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }
}

/// The system's place for data if this process can write there, or else one in the current folder.
fn data_root() -> PathBuf {
    let (parent, own) = (Path::new(SYSTEM_DATA.0), Path::new(SYSTEM_DATA.1));
    let writable = |folder: &Path| access(folder, AccessFlags::W_OK | AccessFlags::X_OK).is_ok();
    if writable(own) || (!own.exists() && writable(parent)) { own.to_owned() } else { PathBuf::from(LOCAL_DATA) }
}

/// The content of a file.
///
/// # Errors
/// If it cannot be read, or is larger than `bytes_max`.
pub(crate) fn read_up_to(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("too large; allowed: {bytes_max} bytes")));
    }
    Ok(bytes)
}
