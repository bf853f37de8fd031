//! Where the arrivals of an open model meet the users that serve them, on one arbiter.
//!
//! The user that became idle last serves next: connections stay warm, and no more users are started than are needed.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use akrida_core::ids::UserIndex;
use akrida_core::limits;
use akrida_core::plan::arrivals::Arrival;

/// Idle users and waiting arrivals, per class.
#[derive(Debug)]
pub struct ArrivalDesk {
    classes: Vec<RefCell<Line>>,
    closed: Cell<bool>,
}

#[derive(Debug, Default)]
struct Line {
    idle: Vec<Rc<Seat>>,
    waiting: VecDeque<Arrival>,
}

/// A user that waits for an arrival.
#[derive(Debug)]
struct Seat {
    user: UserIndex,
    arrival: Cell<Option<Arrival>>,
    waker: RefCell<Option<Waker>>,
    /// Whether the user still sits on it.
    taken: Cell<bool>,
}

impl ArrivalDesk {
    /// A desk for this many classes.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { classes: (0..classes).map(|_| RefCell::default()).collect(), closed: Cell::new(false) }
    }

    /// Gives an arrival to an idle user; false if there is none.
    pub fn offer(&self, class: usize, arrival: Arrival) -> bool {
        let Some(seat) = self.next_idle(class) else { return false };
        seat.arrival.set(Some(arrival));
        if let Some(waker) = seat.waker.take() {
            waker.wake();
        }
        true
    }

    /// Lets an arrival wait for the next user of its class; false if too many wait already.
    pub fn enqueue(&self, class: usize, arrival: Arrival) -> bool {
        let mut line = self.classes[class].borrow_mut();
        let fits = line.waiting.len() < limits::LATE_ARRIVALS_MAX && !self.closed.get();
        if fits {
            line.waiting.push_back(arrival);
        }
        fits
    }

    /// Drops the arrivals that have waited too long; returns how many.
    pub fn expire(&self, now_us: u64) -> u64 {
        let oldest_us = now_us.saturating_sub(limits::LATE_ARRIVAL_WAIT.as_micros() as u64);
        let mut dropped = 0;
        for line in &self.classes {
            let waiting = &mut line.borrow_mut().waiting;
            while waiting.front().is_some_and(|arrival| arrival.due_us < oldest_us) {
                waiting.pop_front();
                dropped += 1;
            }
        }
        dropped
    }

    /// An idle user that need not be kept: of the class that has the most, but not of this one.
    #[must_use]
    pub fn spare(&self, class: Option<usize>) -> Option<UserIndex> {
        let others = (0..self.classes.len()).filter(|other| Some(*other) != class);
        let most = others.max_by_key(|other| self.classes[*other].borrow().idle.len())?;
        self.next_idle(most).map(|seat| seat.user)
    }

    /// Gives up the arrival of a class that came last, for want of a user; false if none waits.
    pub fn give_up(&self, class: usize) -> bool {
        self.classes[class].borrow_mut().waiting.pop_back().is_some()
    }

    /// Lets no further arrival wait. Those that wait already can still be taken.
    pub fn close(&self) {
        self.closed.set(true);
    }

    /// Gives up the arrivals that wait; returns how many did.
    pub fn clear(&self) -> u64 {
        self.classes.iter().map(|line| line.borrow_mut().waiting.drain(..).count() as u64).sum()
    }

    /// The next arrival for a user, which waits for it. Dropping the future gives an arrival that came meanwhile back.
    pub(super) async fn next(&self, class: usize, user: UserIndex) -> Arrival {
        if let Some(arrival) = self.classes[class].borrow_mut().waiting.pop_front() {
            return arrival;
        }
        let seat = Rc::new(Seat { user, arrival: Cell::new(None), waker: RefCell::default(), taken: Cell::new(true) });
        self.classes[class].borrow_mut().idle.push(Rc::clone(&seat));
        let sitting = Sitting { desk: self, class, seat: &seat };
        poll_fn(|cx| {
            if let Some(arrival) = sitting.seat.arrival.take() {
                return Poll::Ready(arrival);
            }
            sitting.seat.waker.replace(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await
    }

    fn next_idle(&self, class: usize) -> Option<Rc<Seat>> {
        let idle = &mut self.classes[class].borrow_mut().idle;
        while let Some(seat) = idle.pop() {
            if seat.taken.get() {
                return Some(seat);
            }
        }
        None
    }
}

/// Leaves the seat when it is dropped.
struct Sitting<'a> {
    desk: &'a ArrivalDesk,
    class: usize,
    seat: &'a Seat,
}

impl Drop for Sitting<'_> {
    fn drop(&mut self) {
        self.seat.taken.set(false);
        if let Some(arrival) = self.seat.arrival.take() {
            self.desk.classes[self.class].borrow_mut().waiting.push_front(arrival);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn arrival(index: u64) -> Arrival {
        Arrival { index, due_us: index * 1_000_000 }
    }

    #[test]
    fn the_user_that_became_idle_last_serves_next() {
        let desk = ArrivalDesk::new(1);
        let (mut first, mut second) = (Box::pin(desk.next(0, UserIndex(1))), Box::pin(desk.next(0, UserIndex(2))));
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        assert!(desk.offer(0, arrival(7)));
        assert_eq!(second.now_or_never(), Some(arrival(7)));
        assert!(first.now_or_never().is_none());
    }

    #[test]
    fn an_arrival_waits_for_a_user_of_its_class() {
        let desk = ArrivalDesk::new(2);
        assert!(!desk.offer(1, arrival(0)));
        assert!(desk.enqueue(1, arrival(0)));
        assert!(desk.next(0, UserIndex(1)).now_or_never().is_none());
        assert_eq!(desk.next(1, UserIndex(2)).now_or_never(), Some(arrival(0)));
    }

    #[test]
    fn a_user_that_leaves_gives_its_arrival_back_and_is_not_offered_another() {
        let desk = ArrivalDesk::new(1);
        let mut user = Box::pin(desk.next(0, UserIndex(1)));
        assert!(user.as_mut().now_or_never().is_none());
        assert!(desk.offer(0, arrival(3)));
        drop(user);
        assert_eq!(desk.next(0, UserIndex(2)).now_or_never(), Some(arrival(3)));
        assert!(!desk.offer(0, arrival(4)));
    }

    #[test]
    fn what_waits_too_long_or_to_the_end_is_dropped_and_counted() {
        let desk = ArrivalDesk::new(1);
        (0..10).for_each(|index| assert!(desk.enqueue(0, arrival(index))));
        let wait_us = limits::LATE_ARRIVAL_WAIT.as_micros() as u64;
        assert_eq!(desk.expire(wait_us + 3_500_000), 4);
        desk.close();
        assert!(!desk.enqueue(0, arrival(11)));
        assert_eq!((desk.clear(), desk.clear()), (6, 0));
    }

    #[test]
    fn a_spare_user_is_of_the_class_with_the_most_idle_ones() {
        let desk = ArrivalDesk::new(3);
        let mut users: Vec<_> = [(1, 10), (2, 20), (2, 21)]
            .into_iter()
            .map(|(class, user)| Box::pin(desk.next(class, UserIndex(user))))
            .collect();
        assert!(users.iter_mut().all(|user| user.as_mut().now_or_never().is_none()));
        assert_eq!(desk.spare(Some(0)), Some(UserIndex(21)));
        assert_eq!(ArrivalDesk::new(2).spare(Some(0)), None);
    }
}
