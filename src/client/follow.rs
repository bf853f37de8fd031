//! Follows a run on a cluster through whatever happens to its masters.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use akrida_core::coordinator::Order;
use akrida_core::ids::RunId;
use akrida_core::limits;
use akrida_core::view::{RunView, Status};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::cluster_client::ClusterClient;
use super::error::ClientError;
use crate::api::EditRun;

/// A run that is followed. Following ends when this is dropped; the run does not.
#[derive(Debug)]
pub struct FollowedRun {
    views: watch::Receiver<Option<Arc<RunView>>>,
    orders: mpsc::Sender<Order>,
    lost: Rc<RefCell<Option<String>>>,
}

/// Follows a run: its views come once a second. Needs a running actix system.
#[must_use]
pub fn follow(client: Rc<ClusterClient>, run: RunId) -> FollowedRun {
    let (sender, views) = watch::channel(None);
    let (orders, waiting) = mpsc::channel(limits::CLIENT_ORDERS_WAITING_MAX);
    let lost = Rc::new(RefCell::new(None));
    actix_rt::spawn(give_orders(Rc::clone(&client), run, waiting));
    actix_rt::spawn({
        let lost = Rc::clone(&lost);
        async move {
            if let Err(reason) = publish(&client, run, &sender).await {
                *lost.borrow_mut() = Some(reason);
            }
            // Whoever waits for the next view learns from the end of the sender that there is none.
        }
    });
    FollowedRun { views, orders, lost }
}

impl FollowedRun {
    /// Where the views appear. No more come when the run has ended or is lost.
    #[must_use]
    pub fn views(&self) -> watch::Receiver<Option<Arc<RunView>>> {
        self.views.clone()
    }

    /// Passes an order on. What the cluster has against it is logged.
    ///
    /// # Errors
    /// When too many orders wait.
    pub fn order(&self, order: Order) -> Result<(), String> {
        self.orders.try_send(order).map_err(|_| "too many orders wait for the cluster".to_owned())
    }

    /// Why the run could not be followed to its end.
    #[must_use]
    pub fn lost(&self) -> Option<String> {
        self.lost.borrow().clone()
    }
}

/// Publishes views until the run has ended or nobody looks.
async fn publish(
    client: &ClusterClient,
    run: RunId,
    views: &watch::Sender<Option<Arc<RunView>>>,
) -> Result<(), String> {
    let mut due = interval(limits::CLIENT_VIEW_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    while !views.is_closed() {
        due.tick().await;
        match client.view(run).await {
            Ok(view) => {
                heard = Instant::now();
                let has_ended = view.status == Status::Stopped;
                views.send_replace(Some(Arc::new(view)));
                if has_ended {
                    return Ok(());
                }
            }
            Err(ClientError::Unreachable { last, .. }) if heard.elapsed() < limits::CLIENT_RUN_LOST_AFTER => {
                tracing::warn!("no master tells of the run ({last}); it goes on without them, and is still followed");
            }
            Err(error) if error.is_no_such_run() => return Err(format!("the cluster no longer knows run {run}")),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

/// Passes orders on, one after the other.
async fn give_orders(client: Rc<ClusterClient>, run: RunId, mut orders: mpsc::Receiver<Order>) {
    while let Some(order) = orders.recv().await {
        let done = match order {
            Order::Stop => client.stop(run).await,
            Order::Reset => client.reset(run).await,
            Order::Edit { users, rate } => {
                client.edit(run, &EditRun { users, spawn_rate_per_s: rate.as_per_second() }).await
            }
            Order::Start(..) | Order::To(..) => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!("{error}");
        }
    }
}
