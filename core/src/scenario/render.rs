//! Rendering of templates and of JSON values with templates in them, from one user's variables.

use std::borrow::Cow;

use minijinja::Value;

use super::model::ValueTemplate;
use super::template::{Template, TemplateError, Templates};

/// The templates of a scenario together with the variables of one user.
#[derive(Clone, Copy)]
pub struct Renderer<'a> {
    /// The compiled templates.
    pub templates: &'a Templates,
    /// The user's variables.
    pub variables: &'a Value,
}

impl Renderer<'_> {
    /// Renders text.
    ///
    /// # Errors
    /// When a variable is missing or an expression fails.
    pub fn text<'t>(&self, template: &'t Template) -> Result<Cow<'t, str>, TemplateError> {
        self.templates.render(template, self.variables)
    }

    /// Renders a JSON value; a single expression in it keeps its type.
    ///
    /// # Errors
    /// When a variable is missing, an expression fails or its value has no JSON form.
    pub fn value(&self, template: &ValueTemplate) -> Result<serde_json::Value, TemplateError> {
        Ok(match template {
            ValueTemplate::Literal(value) => value.clone(),
            ValueTemplate::Text(text) => serde_json::Value::String(self.text(text)?.into_owned()),
            ValueTemplate::Expression(expression) => {
                let value = self.templates.evaluate_value(expression, self.variables)?;
                serde_json::to_value(&value)
                    .map_err(|error| TemplateError { template: value.to_string(), reason: error.to_string() })?
            }
            ValueTemplate::List(items) => {
                serde_json::Value::Array(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?)
            }
            ValueTemplate::Object(entries) => serde_json::Value::Object(
                entries
                    .iter()
                    .map(|(key, item)| Ok((key.clone(), self.value(item)?)))
                    .collect::<Result<_, TemplateError>>()?,
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use minijinja::context;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_rendered_at_every_depth_and_keeps_types() {
        let mut templates = Templates::new(|_| ());
        let id = templates.value("{{ id }}").expect("single").expect("compiles");
        let name = templates.text("n-{{ id }}").expect("compiles");
        let value = ValueTemplate::Object(vec![
            ("id".into(), ValueTemplate::Expression(id)),
            ("tags".into(), ValueTemplate::List(vec![ValueTemplate::Text(name), ValueTemplate::Literal(json!(null))])),
        ]);
        let variables = context! { id => 7 };
        let renderer = Renderer { templates: &templates, variables: &variables };
        assert_eq!(renderer.value(&value).expect("renders"), json!({"id": 7, "tags": ["n-7", null]}));
        let nothing = context! {};
        assert!(Renderer { templates: &templates, variables: &nothing }.value(&value).is_err());
    }
}
