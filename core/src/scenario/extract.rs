//! Extractions: variables taken from a response.

/// One extraction from a response.
#[derive(Clone, Debug)]
pub enum Extract {}
