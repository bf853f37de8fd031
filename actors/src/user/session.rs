//! What one user remembers: variables, random numbers, connections and cookies.

use std::sync::Arc;

use akrida_core::scenario::render::Renderer;
use akrida_core::scenario::template::Templates;
use fastrand::Rng;
use minijinja::Value;

use super::context::UserSpec;
use super::functions::with_random;
use super::variables::Variables;
use crate::http::client::Client;

/// The state of one user.
pub(super) struct Session {
    /// Shared with templates only while they are rendered.
    variables: Arc<Variables>,
    random: Rng,
    pub(super) client: Client,
}

impl Session {
    pub(super) fn new(spec: UserSpec, class: Arc<str>, seed: u64, client: Client) -> Self {
        Self {
            variables: Arc::new(Variables::of(spec.index, class)),
            random: Rng::with_seed(mixed(seed, spec.index.0)),
            client,
        }
    }

    /// The user's random numbers.
    pub(super) fn random(&mut self) -> &mut Rng {
        &mut self.random
    }

    /// Sets a variable.
    pub(super) fn set(&mut self, name: &Arc<str>, value: Value) {
        Arc::make_mut(&mut self.variables).set(name, value);
    }

    /// Sets a variable to what it was, or removes it.
    pub(super) fn restore(&mut self, name: &Arc<str>, value: Option<Value>) {
        match value {
            Some(value) => self.set(name, value),
            None => Arc::make_mut(&mut self.variables).remove(name),
        }
    }

    /// All variables.
    pub(super) fn variables(&self) -> &[(Arc<str>, Value)] {
        self.variables.own()
    }

    /// The value of a variable.
    pub(super) fn get(&self, name: &str) -> Option<Value> {
        self.variables.get(name).cloned()
    }

    /// Renders with this user's variables and random numbers.
    pub(super) fn render<R>(&mut self, templates: &Templates, render: impl FnOnce(&Renderer<'_>) -> R) -> R {
        let variables = &Value::from_dyn_object(Arc::clone(&self.variables));
        with_random(&mut self.random, || render(&Renderer { templates, variables }))
    }
}

/// A seed of its own for each user (the finaliser of SplitMix64, so that neighbours have nothing in common).
fn mixed(seed: u64, index: u64) -> u64 {
    let mut bits = seed ^ index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use akrida_core::ids::UserIndex;

    use super::super::functions::register;
    use super::*;
    use crate::http::HttpOptions;
    use crate::http::connect::Network;

    fn session(index: u64) -> Session {
        let spec = UserSpec { index: UserIndex(index), class: 0, intended_start_us: 0 };
        let network = Rc::new(Network::new(&HttpOptions::default()));
        Session::new(spec, "Shopper".into(), 1, Client::new(network, spec.index))
    }

    fn text(session: &mut Session, source: &str) -> Option<String> {
        let mut templates = Templates::new(register);
        let template = templates.text(source).expect("compiles");
        session.render(&templates, |renderer| renderer.text(&template).ok().map(|text| text.into_owned()))
    }

    #[test]
    fn templates_see_the_user_and_the_latest_value_of_a_variable() {
        let mut session = session(7);
        assert_eq!(text(&mut session, "{{ user.class }}-{{ user.index }}").as_deref(), Some("Shopper-7"));
        let name: Arc<str> = "id".into();
        assert_eq!(text(&mut session, "{{ id }}"), None);
        session.set(&name, Value::from(1));
        session.set(&name, Value::from(2));
        assert_eq!(text(&mut session, "{{ id }}").as_deref(), Some("2"));
        session.restore(&name, None);
        assert_eq!(text(&mut session, "{{ id }}"), None);
    }

    #[test]
    fn users_draw_different_numbers_and_the_same_user_the_same() {
        let source = "{{ random_int(0, 1000000000) }}";
        assert_eq!(text(&mut session(1), source), text(&mut session(1), source));
        assert_ne!(text(&mut session(1), source), text(&mut session(2), source));
    }
}
