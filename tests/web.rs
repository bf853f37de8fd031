//! The web port of a master and its client, over real sockets, with a stand-in for the master behind it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

#[path = "web/fake_master.rs"]
mod fake_master;

#[path = "web/client.rs"]
mod client;
#[path = "web/cluster_run.rs"]
mod cluster_run;
#[path = "web/documents.rs"]
mod documents;
#[path = "web/feed.rs"]
mod feed;
#[path = "web/forwarding.rs"]
mod forwarding;
#[path = "web/health.rs"]
mod health;
#[path = "web/keys.rs"]
mod keys;
#[path = "web/locust.rs"]
mod locust;
#[path = "web/refusals.rs"]
mod refusals;
