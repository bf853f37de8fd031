//! What a run is, from a scenario and what was asked for: the same on one machine and on the leader of a cluster.

use std::sync::Arc;
use std::time::Duration;

use akrida_core::data::{Feeder, OnExhausted, Pick};
use akrida_core::limits;
use akrida_core::plan::classes::{ClassSequence, ClassShare};
use akrida_core::plan::rate::SpawnRate;
use akrida_core::scenario::bundle::Bundle;
use akrida_core::scenario::model::{LoadModel, Scenario};
use akrida_core::scenario::select::select;
use akrida_core::state::command::{Distribution, RunSpec, UniqueFeeder};
use akrida_core::threshold::names::unknown_names;
use anyhow::{Context, anyhow, ensure};

use super::runnable::Origin;
use super::scenario_file::ScenarioText;
use crate::api::StartRun;
use crate::cli::{RunOptions, SPAN_MAX};

/// What is asked of a run beside its scenario.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    users: u64,
    rate: SpawnRate,
    run_time: Option<Duration>,
    stop_timeout_ms: u64,
    reset_stats: bool,
    profile: Option<Arc<str>>,
    bundle: Option<Arc<Bundle>>,
    distribution: Distribution,
}

/// What the options ask for.
pub(super) fn asked_for(options: &RunOptions) -> anyhow::Result<Asked> {
    Ok(Asked {
        users: options.users,
        rate: SpawnRate::per_second(options.spawn_rate_per_s).context("--spawn-rate is out of range")?,
        run_time: options.run_time,
        stop_timeout_ms: options.stop_timeout.as_millis() as u64,
        reset_stats: options.reset_stats,
        profile: options.profile.as_deref().map(Arc::from),
        bundle: None,
        distribution: Distribution::default(),
    })
}

/// The run as the leader knows it.
pub(super) fn of(scenario: &Scenario, asked: &Asked) -> RunSpec {
    let shares = shares(scenario);
    let users = ClassSequence::new(&shares).users_max().map_or(asked.users, |most| most.min(asked.users));
    let run_time = [asked.run_time, scenario.load.length()].into_iter().flatten().min();
    RunSpec {
        plan: scenario.load.plan(users, asked.rate, asked.run_time),
        run_time_ms: run_time.map(|run_time| run_time.as_millis() as u64),
        scenario: Arc::clone(&scenario.name),
        host: one_host(scenario),
        profile: asked.profile.clone(),
        classes: scenario.classes.iter().map(|class| Arc::clone(&class.name)).collect(),
        shares,
        stop_timeout_ms: asked.stop_timeout_ms,
        reset_when_spawned: asked.reset_stats,
        warm_up_ms: scenario.load.warm_up.as_millis() as u64,
        thresholds: scenario.thresholds.clone(),
        bundle: asked.bundle.clone(),
        distribution: Distribution {
            unique_rows: scenario.feeders.iter().map(unique_rows).collect(),
            ..asked.distribution.clone()
        },
    }
}

/// What of the options has no effect on a run of this scenario, or not the one that may be expected.
pub(super) fn warnings(scenario: &Scenario, options: &RunOptions) -> Vec<String> {
    let mut warnings = Vec::new();
    let most = ClassSequence::new(&shares(scenario)).users_max();
    if let Some(most) = most.filter(|most| *most < options.users) {
        warnings.push(format!("fixed counts allow {most} users, fewer than the {} that were asked for", options.users));
    }
    if scenario.load.model != LoadModel::CommandLine && !options.load_flags.is_empty() {
        let flags = options.load_flags.join(" and ");
        warnings.push(format!("no effect of {flags}: the scenario says itself how much load it makes"));
    }
    warnings.extend(unknown_names(&scenario.thresholds, scenario).iter().map(ToString::to_string));
    warnings
}

impl Asked {
    /// The same on a cluster, whose workers get the scenario.
    pub(super) fn on_cluster(self, bundle: Arc<Bundle>, distribution: Distribution) -> Self {
        Self { bundle: Some(bundle), distribution, ..self }
    }
}

/// The run that a client asks for, with its scenario read from the bundle; `defaults` is how the masters are configured
/// to use workers.
pub(super) fn of_start(start: &StartRun, defaults: &Distribution, origin: &Origin) -> anyhow::Result<RunSpec> {
    let bundle = start.bundle.as_ref().context("the run has no scenario")?;
    ensure!((1..=limits::USERS_MAX).contains(&start.users), "a run has 1 to {} users", limits::USERS_MAX);
    let run_time = start.run_time_ms.map(Duration::from_millis);
    ensure!(run_time.is_none_or(|time| !time.is_zero() && time <= SPAN_MAX), "the run time is out of range");
    ensure!(Duration::from_millis(start.stop_timeout_ms) <= SPAN_MAX, "the stop time-out is out of range");
    ensure!(start.select_tags.len() <= limits::TAGS_MAX, "a run selects by at most {} tags", limits::TAGS_MAX);
    let is_short = |text: &String| text.chars().count() <= limits::ENDPOINT_NAME_CHARS_MAX;
    ensure!(start.profile.iter().chain(&start.select_tags).all(is_short), "a label or a tag is too long");
    let distribution = Distribution {
        strategy: start.strategy.unwrap_or(defaults.strategy),
        on_loss: start.on_loss.unwrap_or(defaults.on_loss),
        select_tags: start.select_tags.iter().map(|tag| tag.as_str().into()).collect(),
        unique_rows: Vec::new(),
    };
    let asked = Asked {
        users: start.users,
        rate: SpawnRate::per_second(start.spawn_rate_per_s).context("the spawn rate is out of range")?,
        run_time,
        stop_timeout_ms: start.stop_timeout_ms,
        reset_stats: start.reset_stats,
        profile: start.profile.as_deref().map(Arc::from),
        bundle: Some(Arc::clone(bundle)),
        distribution,
    };
    Ok(of(&*origin.bundled(bundle)?, &asked))
}

/// The scenario that the text of a bundle holds, as it was selected.
pub(super) fn bundled(bundle: &Bundle) -> anyhow::Result<Arc<Scenario>> {
    ensure!(bundle.text.len() <= limits::SCENARIO_BYTES_MAX, "the scenario is too large");
    let text = ScenarioText { name: bundle.name.to_string(), format: bundle.format, text: bundle.text.to_string() };
    let read_file = |name: &str| match bundle.files.get(name) {
        Some(content) => Ok(content.0.to_vec()),
        None => Err(std::io::Error::new(std::io::ErrorKind::NotFound, "it was not sent with the scenario")),
    };
    let scenario = text.understood(&read_file)?;
    let wanted = &bundle.selection;
    if let Some(host) = &wanted.host {
        let scheme = url::Url::parse(host).map(|url| url.scheme().to_owned()).unwrap_or_default();
        ensure!(["http", "https"].contains(&scheme.as_str()), "the host {host:?} is no base URL of HTTP");
    }
    let selected = select(&scenario, &wanted.as_selection()).map_err(|error| anyhow!("{}: {error}", bundle.name))?;
    Ok(Arc::new(selected.scenario))
}

fn shares(scenario: &Scenario) -> Vec<ClassShare> {
    let share = |class: &akrida_core::scenario::model::UserClass| ClassShare {
        fixed_count: class.fixed_count,
        weight_milli: class.weight_milli,
    };
    scenario.classes.iter().map(share).collect()
}

fn unique_rows(feeder: &Feeder) -> Option<UniqueFeeder> {
    match feeder.pick {
        Pick::Unique(exhausted) => {
            Some(UniqueFeeder { rows: feeder.table.rows(), recycles: exhausted == OnExhausted::Recycle })
        }
        Pick::Random | Pick::RoundRobin => None,
    }
}

/// The host that all classes load, if it is one.
fn one_host(scenario: &Scenario) -> Option<Arc<str>> {
    let mut hosts = scenario.classes.iter().map(|class| class.host.as_ref().or(scenario.host.as_ref()));
    let first = hosts.next()??;
    hosts.all(|host| host == Some(first)).then(|| Arc::clone(first))
}
