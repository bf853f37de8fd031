//! YAML 1.2: the parser's events become nodes. Nesting and aliases are bounded, so that a small file cannot become a
//! large tree, and an alias cannot contain itself.

use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::node::{Entry, Node, NodeValue, refuse_duplicates};
use super::scalar::plain;
use crate::document::problem::{Position, Problems, shown};
use crate::limits::{SCENARIO_ALIAS_NODES_MAX, SCENARIO_DEPTH_MAX};

/// Reads the one document of a text.
pub(crate) fn read(text: &str, problems: &mut Problems) -> Option<Node> {
    let mut builder =
        Builder { open: Vec::new(), root: None, documents: 0, anchors: BTreeMap::new(), copied_nodes: 0, problems };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        match event {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.event(event, position(span.start))?,
            Err(error) => {
                builder.problems.add(position(*error.marker()), "", format!("not valid YAML: {}", error.info()));
                return None;
            }
        }
    }
    if builder.root.is_none() {
        builder.problems.add(Position::START, "", "the file is empty");
    }
    builder.root
}

fn position(marker: Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

/// A collection whose end has not been read yet.
struct Open {
    at: Position,
    anchor: usize,
    collection: Collection,
}

enum Collection {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        /// The key whose value comes next.
        key: Option<(Key, Position)>,
        merged: Vec<Node>,
    },
}

enum Key {
    Name(String),
    Merge,
    /// Already reported; its value is read and dropped.
    Refused,
}

struct Builder<'p> {
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    anchors: BTreeMap<usize, Anchored>,
    copied_nodes: usize,
    problems: &'p mut Problems,
}

struct Anchored {
    node: Node,
    size: usize,
    height: usize,
}

impl Builder<'_> {
    /// Takes the next event; `None` ends the reading with a problem.
    fn event(&mut self, event: Event<'_>, at: Position) -> Option<()> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.problems.add(at, "", "a file holds one document, here a second one begins");
                    return None;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = self.scalar(&text, style, tag.as_deref(), at);
                let merges = matches!(style, ScalarStyle::Plain) && text == "<<" && tag.is_none();
                self.complete(Node { at, value }, anchor, merges)?;
            }
            Event::Alias(anchor) => self.alias(anchor, at)?,
            Event::SequenceStart(anchor, _) => self.begin(at, anchor, Collection::List(Vec::new()))?,
            Event::MappingStart(anchor, _) => {
                let map = Collection::Map { entries: Vec::new(), key: None, merged: Vec::new() };
                self.begin(at, anchor, map)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Some(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Position) -> NodeValue {
        let tag = match tag {
            None => None,
            Some(tag) if tag.is_yaml_core_schema() => Some(tag.suffix.as_str()),
            Some(tag) => {
                self.problems.add(at, "", format!("the tag `{}` has no meaning here", shown(&tag.to_string())));
                None
            }
        };
        match (tag, style) {
            (None, ScalarStyle::Plain) | (Some("int" | "float" | "bool" | "null"), _) => plain(text),
            _ => NodeValue::Text(text.to_owned()),
        }
    }

    fn begin(&mut self, at: Position, anchor: usize, collection: Collection) -> Option<()> {
        if self.open.len() >= SCENARIO_DEPTH_MAX {
            self.problems.add(at, "", format!("nested more than {SCENARIO_DEPTH_MAX} levels deep"));
            return None;
        }
        self.open.push(Open { at, anchor, collection });
        Some(())
    }

    fn end(&mut self) -> Option<()> {
        let open = self.open.pop()?;
        let value = match open.collection {
            Collection::List(items) => NodeValue::List(items),
            Collection::Map { entries, merged, .. } => {
                let entries = refuse_duplicates(entries, self.problems);
                NodeValue::Map(self.merge(entries, merged))
            }
        };
        self.complete(Node { at: open.at, value }, open.anchor, false)
    }

    /// Adds what `<<` names: a map or a list of maps, of which an earlier one wins; the map's own keys win over all.
    fn merge(&mut self, mut entries: Vec<Entry>, merged: Vec<Node>) -> Vec<Entry> {
        let mut sources = Vec::new();
        for node in merged {
            match node.value {
                NodeValue::List(items) => sources.extend(items),
                _ => sources.push(node),
            }
        }
        let mut taken: BTreeSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
        for source in sources {
            let NodeValue::Map(more) = source.value else {
                self.problems.add(source.at, "", format!("`<<` merges objects, found {}", source.described()));
                continue;
            };
            for entry in more {
                if taken.insert(entry.key.clone()) {
                    entries.push(entry);
                }
            }
        }
        entries
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Option<()> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            self.problems.add(at, "", "this alias stands inside the value that it refers to");
            return None;
        };
        let (node, size) = (anchored.node.clone(), anchored.size);
        if self.open.len() + anchored.height > SCENARIO_DEPTH_MAX {
            self.problems.add(at, "", format!("nested more than {SCENARIO_DEPTH_MAX} levels deep"));
            return None;
        }
        self.copied(size, at)?;
        self.complete(node, 0, false)
    }

    /// Counts nodes that are kept twice, for an anchor or for an alias of it.
    fn copied(&mut self, nodes: usize, at: Position) -> Option<()> {
        self.copied_nodes += nodes;
        if self.copied_nodes <= SCENARIO_ALIAS_NODES_MAX {
            return Some(());
        }
        let message = format!("anchors and aliases repeat more than {SCENARIO_ALIAS_NODES_MAX} values");
        self.problems.add(at, "", message);
        None
    }

    /// Puts a complete node where it belongs: in the open collection or at the root.
    fn complete(&mut self, node: Node, anchor: usize, merges: bool) -> Option<()> {
        if anchor > 0 {
            let size = node.size();
            self.copied(size, node.at)?;
            let anchored = Anchored { size, height: node.height(), node: node.clone() };
            self.anchors.insert(anchor, anchored);
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        match &mut open.collection {
            Collection::List(items) => items.push(node),
            Collection::Map { entries, key, merged } => match key.take() {
                None if merges => *key = Some((Key::Merge, node.at)),
                None => {
                    let at = node.at;
                    *key = Some((key_of(node, self.problems), at));
                }
                Some((Key::Name(name), at)) => entries.push(Entry { key: name, at, node }),
                Some((Key::Merge, _)) => merged.push(node),
                Some((Key::Refused, _)) => {}
            },
        }
        Some(())
    }
}

fn key_of(node: Node, problems: &mut Problems) -> Key {
    match node.value {
        NodeValue::Text(text) | NodeValue::Number(_, text) | NodeValue::NotFinite(text) => Key::Name(text),
        NodeValue::Bool(value) => Key::Name(value.to_string()),
        NodeValue::Null | NodeValue::List(_) | NodeValue::Map(_) => {
            problems.add(node.at, "", format!("a key is a text, found {}", node.described()));
            Key::Refused
        }
    }
}
