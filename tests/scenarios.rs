//! Every worked example runs against the built-in target without a failure, and the target counted what is reported.

use std::path::{Path, PathBuf};

use akrida::target::{TargetOptions, start};
use support::akrida::Akrida;

mod support;

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let is_scenario =
        |file: &PathBuf| file.extension().is_some_and(|e| ["yml", "json", "toml"].iter().any(|k| e == *k));
    let mut files: Vec<_> = files.filter(is_scenario).collect();
    files.sort();
    files
}

#[test]
fn every_example_runs_without_a_failure_and_is_counted_by_the_target() {
    let examples = examples();
    assert!(examples.len() >= 8, "{examples:?}");
    for example in examples {
        let target = start(TargetOptions { workers: 1, ..TargetOptions::default() }).expect("the target starts");
        let akrida = Akrida::with_scenario("");
        let file = example.to_str().expect("text");
        let ended = akrida.run(&["-f", file, "-H", &target.url(), "-u", "12", "-r", "100", "-t", "3s", "-s", "1s"]);
        assert_eq!(ended.code, Some(0), "{file}: {}", ended.stderr);
        assert!(ended.total("requests") > 0, "{file}: {}", ended.stderr);
        let (received, exchanges) = (target.counts().received, ended.total("http_exchanges"));
        let accounted = if ended.summary["run"]["warm_up_s"].as_f64() > Some(0.0) {
            // What came in the warm-up is in the target's count and not in the report.
            exchanges < received
        } else {
            (exchanges..=exchanges + ended.total("interrupted")).contains(&received)
        };
        assert!(accounted, "{file}: {received} received, {}", ended.stderr);
    }
}
