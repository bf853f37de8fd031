//! Reads single values of a configuration. Each function returns `None` if the key is missing, and also when it has
//! reported a problem: the file is refused then, and the caller goes on to find the others.

use std::path::{Path, PathBuf};
use std::time::Duration;

use akrida_core::document::closest;
use akrida_core::document::cursor::{Cursor, Object};
use akrida_core::document::problem::{Problems, shown};
use akrida_core::limits::{TIMER_MAX, TIMER_MIN};

use crate::config::Surroundings;
use crate::config::keys::Section;
use crate::config::quantity::span_text;

/// What a time may look like.
const SPAN: &str = "a time such as `30` (seconds), `500ms` or `1m 30s`";

/// What reading needs at hand.
pub(super) struct Reader<'s> {
    pub(super) problems: Problems,
    pub(super) surroundings: &'s Surroundings<'s>,
    /// The folder of the configuration file.
    pub(super) folder: PathBuf,
}

impl Reader<'_> {
    /// An object below another one.
    pub(super) fn section<'n>(&mut self, parent: &Object<'n>, key: &str, section: &Section) -> Option<Object<'n>> {
        self.problems.object(&parent.get(key)?, section.keys)
    }

    /// A time between masters and workers.
    pub(super) fn timer(&mut self, object: &Object<'_>, key: &str) -> Option<Duration> {
        self.span(object, key, TIMER_MIN)
    }

    /// A time of at least `shortest`.
    pub(super) fn span(&mut self, object: &Object<'_>, key: &str, shortest: Duration) -> Option<Duration> {
        let cursor = object.get(key)?;
        let span = self.problems.duration(&cursor, SPAN, TIMER_MAX)?;
        if span < shortest {
            let least = span_text(shortest);
            self.problems.of_node(&cursor, format!("{} is too short, at least {least} is allowed", span_text(span)));
            return None;
        }
        Some(span)
    }

    /// A whole number within bounds.
    pub(super) fn whole(&mut self, object: &Object<'_>, key: &str, low: u64, high: u64) -> Option<u64> {
        self.problems.whole(&object.get(key)?, low, high)
    }

    /// A whole number of 32 bits within bounds.
    pub(super) fn whole_u32(&mut self, object: &Object<'_>, key: &str, low: u32, high: u32) -> Option<u32> {
        self.whole(object, key, low.into(), high.into()).and_then(|number| number.try_into().ok())
    }

    /// A port to listen on or to connect to.
    pub(super) fn port(&mut self, object: &Object<'_>, key: &str) -> Option<u16> {
        self.whole(object, key, 1, u16::MAX.into()).and_then(|number| number.try_into().ok())
    }

    /// A port to listen on; 0 takes a free one.
    pub(super) fn listen_port(&mut self, object: &Object<'_>, key: &str) -> Option<u16> {
        self.whole(object, key, 0, u16::MAX.into()).and_then(|number| number.try_into().ok())
    }

    /// True or false.
    pub(super) fn switch(&mut self, object: &Object<'_>, key: &str) -> Option<bool> {
        self.problems.switch(&object.get(key)?)
    }

    /// A text that is read by `parse`.
    pub(super) fn parsed<T>(
        &mut self,
        object: &Object<'_>,
        key: &str,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.parsed_at(&object.get(key)?, what, parse)
    }

    /// A text that is read by `parse`.
    pub(super) fn parsed_at<T>(
        &mut self,
        cursor: &Cursor<'_>,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(self.problems.text(cursor, what)?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.problems.of_node(cursor, message);
                None
            }
        }
    }

    /// One text or a list of texts, each read by `parse`.
    pub(super) fn list<T>(
        &mut self,
        object: &Object<'_>,
        key: &str,
        (what, most): (&str, usize),
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let Some(cursor) = object.get(key) else { return Vec::new() };
        let items = cursor.items().unwrap_or_else(|| vec![cursor.clone()]);
        if items.len() > most {
            self.problems.of_node(&cursor, format!("at most {most} are allowed, found {}", items.len()));
            return Vec::new();
        }
        items.iter().filter_map(|item| self.parsed_at(item, what, &parse)).collect()
    }

    /// One of some words, in any case.
    pub(super) fn word<T: Copy>(&mut self, object: &Object<'_>, key: &str, words: &[(&str, T)]) -> Option<T> {
        let allowed = words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let what = format!("one of {allowed}");
        self.parsed(object, key, &what, |text| {
            let meant = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
            meant.map(|(_, value)| *value).ok_or_else(|| {
                let alike = closest(text, words.iter().map(|(word, _)| *word));
                let alike = alike.map(|word| format!(", did you mean `{word}`?")).unwrap_or_default();
                format!("found {:?}, expected {what}{alike}", shown(text))
            })
        })
    }

    /// The name of a file or folder that the program writes, from the current folder.
    pub(super) fn written_path(&mut self, object: &Object<'_>, key: &str) -> Option<PathBuf> {
        self.parsed(object, key, "the name of a file", non_empty).map(PathBuf::from)
    }

    /// The name of a file that the program reads, from the folder of the configuration.
    pub(super) fn read_path(&mut self, object: &Object<'_>, key: &str) -> Option<PathBuf> {
        let folder: &Path = &self.folder.clone();
        self.parsed(object, key, "the name of a file", non_empty).map(|name| folder.join(name))
    }
}

/// A text that is not empty.
pub(super) fn non_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("the value is missing".to_owned()) } else { Ok(text.to_owned()) }
}
