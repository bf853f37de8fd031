//! Rows of data files over the arbiters of a whole program, counted in the access log of a real server.
//!
//! A run whose users draw from a feeder that ends it makes a known number of tasks, however fast the machine is.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use akrida::target::{TargetOptions, start};
use support::akrida::{Akrida, Ended};

mod support;

/// What a run did: how it ended, and how often each path was asked for.
struct Run {
    ended: Ended,
    paths: BTreeMap<String, u64>,
}

impl Run {
    /// How often each row was used under a path, for all rows of a file.
    fn counts(&self, path: &str, rows: u64) -> Vec<u64> {
        (0..rows).map(|row| self.paths.get(&format!("{path}/{row}")).copied().unwrap_or_default()).collect()
    }

    fn total(&self) -> u64 {
        self.paths.values().sum()
    }

    fn warnings(&self, text: &str) -> usize {
        self.ended.stderr.matches(text).count()
    }
}

fn run(scenario: &str, files: &[(&str, u64)], arguments: &[&str]) -> Run {
    let akrida = Akrida::with_scenario(scenario);
    for (file, rows) in files {
        let text: String = std::iter::once("id\n".to_owned()).chain((0..*rows).map(|row| format!("{row}\n"))).collect();
        fs::write(akrida.folder().join(file), text).expect("a file");
    }
    let log = akrida.folder().join("access.log");
    let target = TargetOptions { workers: 1, access_log: Some(log.clone()), ..TargetOptions::default() };
    let target = start(target).expect("the target starts");
    let host = target.url();
    let common = ["-H", &host, "-u", "8", "-r", "1000", "--processes", "4"];
    let ended = akrida.run(&[&common[..], arguments].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut paths = BTreeMap::new();
    for line in fs::read_to_string(log).expect("the log").lines() {
        *paths.entry(line.split(' ').nth(2).expect("a path").to_owned()).or_default() += 1;
    }
    let run = Run { ended, paths };
    assert_eq!(run.ended.total("http_exchanges"), run.total());
    run
}

/// Ends by itself; the run time is that of a test that has failed.
const UNTIL_EXHAUSTED: [&str; 4] = ["-t", "5m", "-s", "1m"];

#[test]
fn unique_rows_are_used_once_and_then_every_user_ends() {
    let scenario = "
        data: { rows: { file: rows.csv, pick: unique } }
        users:
          Visitor:
            tasks: { only: 'GET /products/{{ rows.id }}' }
            on_stop: [ 'GET /products/{{ 1000 + rows.id | int }}' ]";
    let run = run(scenario, &[("rows.csv", 200)], &["-t", "4s"]);
    assert_eq!(run.counts("/products", 200), [1; 200]);
    let good_byes: Vec<_> =
        run.paths.iter().filter(|(path, _)| path.starts_with("/products/1") && path.len() == 14).collect();
    assert!(good_byes.iter().all(|(_, count)| **count == 1), "with a last row each: {good_byes:?}");
    assert!((1..=8).contains(&good_byes.len()), "of each user that had a row: {good_byes:?}");
    assert_eq!(run.total(), 200 + good_byes.len() as u64, "{:?}", run.paths);
    assert_eq!(run.warnings("data feeder rows: all 200 rows were drawn; users that want another end"), 1);
}

#[test]
fn a_run_ends_with_its_data() {
    let scenario = "
        data: { rows: { file: rows.csv, pick: unique, on_exhausted: stop_run } }
        users: { Visitor: { tasks: { only: 'GET /products/{{ rows.id }}' } } }";
    let started = Instant::now();
    let run = run(scenario, &[("rows.csv", 200)], &UNTIL_EXHAUSTED);
    assert!(started.elapsed() < Duration::from_secs(240), "the run time ended it");
    assert_eq!((run.counts("/products", 200), run.total()), (vec![1; 200], 200));
    assert_eq!(run.warnings("data feeder rows: all 200 rows were drawn; the run ends"), 1, "{}", run.ended.stderr);
}

#[test]
fn rows_that_may_repeat_are_drawn_as_the_feeder_says() {
    let scenario = "
        data:
          turns: { file: turns.csv, pick: unique, on_exhausted: stop_run }
          robin: { file: seven.csv, pick: round_robin }
          chance: { file: fifty.csv }
          again: { file: twenty.csv, pick: unique, on_exhausted: recycle }
        users:
          Visitor:
            tasks:
              only:
                - 'GET /products/{{ robin.id }}?turn={{ turns.id }}'
                - { get: '/cookies/set/chance/{{ chance.id }}', name: chance }
                - { get: '/cookies/set/again/{{ again.id }}', name: again }";
    let files = [("turns.csv", 1_000), ("seven.csv", 7), ("fifty.csv", 50), ("twenty.csv", 20)];
    let run = run(scenario, &files, &UNTIL_EXHAUSTED);
    assert_eq!(run.total(), 3_000);
    let (robin, chance) = (run.counts("/products", 7), run.counts("/cookies/set/chance", 50));
    assert_eq!(robin.iter().sum::<u64>(), 1_000);
    assert!(robin.iter().all(|count| [142, 143].contains(count)), "{robin:?}");
    assert_eq!(chance.iter().sum::<u64>(), 1_000);
    assert!(chance.iter().filter(|count| **count > 0).count() >= 40, "{chance:?}");
    let again = run.counts("/cookies/set/again", 20);
    assert_eq!(again.iter().sum::<u64>(), 1_000);
    // In each pass a row is missing only while one of the other seven users has it.
    assert!(again.iter().all(|count| *count > 10), "{again:?}");
    assert_eq!((run.warnings("data feeder again"), run.warnings("data feeder turns")), (0, 1));
}

#[test]
fn a_row_for_each_user_reaches_the_users_of_every_arbiter() {
    let scenario = "
        data: { rows: { file: rows.csv, pick: unique, per: user } }
        users: { Visitor: { tasks: { only: [ 'GET /products/{{ rows.id }}', { wait: 1h } ] } } }";
    let run = run(scenario, &[("rows.csv", 6)], &["-t", "2s"]);
    assert_eq!((run.counts("/products", 6), run.total()), (vec![1; 6], 6));
    assert_eq!(run.warnings("data feeder rows: all 6 rows were drawn"), 1);
}
