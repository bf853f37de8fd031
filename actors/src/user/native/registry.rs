//! All kinds of users of a program. Their types are known here and nowhere else: the engine sees objects.

use std::fmt;
use std::sync::Arc;

use akrida_core::scenario::native::NativeClass;
use futures_util::future::LocalBoxFuture;

use super::error::TaskResult;
use super::{User, UserContext};

/// The code of user classes, by their names.
#[derive(Default)]
pub struct NativeUsers {
    classes: Vec<(Arc<str>, Arc<dyn ClassCode>)>,
}

impl NativeUsers {
    /// Adds a kind of user; returns what it says of itself.
    pub fn add<U: User>(&mut self) -> NativeClass {
        let (class, code) = U::describe().into_parts();
        self.classes.push((class.name.as_str().into(), code));
        class
    }

    /// The code of a class.
    pub(super) fn code(&self, class: &str) -> Option<&Arc<dyn ClassCode>> {
        self.classes.iter().find(|(name, _)| &**name == class).map(|(_, code)| code)
    }
}

impl fmt::Debug for NativeUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.classes.iter().map(|(name, _)| name)).finish()
    }
}

/// The code of a class.
pub(super) trait ClassCode: Send + Sync {
    /// Starts a user.
    fn start<'a>(self: Arc<Self>, context: &'a mut UserContext) -> LocalBoxFuture<'a, TaskResult<Box<dyn Living>>>;
}

/// A user that was started.
pub(in crate::user) trait Living {
    /// Runs the task at this place.
    fn perform<'a>(&'a mut self, task: usize, context: &'a mut UserContext) -> LocalBoxFuture<'a, TaskResult>;

    /// Lets the user say goodbye.
    fn stop<'a>(&'a mut self, context: &'a mut UserContext) -> LocalBoxFuture<'a, ()>;
}

/// The code of a task of the users `U`.
pub(super) trait TaskCode<U>: Send + Sync {
    /// Runs it.
    fn call<'a>(&'a self, user: &'a mut U, context: &'a mut UserContext) -> LocalBoxFuture<'a, TaskResult>;
}

impl<U, F> TaskCode<U> for F
where
    U: 'static,
    F: AsyncFn(&mut U, &mut UserContext) -> TaskResult + Send + Sync + 'static,
{
    fn call<'a>(&'a self, user: &'a mut U, context: &'a mut UserContext) -> LocalBoxFuture<'a, TaskResult> {
        Box::pin(self(user, context))
    }
}

/// The code of the users `U`.
pub(super) struct CodeOf<U> {
    pub(super) tasks: Box<[Box<dyn TaskCode<U>>]>,
}

impl<U: User> ClassCode for CodeOf<U> {
    fn start<'a>(self: Arc<Self>, context: &'a mut UserContext) -> LocalBoxFuture<'a, TaskResult<Box<dyn Living>>> {
        Box::pin(async move {
            let user = U::start(context).await?;
            Ok(Box::new(LivingOf { user, code: self }) as Box<dyn Living>)
        })
    }
}

/// A user that was started, with its code.
struct LivingOf<U> {
    user: U,
    code: Arc<CodeOf<U>>,
}

impl<U: User> Living for LivingOf<U> {
    fn perform<'a>(&'a mut self, task: usize, context: &'a mut UserContext) -> LocalBoxFuture<'a, TaskResult> {
        self.code.tasks[task].call(&mut self.user, context)
    }

    fn stop<'a>(&'a mut self, context: &'a mut UserContext) -> LocalBoxFuture<'a, ()> {
        Box::pin(self.user.stop(context))
    }
}
