//! What a kind of user says of itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use akrida_core::scenario::model::{TaskOrder, WaitTime};
use akrida_core::scenario::native::{NativeClass, NativeTask};

use super::error::TaskResult;
use super::registry::{ClassCode, CodeOf, TaskCode};
use super::{User, UserContext};

/// The name of a kind of user, how many of them there are, and their tasks. The same as an entry of `users` in a
/// scenario file, with the same bounds.
pub struct UserDescription<U> {
    class: NativeClass,
    code: Vec<Box<dyn TaskCode<U>>>,
}

impl<U: User> UserDescription<U> {
    /// A kind of user of this name, with weight 1, without pauses, without tasks.
    pub fn new(name: impl Into<String>) -> Self {
        let class = NativeClass {
            name: name.into(),
            weight: 1.0,
            fixed_count: 0,
            host: None,
            wait_time: WaitTime::Constant(Duration::ZERO),
            order: TaskOrder::Random,
            tags: Vec::new(),
            tasks: Vec::new(),
        };
        Self { class, code: Vec::new() }
    }

    /// Its share of all users, in comparison with the weights of the others.
    #[must_use]
    pub fn weight(mut self, weight: impl Into<f64>) -> Self {
        self.class.weight = weight.into();
        self
    }

    /// Exactly this many users of the kind, started before the weighted ones.
    #[must_use]
    pub fn fixed_count(mut self, users: u64) -> Self {
        self.class.fixed_count = users;
        self
    }

    /// Where its users send their requests unless `-H` says otherwise: a URL of any protocol.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.class.host = Some(host.into());
        self
    }

    /// The pause after each task; see [`super::wait`].
    #[must_use]
    pub fn wait_time(mut self, wait_time: WaitTime) -> Self {
        self.class.wait_time = wait_time;
        self
    }

    /// Runs the tasks in the order in which they are added, each as often as its weight says, instead of at random.
    #[must_use]
    pub fn sequential(mut self) -> Self {
        self.class.order = TaskOrder::Sequential;
        self
    }

    /// Tags of all its tasks, for `--tags` and `--exclude-tags`.
    #[must_use]
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.class.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Adds a task: an async function of the user and its context.
    #[must_use]
    pub fn task<F>(self, name: impl Into<String>, weight: u32, code: F) -> Self
    where
        F: AsyncFn(&mut U, &mut UserContext) -> TaskResult + Send + Sync + 'static,
    {
        self.tagged_task(name, weight, [""; 0], code)
    }

    /// Adds a task that has tags of its own.
    #[must_use]
    pub fn tagged_task<F, T>(
        mut self,
        name: impl Into<String>,
        weight: u32,
        tags: impl IntoIterator<Item = T>,
        code: F,
    ) -> Self
    where
        F: AsyncFn(&mut U, &mut UserContext) -> TaskResult + Send + Sync + 'static,
        T: Into<String>,
    {
        let tags = tags.into_iter().map(Into::into).collect();
        self.class.tasks.push(NativeTask { name: name.into(), weight, tags });
        self.code.push(Box::new(code));
        self
    }

    /// What is said and the code, apart.
    pub(super) fn into_parts(self) -> (NativeClass, Arc<dyn ClassCode>) {
        (self.class, Arc::new(CodeOf { tasks: self.code.into() }))
    }
}

impl<U> fmt::Debug for UserDescription<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserDescription").field("class", &self.class).finish_non_exhaustive()
    }
}
