//! What the live feed tells of a run: its summary with the current rates, without the time series, which the feed tells
//! bit by bit.

use akrida_core::view::{EndpointView, Incidents, LostWorkerView, RunView};
use serde_json::{Value, json};

use super::numbers::finite;
use super::summary;

/// The run as it is now.
#[must_use]
pub fn live_run(view: &RunView) -> Value {
    let mut run = summary::without_series(view);
    let lines = [("endpoints", &view.endpoints), ("groups", &view.groups)];
    for (key, lines) in lines {
        let objects = run.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten();
        objects.zip(lines).for_each(|(object, line)| add_current(object, line));
    }
    if let Some(totals) = run.get_mut("totals") {
        add_current(totals, &view.total);
    }
    run.insert("incidents".to_owned(), incidents(&view.incidents));
    Value::Object(run)
}

fn add_current(object: &mut Value, line: &EndpointView) {
    let Some(object) = object.as_object_mut() else { return };
    object.insert("current_rps".to_owned(), finite(line.current_rps).into());
    object.insert("current_failures_per_s".to_owned(), finite(line.current_failures_per_s).into());
}

fn incidents(incidents: &Incidents) -> Value {
    let lost = incidents
        .lost_workers
        .iter()
        .map(|LostWorkerView { worker, at_s, .. }| json!({"name": worker.to_string(), "at_s": finite(*at_s)}));
    json!({
        "leader_changes_s": incidents.leader_changes_s.iter().copied().map(finite).collect::<Vec<_>>(),
        "lost_workers": lost.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample_view;
    use super::*;

    #[test]
    fn each_line_has_its_own_current_rate() {
        let view = sample_view::small();
        let run = live_run(&view);
        assert_eq!(run["totals"]["current_rps"], json!(view.total.current_rps));
        for (object, line) in run["endpoints"].as_array().expect("lines").iter().zip(&view.endpoints) {
            assert_eq!((&object["name"], &object["current_rps"]), (&json!(&*line.name), &json!(line.current_rps)));
        }
        assert_eq!(run["series"], Value::Null, "the feed tells it bit by bit");
        assert_eq!(live_run(&sample_view::hostile())["totals"]["current_rps"], json!(0.0));
    }
}
