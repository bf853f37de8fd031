//! The documents of a run that the web port serves, made by the code that writes them as files.

use std::sync::Arc;

use akrida_core::scenario::bundle::Bundle;
use akrida_core::scenario::ratio::Ratios;
use akrida_core::view::RunView;
use jiff::Timestamp;
use serde_json::Value;

use super::outputs;
use super::runnable::Origin;
use crate::report::{csv, exceptions, html};
use crate::web::{Document, Made, MakeDocument, Shown, Theme};

/// Makes documents on a master that may be a program which brings its own users.
pub(super) fn make_document_of(origin: Origin) -> MakeDocument {
    Arc::new(move |document, shown| {
        let text = text_of(document, shown, &origin).map_err(|error| format!("{error:#}"))?;
        Ok(Made { text, file_name: file_name(document, shown, Timestamp::now()) })
    })
}

fn text_of(document: Document, shown: &Shown, origin: &Origin) -> anyhow::Result<String> {
    let before = shown.view.is_none().then(RunView::before_the_first);
    let view = shown.view.as_deref().or(before.as_ref()).expect("one of them is there");
    Ok(match document {
        Document::RequestsCsv => csv::stats(view),
        Document::HistoryCsv => csv::history(view),
        Document::FailuresCsv => csv::failures(view),
        Document::ExceptionsCsv => csv::exceptions(view),
        Document::Exceptions => exceptions::exceptions(view).to_string(),
        Document::Tasks => tasks(shown, origin)?.to_string(),
        Document::Report(theme) => {
            let ratios = ratios(view, shown.bundle.as_deref(), origin)?.map(|ratios| ratios.to_json());
            html::report(view, ratios.as_ref(), theme_of(theme))?
        }
    })
}

fn theme_of(theme: Theme) -> html::Theme {
    match theme {
        Theme::System => html::Theme::System,
        Theme::Light => html::Theme::Light,
        Theme::Dark => html::Theme::Dark,
    }
}

/// The ratios of the users that exist, as Locust has them: without users all classes have 0.
fn tasks(shown: &Shown, origin: &Origin) -> anyhow::Result<Value> {
    let nothing = || Ratios { per_class: Vec::new(), total: Vec::new() };
    let Some(bundle) = &shown.bundle else { return Ok(nothing().to_json()) };
    let scenario = origin.bundled(bundle)?;
    let users = shown.view.as_ref().map_or_else(Vec::new, |view| view.users_per_class.clone());
    let shares: Vec<_> = scenario
        .classes
        .iter()
        .map(|class| users.iter().find(|(name, _)| *name == class.name).map_or(0.0, |(_, users)| *users as f64))
        .collect();
    Ok(Ratios::of(&scenario, &shares).to_json())
}

/// The ratios for a report, if the scenario is still known.
fn ratios(view: &RunView, bundle: Option<&Bundle>, origin: &Origin) -> anyhow::Result<Option<Ratios>> {
    let Some(bundle) = bundle else { return Ok(None) };
    let scenario = origin.bundled(bundle)?;
    let is_of_the_run = scenario.classes.iter().map(|class| &class.name).eq(&view.run.classes);
    Ok(is_of_the_run.then(|| outputs::ratios(view, &scenario)))
}

/// Locust's name for a saved document. What would need quotes in a header, or is no part of a file name, becomes `_`.
fn file_name(document: Document, shown: &Shown, now: Timestamp) -> String {
    let (of_run, of_masters) = (shown.view.as_ref().map(|view| &view.run), shown.bundle.as_ref());
    let scenario = of_run.map(|run| &run.scenario).or(of_masters.map(|bundle| &bundle.name));
    let scenario = scenario.map_or("", |name| name.rsplit('/').next().unwrap_or(name));
    let host = of_run.and_then(|run| run.host.as_deref());
    let host = host.or(of_masters.and_then(|bundle| bundle.selection.host.as_deref())).unwrap_or("");
    let ending = match document {
        Document::RequestsCsv => "_requests.csv",
        Document::HistoryCsv => "_requests_full_history.csv",
        Document::FailuresCsv => "_failures.csv",
        Document::ExceptionsCsv => "_exceptions.csv",
        Document::Exceptions => "_exceptions.json",
        Document::Tasks => "_tasks.json",
        Document::Report(_) => ".html",
    };
    let name = format!("Locust_{}_{scenario}_{host}{ending}", now.strftime("%Y-%m-%d-%Hh%M"));
    name.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_nothing_in_it_that_a_header_or_a_folder_would_mind() {
        let mut view = RunView::before_the_first();
        view.run.scenario = "dir/shop \"1\".yml".into();
        view.run.host = Some("http://127.0.0.1:9\r\nx: y".into());
        let shown = Shown { view: Some(view.into()), bundle: None };
        let at = "2026-11-26T00:53:28Z".parse().expect("a time");
        let expected = "Locust_2026-11-26-00h53_shop__1_.yml_http___127.0.0.1_9__x__y_requests.csv";
        assert_eq!(file_name(Document::RequestsCsv, &shown, at), expected);
        assert_eq!(
            file_name(Document::Report(Theme::Dark), &Shown { view: None, bundle: None }, at),
            "Locust_2026-11-26-00h53__.html"
        );
    }
}
