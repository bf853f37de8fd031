//! The options that files and variables know, taken from clap's own definition so that none is forgotten.

use std::sync::LazyLock;

use clap::{Arg, ArgAction};

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// Nothing; it is on or off.
    Flag,
    /// One value.
    Value,
    /// Any number of values.
    List,
}

/// One option of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionSpec {
    /// The name that clap knows it by.
    pub id: String,
    /// The key in configuration files: the long name without its dashes.
    pub key: String,
    /// Other long names.
    pub aliases: Vec<String>,
    /// What it takes.
    pub kind: OptionKind,
    /// Whether it is given by place instead of by name.
    pub positional: bool,
    /// Whether configuration files may hold it.
    pub in_files: bool,
    /// Locust's variable, if there is one.
    pub locust_variable: Option<String>,
    /// The variable that published deployments of Locust set beside Locust's own, if there is one. It is weaker.
    pub deployment_variable: Option<&'static str>,
    /// Akrida's variables, of which the first one set counts.
    pub akrida_variables: Vec<String>,
}

static OPTIONS: LazyLock<Vec<OptionSpec>> = LazyLock::new(|| {
    super::command()
        .get_arguments()
        .filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"))
        .map(specification)
        .collect()
});

/// All options of a run, in the order of the help.
#[must_use]
pub fn options() -> &'static [OptionSpec] {
    &OPTIONS
}

/// The option with this key or alias.
#[must_use]
pub fn find(key: &str) -> Option<&'static OptionSpec> {
    OPTIONS.iter().find(|option| option.key == key || option.aliases.iter().any(|alias| alias == key))
}

fn specification(argument: &Arg) -> OptionSpec {
    let id = argument.get_id().as_str().to_owned();
    let key = argument.get_long().map_or_else(|| id.replace('_', "-"), str::to_owned);
    let aliases: Vec<String> = argument.get_all_aliases().unwrap_or_default().into_iter().map(str::to_owned).collect();
    let kind = match argument.get_action() {
        ArgAction::SetTrue => OptionKind::Flag,
        ArgAction::Append => OptionKind::List,
        _ => OptionKind::Value,
    };
    let locust_variable = locust_variable(&key);
    let akrida_variables = match &locust_variable {
        _ if asks_for_something_else(&key) => Vec::new(),
        Some(name) => {
            let twin = |name: &str| name.replacen("LOCUST_", "AKRIDA_", 1);
            let mut twins = names(twin(name), &aliases);
            twins.extend(deployment_variable(&key).map(twin));
            twins
        }
        None => names(default_variable("AKRIDA", &key), &aliases),
    };
    OptionSpec {
        deployment_variable: deployment_variable(&key),
        positional: argument.is_positional(),
        in_files: key != "config",
        id,
        key,
        aliases,
        kind,
        locust_variable,
        akrida_variables,
    }
}

fn names(first: String, aliases: &[String]) -> Vec<String> {
    std::iter::once(first).chain(aliases.iter().map(|alias| default_variable("AKRIDA", alias))).collect()
}

/// What is asked for instead of a run belongs to one command line, not to the surroundings of many.
fn asks_for_something_else(key: &str) -> bool {
    matches!(
        key,
        "config"
            | "list"
            | "show-task-ratio"
            | "show-task-ratio-json"
            | "debug-user"
            | "debug-secrets"
            | "slave"
            | "expect-slaves"
    )
}

/// The variable that Locust reads for this option. Locust has none for some of its options, and other names than the
/// option's for some.
fn locust_variable(key: &str) -> Option<String> {
    let name = match key {
        "master" => "LOCUST_MODE_MASTER",
        "worker" => "LOCUST_MODE_WORKER",
        "master-host" => "LOCUST_MASTER_NODE_HOST",
        "master-port" => "LOCUST_MASTER_NODE_PORT",
        "class-picker" => "LOCUST_USERCLASS_PICKER",
        "otel" => "LOCUST_ENABLE_OPENTELEMETRY",
        "json" | "json-file" | "equal-weights" | "profile" | "enable-rebalancing" => return None,
        "summary-json" | "fail-on-invalid" | "insecure" | "cacert" | "client-cert" | "client-key" | "dns"
        | "allow-host" | "node" | "node-id" | "worker-tags" | "data-dir" => {
            return None;
        }
        _ if asks_for_something_else(key) => return None,
        _ => return Some(default_variable("LOCUST", key)),
    };
    Some(name.to_owned())
}

/// The variable that deployments of Locust set for this option: the scripts and manifests around it, not Locust itself.
fn deployment_variable(key: &str) -> Option<&'static str> {
    match key {
        "master-host" => Some("LOCUST_MASTER_HOST"),
        "master-port" => Some("LOCUST_MASTER_PORT"),
        "node-id" => Some("WORKER_NODE_ID"),
        _ => None,
    }
}

fn default_variable(prefix: &str, key: &str) -> String {
    format!("{prefix}_{}", key.replace('-', "_").to_ascii_uppercase())
}
