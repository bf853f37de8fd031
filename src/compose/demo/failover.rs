//! The loss of the leader in the middle of the demo, and what it cost.

use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use tokio::time::{Instant, sleep};

use super::local_cluster::LocalCluster;

/// How long the load goes on before the leader is killed.
const KILL_AFTER: Duration = Duration::from_secs(8);

/// How long the load is looked at before and after.
const WINDOW: Duration = Duration::from_secs(3);

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long a new leader may take.
const ELECTION_WAIT: Duration = Duration::from_secs(20);

/// What the loss of the leader cost.
#[derive(Debug, PartialEq)]
pub(super) struct Failover {
    killed: String,
    heir: String,
    after: Duration,
    leaderless: Duration,
    before_per_s: f64,
    during_per_s: f64,
}

impl Failover {
    /// Waits until the load goes on for a while, kills the leader, and watches.
    pub(super) async fn watch(cluster: Rc<LocalCluster>, received: impl Fn() -> u64) -> anyhow::Result<Self> {
        let began = first_request(&received).await;
        let before = rate_until(began + KILL_AFTER, &received).await;
        let killed = cluster.leader(None).await.context("nobody leads")?;
        let (at, received_before) = (Instant::now(), received());
        cluster.kill(&killed);
        let heir = new_leader(&cluster, &killed).await?;
        let leaderless = at.elapsed();
        sleep((at + WINDOW).saturating_duration_since(Instant::now())).await;
        let during_per_s = (received() - received_before) as f64 / at.elapsed().as_secs_f64();
        let after = at - began;
        Ok(Self { killed, heir, after, leaderless, before_per_s: before, during_per_s })
    }
}

async fn first_request(received: &impl Fn() -> u64) -> Instant {
    while received() == 0 {
        sleep(LOOK_EVERY).await;
    }
    Instant::now()
}

/// Requests per second in the window that ends at this instant.
async fn rate_until(end: Instant, received: &impl Fn() -> u64) -> f64 {
    let mut looks = VecDeque::new();
    while Instant::now() < end {
        looks.push_back((Instant::now(), received()));
        while looks.front().is_some_and(|(at, _)| at.elapsed() > WINDOW) {
            looks.pop_front();
        }
        sleep(LOOK_EVERY).await;
    }
    let Some((since, count)) = looks.front() else { return 0.0 };
    (received() - count) as f64 / since.elapsed().as_secs_f64()
}

async fn new_leader(cluster: &LocalCluster, killed: &str) -> anyhow::Result<String> {
    let since = Instant::now();
    while since.elapsed() < ELECTION_WAIT {
        if let Some(heir) = cluster.leader(Some(killed)).await {
            return Ok(heir);
        }
        sleep(LOOK_EVERY).await;
    }
    anyhow::bail!("no other master took the lead within {} s", ELECTION_WAIT.as_secs())
}

impl fmt::Display for Failover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { killed, heir, after, leaderless, before_per_s, during_per_s } = self;
        let seconds = WINDOW.as_secs();
        let share = if *before_per_s > 0.0 { 100.0 * during_per_s / before_per_s } else { 0.0 };
        write!(
            f,
            "{killed}, the leader, was killed {:.1} s into the load; {heir} led {:.2} s later.\nThe target received \
             {before_per_s:.0} requests/s in the {seconds} s before, and {during_per_s:.0} requests/s in the {seconds} s \
             after ({share:.0} %).",
            after.as_secs_f64(),
            leaderless.as_secs_f64(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_told_in_figures() {
        let failover = Failover {
            killed: "master-1".to_owned(),
            heir: "master-2".to_owned(),
            after: Duration::from_millis(8_020),
            leaderless: Duration::from_millis(712),
            before_per_s: 301.2,
            during_per_s: 299.9,
        };
        let expected = "master-1, the leader, was killed 8.0 s into the load; master-2 led 0.71 s later.\nThe target \
                        received 301 requests/s in the 3 s before, and 300 requests/s in the 3 s after (100 %).";
        assert_eq!(failover.to_string(), expected);
    }
}
