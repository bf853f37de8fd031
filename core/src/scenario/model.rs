//! The compiled scenario: what the engine runs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::check::Check;
use super::connection::ConnectionRules;
use super::extract::Extract;
use super::template::{Condition, Template, Templates};
use super::websocket::WebSocket;
use crate::data::Feeder;
use crate::limits;
use crate::plan::Plan;
use crate::plan::arrivals::ArrivalPlan;
use crate::plan::rate::SpawnRate;
use crate::threshold::Threshold;

/// A complete, validated scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The name of the file it came from, for reports.
    pub name: Arc<str>,
    /// The base URL for classes that name none; `-H` overrides both.
    pub host: Option<Arc<str>>,
    /// The user classes, in the order of the file.
    pub classes: Vec<UserClass>,
    /// The tables that users draw rows from, of the document and of classes.
    pub feeders: Vec<Feeder>,
    /// How much of it is run.
    pub load: Load,
    /// What a run of it is held to, in the order of the file.
    pub thresholds: Vec<Threshold>,
    /// The compiled templates that the steps refer to.
    pub templates: Arc<Templates>,
}

/// How much load a run of a scenario makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Arrivals or users.
    pub model: LoadModel,
    /// Time at the start that does not count.
    pub warm_up: Duration,
}

/// What the load is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LoadModel {
    /// The closed model, with the users and the spawn rate of the command line.
    #[default]
    CommandLine,
    /// The closed model in stages.
    Users(Vec<UserStage>),
    /// The open model.
    Arrivals(ArrivalPlan),
}

/// A stage of the closed model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserStage {
    /// Users to reach.
    pub users: u64,
    /// Rate at which users are started or stopped.
    pub spawn_rate: SpawnRate,
    /// How long the stage lasts; `None` for a last one that does not end by itself.
    pub length: Option<Duration>,
}

impl Load {
    /// When the load ends by itself; `None` if it does not.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        match &self.model {
            LoadModel::CommandLine => None,
            LoadModel::Users(stages) => stages.iter().map(|stage| stage.length).sum(),
            LoadModel::Arrivals(plan) => plan.length(),
        }
    }

    /// The plan of a run. `users` and `rate` are those of the command line; `run_time` may end it early.
    #[must_use]
    pub fn plan(&self, users: u64, rate: SpawnRate, run_time: Option<Duration>) -> Plan {
        let ends_at = [self.length(), run_time].into_iter().flatten().min();
        let ends_at_us = ends_at.map(|end| end.as_micros() as u64);
        match &self.model {
            LoadModel::CommandLine => Plan::new(users, rate, ends_at_us),
            LoadModel::Arrivals(plan) => Plan::open(plan.clone(), ends_at_us),
            LoadModel::Users(stages) => staged(stages, ends_at_us),
        }
    }
}

fn staged(stages: &[UserStage], ends_at_us: Option<u64>) -> Plan {
    let mut plan = Plan::new(0, SpawnRate::ONE_PER_SECOND, ends_at_us);
    let mut starts_at_us = 0;
    for stage in stages {
        plan = plan.edited(starts_at_us, stage.users, stage.spawn_rate);
        starts_at_us += stage.length.map_or(0, |length| length.as_micros() as u64);
    }
    plan
}

/// A kind of user.
#[derive(Clone, Debug)]
pub struct UserClass {
    /// The key under `users`.
    pub name: Arc<str>,
    /// Share among the weighted classes, in thousandths (`weight: 1.5` is 1 500).
    pub weight_milli: u32,
    /// Exactly this many users of the class, spawned before the weighted ones; 0 for none.
    pub fixed_count: u64,
    /// Base URL of this class.
    pub host: Option<Arc<str>>,
    /// Pause between tasks.
    pub wait_time: WaitTime,
    /// Variables that each user of this class starts with, rendered in order.
    pub variables: Vec<(Arc<str>, ValueTemplate)>,
    /// The feeders that templates of this class draw from, by their places in [`Scenario::feeders`]. The variable with a
    /// feeder's name holds the current row.
    pub feeders: Vec<usize>,
    /// What each request of this class gets unless it says otherwise.
    pub defaults: RequestDefaults,
    /// How users of this class connect.
    pub connection: ConnectionRules,
    /// Steps run once when a user starts.
    pub on_start: Vec<Step>,
    /// Steps run once when a user stops in good order.
    pub on_stop: Vec<Step>,
    /// Steps run when a request gets status 401, before it is sent once more.
    pub on_unauthorized: Vec<Step>,
    /// The tasks.
    pub tasks: TaskSet,
}

impl UserClass {
    /// Whether its tasks are code of the program.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.tasks.tasks.iter().any(|task| matches!(task.body, TaskBody::Native(_)))
    }
}

/// Defaults of the requests of a user class.
#[derive(Clone, Debug)]
pub struct RequestDefaults {
    /// Headers sent with each request.
    pub headers: Vec<(Arc<str>, Template)>,
    /// Credentials sent with each request.
    pub auth: Option<Auth>,
    /// Time allowed from the start of a request to the last byte of its response, redirects included.
    pub timeout: Duration,
    /// Redirects to follow; with 0 a 3xx response is an ordinary response.
    pub redirects_max: u32,
}

impl Default for RequestDefaults {
    fn default() -> Self {
        Self { headers: Vec::new(), auth: None, timeout: limits::REQUEST_TIMEOUT, redirects_max: limits::REDIRECTS_MAX }
    }
}

/// Tasks and how the next one is chosen.
#[derive(Clone, Debug)]
pub struct TaskSet {
    /// How the next task is chosen.
    pub order: TaskOrder,
    /// Pause between the tasks of this set, if it differs from the class's.
    pub wait_time: Option<WaitTime>,
    /// How long a nested set runs before control returns to the outer one. The root set of a class runs until the
    /// user stops.
    pub iterations: Iterations,
    /// The tasks, in the order of the file. Never empty.
    pub tasks: Vec<Task>,
}

/// How the next task of a set is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskOrder {
    /// At random, by weight.
    Random,
    /// In the order of the file, each as often as its weight says.
    Sequential,
}

/// How long a nested task set runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Iterations {
    /// That many picks of a random set, or that many passes of a sequential one.
    Count(u64),
    /// Until an `interrupt` step, as in Locust.
    Forever,
}

/// One task.
#[derive(Clone, Debug)]
pub struct Task {
    /// The key under `tasks`.
    pub name: Arc<str>,
    /// Relative frequency.
    pub weight: u32,
    /// Tags for `--tags` and `--exclude-tags`.
    pub tags: Vec<Arc<str>>,
    /// What it does.
    pub body: TaskBody,
}

/// What a task does.
#[derive(Clone, Debug)]
pub enum TaskBody {
    /// Runs steps.
    Steps(Vec<Step>),
    /// Runs a nested task set.
    Set(TaskSet),
    /// Runs code of the program. The program knows it by the name of the class and by this place among its tasks.
    Native(usize),
}

/// The pause between two tasks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WaitTime {
    /// Always the same.
    Constant(Duration),
    /// Uniform between two bounds.
    Between(Duration, Duration),
    /// Starts a task every so often, measured from start to start; a task that overruns is followed at once.
    /// `throughput n/s` is a pacing of 1/n.
    Pacing(Duration),
    /// Exponentially distributed pauses with this mean (`poisson n/s` has a mean of 1/n).
    Poisson(Duration),
}

/// One step of a task.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends an HTTP request and follows its redirects.
    Request(Box<Request>),
    /// Talks over a WebSocket.
    WebSocket(Box<WebSocket>),
    /// Pauses.
    Wait(WaitTime),
    /// Takes one of two branches.
    If {
        /// The condition.
        condition: Condition,
        /// Run when it holds.
        then: Vec<Step>,
        /// Run when it does not.
        otherwise: Vec<Step>,
    },
    /// Runs steps several times.
    Repeat {
        /// How often; a template that must give a whole number up to `limits::REPEAT_MAX`.
        times: Template,
        /// What is repeated; `loop_index` counts from 0.
        steps: Vec<Step>,
    },
    /// Times steps as one transaction, waits included. It fails when a step in it fails.
    Group {
        /// The name in the statistics.
        name: Arc<str>,
        /// What is timed.
        steps: Vec<Step>,
    },
    /// Writes a line to the log.
    Log(Template),
    /// Sets variables.
    Set(Vec<(Arc<str>, ValueTemplate)>),
    /// Leaves the nested task set.
    Interrupt,
    /// Ends this user for good.
    StopUser,
}

/// An HTTP method, upper case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Method(pub Arc<str>);

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An HTTP request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// An absolute URL, or a path that is appended to the host.
    pub url: Template,
    /// The name in the statistics: `name` if given, else the URL as written in the file, so that a templated path is
    /// one endpoint.
    pub name: Template,
    /// Headers in addition to the class's; a header of the same name replaces it.
    pub headers: Vec<(Arc<str>, Template)>,
    /// Query parameters, encoded and appended to the URL.
    pub query: Vec<(Arc<str>, Template)>,
    /// The body.
    pub body: Body,
    /// Credentials, if they differ from the class's.
    pub auth: Option<Auth>,
    /// Time-out, if it differs from the class's.
    pub timeout: Option<Duration>,
    /// Redirects to follow, if it differs from the class's.
    pub redirects_max: Option<u32>,
    /// Checks of the response. A status check among them replaces the rule that a status of 400 or more fails.
    pub checks: Vec<Check>,
    /// Variables taken from the response, in order.
    pub extracts: Vec<Extract>,
}

/// Credentials of a request.
#[derive(Clone, Debug)]
pub enum Auth {
    /// HTTP basic authentication.
    Basic {
        /// The user name.
        username: Template,
        /// The password.
        password: Template,
    },
    /// `Authorization: Bearer …`
    Bearer(Template),
}

/// The body of a request.
#[derive(Clone, Debug)]
pub enum Body {
    /// No body.
    None,
    /// Bytes as they are; `Content-Type` only if a header says so.
    Raw(Template),
    /// JSON, with templates in its strings.
    Json(ValueTemplate),
    /// `application/x-www-form-urlencoded`
    Form(Vec<(Arc<str>, Template)>),
    /// `multipart/form-data`
    Multipart(Vec<Part>),
}

/// A part of a multipart body.
#[derive(Clone, Debug)]
pub struct Part {
    /// The field's name.
    pub name: Arc<str>,
    /// The file name to send, which makes it a file.
    pub file_name: Option<Template>,
    /// The part's content type.
    pub content_type: Option<Arc<str>>,
    /// Its content.
    pub content: Template,
}

/// A JSON value with templates in it. A string that is a single `{{ expression }}` keeps the type of its value, so
/// that `{"id": "{{ id }}"}` sends a number when `id` is one.
#[derive(Clone, Debug)]
pub enum ValueTemplate {
    /// A value without templates.
    Literal(serde_json::Value),
    /// Text with templates.
    Text(Template),
    /// A single expression, whose value is kept as it is.
    Expression(super::template::ValueExpression),
    /// A list.
    List(Vec<ValueTemplate>),
    /// An object.
    Object(Vec<(String, ValueTemplate)>),
}
