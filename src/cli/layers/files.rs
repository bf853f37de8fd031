//! The layers of the configuration files, in Locust's order.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Reading, Setting, SettingValue, entry, key_value_file, toml_file};
use crate::cli::{Environment, Origin, Problem};

/// Size of a configuration file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A place where a configuration file may lie.
struct Place {
    /// The name in messages.
    name: String,
    path: PathBuf,
    /// Where it was asked for by `--config`; it must exist then, and set something.
    asked_for: Option<Origin>,
}

/// Reads the files that exist, and the one that the command line names.
pub(super) fn read(typed: &[Setting], environment: &Environment) -> Reading {
    let mut reading = Reading { settings: Vec::new(), problems: Vec::new() };
    for place in places(typed, environment) {
        match content(&place) {
            Ok(Some(text)) => {
                let read = parse(&place, &text);
                reading.settings.extend(read.settings);
                reading.problems.extend(read.problems);
            }
            Ok(None) => {}
            Err(problem) => reading.problems.push(problem),
        }
    }
    reading
}

/// The places, from the weakest to the strongest.
fn places(typed: &[Setting], environment: &Environment) -> Vec<Place> {
    let mut places = Vec::new();
    if let Some(home) = &environment.home {
        let path = home.join(".locust.conf");
        places.push(Place { name: "~/.locust.conf".to_owned(), path, asked_for: None });
    }
    // As Locust documents it; its program has these two the other way round.
    for name in ["pyproject.toml", "locust.conf"] {
        places.push(Place { name: name.to_owned(), path: environment.current_dir.join(name), asked_for: None });
    }
    if let Some((name, origin)) = config_option(typed)
        && !is_cluster_file(Path::new(name))
    {
        let path = environment.current_dir.join(name);
        places.push(Place { name: name.to_string_lossy().into_owned(), path, asked_for: Some(origin.clone()) });
    }
    places
}

/// Whether a file that `--config` names configures masters or workers, and so is no layer of options.
pub(in crate::cli) fn is_cluster_file(path: &Path) -> bool {
    has_extension(path, &["yml", "yaml"])
}

fn config_option(typed: &[Setting]) -> Option<(&OsString, &Origin)> {
    let setting = typed.iter().find(|setting| setting.option.key == "config")?;
    match &setting.value {
        SettingValue::Texts(texts) => texts.first().filter(|name| !name.is_empty()).map(|name| (name, &setting.origin)),
        SettingValue::Flag(_) => None,
    }
}

/// The text of the file; `None` if it does not exist and need not.
fn content(place: &Place) -> Result<Option<String>, Problem> {
    let problem = |what: String| match &place.asked_for {
        Some(origin) => Problem::new(origin.clone(), "config", format!("{}: {what}", place.name)),
        None => Problem::in_file(&place.name, 1, what),
    };
    let bytes = match bytes(&place.path) {
        Ok(bytes) => bytes,
        Err(error) if place.asked_for.is_none() && is_absent(&error) => return Ok(None),
        Err(error) => return Err(problem(format!("cannot be read: {error}"))),
    };
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(problem(format!("too large; allowed: {FILE_BYTES_MAX} bytes")));
    }
    text_of(&place.name, bytes).map(Some)
}

/// The text of a file that was read.
fn text_of(name: &str, bytes: Vec<u8>) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        Problem::in_file(name, line, "not valid UTF-8")
    })
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(place: &Place, text: &str) -> Reading {
    let (entries, mut problems) = if has_extension(&place.path, &["toml"]) {
        match toml_file::entries(&place.name, text) {
            Ok(Some(entries)) => (entries, Vec::new()),
            Ok(None) if place.asked_for.is_some() => {
                (Vec::new(), vec![Problem::in_file(&place.name, 1, "has no section [tool.locust]")])
            }
            Ok(None) => (Vec::new(), Vec::new()),
            Err(problem) => (Vec::new(), vec![problem]),
        }
    } else {
        key_value_file::entries(&place.name, text)
    };
    let mut reading = entry::settings(&place.name, entries);
    problems.append(&mut reading.problems);
    Reading { settings: reading.settings, problems }
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|extension| extensions.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}
/// Whether there is no such file, or not even a folder for it.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
