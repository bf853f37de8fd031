//! Servers and a client for the tests that need real sockets.

#![allow(dead_code, unreachable_pub, reason = "each test program uses its own part of this")]

pub mod akrida;
pub mod bad_server;
pub mod balancer;
pub mod browser;
pub mod certificates;
pub mod cluster;
pub mod example;
pub mod feed;
pub mod network;
pub mod nginx;
pub mod raw_http;
pub mod target;
pub mod tinyproxy;
pub mod tls_http;
pub mod waiting;
