//! The command line: from arguments, variables and files to what is run.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "cli/surroundings.rs"]
mod surroundings;

#[path = "cli/clusters.rs"]
mod clusters;
#[path = "cli/document.rs"]
mod document;
#[path = "cli/every_option.rs"]
mod every_option;
#[path = "cli/never_panics.rs"]
mod never_panics;
#[path = "cli/precedence.rs"]
mod precedence;
#[path = "cli/problems.rs"]
mod problems;
#[path = "cli/roles.rs"]
mod roles;
#[path = "cli/runs.rs"]
mod runs;
#[path = "cli/subcommands.rs"]
mod subcommands;
