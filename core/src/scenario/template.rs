//! Templates: `{{ … }}` in text, conditions and values, parsed once when the scenario is loaded.
//!
//! The engine is minijinja. An undefined variable is an error, never an empty string.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

use super::plain_function::{PlainFunction, Write};
use super::plain_template::PlainTemplate;
use super::template_size::{check_expression, check_text};
use crate::limits;

/// Adds functions that templates may call (`random_int`, `uuid`, …). They need a clock or randomness, so the caller
/// brings them.
pub type RegisterFunctions = fn(&mut Environment<'static>);

/// Why a template gave no text or value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template {template:?}: {reason}")]
pub struct TemplateError {
    /// The template as written.
    pub template: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Text with or without `{{ … }}`.
#[derive(Clone, PartialEq, Eq)]
pub enum Template {
    /// Text that needs no rendering.
    Literal(Arc<str>),
    /// Text that is rendered from a user's variables.
    Dynamic(Compiled),
}

/// A condition, true when its expression is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition(Compiled);

/// A single expression whose value keeps its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueExpression(Compiled);

/// A handle to a template of a [`Templates`].
#[derive(Clone)]
pub struct Compiled {
    id: Arc<str>,
    source: Arc<str>,
    /// The same without the engine, if it is that simple.
    plain: Option<PlainTemplate>,
}

impl PartialEq for Compiled {
    fn eq(&self, other: &Self) -> bool {
        // What follows from the source is no difference.
        self.id == other.id && self.source == other.source
    }
}

impl Eq for Compiled {}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.source)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.source())
    }
}

impl Template {
    /// The text as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Literal(text) => text,
            Self::Dynamic(compiled) => &compiled.source,
        }
    }
}

/// What was compiled from a text of the file.
pub trait Parsed {
    /// The handle, unless the text was a literal.
    fn compiled(&self) -> Option<&Compiled>;
}

impl Parsed for Template {
    fn compiled(&self) -> Option<&Compiled> {
        match self {
            Self::Literal(_) => None,
            Self::Dynamic(compiled) => Some(compiled),
        }
    }
}

impl Parsed for Condition {
    fn compiled(&self) -> Option<&Compiled> {
        Some(&self.0)
    }
}

impl Parsed for ValueExpression {
    fn compiled(&self) -> Option<&Compiled> {
        Some(&self.0)
    }
}

/// The compiled templates of a scenario.
#[derive(Clone, Debug)]
pub struct Templates {
    environment: Environment<'static>,
    count: usize,
}

/// The variable in which an expression's value is found after evaluation.
const VALUE: &str = "__value";

impl Templates {
    /// An empty set whose templates may call what `register` adds.
    #[must_use]
    pub fn new(register: RegisterFunctions) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(
            SyntaxConfig::builder().keep_trailing_newline(true).build().expect("the default delimiters are valid"),
        );
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        // A user whose template loops on and on would keep its whole arbiter from running, and from stopping.
        environment.set_fuel(Some(limits::TEMPLATE_INSTRUCTIONS_MAX));
        register(&mut environment);
        Self { environment, count: 0 }
    }

    /// Compiles text. Text without `{{`, `{%` and `{#` becomes a literal.
    ///
    /// # Errors
    /// When the text is not a template.
    pub fn text(&mut self, source: &str) -> Result<Template, TemplateError> {
        if !["{{", "{%", "{#"].iter().any(|mark| source.contains(mark)) {
            return Ok(Template::Literal(source.into()));
        }
        check_text(source).map_err(|reason| too_long(source, reason))?;
        let compiled = self.add(source, source.to_owned())?;
        let plain = PlainTemplate::of(source, &|name, arguments| self.plain_call(name, arguments));
        Ok(Template::Dynamic(Compiled { plain, ..compiled }))
    }

    /// A call that needs no engine.
    fn plain_call(&self, name: &str, arguments: &[i64]) -> Option<Write> {
        let (_, function) = self.environment.globals().find(|(global, _)| *global == name)?;
        function.downcast_object_ref::<PlainFunction>()?.prepare(arguments)
    }

    /// Compiles a condition, written with or without the surrounding `{{ }}`.
    ///
    /// # Errors
    /// When the text is not an expression.
    pub fn condition(&mut self, source: &str) -> Result<Condition, TemplateError> {
        let expression = single_expression(source).unwrap_or(source);
        let body = format!("{{% set {VALUE} = true if ({expression}) else false %}}");
        self.expression(source, expression, body).map(Condition)
    }

    /// Compiles text that is one single `{{ expression }}`; `None` when it is anything else.
    ///
    /// # Errors
    /// When what stands between the braces is not an expression.
    pub fn value(&mut self, source: &str) -> Option<Result<ValueExpression, TemplateError>> {
        let expression = single_expression(source)?;
        let body = format!("{{% set {VALUE} = ({expression}) %}}");
        Some(self.expression(source, expression, body).map(ValueExpression))
    }

    /// Renders text from variables.
    ///
    /// # Errors
    /// When a variable is missing or an expression fails.
    pub fn render<'t>(&self, template: &'t Template, variables: &Value) -> Result<Cow<'t, str>, TemplateError> {
        match template {
            Template::Literal(text) => Ok(Cow::Borrowed(text)),
            Template::Dynamic(compiled) => match compiled.plain.as_ref().and_then(|plain| plain.render(variables)) {
                Some(text) => Ok(Cow::Owned(text)),
                None => self.render_by_engine(compiled, variables).map(Cow::Owned),
            },
        }
    }

    fn render_by_engine(&self, compiled: &Compiled, variables: &Value) -> Result<String, TemplateError> {
        let template = self.environment.get_template(&compiled.id);
        let rendered = template.and_then(|template| template.render(variables));
        rendered.map_err(|error| failure(&compiled.source, &error))
    }

    /// Evaluates a condition.
    ///
    /// # Errors
    /// When a variable is missing or the expression fails.
    pub fn holds(&self, condition: &Condition, variables: &Value) -> Result<bool, TemplateError> {
        Ok(self.evaluate(&condition.0, variables)?.is_true())
    }

    /// Evaluates an expression to its value.
    ///
    /// # Errors
    /// When a variable is missing or the expression fails.
    pub fn evaluate_value(&self, expression: &ValueExpression, variables: &Value) -> Result<Value, TemplateError> {
        self.evaluate(&expression.0, variables)
    }

    /// The names that a template takes from outside and that are no functions of the template language, in order, each
    /// with the attributes that are asked of it: `user` or `user.index`.
    #[must_use]
    pub fn free_names(&self, compiled: &Compiled) -> Vec<String> {
        let Ok(template) = self.environment.get_template(&compiled.id) else { return Vec::new() };
        let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
        let is_global = |name: &str| self.environment.globals().any(|(global, _)| global == name);
        names.retain(|name| !is_global(name.split('.').next().unwrap_or_default()));
        names.sort_unstable();
        names
    }

    fn evaluate(&self, compiled: &Compiled, variables: &Value) -> Result<Value, TemplateError> {
        let evaluated = self
            .environment
            .get_template(&compiled.id)
            .and_then(|template| template.render_captured(variables).map(|captured| captured.state().lookup(VALUE)))
            .map_err(|error| failure(&compiled.source, &error))?;
        Ok(evaluated.unwrap_or(Value::UNDEFINED))
    }

    fn expression(&mut self, source: &str, expression: &str, body: String) -> Result<Compiled, TemplateError> {
        check_expression(expression).map_err(|reason| too_long(source, reason))?;
        self.environment.compile_expression_owned(expression.to_owned()).map_err(|error| failure(source, &error))?;
        self.add(source, body)
    }

    fn add(&mut self, source: &str, body: String) -> Result<Compiled, TemplateError> {
        let id: Arc<str> = format!("t{}", self.count).into();
        self.environment.add_template_owned(id.to_string(), body).map_err(|error| failure(source, &error))?;
        self.count += 1;
        Ok(Compiled { id, source: source.into(), plain: None })
    }
}

/// What stands between the braces when the whole text is one `{{ … }}`.
fn single_expression(source: &str) -> Option<&str> {
    let inner = source.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{") && !inner.contains("}}")).then(|| inner.trim())
}

fn too_long(source: &str, reason: String) -> TemplateError {
    TemplateError { template: source.to_owned(), reason }
}

fn failure(source: &str, error: &minijinja::Error) -> TemplateError {
    let reason = match error.detail() {
        _ if error.kind() == ErrorKind::OutOfFuel => {
            format!("takes more than {} instructions", limits::TEMPLATE_INSTRUCTIONS_MAX)
        }
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    TemplateError { template: source.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn templates() -> Templates {
        Templates::new(|_| ())
    }

    #[test]
    fn text_without_marks_is_a_literal_and_needs_no_variables() {
        let mut templates = templates();
        let template = templates.text("/plain?a=}}").expect("literal");
        assert!(matches!(template, Template::Literal(_)));
        assert_eq!(templates.render(&template, &context! {}).expect("renders"), "/plain?a=}}");
    }

    #[test]
    fn text_is_rendered_from_variables() {
        let mut templates = templates();
        let template = templates.text("/p/{{ id }}/{{ name | upper }}\n").expect("template");
        assert_eq!(templates.render(&template, &context! { id => 7, name => "x" }).expect("renders"), "/p/7/X\n");
    }

    #[test]
    fn a_missing_variable_is_an_error_that_names_the_template() {
        let mut templates = templates();
        let template = templates.text("/p/{{ id }}").expect("template");
        let error = templates.render(&template, &context! {}).expect_err("no id");
        assert!(error.to_string().contains("/p/{{ id }}"), "{error}");
    }

    #[test]
    fn a_single_expression_keeps_its_type() {
        let mut templates = templates();
        let value = templates.value("{{ id + 1 }}").expect("single").expect("compiles");
        let evaluated = templates.evaluate_value(&value, &context! { id => 41 }).expect("evaluates");
        assert_eq!(serde_json::to_value(evaluated).expect("json"), serde_json::json!(42));
        assert!(templates.value("a {{ id }}").is_none());
    }

    #[test]
    fn a_condition_is_written_with_or_without_braces() {
        let mut templates = templates();
        for source in ["n > 3", "{{ n > 3 }}"] {
            let condition = templates.condition(source).expect("compiles");
            assert!(templates.holds(&condition, &context! { n => 4 }).expect("holds"));
            assert!(!templates.holds(&condition, &context! { n => 3 }).expect("does not hold"));
        }
        assert!(templates.condition("n >").is_err());
    }

    #[test]
    fn free_names_are_what_a_template_takes_from_outside() {
        let mut templates = templates();
        let source = "{% for i in range(n) %}{{ i }}{{ loop.index }}{{ a.b | default(c) }}{% endfor %}{{ f(1) }}";
        let Template::Dynamic(compiled) = templates.text(source).expect("compiles") else { panic!("a template") };
        assert_eq!(templates.free_names(&compiled), ["a.b", "c", "f", "n"]);
        let condition = templates.condition("x > 1").expect("compiles");
        assert_eq!(templates.free_names(condition.compiled().expect("compiled")), ["x"]);
    }

    #[test]
    fn a_template_that_takes_too_long_fails() {
        let mut templates = templates();
        let source = "{% for i in range(10000) %}{% for j in range(10000) %}{% endfor %}{% endfor %}";
        let template = templates.text(source).expect("template");
        let error = templates.render(&template, &context! {}).expect_err("ends");
        assert!(error.reason.contains("instructions"), "{error}");
    }

    #[test]
    fn a_broken_template_is_refused_when_it_is_compiled() {
        assert!(templates().text("/p/{{ id").is_err());
    }
}
