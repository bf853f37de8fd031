//! The settings that count: each checked, the strongest of each option kept.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::{Setting, SettingValue};
use crate::cli::flags::later;
use crate::cli::{Origin, Problem, argument_text, command};

/// The strongest setting of each option, by the option's key.
#[derive(Clone, Debug)]
pub struct Effective(BTreeMap<&'static str, Setting>);

impl Effective {
    /// Of settings from the weakest to the strongest.
    #[must_use]
    pub fn of(settings: Vec<Setting>) -> Self {
        Self(settings.into_iter().map(|setting| (setting.option.key.as_str(), setting)).collect())
    }

    /// Where the option with this key was set; the command line if nowhere.
    #[must_use]
    pub fn origin(&self, key: &str) -> Origin {
        self.0.get(key).map_or(Origin::CommandLine, |setting| setting.origin.clone())
    }

    /// Whether the option with this key was set, be it to nothing.
    #[must_use]
    pub fn is_set(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// A command line that sets the same options.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        let (positional, named): (Vec<_>, Vec<_>) = self.0.values().partition(|setting| setting.option.positional);
        let mut arguments = vec![OsString::from("akrida")];
        arguments.extend(named.into_iter().flat_map(arguments_of));
        arguments.push("--".into());
        arguments.extend(positional.into_iter().flat_map(arguments_of));
        arguments
    }
}

/// Leaves out the settings that clap's value parsers refuse, or that this build refuses, and says why.
pub(crate) fn with_valid_values(settings: Vec<Setting>) -> (Vec<Setting>, Vec<Problem>) {
    let mut command = command();
    let mut valid = Vec::new();
    let mut problems = Vec::new();
    for setting in settings {
        match check(&setting, &mut command) {
            Ok(true) => valid.push(setting),
            Ok(false) => {}
            Err(message) => problems.push(Problem::new(setting.origin, &setting.option.key, message)),
        }
    }
    (valid, problems)
}

/// Whether the setting sets anything: an option that cannot be used but is switched off does not.
fn check(setting: &Setting, command: &mut clap::Command) -> Result<bool, String> {
    if let Some(refusal) = later::refusal(&setting.option.key) {
        return if setting.value == SettingValue::Flag(false) { Ok(false) } else { Err(refusal.to_owned()) };
    }
    let mut arguments = vec![OsString::from("akrida")];
    if setting.option.positional {
        arguments.push("--".into());
    }
    arguments.extend(arguments_of(setting));
    command.try_get_matches_from_mut(arguments).map(|_| true).map_err(|error| argument_text::value_message_of(&error))
}

fn arguments_of(setting: &Setting) -> Vec<OsString> {
    let name = format!("--{}", setting.option.key);
    match &setting.value {
        SettingValue::Flag(true) => vec![name.into()],
        SettingValue::Flag(false) => Vec::new(),
        SettingValue::Texts(texts) if setting.option.positional => texts.clone(),
        SettingValue::Texts(texts) => texts.iter().map(|text| joined(&name, text)).collect(),
    }
}

/// Name and value in one argument, so that a value that starts with a dash stays a value.
fn joined(name: &str, value: &OsString) -> OsString {
    let mut argument = OsString::from(name);
    argument.push("=");
    argument.push(value);
    argument
}
