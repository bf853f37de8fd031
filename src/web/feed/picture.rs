//! What an event of a live feed says, of what its master knows and what the other side knows.

use std::sync::Arc;

use akrida_core::ids::LogIndex;
use akrida_core::view::series_changes::{SeriesChanges, SeriesNews};
use akrida_core::view::{RunView, Status};
use serde_json::{Value, json};

use crate::web::cluster_handle::{Leadership, Role};
use crate::web::site::Renderers;

/// What a master knows and tells.
#[derive(Debug)]
pub(super) struct Picture {
    name: Arc<str>,
    renderers: Renderers,
    leadership: Leadership,
    view: Option<Arc<RunView>>,
    /// The run of the view as JSON, once it was asked for: views come more often than events, and to masters whom
    /// nobody listens to.
    run: Option<Value>,
    changes: SeriesChanges,
}

/// An event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    /// Where the other side is when it has taken it; `None` if it is where it was.
    pub(super) index: Option<LogIndex>,
    /// Its JSON.
    pub(super) text: Arc<str>,
}

impl Picture {
    /// The picture of the master of this name before it has applied anything.
    pub(super) fn new(name: Arc<str>, renderers: Renderers, leadership: Leadership) -> Self {
        Self { name, renderers, leadership, view: None, run: None, changes: SeriesChanges::default() }
    }

    /// Takes a view in, and says whether it is worth telling at once.
    pub(super) fn look(&mut self, index: LogIndex, view: Option<Arc<RunView>>) -> bool {
        let history = view.as_ref().map(|view| &view.history[..]).unwrap_or_default();
        self.changes.look(index, view.as_ref().map(|view| view.run.id), history);
        let is_news = status(view.as_deref()) != status(self.view.as_deref());
        (self.view, self.run) = (view, None);
        is_news
    }

    /// Takes in who leads, and says whether it is worth telling at once.
    pub(super) fn lead(&mut self, leadership: Leadership) -> bool {
        let (before, now) = (leader(&self.leadership, &self.name), leader(&leadership, &self.name));
        let is_news = (before, self.leadership.term) != (now, leadership.term);
        self.leadership = leadership;
        is_news
    }

    /// The entry of the log that it takes in.
    pub(super) fn index(&self) -> LogIndex {
        self.changes.index()
    }

    /// What to tell whoever knows everything up to an entry, or nothing. Whoever is ahead of this master hears nothing
    /// of the run until it has caught up.
    pub(super) fn event(&mut self, after: Option<LogIndex>) -> Event {
        // A master that has applied nothing knows nothing of the run, not that there is none.
        if self.index() == LogIndex::default() || after >= Some(self.index()) {
            let text = json!({"kind": "heartbeat", "index": self.index().0, "master": self.master()});
            return Event { index: None, text: text.to_string().into() };
        }
        let (is_whole, points) = match self.changes.since(after) {
            SeriesNews::Whole(points) => (true, points),
            SeriesNews::Changed(points) => (false, points),
        };
        let sums = self.changes.sums();
        let live_run = || self.view.as_deref().map_or(Value::Null, self.renderers.live_run);
        let run = self.run.get_or_insert_with(live_run).clone();
        let text = json!({
            "kind": "state",
            "index": self.index().0,
            "master": self.master(),
            "run": run,
            "series": {
                "is_whole": is_whole,
                "points": (self.renderers.series)(&points),
                "sums": {"points": sums.points, "requests": sums.requests},
            },
        });
        Event { index: Some(self.index()), text: text.to_string().into() }
    }

    fn master(&self) -> Value {
        let leads = matches!(self.leadership.role, Role::Leading { .. });
        json!({
            "name": &*self.name,
            "role": if leads { "leader" } else { "follower" },
            "term": self.leadership.term,
            "leader": leader(&self.leadership, &self.name),
        })
    }
}

fn status(view: Option<&RunView>) -> Option<Status> {
    view.map(|view| view.status)
}

fn leader<'a>(leadership: &'a Leadership, own: &'a str) -> Option<&'a str> {
    match &leadership.role {
        Role::Leading { is_ready } => is_ready.then_some(own),
        Role::Following { leader } => leader.as_ref().map(|leader| &*leader.name),
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::web::cluster_handle::WebAddress;

    const RENDERERS: Renderers = Renderers {
        summary: |_| Value::Null,
        stats_requests: |_, _| Value::Null,
        live_run: |view| view.run.id.to_string().into(),
        series: |points| points.iter().map(|point| point.second).collect(),
    };

    fn following(leader: Option<&str>) -> Leadership {
        let leader = leader.map(|name| WebAddress { name: name.into(), host: "h".into(), port: 1 });
        Leadership { term: 3, role: Role::Following { leader }, without_leader_ms: 0 }
    }

    fn picture() -> Picture {
        Picture::new("m2".into(), RENDERERS, following(Some("m1")))
    }

    fn said(event: &Event) -> Value {
        serde_json::from_str(&event.text).expect("JSON")
    }

    #[test]
    fn before_the_first_run_there_is_a_picture_all_the_same() {
        let mut picture = picture();
        assert!(!picture.look(LogIndex(4), None));
        let event = picture.event(None);
        assert_eq!(event.index, Some(LogIndex(4)));
        let master = json!({"name": "m2", "role": "follower", "term": 3, "leader": "m1"});
        let series = json!({"is_whole": true, "points": [], "sums": {"points": 0, "requests": 0}});
        let expected = json!({"kind": "state", "index": 4, "master": master, "run": null, "series": series});
        assert_eq!(said(&event), expected);
    }

    #[test]
    fn a_master_that_has_applied_nothing_says_nothing_of_the_run() {
        let event = picture().event(None);
        assert_eq!((event.index, &said(&event)["kind"]), (None, &json!("heartbeat")));
    }

    #[test]
    fn whoever_is_up_to_date_or_ahead_hears_only_that_the_master_lives() {
        let mut picture = picture();
        picture.look(LogIndex(4), None);
        for after in [4, 9] {
            let event = picture.event(Some(LogIndex(after)));
            assert_eq!((event.index, &said(&event)["kind"]), (None, &json!("heartbeat")), "{after}");
        }
        assert_eq!(picture.event(Some(LogIndex(3))).index, Some(LogIndex(4)));
    }

    #[test]
    fn another_leader_is_worth_telling_at_once() {
        let mut picture = picture();
        assert!(!picture.lead(following(Some("m1"))));
        assert!(picture.lead(following(None)));
        let leading = |is_ready| Leadership { term: 4, role: Role::Leading { is_ready }, without_leader_ms: 0 };
        assert!(picture.lead(leading(false)), "another term");
        assert!(picture.lead(leading(true)));
        assert_eq!(said(&picture.event(None))["master"]["leader"], json!("m2"));
    }
}
