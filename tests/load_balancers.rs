//! The shipped configurations of Nginx and HAProxy, in a real Nginx and a real HAProxy.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

#[path = "load_balancers/stand_in.rs"]
mod stand_in;

#[path = "load_balancers/configuration.rs"]
mod configuration;
#[path = "load_balancers/failover.rs"]
mod failover;
#[path = "load_balancers/repeating.rs"]
mod repeating;
