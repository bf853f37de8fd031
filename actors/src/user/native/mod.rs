//! Users that are code of the program.
//!
//! A kind of user is a type that implements [`User`]. Its tasks are async functions that get a [`UserContext`] with
//! every call: an HTTP client, a way to measure any other protocol, pauses and random numbers. Which task is next, when
//! it starts and how it stops is the same as for users of a scenario file.
//!
//! - [`description`], [`wait`]: what a kind of user says of itself
//! - [`context`], [`http`], [`response`], [`sample`]: what its code may use
//! - [`error`]: how a task ends early
//! - [`registry`]: all kinds of users of a program, by name
//! - `names`, `run`: how the engine gets on with them

pub mod context;
pub mod description;
pub mod error;
pub mod http;
pub(super) mod names;
pub mod registry;
pub mod response;
mod run;
pub mod sample;
pub mod wait;

use std::future::Future;

pub use super::runner::UserContext;
use description::UserDescription;
use error::TaskResult;

/// A kind of user: what each user remembers, and what it does.
///
/// All users of an arbiter share one thread and its event loop. Code that computes for long or blocks holds up all of
/// them, and makes the measurement invalid.
pub trait User: Sized + 'static {
    /// What this kind of user is called, how many of them there are and which tasks they have. Called once.
    fn describe() -> UserDescription<Self>;

    /// Starts a user: Locust's `on_start`. With an error the user is started again after a second; the error is in the
    /// statistics of exceptions.
    fn start(context: &mut UserContext) -> impl Future<Output = TaskResult<Self>>;

    /// Called once when a user that was started stops in good order: Locust's `on_stop`. It has the time that requests
    /// in flight get to end.
    fn stop(&mut self, context: &mut UserContext) -> impl Future<Output = ()> {
        let _ = context;
        async {}
    }
}
