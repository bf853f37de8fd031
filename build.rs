//! Builds the web pages (`ui/`) with npm when their sources have changed, for the feature `ui`.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};

/// What the pages are made of.
const SOURCES: [&str; 7] =
    ["src", "public", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"];

const WITHOUT_NODE: &str = "the web pages are built with Node 20.19, or 22.12 or later, and its npm, which must be in the \
     search path; or build without pages: cargo build --no-default-features";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_UI").is_none() {
        return ExitCode::SUCCESS;
    }
    for source in SOURCES {
        println!("cargo::rerun-if-changed=ui/{source}");
    }
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let folder = Path::new("ui");
    if !are_packages_installed(folder) {
        npm(folder, &["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"])?;
    }
    let out = env::var("OUT_DIR").map_err(|error| format!("OUT_DIR: {error}"))?;
    let out = Path::new(&out).join("ui");
    let out = out.to_str().ok_or("the path of the build folder is not in UTF-8")?;
    npm(folder, &["run", "build", "--", "--outDir", out, "--emptyOutDir"])
}

/// Whether npm has installed what the lock file names: it notes that in a file of its own.
fn are_packages_installed(folder: &Path) -> bool {
    let changed = |path: &str| fs::metadata(folder.join(path)).and_then(|meta| meta.modified()).ok();
    let installed = changed("node_modules/.package-lock.json");
    installed.is_some() && installed >= changed("package-lock.json")
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("npm").current_dir(folder).args(arguments).output();
    let output = output.map_err(|error| format!("npm does not start: {error}\n{WITHOUT_NODE}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Err(format!("npm {} failed\n{said}\n{WITHOUT_NODE}", arguments.join(" ")))
}
