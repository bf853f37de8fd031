//! What the files of masters and of workers have in common.

use akrida_core::document::cursor::{Cursor, Object};
use akrida_core::document::problem::shown;
use akrida_core::limits::NODE_NAME_CHARS_MAX;

use super::reader::Reader;
use super::{WrittenLogging, WrittenMonitoring, WrittenTrust};
use crate::config::credentials::TlsFiles;
use crate::config::keys::Section;
use crate::config::logging::{LogFormat, LogLevel};
use crate::config::quantity::{SIZE, bytes_of};
use crate::config::secret::Secret;

const LEVELS: &[(&str, LogLevel)] = &[
    ("DEBUG", LogLevel::Debug),
    ("INFO", LogLevel::Info),
    ("WARNING", LogLevel::Warning),
    ("ERROR", LogLevel::Error),
    ("CRITICAL", LogLevel::Critical),
];

const FORMATS: &[(&str, LogFormat)] = &[("text", LogFormat::Text), ("json", LogFormat::Json)];

/// Log files that may be kept.
const BACKUPS_MAX: u32 = 1_000;

impl Reader<'_> {
    /// The object `cluster` of a master or worker.
    pub(super) fn trust(&mut self, parent: &Object<'_>, section: &Section, tls: &Section) -> WrittenTrust {
        let Some(object) = self.section(parent, "cluster", section) else { return WrittenTrust::default() };
        WrittenTrust { secret: self.secret(&object), tls: self.tls(&object, tls) }
    }

    fn secret(&mut self, object: &Object<'_>) -> Option<Secret> {
        if let [_, (_, file)] = &object.given(&["secret", "secret_file"])[..] {
            self.problems.of_node(file, "the secret is given already; allowed: `secret` or `secret_file`");
            return None;
        }
        if let Some(path) = self.read_path(object, "secret_file") {
            let cursor = object.get("secret_file")?;
            let content = (self.surroundings.read_file)(&path);
            return match content.map(String::from_utf8) {
                Ok(Ok(text)) => self.secret_text(&cursor, text.trim_end_matches(['\r', '\n'])),
                Ok(Err(_)) => self.refused(&cursor, format!("{} is not valid UTF-8", path.display())),
                Err(error) => self.refused(&cursor, format!("{} cannot be read: {error}", path.display())),
            };
        }
        let cursor = object.get("secret")?;
        let text = self.problems.text(&cursor, "a text")?;
        self.secret_text(&cursor, text)
    }

    fn secret_text(&mut self, cursor: &Cursor<'_>, text: &str) -> Option<Secret> {
        if text.is_empty() {
            return self.refused(cursor, "the secret is empty");
        }
        Some(Secret::new(text))
    }

    fn refused<T>(&mut self, cursor: &Cursor<'_>, message: impl Into<String>) -> Option<T> {
        self.problems.of_node(cursor, message);
        None
    }

    fn tls(&mut self, parent: &Object<'_>, section: &Section) -> Option<TlsFiles> {
        let object = self.section(parent, "tls", section)?;
        for missing in section.keys.iter().filter(|key| object.get(key).is_none()) {
            let message = format!("`{missing}` is missing; allowed: all of {}", section.keys.join(", "));
            self.problems.of_node(&object.cursor, message);
        }
        let (ca, certificate) = (self.read_path(&object, "ca"), self.read_path(&object, "certificate"));
        let key = self.read_path(&object, "key");
        Some(TlsFiles { ca: ca?, certificate: certificate?, key: key? })
    }

    /// The object `monitoring` of a master or worker.
    pub(super) fn monitoring(&mut self, parent: &Object<'_>, section: &Section) -> WrittenMonitoring {
        let Some(object) = self.section(parent, "monitoring", section) else { return WrittenMonitoring::default() };
        WrittenMonitoring {
            metrics_enabled: self.switch(&object, "metrics_enabled"),
            metrics_port: self.port(&object, "metrics_port"),
            health_check_port: self.port(&object, "health_check_port"),
        }
    }

    /// The object `logging` of a master or worker.
    pub(super) fn logging(&mut self, parent: &Object<'_>, section: &Section) -> WrittenLogging {
        let Some(object) = self.section(parent, "logging", section) else { return WrittenLogging::default() };
        WrittenLogging {
            level: self.word(&object, "level", LEVELS),
            format: self.word(&object, "format", FORMATS),
            file: self.written_path(&object, "file"),
            max_bytes: self.parsed(&object, "max_size", SIZE, bytes_of),
            backups: self.whole_u32(&object, "backup_count", 0, BACKUPS_MAX),
        }
    }
}

/// The name of a master, which is also that of its folder of data.
///
/// # Errors
/// What is wrong with it.
pub(in crate::config) fn master_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.chars().all(fits) && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && is_short(text) {
        return Ok(text.to_owned());
    }
    Err(format!("{:?} is no name of a master; allowed: letters, digits, dots, `-` and `_`", shown(text)))
}

/// The name of a worker.
///
/// # Errors
/// What is wrong with it.
pub fn worker_name(text: &str) -> Result<String, String> {
    if !text.trim().is_empty() && is_short(text) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(format!("{:?} is no name of a worker; allowed: 1 to {NODE_NAME_CHARS_MAX} characters", shown(text)))
}

/// A tag of a worker.
///
/// # Errors
/// What is wrong with it.
pub fn worker_tag(text: &str) -> Result<String, String> {
    if !text.is_empty() && is_short(text) && !text.contains(|c: char| c.is_control() || c.is_whitespace() || c == ',') {
        return Ok(text.to_owned());
    }
    Err(format!("{:?} is no tag; allowed: characters without blanks and commas, such as `zone:a`", shown(text)))
}

fn is_short(text: &str) -> bool {
    text.chars().count() <= NODE_NAME_CHARS_MAX
}
