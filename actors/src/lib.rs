//! The actix shells of Akrida.
//!
//! - [`clock`]: plan time on this machine
//! - [`http`]: one HTTP client a user, behind one interface
//! - [`user`]: the user actor and the steps it runs

pub mod clock;
pub mod http;
pub mod user;
