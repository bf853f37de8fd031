//! The published JSON Schema of scenario files, for editors and other tools.

/// The schema (JSON Schema 2020-12). It describes the structure; what lies in the texts (templates, patterns, wait
/// times) is checked by [`super::load`].
pub const SCHEMA: &str = include_str!("schema.json");

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jsonschema::Validator;
    use serde_json::{Value, json};

    use super::*;
    use crate::document::node::{Node, NodeValue};
    use crate::document::problem::Problems;
    use crate::document::read;
    use crate::scenario::{Format, Source, load};

    fn validator() -> Validator {
        jsonschema::draft202012::new(&serde_json::from_str(SCHEMA).expect("JSON")).expect("a schema")
    }

    fn json_of(node: &Node) -> Value {
        match &node.value {
            NodeValue::Null | NodeValue::NotFinite(_) => Value::Null,
            NodeValue::Bool(value) => json!(value),
            NodeValue::Number(number, _) => Value::Number(number.clone()),
            NodeValue::Text(text) => json!(text),
            NodeValue::List(items) => items.iter().map(json_of).collect(),
            NodeValue::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), json_of(&entry.node))).collect(),
        }
    }

    #[test]
    fn the_schema_accepts_every_example() {
        let validator = validator();
        let mut seen = 0;
        for entry in Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").read_dir().expect("examples") {
            let path = entry.expect("a file").path();
            let format = match path.extension().and_then(|end| end.to_str()) {
                Some("yml") => Format::Yaml,
                Some("json") => Format::Json,
                Some("toml") => Format::Toml,
                _ => continue,
            };
            let text = std::fs::read_to_string(&path).expect("text");
            let mut problems = Problems::of("example");
            let node = read(&Source { name: "example", text: &text, format }, &mut problems).expect("a document");
            let document = json_of(&node);
            let errors: Vec<String> =
                validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{}: {}", path.display(), errors.join("\n"));
            seen += 1;
        }
        assert!(seen >= 9, "{seen} examples");
    }

    #[test]
    fn the_schema_refuses_what_the_loader_refuses() {
        let validator = validator();
        for document in [
            json!({}),
            json!({"users": {}}),
            json!({"users": {"A": {"tasks": {}}}}),
            json!({"users": {"A": {"tasks": {"t": []}}}}),
            json!({"users": {"A": {"tasks": {"t": [{"get": "/", "wait": "1s"}]}}}}),
            json!({"users": {"A": {"tasks": {"t": [{"post": "/", "json": 1, "form": {}}]}}}}),
            json!({"users": {"A": {"tasks": {"t": {"steps": ["/"], "use": "x"}}}}}),
            json!({"users": {"A": {"tasks": {"t": [{"get": "/", "extract": {"a": {"css": "a", "json": "$"}}}]}}}}),
            json!({"users": {"A": {"tasks": {"t": [{"get": "/", "check": {"status": "2x"}}]}}}}),
            json!({"users": {"A": {"weight": -1, "tasks": {"t": "/"}}}}),
            json!({"users": {"A": {"tasks": {"t": "/"}}}, "hosts": "http://x"}),
            json!({"users": {"A": {"tasks": {"t": "/"}}}, "data": {"a": {"pick": "unique"}}}),
            json!({"users": {"A": {"tasks": {"t": "/"}}}, "data": {"a": {"file": "x.csv", "on_exhausted": "recycle"}}}),
            json!({"users": {"A": {"tasks": {"t": "/"}, "data": {"a b": "x.csv"}}}}),
            json!({"users": {"A": {"tasks": {"t": "/"}}}, "thresholds": {"p95": "1s"}}),
            json!({"users": {"A": {"tasks": {"t": "/"}}}, "thresholds": ["p95"]}),
            json!({"users": {"A": {"tasks": {"t": "/"}}}, "thresholds": [{"abort": true}]}),
        ] {
            assert!(!validator.is_valid(&document), "the schema accepts {document}");
            let text = document.to_string();
            let loaded = load(&Source { name: "x.json", text: &text, format: Format::Json }, |_| ());
            assert!(loaded.is_err(), "the loader accepts {document}");
        }
    }
}
