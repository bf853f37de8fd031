//! The variables of one user, as templates see them.

use std::sync::{Arc, OnceLock};

use akrida_core::ids::UserIndex;
use minijinja::Value;
use minijinja::value::{Enumerator, Object};

/// What templates know of the user itself.
const USER: &str = "user";

/// All variables of a user. Templates look them up here one by one, so setting one costs no more than that.
#[derive(Clone, Debug)]
pub(super) struct Variables {
    own: Vec<(Arc<str>, Value)>,
    user: Facts,
    /// The same as a value; made when a template asks for it.
    user_value: OnceLock<Value>,
}

/// What `user` has.
#[derive(Clone, Debug)]
struct Facts {
    index: UserIndex,
    class: Arc<str>,
}

impl Variables {
    /// Those of a new user of a class.
    pub(super) fn of(index: UserIndex, class: Arc<str>) -> Self {
        Self { own: Vec::new(), user: Facts { index, class }, user_value: OnceLock::new() }
    }

    /// All that were set, in the order in which they first were.
    pub(super) fn own(&self) -> &[(Arc<str>, Value)] {
        &self.own
    }

    /// The value of one that was set.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.own.iter().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }

    pub(super) fn set(&mut self, name: &Arc<str>, value: Value) {
        match self.own.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.own.push((Arc::clone(name), value)),
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.own.retain(|(known, _)| &**known != name);
    }
}

impl Object for Variables {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if key == USER {
            return Some(self.user_value.get_or_init(|| Value::from_object(self.user.clone())).clone());
        }
        self.get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let own = self.own.iter().map(|(name, _)| Value::from(Arc::clone(name)));
        Enumerator::Values([Value::from(USER)].into_iter().chain(own).collect())
    }
}

impl Object for Facts {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "index" => Some(Value::from(self.index.0)),
            "class" => Some(Value::from(Arc::clone(&self.class))),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["index", "class"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_see_an_ordinary_map() {
        let mut variables = Variables::of(UserIndex(7), "Shopper".into());
        variables.set(&"b".into(), Value::from("x"));
        variables.set(&"a".into(), Value::from(1));
        variables.set(&"gone".into(), Value::from(1));
        variables.remove("gone");
        let user = Value::from_pairs([("index", Value::from(7)), ("class", Value::from("Shopper"))]);
        let map = Value::from_pairs([("user", user), ("b", Value::from("x")), ("a", Value::from(1))]);
        let seen = Value::from_object(variables);
        assert_eq!(seen, map);
        assert_eq!(seen.to_string(), map.to_string());
        assert_eq!(serde_json::to_string(&seen).ok(), serde_json::to_string(&map).ok());
        assert!(seen.get_attr("gone").is_ok_and(|value| value.is_undefined()));
    }
}
