use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn worker(name: u8) -> WorkerId {
    WorkerId(name.to_string().into())
}

fn rows(ranges: &[RowRange]) -> Vec<u64> {
    ranges.iter().flat_map(|range| range.low..range.high).collect()
}

#[test]
fn rows_are_leased_in_order_until_none_are_left() {
    let mut leases = RowLeases::new(10, false);
    assert_eq!(rows(&leases.lease(&worker(1), 4)), [0, 1, 2, 3]);
    assert_eq!(rows(&leases.lease(&worker(2), 4)), [4, 5, 6, 7]);
    assert_eq!(rows(&leases.lease(&worker(1), 4)), [8, 9]);
    assert_eq!(leases.lease(&worker(2), 4), []);
    assert_eq!((leases.free(), leases.leased(), leases.burnt(), leases.passes()), (0, 10, 0, 1));
}

#[test]
fn what_was_not_used_comes_back_and_what_a_lost_worker_had_does_not() {
    let mut leases = RowLeases::new(10, false);
    leases.lease(&worker(1), 6);
    leases.lease(&worker(2), 4);
    leases.settle(&worker(1), &[RowRange { low: 0, high: 2 }]).expect("held");
    leases.close(&worker(1), &[RowRange { low: 4, high: 6 }]).expect("held");
    assert_eq!(leases.lost(&worker(2)), 4);
    assert_eq!((leases.free(), leases.leased(), leases.burnt()), (2, 0, 4));
    assert_eq!(rows(&leases.lease(&worker(3), 9)), [4, 5]);
    assert_eq!(leases.lost(&worker(2)), 0, "it has none any more");
}

#[test]
fn rows_that_a_worker_does_not_hold_change_nothing() {
    let mut leases = RowLeases::new(10, false);
    leases.lease(&worker(1), 4);
    let before = leases.clone();
    for wrong in [
        vec![RowRange { low: 3, high: 5 }],
        vec![RowRange { low: 0, high: 1 }, RowRange { low: 7, high: 8 }],
        vec![RowRange { low: 0, high: 2 }, RowRange { low: 1, high: 3 }],
    ] {
        assert!(leases.settle(&worker(1), &wrong).is_err(), "{wrong:?}");
        assert!(leases.close(&worker(1), &wrong).is_err(), "{wrong:?}");
    }
    assert!(leases.close(&worker(2), &[RowRange { low: 0, high: 1 }]).is_err());
    assert_eq!(leases, before);
}

#[test]
fn recycling_begins_again_with_the_rows_that_nobody_holds() {
    let mut leases = RowLeases::new(5, true);
    leases.lease(&worker(1), 3);
    leases.lease(&worker(2), 2);
    assert_eq!(leases.lease(&worker(1), 1), [], "all rows are held");
    leases.settle(&worker(1), &[RowRange { low: 1, high: 2 }]).expect("held");
    leases.lost(&worker(2));
    assert_eq!(rows(&leases.lease(&worker(1), 9)), [1, 3, 4]);
    assert_eq!((leases.passes(), leases.burnt()), (2, 2));
}

#[test]
fn a_worker_draws_each_row_once_and_settles_what_its_users_are_done_with() {
    let (mut leases, mut own) = (RowLeases::new(10, false), LeasedRows::default());
    own.add(&leases.lease(&worker(1), 5));
    let drawn: Vec<u64> = std::iter::from_fn(|| own.draw()).take(3).collect();
    assert_eq!((drawn, own.left()), (vec![0, 1, 2], 2));
    own.done_with(1);
    leases.settle(&worker(1), &own.take_done()).expect("held");
    assert_eq!((own.take_done(), leases.leased()), (Vec::new(), 4));
    leases.close(&worker(1), &own.into_unused()).expect("held");
    assert_eq!((leases.free(), leases.leased()), (7, 0));
}

/// What can happen to the leases of a table.
#[derive(Clone, Debug)]
enum Event {
    Lease { worker: u8, want: u64 },
    Draw { worker: u8, rows: usize },
    Settle { worker: u8 },
    Close { worker: u8 },
    Lost { worker: u8 },
}

fn event() -> impl Strategy<Value = Event> {
    let worker = || 0_u8..4;
    prop_oneof![
        4 => (worker(), 0_u64..12).prop_map(|(worker, want)| Event::Lease { worker, want }),
        4 => (worker(), 0_usize..8).prop_map(|(worker, rows)| Event::Draw { worker, rows }),
        2 => worker().prop_map(|worker| Event::Settle { worker }),
        1 => worker().prop_map(|worker| Event::Close { worker }),
        1 => worker().prop_map(|worker| Event::Lost { worker }),
    ]
}

/// Workers that draw from a table whose rows are not used again.
struct Scene {
    leases: RowLeases,
    workers: BTreeMap<u8, LeasedRows>,
    /// Every row that a user had.
    drawn: BTreeSet<u64>,
    /// Rows that lost workers had not drawn.
    lost_undrawn: u64,
}

impl Scene {
    fn happens(&mut self, event: &Event) {
        match *event {
            Event::Lease { worker: name, want } => {
                self.workers.entry(name).or_default().add(&self.leases.lease(&worker(name), want));
            }
            Event::Draw { worker: name, rows } => {
                let own = self.workers.entry(name).or_default();
                for row in std::iter::from_fn(|| own.draw()).take(rows) {
                    assert!(self.drawn.insert(row), "row {row} is drawn twice");
                }
            }
            Event::Settle { worker: name } => {
                let own = self.workers.entry(name).or_default();
                let held = self.leases.leased.get(&worker(name)).cloned().unwrap_or_default();
                let undrawn: BTreeSet<u64> = rows(&own.unused.ranges().collect::<Vec<_>>()).into_iter().collect();
                let drawn = rows(&held.ranges().collect::<Vec<_>>()).into_iter().filter(|row| !undrawn.contains(row));
                drawn.for_each(|row| own.done_with(row));
                self.leases.settle(&worker(name), &own.take_done()).expect("held");
            }
            Event::Close { worker: name } => {
                let own = self.workers.remove(&name).unwrap_or_default();
                self.leases.close(&worker(name), &own.into_unused()).expect("held");
            }
            Event::Lost { worker: name } => {
                self.lost_undrawn += self.workers.remove(&name).map_or(0, |own| own.left());
                self.leases.lost(&worker(name));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_row_is_drawn_twice_and_none_is_lost_but_burnt_ones(
        events in prop::collection::vec(event(), 0..80),
        count in 1_u64..60,
    ) {
        let leases = RowLeases::new(count, false);
        let mut scene = Scene { leases, workers: BTreeMap::new(), drawn: BTreeSet::new(), lost_undrawn: 0 };
        events.iter().for_each(|event| scene.happens(event));
        (0..4).for_each(|worker| scene.happens(&Event::Close { worker }));
        prop_assert_eq!(scene.leases.leased(), 0);
        prop_assert!(scene.leases.burnt() >= scene.lost_undrawn);
        // Whatever is left is handed out to the last row: all but the burnt ones that nobody drew.
        scene.happens(&Event::Lease { worker: 9, want: u64::MAX });
        scene.happens(&Event::Draw { worker: 9, rows: usize::MAX });
        prop_assert_eq!(scene.drawn.len() as u64, count - scene.lost_undrawn);
    }

    #[test]
    fn recycled_rows_are_never_held_twice_at_once(events in prop::collection::vec(event(), 0..120), count in 1_u64..20) {
        let mut leases = RowLeases::new(count, true);
        let mut held: BTreeMap<u8, BTreeSet<u64>> = BTreeMap::new();
        let count_held = |held: &BTreeMap<u8, BTreeSet<u64>>| held.values().map(|rows| rows.len() as u64).sum::<u64>();
        for event in events {
            match event {
                Event::Lease { worker: name, want } => {
                    let leased = rows(&leases.lease(&worker(name), want));
                    prop_assert_eq!(leased.is_empty(), want == 0 || count_held(&held) == count);
                    for row in leased {
                        prop_assert!(held.values().all(|rows| !rows.contains(&row)), "row {} is held twice", row);
                        held.entry(name).or_default().insert(row);
                    }
                }
                Event::Draw { worker: name, rows } => {
                    let own = held.entry(name).or_default();
                    let used: Vec<u64> = own.iter().copied().take(rows).collect();
                    own.retain(|row| !used.contains(row));
                    let ranges: Vec<RowRange> = used.iter().map(|row| RowRange { low: *row, high: row + 1 }).collect();
                    leases.settle(&worker(name), &ranges).expect("held");
                }
                Event::Settle { .. } => {}
                Event::Close { worker: name } => {
                    held.remove(&name);
                    leases.close(&worker(name), &[]).expect("held");
                }
                Event::Lost { worker: name } => {
                    let burnt = held.remove(&name).map_or(0, |rows| rows.len() as u64);
                    prop_assert_eq!(leases.lost(&worker(name)), burnt);
                }
            }
            prop_assert_eq!(leases.leased(), count_held(&held));
            prop_assert!(leases.free() + leases.leased() <= count);
        }
    }
}
