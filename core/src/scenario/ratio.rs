//! How often each class and each task runs: the trees of `/tasks` and `--show-task-ratio`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::model::{Scenario, TaskBody, TaskSet};

/// The ratio of a class or a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// The name of the class or task.
    pub name: Arc<str>,
    /// From 0 to 1.
    pub ratio: f64,
    /// The tasks of a class or a nested set; none for a task that runs steps.
    pub tasks: Option<Vec<Ratio>>,
}

/// Both trees.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratios {
    /// The ratio of each task among those of its class or set.
    pub per_class: Vec<Ratio>,
    /// The ratio of each task among all that run.
    pub total: Vec<Ratio>,
}

impl Ratios {
    /// The ratios when the classes have these shares: numbers of users, or weights. A class without a share has 0; with
    /// no shares at all every class has 0.
    #[must_use]
    pub fn of(scenario: &Scenario, shares: &[f64]) -> Self {
        let sum: f64 = shares.iter().sum();
        let share = |index: usize| if sum > 0.0 { shares.get(index).copied().unwrap_or(0.0) / sum } else { 0.0 };
        let tree = |multiplied: bool| {
            let classes = scenario.classes.iter().enumerate();
            classes
                .map(|(index, class)| Ratio {
                    name: class.name.clone(),
                    ratio: share(index),
                    tasks: Some(task_ratios(&class.tasks, share(index), multiplied)),
                })
                .collect()
        };
        Self { per_class: tree(false), total: tree(true) }
    }

    /// `{"per_class": {Class: {"ratio": r, "tasks": {task: {"ratio": r}}}}, "total": …}`, as Locust answers `/tasks`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"per_class": tree_json(&self.per_class), "total": tree_json(&self.total)})
    }
}

/// The shares of the classes by their weights, for a run whose number of users is not known: those with a fixed count
/// have no share unless there are no others.
#[must_use]
pub fn shares_by_weight(scenario: &Scenario) -> Vec<f64> {
    let is_fixed_only = scenario.classes.iter().all(|class| class.fixed_count > 0 || class.weight_milli == 0);
    scenario
        .classes
        .iter()
        .map(|class| match (is_fixed_only, class.fixed_count) {
            (true, count) => count as f64,
            (false, 0) => f64::from(class.weight_milli),
            (false, _) => 0.0,
        })
        .collect()
}

fn task_ratios(set: &TaskSet, around: f64, multiplied: bool) -> Vec<Ratio> {
    let sum: u64 = set.tasks.iter().map(|task| u64::from(task.weight)).sum();
    let base = if multiplied { around } else { 1.0 };
    set.tasks
        .iter()
        .map(|task| {
            let ratio = if sum > 0 { base * f64::from(task.weight) / sum as f64 } else { 0.0 };
            let tasks = match &task.body {
                TaskBody::Steps(_) | TaskBody::Native(_) => None,
                TaskBody::Set(set) => Some(task_ratios(set, ratio, multiplied)),
            };
            Ratio { name: task.name.clone(), ratio, tasks }
        })
        .collect()
}

fn tree_json(tree: &[Ratio]) -> Value {
    let entry = |node: &Ratio| {
        let mut object = Map::new();
        object.insert("ratio".to_owned(), json!(node.ratio));
        if let Some(tasks) = &node.tasks {
            object.insert("tasks".to_owned(), tree_json(tasks));
        }
        (node.name.to_string(), Value::Object(object))
    };
    Value::Object(tree.iter().map(entry).collect())
}
