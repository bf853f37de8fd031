//! The answer of `/exceptions`, with Locust's keys.

use akrida_core::view::RunView;
use serde_json::{Value, json};

/// The exceptions of a run, each with the workers on which it happened.
#[must_use]
pub fn exceptions(view: &RunView) -> Value {
    let exceptions = view.exceptions.iter().map(|exception| {
        json!({
            "count": exception.count,
            "msg": &*exception.message,
            "traceback": &*exception.traceback,
            "nodes": exception.nodes.join(", "),
        })
    });
    json!({"exceptions": exceptions.collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::super::sample_view;
    use super::*;

    #[test]
    fn keys_are_locusts() {
        let expected = json!({"exceptions": [{
            "count": 3,
            "msg": "undefined value in {{ basket.id }}",
            "traceback": "users.Buyer.tasks.pay.steps[1]\n  shop.yml line 31, column 9",
            "nodes": "worker-1, worker-2",
        }]});
        assert_eq!(exceptions(&sample_view::busy()), expected);
        assert_eq!(exceptions(&RunView::before_the_first()), json!({"exceptions": []}));
    }
}
