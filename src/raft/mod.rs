//! A master's part in the Raft group.

pub mod store;
