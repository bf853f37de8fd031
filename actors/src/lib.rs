//! The actix shells of Akrida.
//!
//! - [`clock`]: plan time on this machine
//! - [`http`]: one HTTP client a user, behind one interface
//! - [`user`]: the user actor and the steps it runs
//! - [`engine`]: users on one arbiter per core, and the stats collectors
//! - [`worker`]: carries a worker's decisions out
//! - [`coordinator`]: carries the leader's decisions out
//! - [`link`]: the messages between the two
//! - [`memory`]: how much of it this process uses
//! - [`observe`]: what a watched user does, for whoever debugs a scenario

pub mod clock;
pub mod coordinator;
pub mod engine;
pub mod http;
pub mod link;
pub mod memory;
pub mod observe;
pub mod user;
pub mod worker;
