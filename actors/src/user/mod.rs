//! Users: one actix actor each, with its own connection, cookies and variables.

pub mod context;
