//! The order to stop, as seen by a user's future.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use akrida_core::limits;
use tokio::time::{Instant, Sleep};

use super::context::StopMode;

/// How far stopping has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Nobody wants the user to stop.
    Running,
    /// The task in progress may go on; nothing new begins.
    Finishing,
    /// Waits end, no further step begins, a request in flight may end; `on_stop` runs.
    Cut,
    /// Everything is dropped.
    Dead,
}

/// Shared by the actor, which gives the order, and the user's future, which obeys.
#[derive(Debug, Default)]
pub(super) struct StopSignal {
    cut_at: Cell<Option<Instant>>,
    waker: RefCell<Option<Waker>>,
    /// Armed for the next phase once the order was given.
    timer: RefCell<Option<Pin<Box<Sleep>>>>,
    /// How often the user's future was polled: unchanged over a task, the task never waited for anything.
    polls: Cell<u64>,
    /// Whether a request is under way, which a cut lets end.
    under_way: Cell<bool>,
}

impl StopSignal {
    /// Orders to stop. A later order may hasten the end, never delay it.
    pub(super) fn order(&self, mode: StopMode) {
        let after = match mode {
            StopMode::Now => Duration::ZERO,
            StopMode::AfterTask(after) => after,
        };
        let cut_at = Instant::now().checked_add(after);
        let cut_at = cut_at.unwrap_or_else(|| Instant::now() + Duration::from_secs(365 * 86_400));
        self.cut_at.set(Some(self.cut_at.get().map_or(cut_at, |earlier| earlier.min(cut_at))));
        self.timer.replace(None);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The phase now.
    pub(super) fn phase(&self) -> Phase {
        let Some(cut_at) = self.cut_at.get() else { return Phase::Running };
        let now = Instant::now();
        if now >= cut_at + limits::STOP_GRACE {
            Phase::Dead
        } else if now >= cut_at {
            Phase::Cut
        } else {
            Phase::Finishing
        }
    }

    /// Resolves once the phase is at least this.
    pub(super) async fn reaches(&self, phase: Phase) {
        poll_fn(|cx| if self.poll_phase(cx) >= phase { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Runs a future unless the phase is or becomes at least this: then it is dropped, and there is no result.
    /// Takes it pinned elsewhere, so that it is stored once.
    pub(super) async fn unless<F: Future>(&self, phase: Phase, mut future: Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|cx| {
            self.polls.set(self.polls.get() + 1);
            if self.poll_phase(cx) >= phase {
                return Poll::Ready(None);
            }
            future.as_mut().poll(cx).map(Some)
        })
        .await
    }

    /// Runs code that does not look at the phase itself, until it is cut: at the first moment at which it waits and no
    /// request is under way. Then it is dropped, and there is no result.
    pub(super) async fn unless_cut<F: Future>(&self, mut future: Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|cx| {
            if self.is_cut_off(cx) {
                return Poll::Ready(None);
            }
            match future.as_mut().poll(cx) {
                Poll::Pending if self.is_cut_off(cx) => Poll::Ready(None),
                polled => polled.map(Some),
            }
        })
        .await
    }

    fn is_cut_off(&self, cx: &mut Context<'_>) -> bool {
        !self.under_way.get() && self.poll_phase(cx) >= Phase::Cut
    }

    /// A request begins or is over.
    pub(super) fn set_under_way(&self, under_way: bool) {
        self.under_way.set(under_way);
    }

    /// A count that changes whenever the user's future gave way to others.
    pub(super) fn polls(&self) -> u64 {
        self.polls.get()
    }

    fn poll_phase(&self, cx: &mut Context<'_>) -> Phase {
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        drop(waker);
        let phase = self.phase();
        if let (Some(cut_at), Phase::Finishing | Phase::Cut) = (self.cut_at.get(), phase) {
            let next = if phase == Phase::Finishing { cut_at } else { cut_at + limits::STOP_GRACE };
            let mut timer = self.timer.borrow_mut();
            let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(next)));
            if timer.deadline() != next {
                timer.as_mut().reset(next);
            }
            if timer.as_mut().poll(cx).is_ready() {
                // The phase has just changed: look again.
                cx.waker().wake_by_ref();
            }
        }
        phase
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[actix_rt::test]
    async fn an_order_moves_through_the_phases_and_a_second_one_only_hastens_it() {
        let signal = StopSignal::default();
        assert_eq!(signal.phase(), Phase::Running);
        signal.order(StopMode::AfterTask(Duration::from_secs(3_600)));
        assert_eq!(signal.phase(), Phase::Finishing);
        signal.order(StopMode::Now);
        assert_eq!(signal.phase(), Phase::Cut);
        signal.order(StopMode::AfterTask(Duration::from_secs(3_600)));
        assert_eq!(signal.phase(), Phase::Cut);
        assert_eq!(signal.unless(Phase::Dead, std::pin::pin!(pending::<()>())).await, None);
        assert_eq!(signal.phase(), Phase::Dead);
    }

    #[actix_rt::test]
    async fn a_cut_drops_code_that_waits_unless_a_request_is_under_way() {
        let signal = StopSignal::default();
        signal.order(StopMode::Now);
        let never_polled = async { unreachable!("nothing begins after the cut") };
        assert_eq!(signal.unless_cut(std::pin::pin!(never_polled)).await, None::<()>);
        signal.set_under_way(true);
        let request = async {
            tokio::task::yield_now().await;
            signal.set_under_way(false);
            pending::<()>().await;
        };
        assert_eq!(signal.unless_cut(std::pin::pin!(request)).await, None);
    }

    #[actix_rt::test]
    async fn a_waiting_future_hears_of_the_order() {
        let signal = std::rc::Rc::new(StopSignal::default());
        let other = std::rc::Rc::clone(&signal);
        actix_rt::spawn(async move { other.order(StopMode::AfterTask(Duration::from_secs(3_600))) });
        signal.reaches(Phase::Finishing).await;
        assert_eq!(signal.phase(), Phase::Finishing);
    }
}
