//! The program under test, as a user starts it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a scenario, and the program to run in it.
#[derive(Debug)]
pub struct Akrida {
    folder: TempDir,
    /// A program that brings its own users; that of the scenario file if none.
    program: Option<PathBuf>,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// What `--summary-json` wrote; null if it wrote nothing.
    pub summary: Value,
}

impl Akrida {
    /// A folder that holds `scenario.yml`.
    pub fn with_scenario(text: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("akrida-").tempdir().expect("a temporary folder");
        fs::write(folder.path().join("scenario.yml"), text).expect("a file");
        Self { folder, program: None }
    }

    /// An empty folder, and a program that brings its own users.
    pub fn of_program(program: PathBuf) -> Self {
        let folder = tempfile::Builder::new().prefix("akrida-").tempdir().expect("a temporary folder");
        Self { folder, program: Some(program) }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the scenario headless with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().expect("the program starts");
        self.ended(output)
    }

    /// Runs the scenario headless with these arguments and no more open files than this.
    pub fn run_with_descriptors(&self, descriptors: u64, arguments: &[&str]) -> Ended {
        let mut limited = Command::new("prlimit");
        limited.arg(format!("--nofile={descriptors}:{descriptors}")).arg("--");
        let command = self.command(arguments);
        limited.arg(command.get_program()).args(command.get_args()).current_dir(self.folder());
        let output = limited.stdin(Stdio::null()).output().expect("prlimit (util-linux) is part of every Debian");
        self.ended(output)
    }

    /// Starts the scenario headless with these arguments.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
    }

    /// What a started program left behind.
    pub fn wait(&self, child: Child) -> Ended {
        let output = child.wait_with_output().expect("the program ends");
        self.ended(output)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program.as_ref().map_or_else(program, |program| cleared(Command::new(program)));
        if self.program.is_none() && !arguments.contains(&"-f") {
            command.args(["-f", "scenario.yml"]);
        }
        command.current_dir(self.folder()).args(["--headless", "--only-summary", "--summary-json", "out.json"]);
        command.args(arguments);
        command
    }

    fn summary_file(&self) -> PathBuf {
        self.folder().join("out.json")
    }

    fn ended(&self, output: Output) -> Ended {
        let summary = fs::read_to_string(self.summary_file()).ok();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            summary: summary.map_or(Value::Null, |text| serde_json::from_str(&text).expect("the summary is JSON")),
        }
    }
}

impl Ended {
    /// A number of the summary's totals.
    ///
    /// # Panics
    /// When the summary does not have it; shows what the program said.
    pub fn total(&self, name: &str) -> u64 {
        let found = self.summary["totals"][name].as_u64();
        found.unwrap_or_else(|| panic!("no totals.{name} in {}\n{}", self.summary, self.stderr))
    }

    /// The texts of the failures, each with its count.
    pub fn errors(&self) -> Vec<(String, u64)> {
        let errors = self.summary["errors"].as_array().cloned().unwrap_or_default();
        let error = |error: &Value| {
            let text = error["error"].as_str().unwrap_or_default().to_owned();
            (text, error["occurrences"].as_u64().unwrap_or_default())
        };
        errors.iter().map(error).collect()
    }
}

/// The program, without the variables and files of whoever runs the tests.
pub fn program() -> Command {
    cleared(Command::new(env!("CARGO_BIN_EXE_akrida")))
}

fn cleared(mut command: Command) -> Command {
    command.env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}
