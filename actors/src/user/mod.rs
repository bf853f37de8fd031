//! Users: one actix actor each, with its own connection, cookies and variables.
//!
//! - [`context`]: what the users of one arbiter share
//! - [`program`] and `request_program`: the scenario as the users of one arbiter run it, compiled once
//! - [`actor`]: a user from its start to its end; `stop` tells it to end
//! - `runner`, `steps`, `request`, `websocket`: what it does in between; `session` is what it remembers,
//!   `variables` what templates see of that
//! - [`desk`]: where the arrivals of an open model meet the users that serve them
//! - [`permit`]: until when requests may be sent
//! - [`feeders`]: the rows of data files that users draw
//! - [`native`]: users that are code of the program; `recording` is what their requests share with those of steps
//! - `tasks`, `wait`: which task is next and when, as pure functions
//! - [`functions`]: what templates may call
//! - [`watched`]: the life of a user that is debugged

pub mod actor;
pub mod context;
pub mod desk;
pub mod feeders;
pub mod functions;
pub mod native;
pub mod permit;
pub mod program;
mod recording;
mod request;
mod request_program;
mod runner;
mod session;
mod steps;
mod stop;
mod tasks;
mod variables;
mod wait;
pub mod watched;
mod websocket;
