//! No text makes the loader panic, and what it refuses it refuses with a problem.

#![allow(clippy::unwrap_used, reason = "tests")]

use akrida_core::scenario::{Format, Source, load};
use proptest::prelude::*;

/// Loads a text in every format. A text is either understood or has at least one problem.
fn load_everywhere(text: &str) {
    for format in [Format::Yaml, Format::Json, Format::Toml] {
        if let Err(problems) = load(&Source { name: "f", text, format }, |_| ()) {
            assert!(!problems.is_empty(), "refused without a reason: {text:?}");
            assert!(problems.iter().all(|problem| problem.line >= 1 && problem.column >= 1), "{problems:?}");
            assert!(problems.is_sorted_by_key(|problem| (problem.line, problem.column)), "{problems:?}");
        }
    }
}

/// Pieces that YAML, JSON, TOML and the grammar give a meaning.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "users", "tasks", "task_sets", "use", "steps", "get", "post", "if", "then", "else", "repeat", "group", "check",
    "extract", "json", "form", "multipart", "weight", "wait_time", "A", "x", "/", "/a", "{{ a }}", "{{", "}}", "{% ",
    "%}", "{#", ": ", ":", "\n", "\n  ", "\n    ", "\n- ", "- ", "-", ",", "[", "]", "{", "}", "\"", "'", "\\", "\\u",
    "\\ud83d", "&a ", "*a", "<<: ", "? ", "| ", "> ", "!!str ", "!x ", "%TAG ", "---", "...", "#", "@", "`", "\t",
    "\r", "\u{feff}", "ä", "\u{0}", "\u{85}", "1", "-1", "1e999", ".nan", "0x", "null", "true", "[users.A]", "[[a]]",
    " = ", "$.a", "2xx", "1s..2s",
];

fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![10 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => ".{0,4}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        load_everywhere(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn arbitrary_fragments_do_not_panic(pieces in prop::collection::vec(fragment(), 0..40)) {
        load_everywhere(&pieces.concat());
    }

    #[test]
    fn a_scenario_with_a_piece_changed_does_not_panic(at in 0.0..1.0_f64, gone in 0_usize..12, piece in fragment()) {
        let text = include_str!("../../scenarios/shop.yml");
        let boundary = |mut at: usize| { while !text.is_char_boundary(at) { at -= 1; } at };
        let from = boundary((at * text.len() as f64) as usize);
        let to = boundary((from + gone).min(text.len())).max(from);
        load_everywhere(&format!("{}{piece}{}", &text[..from], &text[to..]));
    }

    /// The same document in YAML and in JSON is the same scenario.
    #[test]
    fn yaml_and_json_agree(weight in 0_u32..100, name in "[a-zA-Z ]{1,10}", text in "\\PC{0,20}") {
        let document = serde_json::json!({"users": {"A": {"weight": 1, "tasks": {name: {"weight": weight, "steps": [
            {"post": "/", "json": {"t": text}}, {"log": text}]}}}}}).to_string();
        let show = |format| format!("{:?}", load(&Source { name: "f", text: &document, format }, |_| ())
            .map(|scenario| format!("{:?}", scenario.classes))
            .map_err(|problems| problems.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>()));
        prop_assert_eq!(show(Format::Yaml), show(Format::Json));
    }
}
