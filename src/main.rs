//! The `akrida` command.
fn main() {}
