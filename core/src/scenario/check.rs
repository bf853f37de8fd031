//! Checks of a response: each passes or fails the sample with a readable message.

/// One check of a response.
#[derive(Clone, Debug)]
pub enum Check {}
