//! The configuration of masters and workers: from the text of a file to what holds.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "config/machine.rs"]
mod machine;

#[path = "config/command.rs"]
mod command;
#[path = "config/documented.rs"]
mod documented;
#[path = "config/never_panics.rs"]
mod never_panics;
#[path = "config/problems.rs"]
mod problems;
#[path = "config/reference.rs"]
mod reference;
#[path = "config/resolve.rs"]
mod resolve;
#[path = "config/secrets.rs"]
mod secrets;
#[path = "config/shipped.rs"]
mod shipped;
#[path = "config/variables.rs"]
mod variables;
