//! The document and its user classes.

use std::sync::Arc;
use std::time::Duration;

use super::Decoder;
use super::cursor::{Cursor, Object};
use super::data::InReach;
use super::keys::{CLASS, SCENARIO, SETTINGS};
use super::values::{Named, overridden};
use crate::document::node::{Entry, NodeValue};
use crate::limits::{USERS_MAX, WEIGHT_MAX};
use crate::scenario::connection::ConnectionRules;
use crate::scenario::model::{
    Iterations, Load, RequestDefaults, Task, TaskOrder, TaskSet, UserClass, ValueTemplate, WaitTime,
};
use crate::scenario::native::Settings;
use crate::threshold::Threshold;

/// What a document says.
pub(super) struct Document {
    pub(super) host: Option<Arc<str>>,
    pub(super) classes: Vec<UserClass>,
    pub(super) load: Load,
    pub(super) thresholds: Vec<Threshold>,
}

/// What the document says for all classes.
struct Defaults {
    variables: Named<ValueTemplate>,
    requests: RequestDefaults,
    connection: ConnectionRules,
    /// Size of what they take, for each class has a copy.
    bytes: usize,
}

impl<'n> Decoder<'n> {
    /// The document.
    pub(super) fn document(&mut self, cursor: &Cursor<'n>) -> Option<Document> {
        let object = self.object(cursor, &SCENARIO)?;
        let host = self.optional(&object, "host", Self::host);
        let nothing = Defaults {
            variables: Vec::new(),
            requests: RequestDefaults::default(),
            connection: ConnectionRules::default(),
            bytes: 0,
        };
        let data = self.data(&object, &InReach::new());
        let defaults = self.defaults(&object, &nothing);
        let load = self.optional(&object, "load", Self::load);
        let thresholds = self.optional(&object, "thresholds", Self::thresholds);
        if let Some(sets) = object.get("task_sets") {
            self.task_sets(&sets);
        }
        let Some(users) = object.get("users") else {
            self.problem(cursor, "expected the key `users`");
            return None;
        };
        let in_reach = data.clone().unwrap_or_default();
        let classes = self.classes(&users, defaults.as_ref().unwrap_or(&nothing), &in_reach);
        defaults?;
        data?;
        Some(Document {
            host: host?,
            classes: classes?,
            load: load?.unwrap_or_default(),
            thresholds: thresholds?.unwrap_or_default(),
        })
    }

    /// What a program says beside the users that are its code.
    pub(super) fn settings(&mut self, cursor: &Cursor<'n>) -> Option<Settings> {
        let object = self.object(cursor, &SETTINGS)?;
        let host = self.optional(&object, "host", Self::address);
        let load = self.optional(&object, "load", Self::load);
        let thresholds = self.optional(&object, "thresholds", Self::thresholds);
        Some(Settings { host: host?, load: load?.unwrap_or_default(), thresholds: thresholds?.unwrap_or_default() })
    }

    fn classes(&mut self, cursor: &Cursor<'n>, defaults: &Defaults, data: &InReach<'n>) -> Option<Vec<UserClass>> {
        let entries = self.entries(cursor, "an object of user classes")?;
        if entries.is_empty() {
            self.problem(cursor, "expected at least one user class");
            return None;
        }
        let classes = self.all(entries, |decoder, entry| decoder.class(cursor, entry, defaults, data))?;
        if classes.iter().all(|class| class.weight_milli == 0 && class.fixed_count == 0) {
            self.problem(cursor, "every class has weight 0 and no fixed_count, so there is no user to spawn");
            return None;
        }
        Some(classes)
    }

    fn class(
        &mut self,
        users: &Cursor<'n>,
        entry: &'n Entry,
        defaults: &Defaults,
        data: &InReach<'n>,
    ) -> Option<UserClass> {
        let cursor = users.entry(entry);
        let name = self.name(&cursor, &entry.key, "a user class");
        let object = self.object(&cursor, &CLASS)?;
        self.copied(&cursor, defaults.bytes)?;
        let data = self.data(&object, data);
        // What the defaults of the document draw from is drawn by every class.
        let drawn_by_all = self.names.drawn.clone();
        let weight_milli = self.optional(&object, "weight", Self::class_weight);
        let fixed_count = self.optional(&object, "fixed_count", |decoder, at| decoder.whole(at, 0, USERS_MAX));
        let host = self.optional(&object, "host", Self::host);
        let wait_time = self.optional(&object, "wait_time", Self::wait_time);
        let defaults = self.defaults(&object, defaults);
        let on_start = self.optional(&object, "on_start", Self::steps);
        let on_stop = self.optional(&object, "on_stop", Self::steps);
        let on_unauthorized = self.optional(&object, "on_unauthorized", Self::some_steps);
        let order = self.order(&object);
        let tags = self.optional(&object, "tags", Self::tags);
        let tasks = self.required_tasks(&object);
        let feeders = data.map(|data| self.drawn(&cursor, &data));
        self.names.drawn = drawn_by_all;
        let defaults = defaults?;
        let tasks = tagged(tasks?, &tags?.unwrap_or_default());
        Some(UserClass {
            name: name?,
            weight_milli: weight_milli?.unwrap_or(1_000),
            fixed_count: fixed_count?.unwrap_or(0),
            host: host?,
            wait_time: wait_time?.unwrap_or(WaitTime::Constant(Duration::ZERO)),
            variables: defaults.variables,
            feeders: feeders?,
            defaults: defaults.requests,
            connection: defaults.connection,
            on_start: on_start?.unwrap_or_default(),
            on_stop: on_stop?.unwrap_or_default(),
            on_unauthorized: on_unauthorized?.unwrap_or_default(),
            tasks: TaskSet {
                order: order?.unwrap_or(TaskOrder::Random),
                wait_time: None,
                iterations: Iterations::Forever,
                tasks,
            },
        })
    }

    /// A share in thousandths.
    fn class_weight(&mut self, cursor: &Cursor<'n>) -> Option<u32> {
        let weight = match &cursor.node.value {
            NodeValue::Number(number, _) => number.as_f64(),
            _ => None,
        };
        let bounds = 0.0..=f64::from(WEIGHT_MAX);
        let Some(weight) = weight.filter(|weight| bounds.contains(weight)) else {
            self.wrong_kind(cursor, &format!("a number from 0 to {WEIGHT_MAX}"));
            return None;
        };
        match weight_milli(weight) {
            Ok(milli) => Some(milli),
            Err(reason) => {
                self.problem(cursor, reason);
                None
            }
        }
    }

    /// Variables and request defaults of an object, on top of those around it.
    fn defaults(&mut self, object: &Object<'n>, around: &Defaults) -> Option<Defaults> {
        let variables = self.optional(object, "variables", Self::variables);
        let headers = self.optional(object, "headers", Self::headers);
        let auth = self.optional(object, "auth", Self::auth);
        let timeout = self.optional(object, "timeout", Self::timeout);
        let redirects_max = self.optional(object, "redirects", Self::redirects);
        let connection = self.optional(object, "connection", |decoder, at| decoder.connection(at, &around.connection));
        let requests = &around.requests;
        let given = object.given(&["variables", "headers"]);
        Some(Defaults {
            variables: overridden(&around.variables, variables?.unwrap_or_default(), str::to_owned),
            requests: RequestDefaults {
                headers: overridden(&requests.headers, headers?.unwrap_or_default(), str::to_ascii_lowercase),
                auth: auth?.or_else(|| requests.auth.clone()),
                timeout: timeout?.unwrap_or(requests.timeout),
                redirects_max: redirects_max?.unwrap_or(requests.redirects_max),
            },
            connection: connection?.unwrap_or_else(|| around.connection.clone()),
            bytes: given.iter().map(|(_, at)| at.node.bytes()).sum(),
        })
    }
}

/// A share in thousandths.
///
/// # Errors
/// When it is out of bounds.
pub(crate) fn weight_milli(weight: f64) -> Result<u32, String> {
    let milli = (weight * 1_000.0).round();
    if !(0.0..=f64::from(WEIGHT_MAX)).contains(&weight) {
        return Err(format!("the weight {weight} is not a number from 0 to {WEIGHT_MAX}"));
    }
    if milli == 0.0 && weight > 0.0 {
        return Err("a weight is 0 or at least 0.001".to_owned());
    }
    Ok(milli as u32)
}

/// The tasks of a class, each with the tags of the class as well.
pub(crate) fn tagged(mut tasks: Vec<Task>, tags: &[Arc<str>]) -> Vec<Task> {
    for task in &mut tasks {
        for tag in tags {
            if !task.tags.contains(tag) {
                task.tags.push(tag.clone());
            }
        }
    }
    tasks
}
