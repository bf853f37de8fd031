//! The parts of the `akrida` command.

pub mod cli;
pub mod compose;
pub mod debug_user;
pub mod init;
pub mod live;
pub mod report;
pub mod target;
