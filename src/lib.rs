//! The parts of the `akrida` command.

pub mod cli;
pub mod init;
pub mod report;
pub mod target;
