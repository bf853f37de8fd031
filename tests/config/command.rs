//! `akrida check-config` as a program.

use std::path::Path;
use std::process::{Command, Output};

use super::machine::Machine;

fn check_config(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(env!("CARGO_BIN_EXE_akrida")).arg("check-config").args(arguments).current_dir(root).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_owned()).unwrap()
}

#[test]
fn the_settings_go_to_standard_output_and_warnings_to_standard_error() {
    let output = check_config(&["tests/config/reference/master-ha.yml", "--node", "master-3"]);
    let (settings, warnings) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{warnings}");
    assert!(warnings.contains("THE PASSWORD OF THE WEB UI"), "{warnings}");
    assert!(
        settings.contains("auth_credentials: \"admin:***\"") && !settings.contains("secure_password"),
        "{settings}"
    );
    assert_eq!(Machine::default().master(&settings, "master-3").node.priority, 80);
}

#[test]
fn every_file_is_checked() {
    let output = check_config(&["config/loopback-worker.yml", "none.yml", "Cargo.toml", "config/loopback.yml"]);
    assert_eq!(output.status.code(), Some(2));
    let (settings, problems) = (text(&output.stdout), text(&output.stderr));
    assert!(settings.contains("worker:") && settings.contains("master_cluster:"), "{settings}");
    assert!(problems.starts_with("none.yml: cannot be read: "), "{problems}");
    assert!(problems.contains("\nCargo.toml:2:1: not valid YAML: "), "{problems}");
}

#[test]
fn a_master_that_is_not_in_the_file_is_told() {
    let output = check_config(&["config/loopback.yml", "--node", "master-9"]);
    assert_eq!(output.status.code(), Some(2));
    let expected = "config/loopback.yml: no master is named \"master-9\", did you mean master-1?; allowed: master-1, \
                    master-2, master-3\n";
    assert_eq!(text(&output.stderr), expected);
}
