//! What is run: a scenario from a file, or the users that a program brings.

use std::collections::BTreeMap;
use std::sync::Arc;

use akrida_actors::user::functions;
use akrida_actors::user::native::registry::NativeUsers;
use akrida_core::scenario::bundle::{Bundle, BundleSelection};
use akrida_core::scenario::model::Scenario;
use akrida_core::scenario::native::{self, NativeClass, Settings};
use akrida_core::scenario::select::select;
use akrida_core::scenario::{Format, Source};
use anyhow::{Context, anyhow, bail, ensure};

use super::{bundle_file, run_spec, scenario_file};
use crate::cli::RunOptions;

/// A scenario, and the code of its users if they are code.
#[derive(Clone, Debug)]
pub(super) struct Runnable {
    pub(super) scenario: Arc<Scenario>,
    pub(super) natives: Arc<NativeUsers>,
}

/// Where scenarios come from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// The file that the options name.
    File,
    /// This program.
    Program(Arc<ProgramUsers>),
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
        let selection = selection(options);
        let selected = select(&all.scenario, &selection.as_selection());
        let selected = selected.with_context(|| options.scenario.display().to_string())?;
        Ok((Runnable { scenario: Arc::new(selected.scenario), ..all }, selected.without_tasks))
    }
}

/// What of a scenario the options ask for.
pub(super) fn selection(options: &RunOptions) -> BundleSelection {
    BundleSelection {
        classes: options.user_classes.clone(),
        tags: options.tags.clone(),
        exclude_tags: options.exclude_tags.clone(),
        equal_weights: options.equal_weights,
        host: options.host.clone(),
    }
}

/// What travels of a scenario.
impl Origin {
    /// The scenario that the options name, as it is sent to others; `None` if they name none.
    pub(super) fn bundle(&self, options: &RunOptions) -> anyhow::Result<Option<Arc<Bundle>>> {
        match self {
            Self::File if options.scenario.as_os_str().is_empty() => Ok(None),
            Self::File => Ok(Some(Arc::new(bundle_file::pack(options)?))),
            Self::Program(users) => Ok(Some(Arc::new(users.bundle(self, options)?))),
        }
    }

    /// The scenario that a bundle holds, as it was selected.
    pub(super) fn bundled(&self, bundle: &Bundle) -> anyhow::Result<Arc<Scenario>> {
        match self {
            _ if !bundle.is_program => run_spec::bundled(bundle),
            Self::Program(users) => users.bundled(bundle),
            Self::File => {
                let name = &bundle.name;
                bail!("the users of {name} are code of that program: it has to be started itself, with --worker")
            }
        }
    }

    /// The code of users.
    pub(super) fn natives(&self) -> Arc<NativeUsers> {
        match self {
            Self::File => Arc::default(),
            Self::Program(users) => Arc::clone(&users.natives),
        }
    }
}

impl ProgramUsers {
    /// Names what of the program runs: whoever gets it must have the code itself.
    fn bundle(&self, origin: &Origin, options: &RunOptions) -> anyhow::Result<Bundle> {
        let (Runnable { scenario, .. }, _) = origin.selected(options)?;
        Ok(Bundle {
            name: options.scenario.display().to_string().into(),
            format: Format::Yaml,
            text: "".into(),
            files: BTreeMap::new(),
            selection: BundleSelection {
                classes: scenario.classes.iter().map(|class| class.name.to_string()).collect(),
                ..selection(options)
            },
            is_program: true,
        })
    }

    /// What of this program runs. It must have the same classes in the same order, for users know theirs by its place.
    fn bundled(&self, bundle: &Bundle) -> anyhow::Result<Arc<Scenario>> {
        let wanted = &bundle.selection;
        let all = self.scenario(&bundle.name)?;
        let has = |name: &String| all.classes.iter().any(|class| *class.name == **name);
        let missing: Vec<_> = wanted.classes.iter().filter(|name| !has(name)).map(String::as_str).collect();
        let name = &bundle.name;
        ensure!(missing.is_empty(), "this program has no user class {}, as {name} has", missing.join(", "));
        let selected = select(&all, &wanted.as_selection()).with_context(|| name.to_string())?.scenario;
        let in_order = selected.classes.iter().map(|class| &*class.name).eq(wanted.classes.iter().map(String::as_str));
        ensure!(in_order, "the user classes of this program are not those of {name}: {}", wanted.classes.join(", "));
        Ok(Arc::new(selected))
    }

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
