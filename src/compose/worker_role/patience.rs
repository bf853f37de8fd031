//! When a worker that reaches no master gives up.

use std::time::Duration;

use actix::Addr;
use akrida_actors::link::masters::MasterLinks;
use akrida_actors::worker::{AwaitEnd, GiveUp, Look, WorkerActor, WorkerEnd};
use tokio::time::timeout;

/// How often it is looked whether the worker may give up, when nothing else happens.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Waits until all masters were tried in vain `attempts_max` times while the worker had nothing to lose, and ends it then.
/// Never without `attempts_max`.
pub(super) async fn give_up(links: &MasterLinks, worker: &Addr<WorkerActor>, attempts_max: Option<u32>) -> WorkerEnd {
    let gone = || WorkerEnd::Rejected { reason: "the worker has stopped".into() };
    let Some(attempts_max) = attempts_max else { return std::future::pending().await };
    let (mut cycles, mut patience) = (links.cycles(), Patience { attempts_max, since: None });
    loop {
        let tried = *cycles.borrow_and_update();
        let Ok(sight) = worker.send(Look).await else { return gone() };
        if patience.is_over(tried, sight.may_give_up) {
            let reason = format!("no master could be reached; all were tried {attempts_max} times");
            // A leader may have come back meanwhile.
            if let Ok(true) = worker.send(GiveUp { reason: reason.into() }).await {
                return worker.send(AwaitEnd).await.unwrap_or_else(|_| gone());
            }
        }
        if let Ok(Err(_)) = timeout(LOOK_EVERY, cycles.changed()).await {
            // The links are gone, and the worker with them.
            return std::future::pending().await;
        }
    }
}

/// Counts cycles over all masters from when the worker has nothing to lose.
#[derive(Debug)]
struct Patience {
    attempts_max: u32,
    /// How many cycles there were when it began.
    since: Option<u32>,
}

impl Patience {
    /// Whether it is over: `tried` cycles were in vain since a master was last reached.
    fn is_over(&mut self, tried: u32, may_give_up: bool) -> bool {
        if !may_give_up {
            self.since = None;
            return false;
        }
        // The count starts afresh whenever a master is reached.
        let since = self.since.map_or(tried, |since| since.min(tried));
        self.since = Some(since);
        tried - since >= self.attempts_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_attempts_count_that_were_made_with_nothing_to_lose() {
        let mut patience = Patience { attempts_max: 2, since: None };
        assert!(!patience.is_over(0, true) && !patience.is_over(1, true));
        assert!(patience.is_over(2, true));
        let mut patience = Patience { attempts_max: 2, since: None };
        assert!(!patience.is_over(50, false), "samples are not safe yet");
        assert!(!patience.is_over(51, true) && !patience.is_over(52, true));
        assert!(!patience.is_over(0, true), "a master was reached");
        assert!(!patience.is_over(1, true));
        assert!(patience.is_over(2, true));
    }
}
