//! What is made from the definition of the command line: completion scripts and the man page.

use std::io;

use clap_complete::Shell;

/// The completion script for `shell`.
#[must_use]
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "akrida", &mut script);
    script
}

/// The man page, in roff.
///
/// # Errors
/// None in practice, since it is written to memory.
pub fn man_page() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(super::command()).render(&mut page)?;
    Ok(page)
}
