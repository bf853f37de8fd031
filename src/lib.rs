//! Akrida: load tests in Locust's workflow.
//!
//! As a program it runs scenario files. As a library it runs users that are written in Rust: a type for each kind of
//! user, async functions for its tasks, and any protocol. Command line, reports and validity are the same.
//!
//! ```no_run
//! use akrida::prelude::*;
//!
//! struct Shopper {
//!     token: String,
//! }
//!
//! impl User for Shopper {
//!     fn describe() -> UserDescription<Self> {
//!         UserDescription::new("Shopper")
//!             .weight(3)
//!             .wait_time(wait::between(Duration::from_secs(1), Duration::from_secs(5)))
//!             .task("browse", 3, Self::browse)
//!             .tagged_task("buy", 1, ["checkout"], Self::buy)
//!     }
//!
//!     async fn start(context: &mut UserContext) -> TaskResult<Self> {
//!         let login = context.http().post("/login").form([("username", "ann"), ("password", "secret")]).send().await?;
//!         let token = login.header("x-token").ok_or_else(|| TaskError::new("no token"))?.to_owned();
//!         Ok(Self { token })
//!     }
//! }
//!
//! impl Shopper {
//!     async fn browse(&mut self, context: &mut UserContext) -> TaskResult {
//!         let product = context.random().u32(1..1_000);
//!         context.http().get(format!("/products/{product}")).name("/products/[id]").send().await?;
//!         Ok(())
//!     }
//!
//!     async fn buy(&mut self, context: &mut UserContext) -> TaskResult {
//!         context.http().post("/cart").bearer_auth(&self.token).body("7").expect_status(201).send().await?;
//!         Ok(())
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     akrida::App::new().user::<Shopper>().host("http://127.0.0.1:8000").main()
//! }
//! ```
//!
//! Everything that a test needs is in [`prelude`]. The other modules are the parts of the `akrida` command; they are
//! public for its own tests and may change at any time.

pub mod api;
pub mod cli;
pub mod client;
pub mod compose;
pub mod config;
pub mod debug_user;
pub mod init;
pub mod live;
pub mod logging;
pub mod monitoring;
pub mod raft;
pub mod report;
pub mod target;
pub mod web;

pub use compose::App;

/// What a test in Rust needs: `use akrida::prelude::*;`.
pub mod prelude {
    pub use std::time::Duration;

    pub use akrida_actors::user::native::description::UserDescription;
    pub use akrida_actors::user::native::error::{TaskError, TaskResult};
    pub use akrida_actors::user::native::http::{Http, HttpRequest};
    pub use akrida_actors::user::native::response::Response;
    pub use akrida_actors::user::native::sample::{Content, Sample};
    pub use akrida_actors::user::native::{User, UserContext, wait};

    pub use crate::compose::App;
}
