//! Why a store cannot do what it was asked.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a store cannot do what it was asked. Every text says what the operator can do about it.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as in `cannot … PATH`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process uses the data folder.
    #[error("data folder {} is in use by {holder}: every master needs a folder of its own", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Who uses it.
        holder: String,
    },
    /// A newer version wrote it.
    #[error("{} has format {found}, but this version reads formats up to {supported}: start the version that wrote it, \
             or a newer one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that can be read.
        supported: u32,
    },
    /// The folder has other content.
    #[error("{} is not a data folder: {reason}; choose an empty or a new folder", path.display())]
    NotADataFolder {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// What is on disk is not what was written. The log could lack something that this master has promised to keep, so
    /// it must not vote with it.
    #[error("{} is damaged: {what}; this master must not go on with it: move its data folder away, start it with an \
             empty one, and run `akrida cluster replace NAME` (with the master's name) while most masters run; if most \
             masters are lost, run `akrida cluster restore` with a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// What is on disk is intact, and no replica could have written it.
    #[error(
        "the log cannot be used: {0}; this master must not go on with it: move its data folder away, start it with an \
             empty one, and run `akrida cluster replace NAME` (with the master's name) while most masters run"
    )]
    Contradictory(String),
    /// A backup file is not what was written.
    #[error("backup {} cannot be used: {what}; use another one", path.display())]
    BadBackup {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The caller asked for something that would break the log. Nothing was changed.
    #[error("the log refuses {what}")]
    OutOfPlace {
        /// What was asked.
        what: String,
    },
    /// An earlier call has failed, so what is on disk is not known.
    #[error("the log cannot be used after an earlier failure; the process must be started anew")]
    Failed,
}

impl StoreError {
    /// For `map_err`: the operating system refused something.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// A damaged file.
    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }

    /// A request that would break the log.
    pub(super) fn out_of_place(what: impl Into<String>) -> Self {
        Self::OutOfPlace { what: what.into() }
    }
}
