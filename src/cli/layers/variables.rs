//! The layers of the environment variables: `LOCUST_*`, then `AKRIDA_*`.
//!
//! Variables that are no option are left alone: other programs own names with these prefixes too.

use std::ffi::OsStr;

use super::{Reading, Setting, SettingValue};
use crate::cli::option_table::{self, OptionKind, OptionSpec};
use crate::cli::{Environment, Origin, Problem, values};

/// Reads the variables. An empty one counts as not set.
pub(super) fn read(environment: &Environment) -> Reading {
    let mut reading = Reading { settings: Vec::new(), problems: Vec::new() };
    let locust =
        option_table::options().iter().flat_map(|option| option.locust_variable.iter().map(move |name| (option, name)));
    // The first of an option's own variables counts, hence it comes last.
    let akrida = option_table::options()
        .iter()
        .flat_map(|option| option.akrida_variables.iter().rev().map(move |name| (option, name)));
    for (option, name) in locust.chain(akrida) {
        if let Some(text) = environment.variable(name) {
            match value(option, text) {
                Ok(value) => {
                    reading.settings.push(Setting { option, value, origin: Origin::Variable(name.clone()) });
                }
                Err(message) => {
                    reading.problems.push(Problem::new(Origin::Variable(name.clone()), &option.key, message));
                }
            }
        }
    }
    reading
}

fn value(option: &OptionSpec, text: &OsStr) -> Result<SettingValue, String> {
    if option.kind == OptionKind::Value {
        return Ok(SettingValue::Texts(vec![text.to_owned()]));
    }
    let text = text.to_str().ok_or("the value is not valid UTF-8")?;
    match option.kind {
        OptionKind::Flag => values::boolean(text.trim()).map(SettingValue::Flag),
        OptionKind::Value | OptionKind::List => {
            values::list(text).map(|items| SettingValue::Texts(items.into_iter().map(Into::into).collect()))
        }
    }
}
