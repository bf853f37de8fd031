//! The files that come with the program are good.

use std::collections::BTreeSet;
use std::time::Duration;

use super::machine::Machine;

const MASTERS: &str = include_str!("../../config/master-ha.yml");
const WORKER: &str = include_str!("../../config/worker.yml");
const LOOPBACK: &str = include_str!("../../config/loopback.yml");
const LOOPBACK_WORKER: &str = include_str!("../../config/loopback-worker.yml");

fn machine() -> Machine {
    Machine::default()
        .variable("AKRIDA_WEB_PASSWORD", "something long")
        .variable("AKRIDA_CLUSTER_SECRET", "sixteen characters or more")
}

#[test]
fn the_files_for_a_lan_need_no_warning_and_know_each_other() {
    let masters = machine().master(MASTERS, "master-1");
    assert_eq!(masters.warnings, [""; 0]);
    assert_eq!(masters.election.timeout, Duration::from_millis(500));
    assert_eq!(masters.worker_lost_after(), Duration::from_secs(10));
    let worker = machine().worker(WORKER);
    assert_eq!(worker.warnings, [""; 0]);
    assert_eq!(worker.secret, masters.secret);
    let addresses: Vec<_> = worker.masters.iter().map(|master| (master.host.as_str(), master.port)).collect();
    let nodes: Vec<_> = masters.nodes.iter().map(|node| (node.host.as_str(), node.port)).collect();
    assert_eq!(addresses, nodes);
}

#[test]
fn the_files_for_a_lan_do_not_start_without_secrets() {
    let problems = Machine::default().problems(MASTERS);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("AKRIDA_WEB_PASSWORD is not set"), "{problems:?}");
}

#[test]
fn three_masters_share_one_machine() {
    let names = ["master-1", "master-2", "master-3"];
    let masters = names.map(|name| Machine::default().master(LOOPBACK, name));
    let ports: Vec<_> = masters.iter().map(|master| (master.bind.port, master.web.port)).collect();
    assert_eq!(ports, [(5_557, 8_089), (5_567, 8_099), (5_577, 8_109)]);
    let folders: BTreeSet<_> = masters.iter().map(|master| master.data_dir.display().to_string()).collect();
    assert_eq!(folders, names.map(|name| format!("./akrida-data/{name}")).into());
    assert!(masters.iter().all(|master| master.bind.host == "127.0.0.1" && master.warnings.is_empty()));
    let worker = Machine::default().worker(LOOPBACK_WORKER);
    let addresses: Vec<String> = worker.masters.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["127.0.0.1:5557", "127.0.0.1:5567", "127.0.0.1:5577"]);
}
