//! Templates that only name variables and call simple functions, such as `user-{{ user.index }}-{{ uuid() }}`: they are
//! put together without the engine, which takes several times as long.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use minijinja::Value;

use super::plain_function::Write;

/// Text with the places where variables and results of functions go.
#[derive(Clone, Debug)]
pub(super) struct PlainTemplate {
    pieces: Arc<[Piece]>,
    has_calls: bool,
}

enum Piece {
    Text(Box<str>),
    /// A variable and attributes of it.
    Path(Box<[Box<str>]>),
    /// A function of this name that is called with literal arguments.
    Call(Box<str>, Write),
}

/// Prepares the call of a function, by its name and arguments; `None` if it needs the engine.
pub(super) type PrepareCall<'a> = dyn Fn(&str, &[i64]) -> Option<Write> + 'a;

/// Words that the engine does not take for names of variables.
const RESERVED: &[&str] =
    &["true", "True", "false", "False", "none", "None", "not", "and", "or", "in", "is", "if", "else", "self", "super"];

/// Digits of an argument that fit into 64 bits.
const ARGUMENT_DIGITS_MAX: usize = 18;

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Path(path) => write!(f, "{path:?}"),
            Self::Call(name, _) => write!(f, "{name}(…)"),
        }
    }
}

impl PlainTemplate {
    /// Reads a template; `None` if it holds anything but names of variables and attributes, and calls that need no
    /// engine.
    pub(super) fn of(source: &str, prepare: &PrepareCall<'_>) -> Option<Self> {
        if source.contains("{%") || source.contains("{#") {
            return None;
        }
        let mut pieces = Vec::new();
        let mut rest = source;
        while let Some((text, after)) = rest.split_once("{{") {
            let (inner, after) = after.split_once("}}")?;
            if !text.is_empty() {
                pieces.push(Piece::Text(text.into()));
            }
            pieces.push(expression(inner.trim(), prepare)?);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        let has_calls = pieces.iter().any(|piece| matches!(piece, Piece::Call(..)));
        Some(Self { pieces: pieces.into(), has_calls })
    }

    /// The text; `None` when a variable is not there, which is for the engine to explain. Then nothing has been drawn.
    pub(super) fn render(&self, variables: &Value) -> Option<String> {
        if self.has_calls && !self.pieces.iter().all(|piece| piece.is_certain(variables)) {
            return None;
        }
        let mut rendered = String::with_capacity(64);
        for piece in &*self.pieces {
            match piece {
                Piece::Text(text) => rendered.push_str(text),
                Piece::Path(path) => {
                    let value = look_up(path, variables)?;
                    match value.as_str() {
                        Some(text) => rendered.push_str(text),
                        None => write!(rendered, "{value}").ok()?,
                    }
                }
                Piece::Call(_, write) => write(&mut rendered),
            }
        }
        Some(rendered)
    }
}

impl Piece {
    /// Whether it can be rendered: a variable is there, and none has taken the name of the function.
    fn is_certain(&self, variables: &Value) -> bool {
        match self {
            Self::Text(_) => true,
            Self::Path(path) => look_up(path, variables).is_some(),
            Self::Call(name, _) => variables.get_attr(name).is_ok_and(|variable| variable.is_undefined()),
        }
    }
}

fn look_up(path: &[Box<str>], variables: &Value) -> Option<Value> {
    let (first, attributes) = path.split_first()?;
    let mut value = variables.get_attr(first).ok()?;
    for attribute in attributes {
        value = value.get_attr(attribute).ok()?;
    }
    (!value.is_undefined()).then_some(value)
}

fn expression(text: &str, prepare: &PrepareCall<'_>) -> Option<Piece> {
    let Some(inner) = text.strip_suffix(')') else { return path(text).map(Piece::Path) };
    let (name, arguments) = inner.split_once('(')?;
    if !is_name(name) || RESERVED.contains(&name) {
        return None;
    }
    let arguments: Option<Vec<i64>> = match arguments.trim() {
        "" => Some(Vec::new()),
        arguments => arguments.split(',').map(|argument| whole_number(argument.trim())).collect(),
    };
    Some(Piece::Call(name.into(), prepare(name, &arguments?)?))
}

fn whole_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    (is_plain && digits.len() <= ARGUMENT_DIGITS_MAX).then(|| text.parse().ok()).flatten()
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

    fn no_functions(_: &str, _: &[i64]) -> Option<Write> {
        None
    }

    /// `sum()`, with any arguments: the text of their sum.
    fn sum_alone(name: &str, arguments: &[i64]) -> Option<Write> {
        let sum: i64 = arguments.iter().sum();
        (name == "sum").then(|| Arc::new(move |text: &mut String| text.push_str(&sum.to_string())) as Write)
    }

    #[test]
    fn calls_with_whole_numbers_are_plain() {
        let render = |source: &str, variables: Value| PlainTemplate::of(source, &sum_alone)?.render(&variables);
        assert_eq!(render("{{ sum() }}", context! {}).as_deref(), Some("0"));
        assert_eq!(render("a{{sum( -1,20 )}}{{ b }}", context! { b => "x" }).as_deref(), Some("a19x"));
        for source in [
            "{{ other() }}",
            "{{ sum(a) }}",
            "{{ sum(1.5) }}",
            "{{ sum('1') }}",
            "{{ sum(1,) }}",
            "{{ sum(1) + sum(2) }}",
            "{{ sum(sum(1)) }}",
            "{{ a.sum(1) }}",
            "{{ sum(007) }}",
            "{{ sum(9999999999999999999) }}",
            "{{ sum(- 1) }}",
            "{{ (1) }}",
            "{{ sum(n=1) }}",
            "{{ sum(-) }}",
        ] {
            assert!(PlainTemplate::of(source, &sum_alone).is_none(), "{source}");
        }
        // The engine has to say that a string cannot be called, or that a variable is missing.
        assert_eq!(render("{{ sum() }}", context! { sum => "x" }), None);
        assert_eq!(render("{{ sum() }}{{ b }}", context! {}), None);
    }

    #[test]
    fn only_names_are_plain() {
        for source in ["{{ a }}", "x{{a.b}}y{{ c_1 }}\n", "{{ user.index }}"] {
            assert!(PlainTemplate::of(source, &no_functions).is_some(), "{source}");
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
            assert!(PlainTemplate::of(source, &no_functions).is_none(), "{source}");
        }
    }

    #[test]
    fn what_is_not_there_is_left_to_the_engine() {
        let render =
            |source, variables: Value| PlainTemplate::of(source, &no_functions).expect("plain").render(&variables);
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
            prop_assert_eq!(PlainTemplate::of(&source, &no_functions).expect("plain").render(&variables), Some(expected));
        }
    }
}
