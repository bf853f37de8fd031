//! `data`: feeders, of the document or of one class.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Decoder;
use super::cursor::{Cursor, Object};
use super::keys::FEEDER;
use crate::data::table::Table;
use crate::data::{DataError, Feeder, OnExhausted, Per, Pick, csv, json};
use crate::document::closest;
use crate::document::node::{Entry, NodeValue};
use crate::document::problem::shown;
use crate::limits::FEEDERS_MAX;

/// The feeders that a part of the document can draw from: their places in `Scenario::feeders`, `None` for one with a
/// problem.
pub(super) type InReach<'n> = BTreeMap<&'n str, Option<usize>>;

/// Tables that were read already, by file and format, so that a file used twice is in memory once.
pub(super) type Tables<'n> = BTreeMap<(&'n str, TableFormat), Option<Arc<Table>>>;

/// How a data file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TableFormat {
    Csv { delimiter: u8 },
    Json,
}

/// The value of `pick`.
#[derive(Clone, Copy)]
enum PickWord {
    Random,
    RoundRobin,
    Unique,
}

const PICKS: &[(&str, PickWord)] =
    &[("random", PickWord::Random), ("round_robin", PickWord::RoundRobin), ("unique", PickWord::Unique)];

const ON_EXHAUSTED: &[(&str, OnExhausted)] =
    &[("stop_user", OnExhausted::StopUser), ("stop_run", OnExhausted::StopRun), ("recycle", OnExhausted::Recycle)];

const PER: &[(&str, Per)] = &[("iteration", Per::Iteration), ("user", Per::User)];

const FORMATS: &[(&str, TableFormat)] = &[("csv", COMMAS), ("json", TableFormat::Json)];

const COMMAS: TableFormat = TableFormat::Csv { delimiter: b',' };

const TABS: TableFormat = TableFormat::Csv { delimiter: b'\t' };

impl<'n> Decoder<'n> {
    /// The feeders that are in reach where an object may have `data`: its own in front of those around it.
    pub(super) fn data(&mut self, object: &Object<'n>, around: &InReach<'n>) -> Option<InReach<'n>> {
        let mut in_reach = around.clone();
        let Some(cursor) = object.get("data") else { return Some(in_reach) };
        for entry in self.entries(&cursor, "an object of data feeders")? {
            let feeder = self.feeder(&cursor, entry).map(|feeder| {
                self.feeders.push(feeder);
                self.feeders.len() - 1
            });
            in_reach.insert(&entry.key, feeder);
        }
        Some(in_reach)
    }

    /// Those of the feeders in reach that the templates decoded since `names.drawn` was emptied draw from.
    pub(super) fn drawn(&mut self, cursor: &Cursor<'n>, in_reach: &InReach<'n>) -> Vec<usize> {
        let mut drawn = Vec::new();
        for name in self.names.drawn.clone() {
            match in_reach.get(name) {
                Some(feeder) => drawn.extend(feeder),
                None => self.problem(cursor, format!("the data feeder `{name}` that it uses is that of another class")),
            }
        }
        drawn
    }

    fn feeder(&mut self, data: &Cursor<'n>, entry: &'n Entry) -> Option<Feeder> {
        let cursor = data.entry(entry);
        let name = self.identifier(&cursor, &entry.key);
        if self.feeders.len() >= FEEDERS_MAX {
            self.problem(&cursor, format!("more than {FEEDERS_MAX} data feeders"));
            return None;
        }
        if !matches!(cursor.node.value, NodeValue::Map(_)) {
            let file = self.text(&cursor, "the name of a data file, or an object with the key `file`")?;
            let table = self.table(&cursor, file, None, None)?;
            return Some(Feeder { name: name?, file: file.into(), table, pick: Pick::Random, per: Per::Iteration });
        }
        let object = self.object(&cursor, &FEEDER)?;
        let pick = self.pick(&object);
        let per = self.optional(&object, "per", |decoder, at| decoder.word(at, PER));
        let format = self.optional(&object, "format", |decoder, at| decoder.word(at, FORMATS));
        let delimiter = self.optional(&object, "delimiter", Self::delimiter);
        let Some(file_at) = object.get("file") else {
            self.problem(&cursor, "expected the key `file`");
            return None;
        };
        let file = self.text(&file_at, "the name of a data file")?;
        let table = self.table(&file_at, file, format?, delimiter?)?;
        Some(Feeder { name: name?, file: file.into(), table, pick: pick?, per: per?.unwrap_or(Per::Iteration) })
    }

    fn pick(&mut self, object: &Object<'n>) -> Option<Pick> {
        let pick = self.optional(object, "pick", |decoder, at| decoder.word(at, PICKS));
        let on_exhausted = self.optional(object, "on_exhausted", |decoder, at| decoder.word(at, ON_EXHAUSTED));
        let (pick, on_exhausted) = (pick?.unwrap_or(PickWord::Random), on_exhausted?);
        match (pick, object.get("on_exhausted")) {
            (PickWord::Unique, _) => Some(Pick::Unique(on_exhausted.unwrap_or(OnExhausted::StopUser))),
            (_, Some(at)) => {
                self.problem(&at, "`on_exhausted` has a meaning only with `pick: unique`, as other rows never run out");
                None
            }
            (PickWord::Random, None) => Some(Pick::Random),
            (PickWord::RoundRobin, None) => Some(Pick::RoundRobin),
        }
    }

    /// One of a few words.
    fn word<T: Copy>(&mut self, cursor: &Cursor<'n>, allowed: &[(&str, T)]) -> Option<T> {
        let words = allowed.iter().map(|(word, _)| *word);
        let expected = format!("one of {}", words.clone().collect::<Vec<_>>().join(", "));
        let text = self.text(cursor, &expected)?;
        if let Some((_, value)) = allowed.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let meant = closest(text, words).map(|meant| format!(", did you mean `{meant}`?")).unwrap_or_default();
        self.problem(cursor, format!("found {:?}, expected {expected}{meant}", shown(text)));
        None
    }

    fn delimiter(&mut self, cursor: &Cursor<'n>) -> Option<u8> {
        const EXPECTED: &str = "a delimiter: one ASCII character such as `;`, or `tab`";
        match *self.text(cursor, EXPECTED)?.as_bytes() {
            [b't', b'a', b'b'] => Some(b'\t'),
            [byte] if byte.is_ascii() && !b"\"\r\n".contains(&byte) => Some(byte),
            _ => {
                self.wrong_kind(cursor, EXPECTED);
                None
            }
        }
    }

    fn table(
        &mut self,
        cursor: &Cursor<'n>,
        file: &'n str,
        format: Option<TableFormat>,
        delimiter: Option<u8>,
    ) -> Option<Arc<Table>> {
        let Some(format) = format.or_else(|| format_by_ending(file)) else {
            let message = format!(
                "the ending of {:?} does not say its format, expected .csv, .tsv, .json or the key `format`",
                shown(file)
            );
            self.problem(cursor, message);
            return None;
        };
        let format = match (format, delimiter) {
            (TableFormat::Csv { .. }, Some(delimiter)) => TableFormat::Csv { delimiter },
            (TableFormat::Json, Some(_)) => {
                self.problem(cursor, "a JSON file has no delimiter");
                return None;
            }
            (format, None) => format,
        };
        if let Some(known) = self.tables.get(&(file, format)) {
            return known.clone();
        }
        let table = self.read_table(file, format);
        let table = table.map_err(|reason| self.problem(cursor, reason)).ok().map(Arc::new);
        self.tables.insert((file, format), table.clone());
        table
    }

    fn read_table(&self, file: &str, format: TableFormat) -> Result<Table, String> {
        let bytes = (self.read_file)(file).map_err(|reason| format!("cannot read {:?}: {reason}", shown(file)))?;
        let table = match format {
            TableFormat::Csv { delimiter } => csv::parse(file, &bytes, delimiter),
            TableFormat::Json => json::parse(file, &bytes),
        };
        table.map_err(|error: DataError| error.to_string())
    }
}

fn format_by_ending(file: &str) -> Option<TableFormat> {
    let (_, ending) = file.rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "csv" => Some(COMMAS),
        "tsv" => Some(TABS),
        "json" => Some(TableFormat::Json),
        _ => None,
    }
}
