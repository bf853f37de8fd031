//! Choosing a part of a scenario, and the ratios of what is left.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use akrida_core::scenario::model::{Scenario, TaskBody, TaskSet};
use akrida_core::scenario::ratio::{Ratios, shares_by_weight};
use akrida_core::scenario::select::{SelectError, Selection, select};
use akrida_core::scenario::{Format, Source, load};
use serde_json::json;

const TEXT: &str = "
host: http://127.0.0.1:8000
task_sets:
  more:
    tasks:
      deep: { tags: [slow], steps: [ / ] }
      deeper: { weight: 3, steps: [ / ] }
users:
  Reader:
    weight: 3
    host: http://127.0.0.1:8001
    tasks:
      home: { weight: 3, tags: [fast], steps: [ / ] }
      set: { tags: [nested], use: more }
  Writer:
    tags: [writes]
    tasks:
      post: { tags: [fast], steps: [ POST / ] }
      never: { weight: 0, steps: [ / ] }
  Fixed:
    fixed_count: 2
    tasks: { plain: / }
";

fn scenario() -> Arc<Scenario> {
    load(&Source { name: "f", text: TEXT, format: Format::Yaml }, |_| ()).unwrap()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The names of the tasks that are left, by class, and the classes that have none.
fn left(tags: &[&str], exclude: &[&str]) -> (Vec<String>, Vec<String>) {
    let (tags, exclude) = (words(tags), words(exclude));
    let selection = Selection { tags: &tags, exclude_tags: &exclude, ..Selection::default() };
    let selected = select(&scenario(), &selection).unwrap();
    let mut names = Vec::new();
    for class in &selected.scenario.classes {
        collect(&class.tasks, &class.name, &mut names);
    }
    (names, selected.without_tasks.iter().map(ToString::to_string).collect())
}

fn collect(set: &TaskSet, path: &str, names: &mut Vec<String>) {
    for task in &set.tasks {
        let path = format!("{path}.{}", task.name);
        match &task.body {
            TaskBody::Steps(_) | TaskBody::Native(_) => names.push(path),
            TaskBody::Set(set) => collect(set, &path, names),
        }
    }
}

#[test]
fn tags_are_those_of_the_task_its_sets_and_its_class() {
    assert_eq!(left(&["fast"], &[]).0, ["Reader.home", "Writer.post"]);
    assert_eq!(left(&["nested"], &[]), (words(&["Reader.set.deep", "Reader.set.deeper"]), words(&["Writer", "Fixed"])));
    assert_eq!(left(&["nested"], &["slow"]).0, ["Reader.set.deeper"]);
    assert_eq!(left(&[], &["fast", "slow"]).0, ["Reader.set.deeper", "Fixed.plain"]);
    assert_eq!(left(&[], &["writes"]).1, ["Writer"]);
}

#[test]
fn a_class_whose_remaining_tasks_have_weight_0_is_left_without_tasks() {
    assert!(left(&[], &["fast"]).1.contains(&"Writer".to_owned()));
}

#[test]
fn tags_that_leave_nothing_name_those_there_are() {
    let tags = words(&["fats"]);
    let error = select(&scenario(), &Selection { tags: &tags, ..Selection::default() }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no task is left with these tags; the scenario has the tags fast, nested, slow, writes"
    );
}

#[test]
fn classes_are_chosen_by_name() {
    let names = words(&["Writer", "Reader"]);
    let chosen = select(&scenario(), &Selection { classes: &names, ..Selection::default() }).unwrap().scenario;
    assert_eq!(chosen.classes.iter().map(|class| &*class.name).collect::<Vec<_>>(), ["Reader", "Writer"]);
    let names = words(&["Reder"]);
    let error = select(&scenario(), &Selection { classes: &names, ..Selection::default() }).unwrap_err();
    let message = "no user class \"Reder\" in the scenario, did you mean \"Reader\"? (there are Reader, Writer, Fixed)";
    assert_eq!(error.to_string(), message);
}

#[test]
fn equal_weights_reach_nested_sets() {
    let selection = Selection { equal_weights: true, ..Selection::default() };
    let chosen = select(&scenario(), &selection).unwrap().scenario;
    assert!(chosen.classes.iter().all(|class| class.weight_milli == 1_000));
    fn all_one(set: &TaskSet) -> bool {
        set.tasks.iter().all(|task| task.weight == 1 && !matches!(&task.body, TaskBody::Set(set) if !all_one(set)))
    }
    assert!(chosen.classes.iter().all(|class| all_one(&class.tasks)));
    assert_eq!(chosen.classes[2].fixed_count, 2);
}

#[test]
fn a_host_overrides_that_of_the_scenario_and_of_its_classes() {
    let selection = Selection { host: Some("https://example.org/base/"), ..Selection::default() };
    let chosen = select(&scenario(), &selection).unwrap().scenario;
    assert_eq!(chosen.host.as_deref(), Some("https://example.org/base"));
    assert!(chosen.classes.iter().all(|class| class.host.is_none()));
    let selection = Selection { host: Some("example.org"), ..Selection::default() };
    assert!(matches!(select(&scenario(), &selection), Err(SelectError::Host(_))));
}

#[test]
fn classes_that_spawn_nobody_are_refused() {
    let text = "users: { A: { weight: 0, tasks: { t: / } }, B: { tasks: { t: / } } }";
    let scenario = load(&Source { name: "f", text, format: Format::Yaml }, |_| ()).unwrap();
    let names = words(&["A"]);
    let error = select(&scenario, &Selection { classes: &names, ..Selection::default() }).unwrap_err();
    assert_eq!(error, SelectError::NoUsers);
}

#[test]
fn ratios_are_trees_as_in_locust() {
    let ratios = Ratios::of(&scenario(), &[6.0, 2.0, 0.0]).to_json();
    assert_eq!(
        ratios,
        json!({
            "per_class": {
                "Reader": {"ratio": 0.75, "tasks": {
                    "home": {"ratio": 0.75},
                    "set": {"ratio": 0.25, "tasks": {"deep": {"ratio": 0.25}, "deeper": {"ratio": 0.75}}}}},
                "Writer": {"ratio": 0.25, "tasks": {"post": {"ratio": 1.0}, "never": {"ratio": 0.0}}},
                "Fixed": {"ratio": 0.0, "tasks": {"plain": {"ratio": 1.0}}},
            },
            "total": {
                "Reader": {"ratio": 0.75, "tasks": {
                    "home": {"ratio": 0.5625},
                    "set": {"ratio": 0.1875, "tasks": {"deep": {"ratio": 0.046875}, "deeper": {"ratio": 0.140625}}}}},
                "Writer": {"ratio": 0.25, "tasks": {"post": {"ratio": 0.25}, "never": {"ratio": 0.0}}},
                "Fixed": {"ratio": 0.0, "tasks": {"plain": {"ratio": 0.0}}},
            },
        })
    );
    let nobody = Ratios::of(&scenario(), &[0.0, 0.0, 0.0]);
    assert!(nobody.per_class.iter().all(|class| class.ratio == 0.0));
    assert_eq!(nobody.per_class[0].tasks.as_ref().unwrap()[0].ratio, 0.75);
}

#[test]
fn shares_without_a_number_of_users_are_the_weights() {
    assert_eq!(shares_by_weight(&scenario()), [3_000.0, 1_000.0, 0.0]);
    let names = words(&["Fixed"]);
    let fixed = select(&scenario(), &Selection { classes: &names, ..Selection::default() }).unwrap().scenario;
    assert_eq!(shares_by_weight(&fixed), [2.0]);
}
