//! What is run: a scenario from a file, or the users that a program brings.

use std::sync::Arc;

use akrida_actors::user::functions;
use akrida_actors::user::native::registry::NativeUsers;
use akrida_core::scenario::model::Scenario;
use akrida_core::scenario::native::{self, NativeClass, Settings};
use akrida_core::scenario::select::{Selection, select};
use akrida_core::scenario::{Format, Source};
use anyhow::{Context, anyhow};

use super::scenario_file;
use crate::cli::RunOptions;

/// A scenario, and the code of its users if they are code.
#[derive(Clone, Debug)]
pub(super) struct Runnable {
    pub(super) scenario: Arc<Scenario>,
    pub(super) natives: Arc<NativeUsers>,
}

/// Where scenarios come from.
#[derive(Debug)]
pub(super) enum Origin {
    /// The file that the options name.
    File,
    /// This program.
    Program(ProgramUsers),
}

/// What a program brings.
#[derive(Debug, Default)]
pub(super) struct ProgramUsers {
    pub(super) classes: Vec<NativeClass>,
    pub(super) natives: Arc<NativeUsers>,
    pub(super) host: Option<String>,
    /// A part of a scenario file.
    pub(super) settings: Option<String>,
}

impl Origin {
    /// Everything that there is.
    pub(super) fn all(&self, options: &RunOptions) -> anyhow::Result<Runnable> {
        match self {
            Self::File => Ok(Runnable { scenario: scenario_file::read(&options.scenario)?, natives: Arc::default() }),
            Self::Program(users) => {
                let scenario = Arc::new(users.scenario(&options.scenario.display().to_string())?);
                Ok(Runnable { scenario, natives: Arc::clone(&users.natives) })
            }
        }
    }

    /// What the options ask for, and the classes that their tags left without tasks.
    pub(super) fn selected(&self, options: &RunOptions) -> anyhow::Result<(Runnable, Vec<Arc<str>>)> {
        let all = self.all(options)?;
        let selection = Selection {
            classes: &options.user_classes,
            tags: &options.tags,
            exclude_tags: &options.exclude_tags,
            equal_weights: options.equal_weights,
            host: options.host.as_deref(),
        };
        let selected = select(&all.scenario, &selection).with_context(|| options.scenario.display().to_string())?;
        Ok((Runnable { scenario: Arc::new(selected.scenario), ..all }, selected.without_tasks))
    }
}

impl ProgramUsers {
    fn scenario(&self, name: &str) -> anyhow::Result<Scenario> {
        let settings = self.settings.as_deref().map(settings).transpose()?.unwrap_or_default();
        let host = self.host.as_deref().map(|host| host.trim_end_matches('/').into());
        let settings = Settings { host: host.or(settings.host), ..settings };
        native::scenario(name, settings, &self.classes, functions::register)
            .map_err(|problems| anyhow!(problems.join("\n")))
    }
}

fn settings(text: &str) -> anyhow::Result<Settings> {
    let source = Source { name: "settings", text, format: Format::Yaml };
    let read = native::settings(&source, functions::register);
    read.map_err(|problems| anyhow!(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}
