//! The commands beside the flags.

use std::path::PathBuf;

use akrida::cli::{Exit, Invocation, TargetArgs, generate};
use clap_complete::Shell;

use super::surroundings::Surroundings;

#[test]
fn each_command_is_recognised() {
    let empty = Surroundings::empty();
    let parse = |arguments: &[&str]| empty.parse(arguments).unwrap();
    assert_eq!(parse(&["demo"]), Invocation::Demo);
    assert_eq!(parse(&["init"]), Invocation::Init { file: PathBuf::from("akrida.yml") });
    assert_eq!(parse(&["init", "a.yml"]), Invocation::Init { file: PathBuf::from("a.yml") });
    assert_eq!(parse(&["check", "a", "b"]), Invocation::Check { files: vec!["a".into(), "b".into()] });
    assert_eq!(
        parse(&["check-config", "a", "--node", "n"]),
        Invocation::CheckConfig { files: vec!["a".into()], node: Some("n".to_owned()) }
    );
    assert_eq!(parse(&["schema"]), Invocation::Schema);
    assert_eq!(parse(&["completions", "bash"]), Invocation::Completions(Shell::Bash));
    assert_eq!(parse(&["man"]), Invocation::Man);
}

#[test]
fn the_target_has_defaults() {
    let defaults = TargetArgs {
        host: [127, 0, 0, 1].into(),
        port: 8_000,
        latency: None,
        stall: None,
        error_rate: 0.0,
        workers: 1.try_into().unwrap(),
        access_log: None,
    };
    let empty = Surroundings::empty();
    assert_eq!(empty.parse(&["target"]), Ok(Invocation::Target(defaults.clone())));
    let typed = ["target", "--port", "0", "--latency", "normal 20ms 5ms", "--error-rate", "0.01", "--workers", "2"];
    let expected = TargetArgs {
        port: 0,
        latency: Some("normal 20ms 5ms".to_owned()),
        error_rate: 0.01,
        workers: 2.try_into().unwrap(),
        ..defaults
    };
    assert_eq!(empty.parse(&typed), Ok(Invocation::Target(expected)));
}

#[test]
fn wrong_arguments_of_commands_are_usage_errors() {
    let empty = Surroundings::empty();
    for arguments in [
        &["check"][..],
        &["demo", "--users", "5"],
        &["init", "a", "b"],
        &["completions", "tcsh"],
        &["target", "--error-rate", "2"],
        &["target", "--port", "65536"],
        &["target", "--workers", "0"],
        &["target", "--host", "localhost"],
        &["target", "--latencyy", "5ms"],
    ] {
        let error = empty.parse(arguments).expect_err("accepted");
        assert_eq!(error.exit(), Exit::Usage, "{arguments:?}");
        assert!(error.text().starts_with("error: "), "{error}");
    }
}

#[test]
fn commands_do_not_look_at_the_options_of_runs() {
    let surroundings = Surroundings::empty()
        .file("here/locust.conf", "nonsense\n")
        .variable("LOCUST_USERS", "ten")
        .variable("LOCUST_MODE_MASTER", "1");
    assert_eq!(surroundings.parse(&["schema"]), Ok(Invocation::Schema));
}

#[test]
fn a_user_class_may_bear_the_name_of_a_command() {
    let surroundings = Surroundings::with_scenario();
    assert_eq!(surroundings.run(&["--", "demo"]).user_classes, ["demo"]);
    assert_eq!(surroundings.run(&["Buyer", "demo"]).user_classes, ["Buyer", "demo"]);
    assert_eq!(surroundings.run(&["-u", "5", "demo"]).user_classes, ["demo"]);
}

#[test]
fn a_program_with_users_of_its_own_has_no_commands_and_says_so() {
    let empty = Surroundings::empty();
    for arguments in [&["run", "--masters", "a"][..], &["runs", "list"], &["cluster", "status"], &["demo"]] {
        let error = empty.parse_for_program(arguments).expect_err("accepted");
        let expected = format!("'{}' is a command of akrida, and this program has none", arguments[0]);
        assert!(error.exit() == Exit::Usage && error.text().contains(&expected), "{error}");
    }
    for arguments in [&["-u", "5"][..], &["-u", "5", "demo"], &["--", "demo"]] {
        assert!(matches!(empty.parse_for_program(arguments), Ok(Invocation::Run(_))), "{arguments:?}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    let empty = Surroundings::empty();
    for arguments in [&["-h"][..], &["--help"], &["help"], &["-u", "ten", "--help"]] {
        let help = empty.parse(arguments).expect_err("help");
        assert_eq!(help.exit(), Exit::Passed, "{arguments:?}");
        assert!(help.text().contains("--spawn-rate <RATE>"), "{help}");
        assert!(help.text().contains("once, ttl, connection"), "{help}");
        assert!(!help.text().contains("--web-login"), "what cannot be used is not offered: {help}");
    }
    for arguments in [&["target", "--help"][..], &["help", "target"]] {
        assert!(empty.parse(arguments).expect_err("help").text().contains("--access-log <FILE>"));
    }
    let version = empty.parse(&["-V"]).expect_err("version");
    assert_eq!((version.exit(), version.text()), (Exit::Passed, concat!("akrida ", env!("CARGO_PKG_VERSION"), "\n")));
}

#[test]
fn completions_and_man_page_know_the_options() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
        let script = String::from_utf8(generate::completions(shell)).unwrap();
        assert!(script.contains("spawn-rate") && script.contains("access-log"), "{shell}");
    }
    let page = String::from_utf8(generate::man_page().unwrap()).unwrap();
    assert!(page.contains("spawn\\-rate"), "{page}");
}
