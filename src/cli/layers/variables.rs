//! The layers of the environment variables: `LOCUST_*`, then `AKRIDA_*`.
//!
//! Variables that are no option are left alone: other programs own names with these prefixes too. So are ports that
//! Kubernetes sets for a service of that name, such as `LOCUST_MASTER_PORT=tcp://10.0.0.1:5557`.

use std::ffi::OsStr;

use super::{Reading, Setting, SettingValue};
use crate::cli::option_table::{self, OptionKind, OptionSpec};
use crate::cli::{Environment, Origin, Problem, values};

/// Reads the variables. An empty one counts as not set.
pub(super) fn read(environment: &Environment) -> Reading {
    let mut reading = Reading { settings: Vec::new(), problems: Vec::new() };
    let deployments = option_table::options()
        .iter()
        .flat_map(|option| option.deployment_variable.iter().map(move |name| (option, *name)));
    let locust = option_table::options()
        .iter()
        .flat_map(|option| option.locust_variable.iter().map(move |name| (option, name.as_str())));
    // The first of an option's own variables counts, hence it comes last.
    let akrida = option_table::options()
        .iter()
        .flat_map(|option| option.akrida_variables.iter().rev().map(move |name| (option, name.as_str())));
    let modes = ["LOCUST_MODE", "AKRIDA_MODE"];
    read_mode(modes[0], environment, &mut reading);
    for (option, name) in deployments.chain(locust) {
        read_one(option, name, environment, &mut reading);
    }
    read_mode(modes[1], environment, &mut reading);
    for (option, name) in akrida {
        read_one(option, name, environment, &mut reading);
    }
    reading
}

fn read_one(option: &'static OptionSpec, name: &str, environment: &Environment, reading: &mut Reading) {
    let Some(text) = environment.variable(name).filter(|text| !is_a_service(name, text)) else { return };
    let origin = Origin::Variable(name.to_owned());
    match value(option, text) {
        Ok(value) => reading.settings.push(Setting { option, value, origin }),
        Err(message) => reading.problems.push(Problem::new(origin, &option.key, message)),
    }
}

/// Whether Kubernetes set this variable for a service, and not somebody for this program.
fn is_a_service(name: &str, text: &OsStr) -> bool {
    let is_address = |text: &str| ["tcp://", "udp://", "sctp://"].iter().any(|scheme| text.starts_with(scheme));
    name.ends_with("_PORT") && text.to_str().is_some_and(is_address)
}

/// The role of the process in one word, as deployments set it.
fn read_mode(name: &str, environment: &Environment, reading: &mut Reading) {
    let Some(text) = environment.variable(name) else { return };
    let origin = Origin::Variable(name.to_owned());
    let mode = text.to_str().unwrap_or_default().to_ascii_lowercase();
    match mode.as_str() {
        "standalone" | "local" => {}
        "master" | "worker" => {
            let option = option_table::find(&mode).expect("both roles are options");
            reading.settings.push(Setting { option, value: SettingValue::Flag(true), origin });
        }
        _ => {
            let message = format!("{text:?} is no role; allowed: master, worker, standalone");
            reading.problems.push(Problem::new(origin, "", message));
        }
    }
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
