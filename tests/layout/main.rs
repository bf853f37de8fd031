//! The direction of dependencies: `src -> actors -> core`, and the parts of `src` do not know each other.
//!
//! Cargo holds the first between crates. This holds what it cannot see: which parts of the standard library the core
//! uses, and which modules of the binary meet.

use std::fs;
use std::path::{Path, PathBuf};

use paths::{Code, paths_of};

mod paths;

/// What only shells may use.
const SHELL_ONLY: &[&str] = &[
    "actix",
    "actix_rt",
    "actix_web",
    "awc",
    "tokio",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
];

/// Times that come from a clock.
const CLOCKS: &[&str] = &["Instant", "SystemTime"];

/// Parts of `src` that put the others together.
const COMPOSERS: &[&str] = &["main", "lib", "compose"];

/// Parts of `src` that are plain data and may be used by all.
const PLAIN: &[&str] = &["api", "config"];

#[test]
fn the_core_has_no_clock_socket_disk_or_thread() {
    let mut violations = Vec::new();
    for code in code_under("core/src") {
        for path in &code.paths {
            if SHELL_ONLY.iter().any(|banned| begins_with(path, banned)) || CLOCKS.iter().any(|clock| has(path, clock))
            {
                violations.push(format!("{}: {path}", code.file.display()));
            }
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn the_actors_do_not_know_the_binary() {
    let mut violations = Vec::new();
    for code in code_under("actors/src") {
        for path in &code.paths {
            if begins_with(path, "akrida") || begins_with(path, "clap") {
                violations.push(format!("{}: {path}", code.file.display()));
            }
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn only_compose_knows_every_part_of_the_binary() {
    let all = code_under("src");
    let mut parts: Vec<&str> = all.iter().map(part_of).collect();
    parts.sort_unstable();
    parts.dedup();
    assert!(parts.contains(&"target"), "{parts:?}");
    let violations: Vec<String> = all.iter().flat_map(|code| strangers(code, &parts)).collect();
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn a_part_that_knows_another_is_found() {
    let parts = ["cli", "compose", "config", "report", "target"];
    let read =
        |file: &str, text: &str| Code { file: PathBuf::from(file), paths: paths_of(text, &module_of(Path::new(file))) };
    for (file, text, found) in [
        ("src/report/html.rs", "use crate::cli::Flags;", 1),
        ("src/report/html.rs", "use crate::{cli, report::csv, target::start};", 2),
        ("src/report/html.rs", "use super::super::target;", 1),
        ("src/report/html.rs", "fn f() { crate::target::start() }", 1),
        ("src/report/mod.rs", "use super::cli;", 1),
        ("src/report.rs", "use akrida::target;", 1),
        ("src/report/html.rs", "use super::csv; use crate::config::Config; use akrida_core::target;", 0),
        ("src/report/html.rs", "// use crate::cli::Flags;", 0),
        ("src/compose/mod.rs", "use crate::{cli, report};", 0),
        ("src/main.rs", "use akrida::compose;", 0),
    ] {
        assert_eq!(strangers(&read(file, text), &parts).len(), found, "{file}: {text}");
    }
}

/// The parts that this code uses although it should not know them.
fn strangers(code: &Code, parts: &[&str]) -> Vec<String> {
    let own = part_of(code);
    if COMPOSERS.contains(&own) {
        return Vec::new();
    }
    let stranger = |path: &&String| {
        let mut segments = path.split("::");
        let at_root = segments.next().is_some_and(|root| root == "crate" || root == "akrida");
        let part = segments.next().unwrap_or_default();
        at_root && part != own && parts.contains(&part) && !PLAIN.contains(&part)
    };
    code.paths.iter().filter(stranger).map(|path| format!("{}: {path}", code.file.display())).collect()
}

/// The folder or file right under `src` that holds this code.
fn part_of(code: &Code) -> &str {
    let part = code.file.components().nth(1).and_then(|part| part.as_os_str().to_str()).expect("a file under src");
    part.trim_end_matches(".rs")
}

fn begins_with(path: &str, banned: &str) -> bool {
    path.strip_prefix(banned).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn has(path: &str, name: &str) -> bool {
    path.split("::").any(|segment| segment == name)
}

/// The module that a file holds, for example `crate::report::html`.
fn module_of(file: &Path) -> String {
    let inside = file.with_extension("");
    let names = inside.iter().filter_map(|name| name.to_str()).skip_while(|name| *name != "src").skip(1);
    let names = names.filter(|name| !["mod", "lib", "main"].contains(name));
    ["crate"].into_iter().chain(names).collect::<Vec<_>>().join("::")
}

/// The text up to its `tests` module, which stands at the end.
fn without_tests(text: &str) -> &str {
    text.split("\nmod tests {\n").next().unwrap_or(text)
}

/// All code under a folder of the repository, without its tests: those at the end of a file, and files named `tests.rs`.
fn code_under(folder: &str) -> Vec<Code> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut all = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
                let file = path.strip_prefix(root).expect("a file of the repository").to_owned();
                let text = fs::read_to_string(&path).expect("code in UTF-8");
                all.push(Code { paths: paths_of(without_tests(&text), &module_of(&file)), file });
            }
        }
    }
    assert!(!all.is_empty(), "no code under {folder}");
    all
}
