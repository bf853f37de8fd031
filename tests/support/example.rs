//! The examples, as programs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program of an example. Cargo builds it with the tests; only when a single test was asked for it may be missing.
pub fn example(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_akrida")).parent().expect("a folder");
    let program = folder.join("examples").join(name);
    if !program.is_file() {
        let profile = match folder.file_name().and_then(|profile| profile.to_str()).expect("text") {
            "debug" => "dev",
            other => other,
        };
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--locked", "--offline", "--profile", profile, "--example", name, "--manifest-path"]);
        build.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
        build.arg("--target-dir").arg(folder.parent().expect("a folder"));
        assert!(build.status().expect("cargo starts").success(), "{name} is not built");
    }
    program
}
