//! A home folder, a current folder and variables for one test.

use std::ffi::OsString;
use std::num::NonZeroUsize;

use akrida::cli::{
    CliError, Environment, Exit, Invocation, MasterRole, RunOptions, WorkerRole, parse, parse_for_program,
};

/// The surroundings of one parse, in a folder of their own.
pub(crate) struct Surroundings {
    folder: tempfile::TempDir,
    environment: Environment,
}

impl Surroundings {
    /// Two cores, and nothing else: not even a scenario.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (home, current_dir) = (folder.path().join("home"), folder.path().join("here"));
        std::fs::create_dir(&home).unwrap();
        std::fs::create_dir(&current_dir).unwrap();
        let environment = Environment {
            variables: [].into(),
            home: Some(home),
            current_dir,
            cores: NonZeroUsize::new(2).unwrap(),
            host_name: "machine".to_owned(),
            process_id: 7,
            data_root: "data".into(),
        };
        Self { folder, environment }
    }

    /// With an `akrida.yml`, so that a run needs no options.
    pub(crate) fn with_scenario() -> Self {
        Self::empty().file("here/akrida.yml", "")
    }

    /// With a file more; `path` starts with `home/` or `here/`.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.folder.path().join(path), content).unwrap();
        self
    }

    /// With a variable more.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.variables.insert(name.into(), value.into());
        self
    }

    pub(crate) fn parse<A: Into<OsString> + Clone>(&self, arguments: &[A]) -> Result<Invocation, CliError> {
        let arguments = std::iter::once("akrida".into()).chain(arguments.iter().cloned().map(Into::into));
        parse(arguments, &self.environment)
    }

    /// The same of a program that brings its own users.
    pub(crate) fn parse_for_program(&self, arguments: &[&str]) -> Result<Invocation, CliError> {
        let arguments = std::iter::once("shop").chain(arguments.iter().copied()).map(OsString::from);
        parse_for_program(arguments, &self.environment)
    }

    /// The options of the run that the arguments ask for.
    pub(crate) fn run(&self, arguments: &[&str]) -> RunOptions {
        match self.parse(arguments) {
            Ok(Invocation::Run(options)) => *options,
            other => panic!("{arguments:?} is no run: {other:?}"),
        }
    }

    /// The master that the arguments ask for.
    pub(crate) fn master(&self, arguments: &[&str]) -> MasterRole {
        match self.parse(arguments) {
            Ok(Invocation::Master(role)) => *role,
            other => panic!("{arguments:?} is no master: {other:?}"),
        }
    }

    /// The worker that the arguments ask for.
    pub(crate) fn worker(&self, arguments: &[&str]) -> WorkerRole {
        match self.parse(arguments) {
            Ok(Invocation::Worker(role)) => *role,
            other => panic!("{arguments:?} is no worker: {other:?}"),
        }
    }

    /// The problems of the arguments, which must be a usage error.
    pub(crate) fn problems(&self, arguments: &[&str]) -> Vec<String> {
        let error = self.parse(arguments).expect_err("accepted");
        assert_eq!(error.exit(), Exit::Usage, "{error}");
        let block = error.text().split("\n\n").next().unwrap();
        match block.split_once(" problems\n") {
            Some((_, lines)) => lines.lines().map(|line| line.trim().to_owned()).collect(),
            None => vec![block.strip_prefix("error: ").unwrap().trim_end().to_owned()],
        }
    }
}
