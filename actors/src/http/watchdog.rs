//! One timer a user for the time-outs of all its requests.
//!
//! Arming and disarming a timer for each request costs about a tenth of the request. This one stays armed: it is moved
//! only to an earlier time, and when it goes off before the deadline of the current request it is armed again for that.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use tokio::time::{Instant, Sleep};

/// The deadline passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Elapsed;

/// A timer that is armed at most once for many deadlines.
#[derive(Debug, Default)]
pub(super) struct Watchdog(Option<Pin<Box<Sleep>>>);

impl Watchdog {
    /// Runs a future until it ends or the deadline passes. It is borrowed, because a future that is passed on takes its
    /// room twice.
    pub(super) async fn watch<F: Future>(
        &mut self,
        deadline: Instant,
        mut future: Pin<&mut F>,
    ) -> Result<F::Output, Elapsed> {
        let timer = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.is_elapsed() || timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            while timer.as_mut().poll(cx).is_ready() {
                if Instant::now() >= deadline {
                    return Poll::Ready(Err(Elapsed));
                }
                timer.as_mut().reset(deadline);
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::time::Duration;

    use super::*;

    #[actix_rt::test]
    async fn each_deadline_holds_whatever_the_one_before_was() {
        let mut watchdog = Watchdog::default();
        let far = Instant::now() + Duration::from_secs(3_600);
        assert_eq!(watchdog.watch(far, pin!(ready(1))).await, Ok(1));
        let near = Instant::now() + Duration::from_millis(5);
        assert_eq!(watchdog.watch(near, pin!(pending::<()>())).await, Err(Elapsed));
        assert!(Instant::now() >= near);
        // The timer is spent now, and then armed for a deadline that is moved back.
        assert_eq!(watchdog.watch(far, pin!(ready(2))).await, Ok(2));
        let soon = Instant::now() + Duration::from_millis(5);
        assert_eq!(watchdog.watch(soon, pin!(ready(3))).await, Ok(3));
        let later = soon + Duration::from_millis(10);
        assert_eq!(watchdog.watch(later, pin!(pending::<()>())).await, Err(Elapsed));
        assert!(Instant::now() >= later, "an early alarm is not a time-out");
    }
}
