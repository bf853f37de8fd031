//! What an engine runs, and on how many arbiters.

use std::fmt;
use std::sync::Arc;

use akrida_core::scenario::bundle::Bundle;
use akrida_core::scenario::model::Scenario;
use akrida_core::wire::Assignment;

use crate::http::HttpOptions;
use crate::user::native::registry::NativeUsers;

/// What an engine runs, and on how many arbiters.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// What users do in a run that brings no scenario; `None` if every run brings one.
    pub scenario: Option<Arc<Scenario>>,
    /// The code of users that have any.
    pub natives: Arc<NativeUsers>,
    /// How the users of `scenario` connect.
    pub http: HttpOptions,
    /// Arbiters, each with a thread of its own; at least 1.
    pub arbiters: usize,
    /// Seed of all random choices of users.
    pub seed: u64,
    /// Makes a scenario of what a run brings; `None` if `scenario` is the only one.
    pub compile: Option<Compile>,
    /// Where rows come from that only one user may have.
    pub row_origin: RowOrigin,
}

/// A scenario that users can run, and how they connect.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What users do.
    pub scenario: Arc<Scenario>,
    /// How they connect.
    pub http: HttpOptions,
}

/// Makes a scenario of what a run brings. It may take its time, and gives the reason if it cannot.
#[derive(Clone)]
pub struct Compile(pub Arc<CompileFn>);

/// The function of a [`Compile`].
pub type CompileFn = dyn Fn(&Bundle) -> Result<Prepared, String> + Send + Sync;

/// Where the rows of `unique` feeders come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowOrigin {
    /// They are all this process's: nobody else takes part in its runs.
    #[default]
    Own,
    /// The leader leases them.
    Leader,
}

impl fmt::Debug for Compile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compile")
    }
}

impl EngineOptions {
    /// What the users of a run do: what it brings, or what the engine has anyway.
    ///
    /// # Errors
    /// Why there is nothing that they could do.
    pub(super) async fn prepared(&self, assignment: &Assignment) -> Result<Prepared, Arc<str>> {
        if let (Some(bundle), Some(Compile(compile))) = (&assignment.bundle, &self.compile) {
            let (bundle, compile) = (Arc::clone(bundle), Arc::clone(compile));
            let compiled = tokio::task::spawn_blocking(move || compile(&bundle)).await;
            return match compiled {
                Ok(compiled) => compiled.map_err(Arc::from),
                Err(error) => Err(format!("the scenario could not be compiled: {error}").into()),
            };
        }
        let http = self.http.clone();
        let scenario = self.scenario.clone().ok_or("the run brings no scenario that this worker can run")?;
        Ok(Prepared { scenario, http })
    }
}
