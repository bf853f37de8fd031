//! Load tests written in Rust.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use akrida_actors::user::native::User;
use akrida_actors::user::native::registry::NativeUsers;
use akrida_core::scenario::native::NativeClass;

use super::runnable::{Origin, ProgramUsers};
use super::{concluded_by, refused};
use crate::cli::{self, Environment};

/// A load test whose users are code of the program. It has the command line, the reports and the exit codes of
/// `akrida`, but for `-f`, which is refused, and for the subcommands.
///
/// ```no_run
/// use akrida::prelude::*;
///
/// struct Visitor;
///
/// impl User for Visitor {
///     fn describe() -> UserDescription<Self> {
///         UserDescription::new("Visitor").task("home", 1, Self::home)
///     }
///
///     async fn start(_: &mut UserContext) -> TaskResult<Self> {
///         Ok(Self)
///     }
/// }
///
/// impl Visitor {
///     async fn home(&mut self, context: &mut UserContext) -> TaskResult {
///         context.http().get("/").send().await?;
///         Ok(())
///     }
/// }
///
/// fn main() -> std::process::ExitCode {
///     akrida::App::new()
///         .user::<Visitor>()
///         .host("http://127.0.0.1:8000")
///         .settings("load: { arrival_rate: 100/s }\nthresholds: [ 'p95 < 300ms for 10s' ]")
///         .main()
/// }
/// ```
#[derive(Debug, Default)]
#[must_use = "`main` runs it"]
pub struct App {
    classes: Vec<NativeClass>,
    natives: NativeUsers,
    host: Option<String>,
    settings: Option<String>,
}

impl App {
    /// A load test without users.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind of user.
    pub fn user<U: User>(mut self) -> Self {
        self.classes.push(self.natives.add::<U>());
        self
    }

    /// The target of users that name none: a URL of any protocol. `-H` overrides it.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// What a scenario file says about the run as a whole: YAML with the keys `load` and `thresholds`.
    pub fn settings(mut self, yaml: impl Into<String>) -> Self {
        self.settings = Some(yaml.into());
        self
    }

    /// Does what the arguments of the process ask for, and says how it ended.
    #[must_use = "it is the exit code of `main`"]
    pub fn main(self) -> ExitCode {
        self.run(std::env::args_os())
    }

    /// Does what these arguments ask for, of which the first is the program's name.
    #[must_use = "it says how it ended"]
    pub fn run(self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        let Self { classes, natives, host, settings } = self;
        let origin = Origin::Program(Arc::new(ProgramUsers { classes, natives: Arc::new(natives), host, settings }));
        match cli::parse_for_program(arguments, &Environment::of_process()) {
            Ok(invocation) => concluded_by(invocation, &origin),
            Err(error) => refused(&error),
        }
    }
}
