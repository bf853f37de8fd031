//! The pure core of Akrida.
//!
//! Everything here is a function of its arguments: no clock, no socket, no disk and no source of randomness but a
//! seed that the caller passes in. The actix actors and the `akrida` binary are shells around it.
//!
//! - [`document`]: files of YAML, JSON or TOML as trees of located nodes
//! - [`scenario`]: what users do, from a file to compiled steps
//! - [`plan`]: how many users there are at an instant of plan time, and who owns them
//! - [`stats`]: what was measured, from one sample to merged statistics
//! - [`data`]: tables that users draw rows from
//! - [`threshold`]: what a run is held to, and its verdict
//! - [`state`]: the replicated state and its `apply`
//! - [`coordinator`]: the leader's decisions
//! - [`replica`]: a master's part in the Raft group
//! - [`worker`]: a worker's decisions
//! - [`wire`]: the messages between masters and workers
//! - [`view`]: what tables, files and pages show

pub mod coordinator;
pub mod data;
pub mod document;
pub mod ids;
pub mod limits;
pub mod plan;
pub mod replica;
pub mod scenario;
pub mod state;
pub mod stats;
pub mod threshold;
pub mod view;
pub mod wire;
pub mod worker;
