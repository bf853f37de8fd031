//! `akrida init`: a first scenario to start from.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A small commented scenario. It runs against `akrida target`.
pub const FIRST_SCENARIO: &str = r#"# A scenario says what kinds of users there are and what they do.
#
#   akrida target                       serves something to try it on, in another terminal
#   akrida check akrida.yml             says what is wrong with this file
#   akrida -u 10 -r 2 -t 30s --headless runs it: 10 users, 2 more each second, for 30 seconds

# Where the requests go; -H on the command line overrides it.
host: http://127.0.0.1:8000

users:
  Visitor:
    # How often this kind of user is chosen, compared with the others.
    weight: 3
    # The pause between two tasks: 2s, 1s..5s, pacing 5s, throughput 10/s or poisson 2/s.
    wait_time: 1s..3s
    # A user picks one task after another, by weight.
    tasks:
      home:
        weight: 3
        steps:
          - get: /
      missing:
        # -T rare runs only such tasks, -E rare leaves them out.
        tags: [rare]
        steps:
          # A status of 400 or more is a failure unless a check says otherwise.
          - get: /missing
            check: { status: 404 }
"#;

/// Why no scenario was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is a file of that name, which is left alone.
    #[error("{} exists and is not overwritten", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// What is written is YAML, and the name says something else.
    #[error("the first scenario is YAML, so its name ends in .yml or .yaml")]
    NotYaml,
    /// The file cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes [`FIRST_SCENARIO`] to `path`.
///
/// # Errors
/// If its name is not that of a YAML file, if there is a file of that name already, even an empty one, or if it cannot
/// be written.
pub fn write(path: &Path) -> Result<(), InitError> {
    if !path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml") {
        return Err(InitError::NotYaml);
    }
    // Creating it only if it is new leaves no moment in which another one could be overwritten.
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    opened.and_then(|mut file| file.write_all(FIRST_SCENARIO.as_bytes())).map_err(|source| {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::AlreadyExists {
            InitError::Exists { path }
        } else {
            InitError::Write { path, source }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_that_a_run_takes_for_yaml_is_written() {
        let folder = tempfile::tempdir().expect("temporary folder");
        for name in ["akrida.json", "akrida.toml", "akrida"] {
            let path = folder.path().join(name);
            assert!(matches!(write(&path), Err(InitError::NotYaml)), "{name}");
            assert!(!path.exists(), "{name}");
        }
    }

    #[test]
    fn a_file_is_written_once() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("akrida.yml");
        write(&path).expect("new file");
        std::fs::write(&path, "mine").expect("edited");
        let error = write(&path).expect_err("exists");
        assert!(matches!(error, InitError::Exists { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("kept"), "mine");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let error = write(&folder.path().join("none/akrida.yml")).expect_err("no folder");
        assert!(matches!(error, InitError::Write { .. }), "{error}");
        assert!(error.to_string().contains("none/akrida.yml"));
    }
}
