//! `akrida cluster restore`: the first master of a new cluster, from the backup of a lost one.

use akrida_core::replica::stored::Stored;
use akrida_core::state::ClusterState;
use anyhow::{Context, anyhow, bail};

use super::master::member_of;
use super::print_to_stderr;
use crate::cli::{Environment, RestoreArgs, roles};
use crate::config::{ConfigFile, MasterConfig, MasterOverrides};
use crate::raft::restore::Anew;
use crate::raft::store::{RedbStore, backup};

/// Fills the empty data folder of a master.
pub(super) fn restore(arguments: &RestoreArgs) -> anyhow::Result<()> {
    let config = configuration(arguments)?;
    let (snapshot, origin) = backup::read(&arguments.file)?;
    let mut state = ClusterState::from_bytes(&snapshot.data)
        .with_context(|| format!("backup {} cannot be used", arguments.file.display()))?;
    let anew = Anew::draw(&config.node.name);
    state.begin_anew(member_of(&config.node, anew.founder.id));
    let stored = Stored::begun_anew(&anew.founder, snapshot.index, snapshot.term, &state.to_bytes());
    let mut store = RedbStore::open(&config.data_dir)?;
    anew.write(&mut store, &stored).with_context(|| config.data_dir.display().to_string())?;
    print_to_stderr(&format!(
        "{} holds the state that {} of cluster {} had at entry {}, with {} runs\n",
        config.data_dir.display(),
        origin.master,
        origin.cluster,
        snapshot.index,
        state.runs().count(),
    ));
    print_to_stderr(&next_steps(&config, &anew));
    Ok(())
}

fn next_steps(config: &MasterConfig, anew: &Anew) -> String {
    let mut text = format!("It is cluster {} now, of {} alone. Start that master.\n", anew.cluster, config.node.name);
    for other in config.nodes.iter().filter(|node| node.name != config.node.name) {
        text +=
            &format!("Then start {0} with an empty data folder, and run 'akrida cluster replace {0}'.\n", other.name);
    }
    text + "Restart the workers: they belong to the cluster that was lost.\n"
}

fn configuration(arguments: &RestoreArgs) -> anyhow::Result<MasterConfig> {
    let RestoreArgs { config: file, node, data_dir, .. } = arguments;
    let environment = Environment::of_process();
    let written = roles::read_file(file, "config", &environment)
        .map_err(|problems| anyhow!(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    let ConfigFile::Master(written) = written else { bail!("{} is no configuration of masters", file.display()) };
    let overrides = MasterOverrides { node: node.clone(), data_dir: data_dir.clone(), ..MasterOverrides::default() };
    let resolved = environment.with_surroundings(|surroundings| written.resolve(overrides, surroundings));
    resolved.with_context(|| file.display().to_string())
}
