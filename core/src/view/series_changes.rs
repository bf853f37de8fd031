//! What has changed in the time series of a run since an entry of the log, for whoever follows it from master to master.
//!
//! The series at an entry is the same on every master, but each master looks at it at entries of its own. So a change
//! counts as made at the look that found it: never earlier than it was, hence nobody who asks for what came later than
//! an entry misses any of it. What is told twice is a whole point, and replaces itself.
//!
//! One thing a master cannot see: what came and went again between two of its looks, which somebody who was told of it by
//! another master still has. That is always too much, never too little, so the [sums](SeriesSums) of the whole series give
//! it away, and the series is asked for anew.

use std::collections::BTreeMap;

use super::HistoryPoint;
use crate::ids::{LogIndex, RunId};

/// The series of the active or last run, and when each of its points changed last.
#[derive(Clone, Debug, Default)]
pub struct SeriesChanges {
    run: Option<RunId>,
    /// The latest entry looked at.
    index: LogIndex,
    /// What was known before this entry is no part of the series as it is now.
    begun: LogIndex,
    points: BTreeMap<Place, (HistoryPoint, LogIndex)>,
}

/// Where a point begins: the second of plan time, and the wall clock for the two points of a second that was cut.
type Place = (u64, u64);

/// What the whole series adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeriesSums {
    /// How many points it has.
    pub points: u64,
    /// The requests of all of them.
    pub requests: u64,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq)]
pub enum SeriesNews {
    /// The whole series; it replaces what was known.
    Whole(Vec<HistoryPoint>),
    /// Points that are new or have changed, by their second and start; the others are as they were.
    Changed(Vec<HistoryPoint>),
}

impl SeriesChanges {
    /// The latest entry that was looked at.
    #[must_use]
    pub fn index(&self) -> LogIndex {
        self.index
    }

    /// What the whole series adds up to. Whoever followed it and has anything else, asks for all of it.
    #[must_use]
    pub fn sums(&self) -> SeriesSums {
        let requests = self.points.values().map(|(point, _)| point.requests);
        SeriesSums { points: self.points.len() as u64, requests: requests.fold(0, u64::saturating_add) }
    }

    /// Looks at the active or last run and its series as they are at an entry; entries come in their order.
    pub fn look(&mut self, index: LogIndex, run: Option<RunId>, history: &[HistoryPoint]) {
        let is_first = self.index == LogIndex::default();
        self.index = index;
        let mut points = BTreeMap::new();
        for point in history {
            let known = self.points.get(&place(point)).filter(|(known, _)| known == point);
            points.insert(place(point), (*point, known.map_or(index, |(_, changed)| *changed)));
        }
        let lost_any = self.points.keys().any(|place| !points.contains_key(place));
        if is_first || lost_any || run != self.run {
            self.begun = index;
        }
        (self.run, self.points) = (run, points);
    }

    /// What has changed after an entry, up to the one looked at last; all of it for who knows nothing.
    #[must_use]
    pub fn since(&self, after: Option<LogIndex>) -> SeriesNews {
        match after {
            Some(after) if after >= self.begun => {
                let changed = self.points.values().filter(|(_, changed)| *changed > after);
                SeriesNews::Changed(changed.map(|(point, _)| *point).collect())
            }
            _ => SeriesNews::Whole(self.points.values().map(|(point, _)| *point).collect()),
        }
    }
}

fn place(point: &HistoryPoint) -> Place {
    (point.second, point.unix_ms)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(second: u64, requests: u64) -> HistoryPoint {
        HistoryPoint {
            second,
            unix_ms: 1_000 * second,
            width_s: 1.0,
            users: 1,
            requests,
            failures: 0,
            rps: requests as f64,
            failures_per_s: 0.0,
            mean_us: None,
            p50_us: None,
            p95_us: None,
            p99_us: None,
        }
    }

    fn look(changes: &mut SeriesChanges, index: u64, run: u64, points: &[HistoryPoint]) {
        changes.look(LogIndex(index), Some(RunId(run)), points);
    }

    /// Whoever follows: a page goes on after an entry, and asks for everything if its sums are not those of the master.
    fn follow(known: &mut BTreeMap<Place, HistoryPoint>, asked: &SeriesChanges, last: Option<LogIndex>) {
        take(known, asked.since(last));
        let requests = known.values().map(|point| point.requests).sum();
        if (SeriesSums { points: known.len() as u64, requests }) != asked.sums() {
            assert!(last.is_some(), "the whole series has the sums of the whole series");
            take(known, asked.since(None));
        }
    }

    fn take(known: &mut BTreeMap<Place, HistoryPoint>, news: SeriesNews) {
        let points = match news {
            SeriesNews::Whole(points) => {
                known.clear();
                points
            }
            SeriesNews::Changed(points) => points,
        };
        known.extend(points.into_iter().map(|point| (place(&point), point)));
    }

    #[test]
    fn who_knows_nothing_or_another_run_gets_all() {
        let mut changes = SeriesChanges::default();
        look(&mut changes, 5, 1, &[point(0, 3), point(1, 4)]);
        let all = SeriesNews::Whole(vec![point(0, 3), point(1, 4)]);
        assert_eq!(changes.since(None), all);
        assert_eq!(changes.since(Some(LogIndex(4))), all, "what was before the first look is not known");
        assert_eq!(changes.since(Some(LogIndex(5))), SeriesNews::Changed(vec![]));
        look(&mut changes, 7, 2, &[point(0, 3)]);
        assert_eq!(changes.since(Some(LogIndex(6))), SeriesNews::Whole(vec![point(0, 3)]));
    }

    #[test]
    fn only_what_changed_after_an_entry_is_told() {
        let mut changes = SeriesChanges::default();
        look(&mut changes, 5, 1, &[point(0, 3), point(1, 4)]);
        look(&mut changes, 9, 1, &[point(0, 3), point(1, 5), point(2, 1)]);
        let changed = SeriesNews::Changed(vec![point(1, 5), point(2, 1)]);
        assert_eq!(changes.since(Some(LogIndex(5))), changed);
        assert_eq!(changes.since(Some(LogIndex(8))), changed, "found later than it may have happened");
        assert_eq!(changes.since(Some(LogIndex(9))), SeriesNews::Changed(vec![]));
    }

    #[test]
    fn a_point_that_goes_begins_the_series_anew() {
        let mut changes = SeriesChanges::default();
        look(&mut changes, 5, 1, &[point(0, 3), point(1, 4)]);
        look(&mut changes, 6, 1, &[point(0, 7)]);
        assert_eq!(changes.since(Some(LogIndex(5))), SeriesNews::Whole(vec![point(0, 7)]));
    }

    /// A step of a series: what it becomes with the next entry of the log.
    fn step(points: &mut Vec<HistoryPoint>, (kind, at, requests): (u8, usize, u64)) {
        match kind {
            0 => points.push(point(points.last().map_or(0, |last| last.second + 1), requests)),
            1 if !points.is_empty() => {
                let at = at % points.len();
                points[at].requests += requests;
            }
            2 if points.len() > 2 => drop(points.remove(1 + at % (points.len() - 2))),
            3 => join_or_split(points),
            _ => {}
        }
    }

    /// The last point takes in a fraction of the next second, or gives it back to a point of its own.
    fn join_or_split(points: &mut Vec<HistoryPoint>) {
        let Some(last) = points.last_mut() else { return };
        if last.width_s > 1.0 {
            (last.width_s, last.requests) = (1.0, last.requests - 5);
            let next = point(last.second + 1, 9);
            points.push(next);
        } else {
            (last.width_s, last.requests) = (1.3, last.requests + 5);
        }
    }

    proptest! {
        /// However masters look and however a page goes from one to another: it has the series of the entry it is at.
        #[test]
        fn a_page_that_changes_masters_misses_nothing(
            steps in prop::collection::vec((0..4_u8, 0..50_usize, 1..9_u64), 1..60),
            looks in prop::collection::vec((any::<bool>(), any::<bool>()), 60),
            asks in prop::collection::vec(prop::option::of(0..2_usize), 60),
        ) {
            let (mut points, mut masters) = (Vec::new(), [SeriesChanges::default(), SeriesChanges::default()]);
            let mut at_entry = BTreeMap::new();
            let (mut known, mut last) = (BTreeMap::new(), None);
            for (entry, change) in (1_u64..).zip(steps) {
                step(&mut points, change);
                at_entry.insert(LogIndex(entry), points.clone());
                let (first, second) = looks[entry as usize - 1];
                for (looked, master) in [first, second].into_iter().zip(&mut masters) {
                    if looked {
                        look(master, entry, 1, &points);
                    }
                }
                let Some(asked) = asks[entry as usize - 1].map(|asked| &masters[asked]) else { continue };
                if asked.index() == LogIndex::default() || last > Some(asked.index()) {
                    continue;
                }
                follow(&mut known, asked, last);
                last = Some(asked.index());
                let expected: BTreeMap<_, _> =
                    at_entry[&asked.index()].iter().map(|point| (place(point), *point)).collect();
                prop_assert_eq!(&known, &expected);
            }
        }
    }
}
