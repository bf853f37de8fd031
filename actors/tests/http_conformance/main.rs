//! One suite for both transports: a server that follows a script, byte by byte, and what a client is to make of it.
//! Where awc does something else, the suite says what.

#![allow(clippy::unwrap_used, reason = "tests")]

mod allowed_hosts;
mod bodies;
mod connection_rules;
mod connections;
mod https;
mod play;
mod requests;
mod responses;
mod server;
