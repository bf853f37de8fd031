//! Templates that only name variables, such as `user-{{ user.index }}`: they are put together without the engine, which
//! takes several times as long.

use std::fmt::Write;
use std::sync::Arc;

use minijinja::Value;

/// Text with the places where variables go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlainTemplate(Arc<[Piece]>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    /// A variable and attributes of it.
    Path(Box<[Box<str>]>),
}

/// Words that the engine does not take for names of variables.
const RESERVED: &[&str] =
    &["true", "True", "false", "False", "none", "None", "not", "and", "or", "in", "is", "if", "else", "self", "super"];

impl PlainTemplate {
    /// Reads a template; `None` if it holds anything but names of variables and attributes.
    pub(super) fn of(source: &str) -> Option<Self> {
        if source.contains("{%") || source.contains("{#") {
            return None;
        }
        let mut pieces = Vec::new();
        let mut rest = source;
        while let Some((text, after)) = rest.split_once("{{") {
            let (inner, after) = after.split_once("}}")?;
            pieces.push(Piece::Text(text.into()));
            pieces.push(Piece::Path(path(inner.trim())?));
            rest = after;
        }
        pieces.push(Piece::Text(rest.into()));
        Some(Self(pieces.into()))
    }

    /// The text; `None` when a variable is not there, which is for the engine to explain.
    pub(super) fn render(&self, variables: &Value) -> Option<String> {
        let mut rendered = String::with_capacity(64);
        for piece in &*self.0 {
            match piece {
                Piece::Text(text) => rendered.push_str(text),
                Piece::Path(path) => {
                    let mut value = variables.get_attr(path.first()?).ok()?;
                    for attribute in &path[1..] {
                        value = value.get_attr(attribute).ok()?;
                    }
                    if value.is_undefined() {
                        return None;
                    }
                    write!(rendered, "{value}").ok()?;
                }
            }
        }
        Some(rendered)
    }
}

fn path(text: &str) -> Option<Box<[Box<str>]>> {
    let names = text.split('.').map(|name| is_name(name).then(|| name.into()));
    let names: Option<Box<[Box<str>]>> = names.collect();
    names.filter(|names| !RESERVED.contains(&&*names[0]))
}

fn is_name(text: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(is_first) && text.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use minijinja::{Environment, UndefinedBehavior, context};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_names_are_plain() {
        for source in ["{{ a }}", "x{{a.b}}y{{ c_1 }}\n", "{{ user.index }}"] {
            assert!(PlainTemplate::of(source).is_some(), "{source}");
        }
        for source in [
            "{{ a + 1 }}",
            "{{ f() }}",
            "{{ a | upper }}",
            "{{- a }}",
            "{{ 'a' }}",
            "{{ true }}",
            "{{ a",
            "{% if a %}",
            "{{ 1 }}",
        ] {
            assert!(PlainTemplate::of(source).is_none(), "{source}");
        }
    }

    #[test]
    fn what_is_not_there_is_left_to_the_engine() {
        let render = |source, variables: Value| PlainTemplate::of(source).expect("plain").render(&variables);
        assert_eq!(render("{{ a }}", context! {}), None);
        assert_eq!(render("{{ a.b.c }}", context! { a => context! { b => 1 } }), None);
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            Just(Value::from(())),
            prop::collection::vec(any::<u8>(), 0..4).prop_map(|bytes| Value::from_iter(bytes.into_iter())),
        ]
    }

    proptest! {
        #[test]
        fn it_gives_what_the_engine_gives(a in value(), b in value(), text in "[^{}]{0,8}") {
            let mut environment = Environment::new();
            environment.set_undefined_behavior(UndefinedBehavior::Strict);
            environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
            let source = format!("{text}{{{{ a }}}}-{{{{ m.b }}}}{text}.");
            let variables = context! { a, m => context! { b } };
            let expected = environment.render_str(&source, &variables).expect("renders");
            prop_assert_eq!(PlainTemplate::of(&source).expect("plain").render(&variables), Some(expected));
        }
    }
}
