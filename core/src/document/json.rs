//! JSON, strictly: `serde_json` says whether a text is JSON and where it is not; the tree is then read from a text that
//! is known to be well formed.

use serde_json::Number;

use super::node::{Entry, Node, NodeValue, refuse_duplicates};
use crate::document::problem::{Lines, Position, Problems};
use crate::limits::SCENARIO_DEPTH_MAX;

/// Reads a text.
pub(crate) fn read(text: &str, problems: &mut Problems) -> Option<Node> {
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let at = Position { line: error.line().max(1), column: error.column().max(1) };
        let full = error.to_string();
        let reason = full.split(" at line ").next().unwrap_or(&full);
        problems.add(at, "", format!("not valid JSON: {reason}"));
        return None;
    }
    let mut reader = Reader { text, lines: Lines::of(text), at: 0, problems };
    reader.value(0)
}

struct Reader<'a, 'p> {
    text: &'a str,
    lines: Lines<'a>,
    at: usize,
    problems: &'p mut Problems,
}

impl Reader<'_, '_> {
    fn value(&mut self, depth: usize) -> Option<Node> {
        self.skip_space();
        let at = self.lines.position(self.at);
        let value = match self.peek()? {
            b'{' | b'[' if depth >= SCENARIO_DEPTH_MAX => {
                self.problems.add(at, "", format!("nested more than {SCENARIO_DEPTH_MAX} levels deep"));
                return None;
            }
            b'{' => self.map(depth)?,
            b'[' => self.list(depth)?,
            b'"' => NodeValue::Text(self.string(at)?),
            _ => self.word(at)?,
        };
        Some(Node { at, value })
    }

    fn map(&mut self, depth: usize) -> Option<NodeValue> {
        let mut entries = Vec::new();
        self.at += 1;
        while self.skip_to()? != b'}' {
            let at = self.lines.position(self.at);
            let key = self.string(at)?;
            self.skip_to()?;
            let node = self.value(depth + 1)?;
            entries.push(Entry { key, at, node });
        }
        self.at += 1;
        Some(NodeValue::Map(refuse_duplicates(entries, self.problems)))
    }

    fn list(&mut self, depth: usize) -> Option<NodeValue> {
        let mut items = Vec::new();
        self.at += 1;
        while self.skip_to()? != b']' {
            items.push(self.value(depth + 1)?);
        }
        self.at += 1;
        Some(NodeValue::List(items))
    }

    fn string(&mut self, at: Position) -> Option<String> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        while *bytes.get(self.at)? != b'"' {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        match serde_json::from_str(self.text.get(start..self.at)?) {
            Ok(text) => Some(text),
            // Half of a surrogate pair is JSON by its grammar, but no text.
            Err(_) => {
                self.problems.add(at, "", "not valid JSON: the escapes of this string do not form a text");
                None
            }
        }
    }

    fn word(&mut self, at: Position) -> Option<NodeValue> {
        let rest = &self.text[self.at..];
        let word = rest.split([',', '}', ']', ' ', '\t', '\r', '\n']).next().unwrap_or(rest);
        self.at += word.len().max(1);
        match word {
            "null" => Some(NodeValue::Null),
            "true" => Some(NodeValue::Bool(true)),
            "false" => Some(NodeValue::Bool(false)),
            _ => match serde_json::from_str::<Number>(word) {
                Ok(number) => Some(NodeValue::Number(number, word.to_owned())),
                Err(_) => {
                    self.problems.add(at, "", "not valid JSON: number out of range");
                    None
                }
            },
        }
    }

    /// Moves past white space and the separators, which were checked before, to the next byte that means something.
    fn skip_to(&mut self) -> Option<u8> {
        while matches!(self.peek()?, b' ' | b'\t' | b'\r' | b'\n' | b',' | b':') {
            self.at += 1;
        }
        self.peek()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}
