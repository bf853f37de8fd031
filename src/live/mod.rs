//! The live view of a run on a terminal.
//!
//! [`LiveView`] keeps a block of lines at the bottom of the terminal up to date, passes on what the user asks for by
//! keys, and leaves the terminal as it found it. Log lines that go through [`LogLines`] appear above the block.
//!
//! What is shown and what keys mean are pure functions: [`frame`](frame::frame), [`keys`].

mod figures;
pub mod frame;
pub mod keys;
mod limits;
pub mod line;
mod log_lines;
mod screen;
mod terminal;

pub use keys::{Edit, KeyAction, Refused, edit_of};
pub use log_lines::LogLines;
pub use screen::restore_terminal;
pub use terminal::LiveView;
