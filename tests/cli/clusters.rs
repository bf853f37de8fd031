//! The commands that talk to a cluster.

use akrida::api::MasterAddress;
use akrida::cli::{ClusterCommand, ClusterRun, Exit, ExportTo, Invocation, RunsCommand};
use akrida_core::state::command::LossPolicy;

use super::surroundings::Surroundings;

fn masters(named: &[&str]) -> Vec<MasterAddress> {
    named.iter().map(|name| name.parse().unwrap()).collect()
}

#[test]
fn a_run_on_a_cluster_takes_the_options_of_a_run() {
    let surroundings = Surroundings::with_scenario().variable("LOCUST_USERS", "7");
    let parse = |arguments: &[&str]| surroundings.parse(arguments).unwrap();
    let options = |arguments: &[&str]| {
        let mut options = surroundings.run(arguments);
        options.notices.clear();
        Box::new(options)
    };
    let cluster = ClusterRun { masters: masters(&["a", "b:80"]), select_workers: Vec::new(), on_loss: None };
    for arguments in [
        &["run", "--masters", "a,b:80", "-r", "2", "-t", "60s", "--csv", "out"][..],
        &["run", "-r", "2", "-t", "60s", "--masters=a,b:80", "--csv", "out"],
    ] {
        let options = options(&["-r", "2", "-t", "60s", "--csv", "out"]);
        assert_eq!(parse(arguments), Invocation::RunOnCluster { cluster: cluster.clone(), options }, "{arguments:?}");
    }
    let tagged = ["run", "--masters", "a,b:80", "--select-workers", "eu,big", "--on-worker-loss=fail", "--", "run"];
    let cluster = ClusterRun {
        select_workers: vec!["eu".to_owned(), "big".to_owned()],
        on_loss: Some(LossPolicy::Fail),
        ..cluster
    };
    assert_eq!(parse(&tagged), Invocation::RunOnCluster { cluster, options: options(&["--", "run"]) });
    assert!(matches!(parse(&["run", "--masters", "a", "--list"]), Invocation::List(_)));
}

#[test]
fn masters_come_from_a_variable_too() {
    let surroundings = Surroundings::with_scenario().variable("AKRIDA_MASTERS", "m1 m2:90");
    let Ok(Invocation::RunOnCluster { cluster, .. }) = surroundings.parse(&["run"]) else { panic!("no run") };
    assert_eq!(cluster.masters, masters(&["m1:8089", "m2:90"]));
    let status = ClusterCommand::Status { json: false };
    assert_eq!(
        surroundings.parse(&["cluster", "status"]),
        Ok(Invocation::Cluster { masters: masters(&["m1", "m2:90"]), command: status.clone() })
    );
    for arguments in [["cluster", "status", "--masters", "m3"], ["cluster", "--masters", "m3", "status"]] {
        let named = Invocation::Cluster { masters: masters(&["m3"]), command: status.clone() };
        assert_eq!(surroundings.parse(&arguments), Ok(named));
    }
    let local = Invocation::Cluster { masters: masters(&["127.0.0.1"]), command: status };
    assert_eq!(Surroundings::empty().parse(&["cluster", "status"]), Ok(local));
}

#[test]
fn commands_about_runs_and_masters_are_recognised() {
    let empty = Surroundings::empty();
    let runs = |arguments: &[&str]| match empty.parse(arguments) {
        Ok(Invocation::Runs { command, .. }) => command,
        other => panic!("{arguments:?}: {other:?}"),
    };
    let latest = || "latest".to_owned();
    assert_eq!(runs(&["runs", "list", "--json"]), RunsCommand::List { json: true });
    assert_eq!(runs(&["runs", "show"]), RunsCommand::Show { run: latest(), json: false });
    assert_eq!(runs(&["runs", "stop"]), RunsCommand::Stop { run: latest() });
    let (base, new) = ("previous".to_owned(), latest());
    let compare = RunsCommand::Compare { base, new, tolerance: 0.05, json: false };
    assert_eq!(runs(&["runs", "compare", "previous", "latest", "--tolerance", "5%"]), compare);
    let to = ExportTo { html: Some("a.html".into()), csv: Some("p".into()), ..ExportTo::default() };
    assert_eq!(runs(&["runs", "export", "--html", "a.html", "--csv", "p"]), RunsCommand::Export { run: latest(), to });
    let add = ClusterCommand::Add {
        name: "m4".to_owned(),
        host: "10.0.0.4".to_owned(),
        port: 5557,
        web_port: 90,
        priority: -1,
    };
    let parsed = empty.parse(&["cluster", "add", "m4", "10.0.0.4", "--web-port", "90", "--priority", "-1"]);
    assert_eq!(parsed, Ok(Invocation::Cluster { masters: masters(&["127.0.0.1"]), command: add }));
}

#[test]
fn what_is_wrong_is_a_usage_error() {
    let surroundings = Surroundings::with_scenario();
    let problems = |arguments: &[&str]| surroundings.problems(arguments);
    assert!(problems(&["run"])[0].contains("needs --masters or AKRIDA_MASTERS"));
    assert!(problems(&["run", "--masters", "a:0"])[0].starts_with("--masters: \"a:0\" is not a master"));
    assert!(problems(&["run", "--masters", "a", "--users", "ten"])[0].starts_with("--users"));
    for arguments in [
        &["run", "--masters"][..],
        &["run", "--masters", "a", "--on-worker-loss", "cry"],
        &["run", "--masters", "a", "--select-workers", "eu,,big"],
        &["runs"],
        &["runs", "compare", "latest"],
        &["runs", "compare", "a", "b", "--tolerance", "much"],
        &["runs", "export"],
        &["cluster"],
        &["cluster", "restore", "file"],
        &["cluster", "status", "--masters", "https://a"],
    ] {
        assert_eq!(surroundings.parse(arguments).expect_err("accepted").exit(), Exit::Usage, "{arguments:?}");
    }
}

#[test]
fn help_names_the_options_of_the_cluster_and_of_the_run() {
    let help = Surroundings::empty().parse(&["run", "-u", "5", "--help"]).expect_err("help");
    assert_eq!(help.exit(), Exit::Passed);
    for option in ["--masters", "--select-workers", "--on-worker-loss", "--users", "--summary-json"] {
        assert!(help.text().contains(option), "{option}: {}", help.text());
    }
}
