//! Where the requests of a scenario go.

use super::model::Scenario;

/// The base URLs of the classes that use no proxy.
pub fn direct_base_urls(scenario: &Scenario) -> impl Iterator<Item = &str> {
    let direct = scenario.classes.iter().filter(|class| class.connection.proxy.is_none());
    direct.filter_map(|class| class.host.as_deref().or(scenario.host.as_deref()))
}

/// The base URLs of the classes.
pub fn base_urls(scenario: &Scenario) -> impl Iterator<Item = &str> {
    scenario.classes.iter().filter_map(|class| class.host.as_deref().or(scenario.host.as_deref()))
}
