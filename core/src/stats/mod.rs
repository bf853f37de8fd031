//! What was measured, from one sample to the merged statistics of a cluster.
//!
//! A [`recorder::Recorder`] has a single writer and takes samples without locks and, for names it knows, without
//! allocation. Once an interval it is drained into [`measurements::Measurements`], which merge: over the arbiters of a
//! worker into a [`delta::Delta`], over workers and intervals into [`run::RunStats`]. Merging in any order and grouping
//! equals recording in one place.

pub mod delta;
pub mod endpoint;
pub mod histogram;
pub mod measurements;
pub mod recorder;
pub mod run;
pub mod series;
mod varint;
