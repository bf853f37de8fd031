//! The scenario as the users of one arbiter run it: names interned, URLs and headers parsed, weights summed up.

use std::rc::Rc;
use std::sync::Arc;

use akrida_core::limits;
use akrida_core::scenario::connection::ConnectionRules;
use akrida_core::scenario::model::{
    Iterations, RequestDefaults, Scenario, Step, TaskBody, TaskOrder, TaskSet, UserClass, ValueTemplate, WaitTime,
};
use akrida_core::scenario::template::{Condition, Template, Templates};
use akrida_core::stats::endpoint::EndpointKey;
use akrida_core::stats::recorder::{EndpointId, Recorder};

use super::context::ArbiterContext;
use super::native::names::NativeNames;
use super::request_program::RequestProgram;
use super::tasks::WeightTable;
use super::websocket::WebSocketProgram;
use crate::http::connect::Network;
use crate::http::target::Target;

/// What cannot work in a scenario, although its file is well formed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("user class {class}: {reason}")]
pub struct ProgramError {
    /// The class.
    pub class: Arc<str>,
    /// What is wrong.
    pub reason: String,
}

/// The compiled scenario of one arbiter. Its endpoint handles belong to the recorder of the context it was made from.
#[derive(Debug)]
pub struct Program {
    pub(super) templates: Arc<Templates>,
    pub(super) classes: Box<[ClassProgram]>,
    pub(super) network: Rc<Network>,
}

#[derive(Debug)]
pub(super) struct ClassProgram {
    pub(super) name: Arc<str>,
    pub(super) connection: Rc<ConnectionRules>,
    pub(super) variables: Box<[(Arc<str>, ValueTemplate)]>,
    pub(super) on_start: Box<[Action]>,
    pub(super) on_stop: Box<[Action]>,
    pub(super) on_unauthorized: Box<[Action]>,
    pub(super) tasks: SetProgram,
    /// Whether its tasks are code of the program.
    pub(super) is_native: bool,
    /// What this code looks up by name.
    pub(super) names: NativeNames,
}

#[derive(Debug)]
pub(super) struct SetProgram {
    pub(super) order: TaskOrder,
    pub(super) wait_time: WaitTime,
    pub(super) iterations: Iterations,
    pub(super) weights: WeightTable,
    pub(super) tasks: Box<[TaskProgram]>,
    /// Names and weights of the tasks.
    pub(super) names: Box<[(Arc<str>, u32)]>,
}

#[derive(Debug)]
pub(super) enum TaskProgram {
    Steps(Box<[Action]>),
    Set(SetProgram),
    /// A place among the tasks of the code.
    Native(usize),
}

/// A compiled step.
#[derive(Debug)]
pub(super) enum Action {
    Request(Box<RequestProgram>),
    WebSocket(Box<WebSocketProgram>),
    Wait(WaitTime),
    If { condition: Condition, then: Box<[Action]>, otherwise: Box<[Action]> },
    Repeat { times: Times, steps: Box<[Action]> },
    Group { endpoint: EndpointId, steps: Box<[Action]> },
    Log(Template),
    Set(Box<[(Arc<str>, ValueTemplate)]>),
    Interrupt,
    StopUser,
}

/// How often steps are repeated.
#[derive(Debug)]
pub(super) enum Times {
    Fixed(u64),
    Rendered(Template),
}

/// A number of repetitions as it is written or rendered.
pub(super) fn repetitions(text: &str) -> Result<u64, String> {
    match text.trim().parse() {
        Ok(times) if times <= limits::REPEAT_MAX => Ok(times),
        _ => Err(format!("repeat: expected a whole number up to {}, got {text:?}", limits::REPEAT_MAX)),
    }
}

impl Program {
    /// Compiles the scenario of a context. A request that cannot work, which [`Program::problems`] tells beforehand,
    /// fails whenever it is due.
    #[must_use]
    pub fn new(context: &ArbiterContext) -> Self {
        let mut recorder = context.recorder.borrow_mut();
        let (classes, ..) = compile(&context.scenario, &mut recorder);
        Self {
            classes,
            templates: Arc::clone(&context.scenario.templates),
            network: Rc::new(Network::new(&context.http).observed_by(context.observer.clone())),
        }
    }

    /// What cannot work in a scenario: a missing or bad host, a URL, method or header that is written without templates
    /// and cannot be sent.
    #[must_use]
    pub fn problems(scenario: &Scenario) -> Vec<ProgramError> {
        compile(scenario, &mut Recorder::default()).1
    }

    /// Where the requests of a scenario go as far as it can be told without rendering: the hosts of its classes, and the
    /// URLs that are written without templates.
    #[must_use]
    pub fn known_targets(scenario: &Scenario) -> Vec<Rc<Target>> {
        compile(scenario, &mut Recorder::default()).2
    }
}

type Compiled = (Box<[ClassProgram]>, Vec<ProgramError>, Vec<Rc<Target>>);

fn compile(scenario: &Scenario, recorder: &mut Recorder) -> Compiled {
    let (mut problems, mut targets) = (Vec::new(), Vec::new());
    let classes = scenario.classes.iter().map(|class| {
        let host = class.host.as_ref().or(scenario.host.as_ref());
        let base = host.map(|host| Target::parse(host).map(Rc::new).map_err(|error| format!("host: {error}")));
        let templates = &scenario.templates;
        targets.extend(base.iter().flatten().cloned());
        let mut compiler = Compiler {
            templates,
            recorder,
            host,
            base,
            defaults: &class.defaults,
            problems: Vec::new(),
            targets: Vec::new(),
        };
        let compiled = compiler.class(class);
        let found = std::mem::take(&mut compiler.problems).into_iter();
        problems.extend(found.map(|reason| ProgramError { class: Arc::clone(&class.name), reason }));
        targets.append(&mut compiler.targets);
        compiled
    });
    let classes = classes.collect();
    (classes, problems, targets)
}

/// Compiles the steps of one class.
pub(super) struct Compiler<'a> {
    pub(super) templates: &'a Templates,
    pub(super) recorder: &'a mut Recorder,
    /// The host as it is written.
    pub(super) host: Option<&'a Arc<str>>,
    /// The host that paths are appended to, or why there is none.
    pub(super) base: Option<Result<Rc<Target>, String>>,
    pub(super) defaults: &'a RequestDefaults,
    pub(super) problems: Vec<String>,
    /// The URLs that are written without templates.
    pub(super) targets: Vec<Rc<Target>>,
}

impl Compiler<'_> {
    fn class(&mut self, class: &UserClass) -> ClassProgram {
        ClassProgram {
            name: Arc::clone(&class.name),
            connection: Rc::new(class.connection.clone()),
            variables: class.variables.clone().into(),
            on_start: self.steps(&class.on_start),
            on_stop: self.steps(&class.on_stop),
            on_unauthorized: self.steps(&class.on_unauthorized),
            tasks: self.set(&class.tasks, class.wait_time),
            is_native: class.is_native(),
            names: NativeNames::new(self.host, self.base.clone()),
        }
    }

    fn set(&mut self, set: &TaskSet, class_wait: WaitTime) -> SetProgram {
        let tasks = set.tasks.iter().map(|task| match &task.body {
            TaskBody::Steps(steps) => TaskProgram::Steps(self.steps(steps)),
            TaskBody::Set(set) => TaskProgram::Set(self.set(set, class_wait)),
            TaskBody::Native(place) => TaskProgram::Native(*place),
        });
        SetProgram {
            order: set.order,
            wait_time: set.wait_time.unwrap_or(class_wait),
            iterations: set.iterations,
            tasks: tasks.collect(),
            names: set.tasks.iter().map(|task| (Arc::clone(&task.name), task.weight)).collect(),
            weights: WeightTable::new(set.tasks.iter().map(|task| task.weight)),
        }
    }

    fn steps(&mut self, steps: &[Step]) -> Box<[Action]> {
        steps.iter().map(|step| self.step(step)).collect()
    }

    fn step(&mut self, step: &Step) -> Action {
        match step {
            Step::Request(request) => Action::Request(Box::new(RequestProgram::compile(self, request))),
            Step::WebSocket(conversation) => Action::WebSocket(Box::new(WebSocketProgram::compile(self, conversation))),
            Step::Wait(wait) => Action::Wait(*wait),
            Step::If { condition, then, otherwise } => {
                Action::If { condition: condition.clone(), then: self.steps(then), otherwise: self.steps(otherwise) }
            }
            Step::Repeat { times, steps } => Action::Repeat { times: self.times(times), steps: self.steps(steps) },
            Step::Group { name, steps } => {
                Action::Group { endpoint: self.recorder.endpoint(&EndpointKey::group(name)), steps: self.steps(steps) }
            }
            Step::Log(text) => Action::Log(text.clone()),
            Step::Set(values) => Action::Set(values.clone().into()),
            Step::Interrupt => Action::Interrupt,
            Step::StopUser => Action::StopUser,
        }
    }

    fn times(&mut self, times: &Template) -> Times {
        if let Template::Literal(text) = times {
            match repetitions(text) {
                Ok(times) => return Times::Fixed(times),
                Err(reason) => self.problems.push(reason),
            }
        }
        Times::Rendered(times.clone())
    }
}

#[cfg(test)]
mod tests {
    use akrida_core::scenario::{Format, Source, load};

    use super::super::functions::register;
    use super::*;

    fn problems(text: &str, host: Option<&str>) -> Vec<String> {
        let source = Source { name: "test.yml", text, format: Format::Yaml };
        let scenario = load(&source, register).expect("loads");
        let scenario = Scenario { host: host.map(Arc::from), ..Arc::unwrap_or_clone(scenario) };
        Program::problems(&scenario).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_cannot_work_is_told_before_the_run() {
        let scenario = "users:\n  A:\n    tasks: { path: /a, absolute: 'http://b.test/' }\n";
        let missing = "user class A: GET /a: the class has no host, and the URL names none";
        assert_eq!(problems(scenario, None), [missing]);
        assert_eq!(problems(scenario, Some("http://c.test")), [""; 0]);
        let reason = "user class A: GET /a: host: invalid URL: c.test: relative URL without a base";
        assert_eq!(problems(scenario, Some("c.test")), [reason]);
    }
}
