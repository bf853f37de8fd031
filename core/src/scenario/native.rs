//! Scenarios whose users are code of the program. What the code says of itself is held to the bounds of a scenario file.

use std::sync::Arc;
use std::time::Duration;

use super::connection::ConnectionRules;
use super::decode::class::{tagged, weight_milli};
use super::decode::scalars::{check_address, check_name};
use super::model::{
    Iterations, Load, RequestDefaults, Scenario, Task, TaskBody, TaskOrder, TaskSet, UserClass, WaitTime,
};
use super::template::{RegisterFunctions, Templates};
use super::{Source, decode, no_files};
use crate::document::{
    self,
    problem::{Problem, Problems},
};
use crate::limits::{TAGS_MAX, USER_RATE_MAX_PER_S, USERS_MAX, WAIT_MAX, WEIGHT_MAX};
use crate::threshold::Threshold;

/// What a program says beside its users.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The address of the target, of any protocol; `-H` overrides it.
    pub host: Option<Arc<str>>,
    /// How much of the scenario is run.
    pub load: Load,
    /// What a run is held to.
    pub thresholds: Vec<Threshold>,
}

/// What the code of a kind of user says of itself.
#[derive(Clone, Debug)]
pub struct NativeClass {
    /// Its name, unlike that of any other class.
    pub name: String,
    /// Share among the weighted classes.
    pub weight: f64,
    /// Exactly this many users of the class; 0 for none.
    pub fixed_count: u64,
    /// The address of its target, if it is not that of all.
    pub host: Option<String>,
    /// Pause between tasks.
    pub wait_time: WaitTime,
    /// How the next task is chosen.
    pub order: TaskOrder,
    /// Tags of every task.
    pub tags: Vec<String>,
    /// Its tasks, in the order of their code.
    pub tasks: Vec<NativeTask>,
}

/// What is said of a task that is code.
#[derive(Clone, Debug)]
pub struct NativeTask {
    /// Its name, unlike that of any other task of the class.
    pub name: String,
    /// Relative frequency.
    pub weight: u32,
    /// Tags of its own.
    pub tags: Vec<String>,
}

/// Reads settings: a part of a scenario file with the keys `host`, `load` and `thresholds`.
///
/// # Errors
/// Every problem, in the order of the lines.
pub fn settings(source: &Source<'_>, register: RegisterFunctions) -> Result<Settings, Vec<Problem>> {
    let mut problems = Problems::of(source.name);
    let Some(document) = document::read(source, &mut problems) else { return Err(problems.in_order()) };
    let outside = decode::Outside { file: source.name, templates: Templates::new(register), read_file: &no_files };
    let (settings, problems) = decode::settings(&document, outside, problems);
    settings.ok_or_else(|| problems.in_order())
}

/// The scenario of these classes.
///
/// # Errors
/// Everything that is out of bounds.
pub fn scenario(
    name: &str,
    settings: Settings,
    classes: &[NativeClass],
    register: RegisterFunctions,
) -> Result<Scenario, Vec<String>> {
    let mut problems = Vec::new();
    let built: Vec<UserClass> = classes.iter().filter_map(|class| user_class(class, &mut problems)).collect();
    if classes.is_empty() {
        problems.push("expected at least one user class".to_owned());
    }
    for twice in repeated(classes.iter().map(|class| class.name.as_str())) {
        problems.push(format!("there are two user classes {twice:?}"));
    }
    if problems.is_empty() && built.iter().all(|class| class.weight_milli == 0 && class.fixed_count == 0) {
        problems.push("every class has weight 0 and no fixed_count, so there is no user to spawn".to_owned());
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Scenario {
        name: name.into(),
        host: settings.host,
        classes: built,
        feeders: Vec::new(),
        load: settings.load,
        thresholds: settings.thresholds,
        templates: Arc::new(Templates::new(register)),
    })
}

/// A class in the form of the model; `None` with a wrong weight, as only then there is none to go on with.
fn user_class(class: &NativeClass, problems: &mut Vec<String>) -> Option<UserClass> {
    let mut found = Vec::new();
    found.extend(check_name(&class.name, "a user class").err());
    found.extend(class.host.as_deref().and_then(|host| check_address(host).err()));
    found.extend(check_wait(&class.wait_time).err());
    found.extend(check_tags(&class.tags).err());
    if class.fixed_count > USERS_MAX {
        found.push(format!("the fixed count {} is more than {USERS_MAX}", class.fixed_count));
    }
    check_tasks(&class.tasks, &mut found);
    let weight_milli = weight_milli(class.weight).map_err(|reason| found.push(reason)).ok();
    problems.extend(found.into_iter().map(|reason| format!("user class {}: {reason}", class.name)));
    let tags: Vec<Arc<str>> = class.tags.iter().map(|tag| tag.as_str().into()).collect();
    let tasks = class.tasks.iter().enumerate().map(|(place, task)| Task {
        name: task.name.as_str().into(),
        weight: task.weight,
        tags: task.tags.iter().map(|tag| tag.as_str().into()).collect(),
        body: TaskBody::Native(place),
    });
    Some(UserClass {
        name: class.name.as_str().into(),
        weight_milli: weight_milli?,
        fixed_count: class.fixed_count,
        host: class.host.as_deref().map(|host| host.trim_end_matches('/').into()),
        wait_time: class.wait_time,
        variables: Vec::new(),
        feeders: Vec::new(),
        defaults: RequestDefaults::default(),
        connection: ConnectionRules::default(),
        on_start: Vec::new(),
        on_stop: Vec::new(),
        on_unauthorized: Vec::new(),
        tasks: TaskSet {
            order: class.order,
            wait_time: None,
            iterations: Iterations::Forever,
            tasks: tagged(tasks.collect(), &tags),
        },
    })
}

fn check_tasks(tasks: &[NativeTask], found: &mut Vec<String>) {
    if tasks.is_empty() {
        found.push("expected at least one task".to_owned());
    } else if tasks.iter().all(|task| task.weight == 0) {
        found.push("every task has weight 0, so there is none to run".to_owned());
    }
    for task in tasks {
        found.extend(check_name(&task.name, "a task").err());
        found.extend(check_tags(&task.tags).err());
        if task.weight > WEIGHT_MAX {
            found.push(format!("task {:?}: the weight {} is more than {WEIGHT_MAX}", task.name, task.weight));
        }
    }
    let twice = repeated(tasks.iter().map(|task| task.name.as_str()));
    found.extend(twice.map(|name| format!("there are two tasks {name:?}")));
}

fn check_tags(tags: &[String]) -> Result<(), String> {
    if tags.len() > TAGS_MAX {
        return Err(format!("found {} tags, at most {TAGS_MAX} are allowed", tags.len()));
    }
    tags.iter().try_for_each(|tag| check_name(tag, "a tag"))
}

fn check_wait(wait: &WaitTime) -> Result<(), String> {
    let within = |wait: Duration| wait <= WAIT_MAX;
    let shortest = Duration::from_secs_f64(1.0 / USER_RATE_MAX_PER_S);
    match *wait {
        WaitTime::Between(low, high) if low > high => {
            Err(format!("the wait of {low:?} to {high:?} ends before it begins"))
        }
        WaitTime::Poisson(mean) if mean < shortest => Err(format!("the mean wait {mean:?} is less than {shortest:?}")),
        WaitTime::Constant(longest)
        | WaitTime::Between(_, longest)
        | WaitTime::Pacing(longest)
        | WaitTime::Poisson(longest)
            if !within(longest) =>
        {
            Err(format!("the wait {longest:?} is longer than {WAIT_MAX:?}"))
        }
        _ => Ok(()),
    }
}

/// The names that stand more than once, each as often as it is repeated.
fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let mut seen = std::collections::BTreeSet::new();
    names.filter(move |name| !seen.insert(*name))
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::model::LoadModel;
    use super::*;

    fn task(name: &str, weight: u32) -> NativeTask {
        NativeTask { name: name.to_owned(), weight, tags: vec!["own".to_owned()] }
    }

    fn class(name: &str) -> NativeClass {
        NativeClass {
            name: name.to_owned(),
            weight: 1.5,
            fixed_count: 0,
            host: None,
            wait_time: WaitTime::Constant(Duration::ZERO),
            order: TaskOrder::Random,
            tags: vec!["all".to_owned()],
            tasks: vec![task("a", 3), task("b", 1)],
        }
    }

    fn build(classes: &[NativeClass]) -> Result<Scenario, Vec<String>> {
        scenario("program", Settings::default(), classes, |_| ())
    }

    #[test]
    fn a_class_keeps_what_its_code_says_and_each_task_its_place() {
        let built = build(&[class("A"), NativeClass { host: Some("tcp://x:1/".to_owned()), ..class("B") }]);
        let built = built.expect("within bounds");
        assert!(built.classes.iter().all(UserClass::is_native));
        let (a, b) = (&built.classes[0], &built.classes[1]);
        assert_eq!((a.weight_milli, b.host.as_deref()), (1_500, Some("tcp://x:1")));
        let places: Vec<_> = a.tasks.tasks.iter().map(|task| (&*task.name, task.weight, task.tags.len())).collect();
        assert_eq!(places, [("a", 3, 2), ("b", 1, 2)]);
        assert!(matches!(a.tasks.tasks[1].body, TaskBody::Native(1)));
    }

    #[test]
    fn everything_out_of_bounds_is_told() {
        let wait = WaitTime::Between(Duration::from_secs(2), Duration::from_secs(1));
        let wrong = NativeClass {
            weight: f64::NAN,
            host: Some("localhost:1".to_owned()),
            wait_time: wait,
            tasks: vec![task("a", 0), task("a", 0), task("", 0)],
            ..class("A")
        };
        let problems = build(&[wrong, class("B"), class("B")]).expect_err("refused");
        let expected = [
            "user class A: \"localhost:1\" is no URL with a host, expected one such as `tcp://127.0.0.1:7000`",
            "user class A: the wait of 2s to 1s ends before it begins",
            "user class A: every task has weight 0, so there is none to run",
            "user class A: a task has an empty name",
            "user class A: there are two tasks \"a\"",
            "user class A: the weight NaN is not a number from 0 to 1000000",
            "there are two user classes \"B\"",
        ];
        assert_eq!(problems, expected);
        assert_eq!(build(&[]).expect_err("refused"), ["expected at least one user class"]);
        let idle = NativeClass { weight: 0.0, ..class("A") };
        assert!(build(&[idle]).expect_err("refused")[0].contains("no user to spawn"));
    }

    #[test]
    fn settings_are_the_load_and_the_thresholds_of_a_file_and_nothing_else() {
        let read = |text: &str| settings(&Source { name: "settings", text, format: Format::Yaml }, |_| ());
        let read_all = read("host: tcp://x:1\nload: { arrival_rate: 5/s }\nthresholds: [ fail_ratio < 1% ]\n");
        let read_all = read_all.expect("well formed");
        assert_eq!(read_all.host.as_deref(), Some("tcp://x:1"));
        assert!(matches!(read_all.load.model, LoadModel::Arrivals(_)) && read_all.thresholds.len() == 1);
        let problems = read("users: {}\nthresholds: [ p95 ]\n").expect_err("refused");
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
