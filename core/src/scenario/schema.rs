//! The published JSON Schema of scenario files, for editors and other tools.

/// The schema (JSON Schema 2020-12). It describes the structure; what lies in the texts (templates, patterns, wait
/// times) is checked by [`super::load`].
pub const SCHEMA: &str = include_str!("schema.json");
