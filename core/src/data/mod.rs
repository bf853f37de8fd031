//! Data feeders: tables from CSV and JSON files whose rows users draw.
//!
//! Reading files is the shell's; here their bytes become a [`table::Table`] ([`csv`], [`json`]), a row of which templates
//! use without copying it ([`row`]). Which row comes next is decided by pure functions ([`pick`]), and rows that only one
//! user may have are leased to workers in ranges ([`leases`]).

pub mod csv;
mod error;
pub mod json;
pub mod leases;
pub mod pick;
pub mod ranges;
pub mod row;
pub mod table;

use std::sync::Arc;

pub use error::{DataError, DataProblem, Place};
use table::Table;

/// A table that users draw rows from, and how.
#[derive(Clone, Debug)]
pub struct Feeder {
    /// The key under `data`: the variable that holds the current row.
    pub name: Arc<str>,
    /// The name of the file as written.
    pub file: Arc<str>,
    /// The rows.
    pub table: Arc<Table>,
    /// Which row comes next.
    pub pick: Pick,
    /// When a user draws a row.
    pub per: Per,
}

/// Which row comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Any, at random.
    Random,
    /// In the order of the file, from the start again after the last.
    RoundRobin,
    /// One that no other user has or had, until there are none left.
    Unique(OnExhausted),
}

/// What happens when all rows of a `unique` feeder were drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExhausted {
    /// The user that wants another row ends for good.
    StopUser,
    /// The run ends.
    StopRun,
    /// Rows that are no longer in use are drawn again.
    Recycle,
}

/// When a user draws a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// When it starts, and anew before each task of its class but the first.
    Iteration,
    /// Once, when it starts.
    User,
}
