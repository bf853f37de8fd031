//! Where the requests of a scenario go.

use super::model::{Request, Scenario, Step, Task, TaskBody, UserClass};
use super::template::Template;

/// The base URLs of the classes.
pub fn base_urls(scenario: &Scenario) -> impl Iterator<Item = &str> {
    scenario.classes.iter().filter_map(|class| class.host.as_deref().or(scenario.host.as_deref()))
}

/// The first class that has a request without a host of its own while neither the class nor the scenario has one.
#[must_use]
pub fn class_without_host(scenario: &Scenario) -> Option<&str> {
    let lacks = |class: &&UserClass| {
        class.host.is_none() && scenario.host.is_none() && requests(class).any(|request| is_relative(&request.url))
    };
    scenario.classes.iter().find(lacks).map(|class| &*class.name)
}

/// Whether a URL is a path. One that starts with a template may become anything.
fn is_relative(url: &Template) -> bool {
    let text = url.source();
    !text.starts_with("{{") && !text.starts_with("http://") && !text.starts_with("https://")
}

fn requests(class: &UserClass) -> impl Iterator<Item = &Request> {
    let mut found = Vec::new();
    collect(&class.on_start, &mut found);
    collect(&class.on_stop, &mut found);
    class.tasks.tasks.iter().for_each(|task| collect_task(task, &mut found));
    found.into_iter()
}

fn collect_task<'s>(task: &'s Task, found: &mut Vec<&'s Request>) {
    match &task.body {
        TaskBody::Steps(steps) => collect(steps, found),
        TaskBody::Set(set) => set.tasks.iter().for_each(|task| collect_task(task, found)),
    }
}

fn collect<'s>(steps: &'s [Step], found: &mut Vec<&'s Request>) {
    for step in steps {
        match step {
            Step::Request(request) => found.push(request),
            Step::If { then, otherwise, .. } => {
                collect(then, found);
                collect(otherwise, found);
            }
            Step::Repeat { steps, .. } | Step::Group { steps, .. } => collect(steps, found),
            Step::Wait(_) | Step::Log(_) | Step::Set(_) | Step::Interrupt | Step::StopUser => (),
        }
    }
}
