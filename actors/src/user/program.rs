//! The scenario as the users of one arbiter run it: names interned, URLs and headers parsed, weights summed up.

use std::rc::Rc;
use std::sync::Arc;

use akrida_core::limits;
use akrida_core::scenario::model::{
    Iterations, RequestDefaults, Step, TaskBody, TaskOrder, TaskSet, UserClass, ValueTemplate, WaitTime,
};
use akrida_core::scenario::template::{Condition, Template, Templates};
use akrida_core::stats::endpoint::EndpointKey;
use akrida_core::stats::recorder::{EndpointId, Recorder};

use super::context::ArbiterContext;
use super::request_program::RequestProgram;
use super::tasks::WeightTable;
use crate::http::connect::Network;
use crate::http::target::Target;

/// Why a scenario cannot be run, although its file is well formed.
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
    pub(super) variables: Box<[(Arc<str>, ValueTemplate)]>,
    pub(super) on_start: Box<[Action]>,
    pub(super) on_stop: Box<[Action]>,
    pub(super) tasks: SetProgram,
}

#[derive(Debug)]
pub(super) struct SetProgram {
    pub(super) order: TaskOrder,
    pub(super) wait_time: WaitTime,
    pub(super) iterations: Iterations,
    pub(super) weights: WeightTable,
    pub(super) tasks: Box<[TaskProgram]>,
}

#[derive(Debug)]
pub(super) enum TaskProgram {
    Steps(Box<[Action]>),
    Set(SetProgram),
}

/// A compiled step.
#[derive(Debug)]
pub(super) enum Action {
    Request(Box<RequestProgram>),
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
    /// Compiles the scenario of a context.
    ///
    /// # Errors
    /// When a host, URL, header or method that is written without templates cannot be used.
    pub fn compile(context: &ArbiterContext) -> Result<Rc<Self>, ProgramError> {
        let scenario = &context.scenario;
        let mut recorder = context.recorder.borrow_mut();
        let classes = scenario.classes.iter().map(|class| {
            let host = context.host.as_ref().or(class.host.as_ref()).or(scenario.host.as_ref());
            let compiled = base_of(host.map(|host| &**host)).and_then(|base| {
                let templates = &scenario.templates;
                Compiler { templates, recorder: &mut recorder, base, defaults: &class.defaults }.class(class)
            });
            compiled.map_err(|reason| ProgramError { class: Arc::clone(&class.name), reason })
        });
        Ok(Rc::new(Self {
            classes: classes.collect::<Result<_, _>>()?,
            templates: Arc::clone(&scenario.templates),
            network: Rc::new(Network::new(&context.http)),
        }))
    }
}

fn base_of(host: Option<&str>) -> Result<Option<Rc<Target>>, String> {
    let parse = |host: &str| Target::parse(host).map(Rc::new).map_err(|error| format!("host: {error}"));
    host.map(parse).transpose()
}

/// Compiles the steps of one class.
pub(super) struct Compiler<'a> {
    pub(super) templates: &'a Templates,
    pub(super) recorder: &'a mut Recorder,
    /// The host that paths are appended to.
    pub(super) base: Option<Rc<Target>>,
    pub(super) defaults: &'a RequestDefaults,
}

impl Compiler<'_> {
    fn class(&mut self, class: &UserClass) -> Result<ClassProgram, String> {
        Ok(ClassProgram {
            name: Arc::clone(&class.name),
            variables: class.variables.clone().into(),
            on_start: self.steps(&class.on_start)?,
            on_stop: self.steps(&class.on_stop)?,
            tasks: self.set(&class.tasks, class.wait_time)?,
        })
    }

    fn set(&mut self, set: &TaskSet, class_wait: WaitTime) -> Result<SetProgram, String> {
        let tasks = set.tasks.iter().map(|task| match &task.body {
            TaskBody::Steps(steps) => self.steps(steps).map(TaskProgram::Steps),
            TaskBody::Set(set) => self.set(set, class_wait).map(TaskProgram::Set),
        });
        let tasks: Box<[TaskProgram]> = tasks.collect::<Result<_, _>>()?;
        if tasks.is_empty() {
            return Err("a task set has no tasks".to_owned());
        }
        Ok(SetProgram {
            order: set.order,
            wait_time: set.wait_time.unwrap_or(class_wait),
            iterations: set.iterations,
            weights: WeightTable::new(set.tasks.iter().map(|task| task.weight)),
            tasks,
        })
    }

    fn steps(&mut self, steps: &[Step]) -> Result<Box<[Action]>, String> {
        steps.iter().map(|step| self.step(step)).collect()
    }

    fn step(&mut self, step: &Step) -> Result<Action, String> {
        Ok(match step {
            Step::Request(request) => Action::Request(Box::new(RequestProgram::compile(self, request)?)),
            Step::Wait(wait) => Action::Wait(*wait),
            Step::If { condition, then, otherwise } => {
                Action::If { condition: condition.clone(), then: self.steps(then)?, otherwise: self.steps(otherwise)? }
            }
            Step::Repeat { times, steps } => Action::Repeat {
                times: match times {
                    Template::Literal(text) => Times::Fixed(repetitions(text)?),
                    Template::Dynamic(_) => Times::Rendered(times.clone()),
                },
                steps: self.steps(steps)?,
            },
            Step::Group { name, steps } => {
                Action::Group { endpoint: self.recorder.endpoint(&EndpointKey::group(name)), steps: self.steps(steps)? }
            }
            Step::Log(text) => Action::Log(text.clone()),
            Step::Set(values) => Action::Set(values.clone().into()),
            Step::Interrupt => Action::Interrupt,
            Step::StopUser => Action::StopUser,
        })
    }
}
