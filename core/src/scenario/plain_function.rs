//! Functions of templates that also work without the engine, where a template needs nothing else of it.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, State, Value};

/// Appends to a text what a call of a function gives.
pub type Write = Arc<dyn Fn(&mut String) + Send + Sync>;

/// What a call with these arguments appends; `None` where the call may fail, which is for the engine to explain.
pub type Prepare = fn(&[i64]) -> Option<Write>;

/// A function that templates may call, known to the engine and to those who do without.
pub struct PlainFunction {
    by_engine: Value,
    prepare: Prepare,
}

impl PlainFunction {
    /// A global for the engine. `prepare` promises the text that the engine's function gives for the same arguments,
    /// drawn from the same random numbers.
    #[must_use]
    pub fn global(by_engine: Value, prepare: Prepare) -> Value {
        Value::from_object(Self { by_engine, prepare })
    }

    /// What a call with whole numbers appends, if that needs no engine.
    pub(super) fn prepare(&self, arguments: &[i64]) -> Option<Write> {
        (self.prepare)(arguments)
    }
}

impl fmt::Debug for PlainFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.by_engine.fmt(f)
    }
}

impl Object for PlainFunction {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
        self.by_engine.call(state, arguments)
    }
}
