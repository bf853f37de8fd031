//! The manual names everything that the decoder knows, and nothing else.

use std::collections::BTreeSet;

use akrida::config::keys;

const MANUAL: &str = include_str!("../../docs/configuration.md");

#[test]
fn every_key_has_a_row_and_every_row_a_key() {
    let rows: Vec<&str> =
        MANUAL.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |").map(|(key, _)| key)).collect();
    let documented: BTreeSet<&str> = rows.iter().copied().collect();
    assert_eq!(documented.len(), rows.len(), "a key has two rows");
    let known = keys::all();
    let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    assert!(known.len() > 60, "{known:?}");
    assert_eq!(documented, known);
}

#[test]
fn the_errors_in_the_manual_are_real() {
    let machine = super::machine::Machine::default();
    let problems = machine.problems(
        "master_cluster: { election: { timout: 1 } }\nmaster: { load_distribution: { strategy: fastest } }\n",
    );
    for problem in problems {
        let message = problem.splitn(3, ':').nth(2).unwrap();
        assert!(MANUAL.contains(message), "{message}");
    }
}
