//! The report page: one file that needs nothing else, neither a network nor scripts.

mod axis;
mod charts;
mod page;
mod phases;
mod svg_chart;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use akrida_core::view::RunView;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde_json::Value;

/// The report could not be rendered.
#[derive(Debug, thiserror::Error)]
#[error("cannot render the report: {0}")]
pub struct RenderError(#[from] minijinja::Error);

/// The colours of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// What the reader's system prefers.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    // The names decide what is escaped: everything in .html, nothing in .css.
    for (name, source) in [("report.html", include_str!("report.html")), ("report.css", include_str!("report.css"))] {
        templates.add_template(name, source).expect("the built-in templates are well-formed");
    }
    templates
});

/// The report of a run. `ratios` are the task ratios as `{"per_class": tree, "total": tree}`, where a tree is
/// `{name: {"ratio": r, "tasks": tree}}`.
///
/// # Errors
/// When the template does not fit its input, for example because the trees are nested too deeply.
pub fn report(view: &RunView, ratios: Option<&Value>, theme: Theme) -> Result<String, RenderError> {
    let charts: Vec<_> = charts::figures(view).into_iter().map(minijinja::Value::from_safe_string).collect();
    let (page, ratios) = (Serde(page::content(view)), Serde(ratios));
    let template = TEMPLATES.get_template("report.html")?;
    Ok(template.render(context! { page, charts, ratios, theme => theme.as_str() })?)
}
