//! A machine for one test: its variables, its files and its name.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use akrida::config::master::resolve::MasterError;
use akrida::config::{ConfigFile, MasterConfig, MasterOverrides, Surroundings, WorkerConfig, WorkerOverrides, read};

/// A machine named `machine`.
#[derive(Default)]
pub(crate) struct Machine {
    variables: BTreeMap<String, String>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Machine {
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn file(mut self, path: &str, content: &[u8]) -> Self {
        self.files.insert(path.to_owned(), content.to_owned());
        self
    }

    pub(crate) fn with<T>(&self, use_it: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        use_it(&Surroundings {
            variable: &|name| self.variables.get(name).cloned(),
            read_file: &|path| {
                let content = self.files.get(&path.display().to_string()).cloned();
                content.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
            },
            host_name: "machine",
            process_id: 7,
            cores: 4.try_into().unwrap(),
            data_root: Path::new("data"),
        })
    }

    /// Reads a file that lies at `etc/c.yml`.
    pub(crate) fn read(&self, text: &str) -> Result<ConfigFile, Vec<String>> {
        let read = self.with(|surroundings| read(Path::new("etc/c.yml"), text, surroundings));
        read.map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    /// The problems of a file, without its name.
    pub(crate) fn problems(&self, text: &str) -> Vec<String> {
        let problems = self.read(text).expect_err("the file is good");
        problems.iter().map(|problem| problem.strip_prefix("etc/c.yml:").unwrap().to_owned()).collect()
    }

    pub(crate) fn try_master(&self, text: &str, overrides: MasterOverrides) -> Result<MasterConfig, MasterError> {
        match self.read(text) {
            Ok(ConfigFile::Master(file)) => self.with(|surroundings| file.resolve(overrides, surroundings)),
            other => panic!("no master: {other:?}"),
        }
    }

    pub(crate) fn master(&self, text: &str, node: &str) -> MasterConfig {
        let node = Some(node.to_owned()).filter(|node| !node.is_empty());
        self.try_master(text, MasterOverrides { node, ..MasterOverrides::default() }).unwrap()
    }

    pub(crate) fn worker(&self, text: &str) -> WorkerConfig {
        match self.read(text) {
            Ok(ConfigFile::Worker(file)) => {
                self.with(|surroundings| file.resolve(WorkerOverrides::default(), surroundings)).unwrap()
            }
            other => panic!("no worker: {other:?}"),
        }
    }
}
