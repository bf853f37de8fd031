//! Whoever a run is followed on: this process, or a cluster far away.

use akrida_actors::coordinator::ViewReceiver;
use akrida_core::coordinator::Order;

use super::standalone::Standalone;
use crate::client::FollowedRun;

/// A group of masters with one run, as whoever follows the run knows it.
pub(super) trait RunGroup {
    /// Where the views of the run appear.
    fn views(&self) -> ViewReceiver;

    /// Gives an order; the inner error is what the group has against it. An order that travels far may be refused later,
    /// which is then logged.
    async fn order(&self, order: Order) -> anyhow::Result<Result<(), String>>;
}

impl RunGroup for Standalone {
    fn views(&self) -> ViewReceiver {
        self.views()
    }

    async fn order(&self, order: Order) -> anyhow::Result<Result<(), String>> {
        Ok(self.order(order).await?.map(|_| ()).map_err(|refusal| refusal.to_string()))
    }
}

impl RunGroup for FollowedRun {
    fn views(&self) -> ViewReceiver {
        self.views()
    }

    async fn order(&self, order: Order) -> anyhow::Result<Result<(), String>> {
        Ok(self.order(order))
    }
}
