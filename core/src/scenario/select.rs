//! The part of a scenario that a run uses: chosen classes and tags, equal weights, another host.

use std::sync::Arc;

use super::decode::scalars::{check_address, check_host};
use super::model::{Scenario, Task, TaskBody, TaskSet, UserClass};
use crate::document::closest;

/// What the command line asks of a scenario. Empty lists choose everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// Names of the user classes to run.
    pub classes: &'a [String],
    /// Tasks need one of these tags.
    pub tags: &'a [String],
    /// Tasks must have none of these tags.
    pub exclude_tags: &'a [String],
    /// Whether every class and every task gets weight 1.
    pub equal_weights: bool,
    /// The base URL of every class.
    pub host: Option<&'a str>,
}

/// A scenario after a selection.
#[derive(Clone, Debug)]
pub struct Selected {
    /// The scenario to run.
    pub scenario: Scenario,
    /// Classes that were left out because the tags left them no task.
    pub without_tasks: Vec<Arc<str>>,
}

/// Why nothing can be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// A class that the scenario does not have.
    #[error("no user class {name:?} in the scenario{} (there are {})", did_you_mean(.meant.as_deref()), .known.join(", "))]
    UnknownClass {
        /// The name that was asked for.
        name: String,
        /// The known name most like it.
        meant: Option<String>,
        /// The classes of the scenario.
        known: Vec<String>,
    },
    /// The tags leave no class any task.
    #[error("no task is left with these tags; the scenario has {}", tag_list(.known))]
    NoTasksLeft {
        /// The tags of the scenario.
        known: Vec<String>,
    },
    /// All the chosen classes have weight 0 and no fixed count.
    #[error("every chosen class has weight 0 and no fixed_count, so there is no user to spawn")]
    NoUsers,
    /// The host is no base URL.
    #[error("host: {0}")]
    Host(String),
}

fn did_you_mean(meant: Option<&str>) -> String {
    meant.map(|meant| format!(", did you mean {meant:?}?")).unwrap_or_default()
}

fn tag_list(known: &[String]) -> String {
    if known.is_empty() { "no tags".to_owned() } else { format!("the tags {}", known.join(", ")) }
}

/// Applies a selection. Tags are those of a task and of all sets and the class around it.
///
/// # Errors
/// When a name is unknown, the host is no URL or nothing is left to run.
pub fn select(scenario: &Scenario, selection: &Selection<'_>) -> Result<Selected, SelectError> {
    let mut chosen = scenario.clone();
    choose_classes(&mut chosen, selection.classes)?;
    let without_tasks = choose_tags(&mut chosen, selection.tags, selection.exclude_tags)?;
    if selection.equal_weights {
        equalise(&mut chosen);
    }
    if chosen.classes.iter().all(|class| class.weight_milli == 0 && class.fixed_count == 0) {
        return Err(SelectError::NoUsers);
    }
    if let Some(host) = selection.host {
        // Code of the program may speak any protocol.
        let check = if chosen.classes.iter().all(UserClass::is_native) { check_address } else { check_host };
        check(host).map_err(SelectError::Host)?;
        chosen.host = Some(host.trim_end_matches('/').into());
        for class in &mut chosen.classes {
            class.host = None;
        }
    }
    Ok(Selected { scenario: chosen, without_tasks })
}

fn choose_classes(scenario: &mut Scenario, names: &[String]) -> Result<(), SelectError> {
    let known = |name: &str| scenario.classes.iter().any(|class| &*class.name == name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let known: Vec<String> = scenario.classes.iter().map(|class| class.name.to_string()).collect();
        let meant = closest(unknown, known.iter().map(String::as_str)).map(str::to_owned);
        return Err(SelectError::UnknownClass { name: unknown.clone(), meant, known });
    }
    if !names.is_empty() {
        scenario.classes.retain(|class| names.iter().any(|name| *name == *class.name));
    }
    Ok(())
}

/// Removes the tasks that the tags rule out, and the classes that have none left.
fn choose_tags(scenario: &mut Scenario, tags: &[String], exclude: &[String]) -> Result<Vec<Arc<str>>, SelectError> {
    if tags.is_empty() && exclude.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = Vec::new();
    for class in &scenario.classes {
        collect_tags(&class.tasks, &mut known);
    }
    let mut without_tasks = Vec::new();
    scenario.classes.retain_mut(|class| {
        let left = filter_set(&mut class.tasks, &[], tags, exclude);
        if !left {
            without_tasks.push(class.name.clone());
        }
        left
    });
    if scenario.classes.is_empty() {
        known.sort_unstable();
        known.dedup();
        return Err(SelectError::NoTasksLeft { known });
    }
    Ok(without_tasks)
}

fn collect_tags(set: &TaskSet, known: &mut Vec<String>) {
    for task in &set.tasks {
        known.extend(task.tags.iter().map(ToString::to_string));
        if let TaskBody::Set(set) = &task.body {
            collect_tags(set, known);
        }
    }
}

/// Keeps the tasks of a set that the tags allow; whether one that can run is left.
fn filter_set(set: &mut TaskSet, around: &[Arc<str>], tags: &[String], exclude: &[String]) -> bool {
    set.tasks.retain_mut(|task| {
        let all: Vec<Arc<str>> = around.iter().chain(&task.tags).cloned().collect();
        match &mut task.body {
            TaskBody::Set(set) => filter_set(set, &all, tags, exclude),
            TaskBody::Steps(_) | TaskBody::Native(_) => {
                let has_one_of = |wanted: &[String]| wanted.iter().any(|tag| all.iter().any(|own| **own == **tag));
                (tags.is_empty() || has_one_of(tags)) && !has_one_of(exclude)
            }
        }
    });
    set.tasks.iter().any(|task| task.weight > 0)
}

fn equalise(scenario: &mut Scenario) {
    for class in &mut scenario.classes {
        class.weight_milli = 1_000;
        equalise_tasks(&mut class.tasks.tasks);
    }
}

fn equalise_tasks(tasks: &mut [Task]) {
    for task in tasks {
        task.weight = 1;
        if let TaskBody::Set(set) = &mut task.body {
            equalise_tasks(&mut set.tasks);
        }
    }
}
