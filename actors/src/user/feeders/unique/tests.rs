#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use akrida_core::data::{Pick, csv};
use futures_util::FutureExt as _;

use super::super::source::OwnLeases;
use super::*;

fn feeder(rows: u64, on_exhausted: OnExhausted, per: Per) -> Feeder {
    let text: String = std::iter::once("id\n".to_owned()).chain((0..rows).map(|row| format!("{row}\n"))).collect();
    let table = Arc::new(csv::parse("rows.csv", text.as_bytes(), b',').unwrap());
    Feeder { name: "rows".into(), file: "rows.csv".into(), table, pick: Pick::Unique(on_exhausted), per }
}

fn own(feeder: &Feeder) -> Arc<UniqueRows> {
    let Pick::Unique(on_exhausted) = feeder.pick else { unreachable!("a unique feeder") };
    Arc::new(UniqueRows::new(feeder, on_exhausted, Box::new(OwnLeases::of(feeder)), None))
}

/// A source that answers when the test does.
#[derive(Debug, Default)]
struct Asked(Mutex<Vec<Demand>>);

#[derive(Debug)]
struct Distant(Arc<Asked>);

impl RowSource for Distant {
    fn lease(&self, demand: Demand, _: &Arc<UniqueRows>) {
        self.0.0.lock().unwrap().push(demand);
    }

    fn close(&self, unused: &[RowRange]) {
        let used = unused.to_vec();
        self.0.0.lock().unwrap().push(Demand { used, want: 0 });
    }
}

impl Asked {
    fn take(&self) -> Vec<Demand> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn distant(on_exhausted: OnExhausted, per: Per) -> (Arc<UniqueRows>, Arc<Asked>) {
    let asked = Arc::new(Asked::default());
    let source = Box::new(Distant(Arc::clone(&asked)));
    (Arc::new(UniqueRows::new(&feeder(1_000, on_exhausted, per), on_exhausted, source, None)), asked)
}

fn range(low: u64, high: u64) -> RowRange {
    RowRange { low, high }
}

#[test]
fn every_row_is_drawn_once_and_then_there_are_none() {
    let rows = own(&feeder(200, OnExhausted::StopUser, Per::Iteration));
    let drawn: Vec<Draw> = (0..200).map(|_| rows.draw()).collect();
    assert_eq!(drawn, (0..200).map(Draw::Row).collect::<Vec<_>>());
    rows.done_with(3);
    assert_eq!((rows.draw(), rows.draw()), (Draw::Exhausted, Draw::Exhausted));
}

#[test]
fn recycled_rows_are_those_that_nobody_has() {
    let rows = own(&feeder(3, OnExhausted::Recycle, Per::Iteration));
    assert_eq!([rows.draw(), rows.draw(), rows.draw()], [Draw::Row(0), Draw::Row(1), Draw::Row(2)]);
    assert_eq!(rows.draw(), Draw::InUse);
    rows.done_with(1);
    assert_eq!((rows.draw(), rows.draw()), (Draw::Row(1), Draw::InUse));
    (0..3).for_each(|row| rows.done_with(row));
    assert_eq!([rows.draw(), rows.draw(), rows.draw()], [Draw::Row(0), Draw::Row(1), Draw::Row(2)]);
}

#[test]
fn a_user_that_waits_for_others_is_woken_by_the_first_that_is_done() {
    let rows = own(&feeder(1, OnExhausted::Recycle, Per::User));
    assert_eq!(rows.draw(), Draw::Row(0));
    let (mut first, mut second) = (Box::pin(rows.drawn(true)), Box::pin(rows.drawn(true)));
    assert_eq!((first.as_mut().now_or_never(), second.as_mut().now_or_never()), (None, None));
    assert_eq!(rows.drawn(false).now_or_never(), Some(Draw::InUse), "one that has a row does not wait for others");
    rows.done_with(0);
    drop(first);
    assert_eq!(second.now_or_never(), Some(Draw::Row(0)), "one that was woken and left wakes the next");
}

#[test]
fn threads_never_have_a_row_at_once() {
    const THREADS: u64 = 4;
    const DRAWS: u64 = 20_000;
    let rows = own(&feeder(7, OnExhausted::Recycle, Per::Iteration));
    let (users, drawn): ([AtomicU64; 7], [AtomicU64; 7]) = Default::default();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..DRAWS {
                    let row = loop {
                        match rows.draw() {
                            Draw::Row(row) => break row,
                            // Another thread is just getting more.
                            Draw::Asked => std::thread::yield_now(),
                            none => panic!("{none:?}, and there are more rows than threads"),
                        }
                    };
                    assert_eq!(users[row as usize].fetch_add(1, Ordering::SeqCst), 0, "row {row}");
                    drawn[row as usize].fetch_add(1, Ordering::SeqCst);
                    users[row as usize].fetch_sub(1, Ordering::SeqCst);
                    rows.done_with(row);
                }
            });
        }
    });
    let drawn = drawn.map(AtomicU64::into_inner);
    assert_eq!(drawn.iter().sum::<u64>(), THREADS * DRAWS);
    assert!(drawn.iter().all(|times| *times > 0), "{drawn:?}");
}

#[test]
fn a_distant_source_is_asked_once_and_its_answer_wakes_everyone() {
    let (rows, asked) = distant(OnExhausted::StopUser, Per::Iteration);
    let mut users: Vec<_> = (0..3).map(|_| Box::pin(rows.drawn(true))).collect();
    assert!(users.iter_mut().all(|user| user.as_mut().now_or_never().is_none()));
    assert_eq!(asked.take(), [Demand { used: Vec::new(), want: limits::ROW_LEASE_MIN }]);
    rows.granted(&[range(10, 11), range(20, 21)]);
    let drawn: Vec<_> = users.iter_mut().map(|user| user.as_mut().now_or_never()).collect();
    assert_eq!(drawn, [Some(Draw::Row(10)), Some(Draw::Row(20)), None]);
    rows.done_with(20);
    assert_eq!(asked.take().len(), 1, "the third asks again");
    rows.granted(&[]);
    assert_eq!(users.remove(2).now_or_never(), Some(Draw::Exhausted));
    assert_eq!((rows.draw(), asked.take().len()), (Draw::Exhausted, 0), "what is exhausted is not asked again");
}

#[test]
fn more_is_asked_for_before_the_rows_run_out_and_what_is_done_with_is_told() {
    let (rows, asked) = distant(OnExhausted::StopUser, Per::Iteration);
    assert_eq!(rows.draw(), Draw::Asked);
    asked.take();
    rows.granted(&[range(0, 40)]);
    (0..30).for_each(|row| assert_eq!(rows.draw(), Draw::Row(row)));
    assert_eq!(asked.take(), []);
    (0..5).for_each(|row| rows.done_with(row));
    assert_eq!(rows.draw(), Draw::Row(30), "9 of 40 are left");
    let demands = asked.take();
    assert_eq!((demands.len(), &demands[0].used), (1, &vec![range(0, 5)]));
    assert!(demands[0].want >= limits::ROW_LEASE_MIN);
    rows.close();
    assert_eq!(asked.take()[0].used, [range(31, 40)], "what was not drawn goes back");
}

#[test]
fn rows_of_users_are_asked_for_as_many_as_users_wait() {
    let (rows, asked) = distant(OnExhausted::StopUser, Per::User);
    assert_eq!(rows.draw(), Draw::Asked);
    let mut users: Vec<_> = (0..5).map(|_| Box::pin(rows.drawn(true))).collect();
    assert!(users.iter_mut().all(|user| user.as_mut().now_or_never().is_none()));
    rows.granted(&[range(0, 1)]);
    let served = users.iter_mut().filter_map(|user| user.as_mut().now_or_never()).count();
    let wants: Vec<u64> = asked.take().iter().map(|demand| demand.want).collect();
    assert_eq!((served, wants), (1, vec![1, 4]));
}

#[test]
fn a_row_that_is_done_with_while_the_source_refuses_is_asked_for_again() {
    let (rows, asked) = distant(OnExhausted::Recycle, Per::User);
    assert_eq!(rows.draw(), Draw::Asked);
    rows.granted(&[range(0, 1)]);
    assert_eq!((rows.draw(), rows.draw()), (Draw::Row(0), Draw::Asked));
    rows.done_with(0);
    asked.take();
    rows.granted(&[]);
    assert_eq!(rows.draw(), Draw::Asked);
    assert_eq!(asked.take(), [Demand { used: vec![range(0, 1)], want: 1 }]);
}

#[test]
fn as_many_rows_are_wanted_as_were_drawn_lately_in_the_time_that_they_should_last() {
    let stock = |granted, ago| Stock {
        leased: LeasedRows::default(),
        per: Per::Iteration,
        recycles: false,
        asked: false,
        refused: false,
        has_done: false,
        waiting: 0,
        granted,
        granted_at: Instant::now().checked_sub(ago).unwrap(),
    };
    let hour = Duration::from_secs(3_600);
    assert_eq!(stock(1_000, hour).want(), limits::ROW_LEASE_MIN);
    assert_eq!(stock(u64::MAX, hour).want(), limits::ROW_LEASE_MAX);
    assert!((990..=1_000).contains(&stock(360_000, hour).want()));
}
