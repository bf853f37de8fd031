//! What cannot be written is told and fails the program; a reader that is gone does not.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use support::akrida::{Akrida, program};
use tempfile::TempDir;

mod support;

/// Nothing listens there: what a run measures does not matter here.
const SCENARIO: &str = "host: http://127.0.0.1:1\nusers: { Visitor: { wait_time: 20ms, tasks: { home: GET / } } }";

const BRIEF: [&str; 6] = ["-t", "300ms", "--exit-code-on-error", "0", "-r", "10"];

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("Linux has it").into()
}

fn code(command: &mut Command) -> Option<i32> {
    command.status().expect("the program starts").code()
}

#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let folder = TempDir::new().expect("a folder");
    for arguments in [&["schema"][..], &["--help"], &["completions", "bash"]] {
        let output = program().current_dir(folder.path()).args(arguments).stdout(full()).output().expect("starts");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"), "{arguments:?}");
    }
}

#[test]
fn standard_error_that_takes_nothing_changes_no_exit_code() {
    let folder = TempDir::new().expect("a folder");
    for arguments in [&["--unknown"][..], &["check", "missing.yml"], &["-f", "missing.yml"], &["init", "a.json"]] {
        let mut command = program();
        command.current_dir(folder.path()).args(arguments).stdout(Stdio::null()).stderr(full());
        assert_eq!(code(&mut command), Some(2), "{arguments:?}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_the_run() {
    let akrida = Akrida::with_scenario(SCENARIO);
    for option in ["--html", "--summary-json", "--json-file", "--csv"] {
        for file in ["/proc/none", "."] {
            let (is_prefix, is_name) = (option == "--csv", option == "--json-file");
            if file == "." && (is_prefix || is_name) {
                continue;
            }
            let ended = akrida.run(&[&BRIEF[..], &[option, file]].concat());
            assert_eq!(ended.code, Some(2), "{option} {file}: {}", ended.stderr);
            assert!(ended.stderr.contains("cannot write"), "{option} {file}: {}", ended.stderr);
            assert!(!ended.stderr.contains("Aggregated"), "{option} {file} ran first: {}", ended.stderr);
        }
    }
}

#[test]
fn every_output_that_fails_at_the_end_is_named() {
    let akrida = Akrida::with_scenario(SCENARIO);
    let mut arguments = BRIEF.to_vec();
    arguments.extend(["--html", "/dev/full", "--json-file", "full"]);
    std::os::unix::fs::symlink("/dev/full", akrida.folder().join("full.json")).expect("a link");
    let ended = akrida.run(&arguments);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    for name in ["/dev/full", "full.json"] {
        assert!(ended.stderr.contains(&format!("cannot write {name}: No space")), "{name}: {}", ended.stderr);
    }
    assert_eq!(ended.summary["run"]["status"], "stopped", "what can be written is");
}

#[test]
fn a_device_is_no_endless_scenario() {
    let akrida = Akrida::with_scenario(SCENARIO);
    std::os::unix::fs::symlink("/dev/zero", akrida.folder().join("zero.yml")).expect("a link");
    let ended = akrida.run(&["-f", "zero.yml"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("at most"), "{}", ended.stderr);
}

#[test]
fn a_target_tells_that_its_access_log_is_incomplete() {
    let mut command = program();
    command.args(["target", "--port", "0", "--access-log", "/dev/full"]);
    let mut target = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut line = String::new();
    let mut stdout = BufReader::new(target.stdout.take().expect("piped"));
    stdout.read_line(&mut line).expect("the first line");
    let address = line.trim().rsplit('/').next().expect("an address");
    let mut stream = TcpStream::connect(address).expect("listens");
    stream.write_all(b"GET / HTTP/1.1\r\nhost: target\r\nconnection: close\r\n\r\n").expect("sent");
    stream.read_to_end(&mut Vec::new()).expect("answered");
    let pid = i32::try_from(target.id()).expect("a process id");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).expect("it runs");
    let stderr = target.wait_with_output().expect("ends").stderr;
    assert!(String::from_utf8_lossy(&stderr).contains("access log is incomplete"), "{stderr:?}");
}
