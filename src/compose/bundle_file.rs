//! Packs a scenario file, with the data files that it names, to be sent to a cluster.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use akrida_core::limits;
use akrida_core::scenario::bundle::{Bundle, FileContent};

use super::runnable::selection;
use super::scenario_file::{self, ScenarioFileError};
use crate::cli::RunOptions;

/// The bundle of the scenario that the options name. The scenario is understood on the way, so that what is wrong with
/// it is said here, with its line.
pub(super) fn pack(options: &RunOptions) -> Result<Bundle, ScenarioFileError> {
    let file = &options.scenario;
    let text = scenario_file::text_of(file)?;
    let files = RefCell::new(BTreeMap::new());
    let room = Cell::new(limits::BUNDLE_BYTES_MAX.saturating_sub(text.text.len()));
    text.understood(&|name| read(file, name, &files, &room))?;
    Ok(Bundle {
        name: text.name.into(),
        format: text.format,
        text: text.text.into(),
        files: files.into_inner(),
        selection: selection(options),
        is_program: false,
    })
}

/// Reads a file that the scenario names, and keeps it.
fn read(
    scenario: &Path,
    name: &str,
    files: &RefCell<BTreeMap<Arc<str>, FileContent>>,
    room: &Cell<usize>,
) -> io::Result<Vec<u8>> {
    if let Some(known) = files.borrow().get(name) {
        return Ok(known.0.to_vec());
    }
    let path = scenario_file::in_folder_of(scenario, name);
    let too_large = || {
        let most = limits::BUNDLE_BYTES_MAX;
        let reason = format!("a scenario and its data files have at most {most} bytes when they are sent to a cluster");
        io::Error::new(io::ErrorKind::FileTooLarge, reason)
    };
    if std::fs::metadata(&path)?.len() > room.get() as u64 {
        return Err(too_large());
    }
    let bytes = scenario_file::read_data(&path)?;
    room.set(room.get().checked_sub(bytes.len()).ok_or_else(too_large)?);
    files.borrow_mut().insert(name.into(), FileContent(bytes.clone().into()));
    Ok(bytes)
}
