//! Where the requests of a scenario go.

use super::model::Scenario;

/// The base URLs of the classes.
pub fn base_urls(scenario: &Scenario) -> impl Iterator<Item = &str> {
    scenario.classes.iter().filter_map(|class| class.host.as_deref().or(scenario.host.as_deref()))
}
