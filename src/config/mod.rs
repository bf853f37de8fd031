//! The configuration of masters and workers: from what a file says ([`written`]) to what holds ([`MasterConfig`],
//! [`WorkerConfig`]).
//!
//! Everything here is plain data and functions of it. Files, variables and the machine come in through
//! [`Surroundings`]; what stands on the command line comes in as [`MasterOverrides`] and [`WorkerOverrides`].

pub mod base_path;
pub mod credentials;
mod expand;
pub mod keys;
pub mod logging;
pub mod master;
pub mod monitoring;
pub mod network;
pub mod quantity;
pub mod secret;
mod settings_text;
pub mod worker;
pub mod written;

use std::io;
use std::num::NonZeroUsize;
use std::path::Path;

use akrida_core::document::problem::{Position, Problem, Problems};
use akrida_core::document::{self, Format, Source};
use akrida_core::limits::CONFIG_BYTES_MAX;

pub use master::resolve::MasterOverrides;
pub use master::{MasterConfig, NodeConfig};
pub use worker::{WorkerConfig, WorkerOverrides};
use written::{MasterFile, WorkerFile};

/// What a configuration depends on beside its text.
pub struct Surroundings<'a> {
    /// The value of an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a file that a configuration names, up to [`CONFIG_BYTES_MAX`] bytes. It is given the path as written if
    /// that is absolute, and one from the folder of the configuration otherwise.
    pub read_file: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    /// The name of this machine.
    pub host_name: &'a str,
    /// The id of this process.
    pub process_id: u32,
    /// The cores that this process may use.
    pub cores: NonZeroUsize,
    /// The folder in which masters have a folder of their own, unless the configuration says otherwise.
    pub data_root: &'a Path,
}

/// A configuration as a file says it: values are checked, and what is missing has no default yet.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigFile {
    /// Of masters: of one or of all of a cluster.
    Master(Box<MasterFile>),
    /// Of workers.
    Worker(Box<WorkerFile>),
}

/// Reads the text of a configuration file. `file` is its path: messages name it, and files that the configuration
/// names are looked for in its folder.
///
/// # Errors
/// Every problem of the file, in the order of its lines.
pub fn read(file: &Path, text: &str, surroundings: &Surroundings<'_>) -> Result<ConfigFile, Vec<Problem>> {
    let name = file.display().to_string();
    let mut problems = Problems::of(&name);
    if text.len() > CONFIG_BYTES_MAX {
        problems.add(Position::START, "", format!("the file is too large; allowed: {CONFIG_BYTES_MAX} bytes"));
        return Err(problems.in_order());
    }
    let source = Source { name: &name, text, format: Format::Yaml };
    let Some(mut document) = document::read(&source, &mut problems) else { return Err(problems.in_order()) };
    expand::expand(&mut document, "", surroundings, &mut problems);
    written::decode(&document, file, surroundings, problems)
}
