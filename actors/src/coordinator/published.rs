//! What a coordinator publishes for whoever looks on.

use std::sync::Arc;

use akrida_core::ids::LogIndex;
use akrida_core::limits;
use akrida_core::state::ClusterState;
use akrida_core::state::member::Member;
use akrida_core::state::run::RunPhase;
use akrida_core::view::RunView;
use akrida_core::view::validity::ValidityLimits;
use tokio::sync::watch;

/// Receives the latest view of the run; `None` before the first run.
pub type ViewReceiver = watch::Receiver<Option<Arc<RunView>>>;

/// A view with its place in the log: every master has the same view at the same place.
#[derive(Clone, Debug, Default)]
pub struct PlacedView {
    /// The last entry of the log that it takes in.
    pub index: LogIndex,
    /// The view; `None` before the first run.
    pub view: Option<Arc<RunView>>,
}

/// Receives the latest view with its place in the log.
pub type PlacedViewReceiver = watch::Receiver<PlacedView>;

/// What a coordinator publishes.
#[derive(Clone, Debug)]
pub struct Published {
    /// The run, as far as this master has applied it.
    pub views: ViewReceiver,
    /// The same, with its place in the log.
    pub placed_views: PlacedViewReceiver,
    /// How many workers are registered.
    pub workers: watch::Receiver<usize>,
    /// Whether this master leads, and since which term.
    pub leads: watch::Receiver<Option<u64>>,
    /// The masters that the state names.
    pub members: watch::Receiver<Vec<Member>>,
}

/// The other end of it.
#[derive(Debug)]
pub(super) struct Publisher {
    limits: ValidityLimits,
    views: watch::Sender<Option<Arc<RunView>>>,
    placed_views: watch::Sender<PlacedView>,
    workers: watch::Sender<usize>,
    leads: watch::Sender<Option<u64>>,
    members: watch::Sender<Vec<Member>>,
    /// Something was applied since the last view.
    is_stale: bool,
    last_us: u64,
    last_phase: Option<RunPhase>,
}

impl Publisher {
    /// Nothing published yet.
    pub(super) fn new(limits: ValidityLimits) -> (Self, Published) {
        let (views, views_receiver) = watch::channel(None);
        let (placed_views, placed_views_receiver) = watch::channel(PlacedView::default());
        let (workers, workers_receiver) = watch::channel(0);
        let (leads, leads_receiver) = watch::channel(None);
        let (members, members_receiver) = watch::channel(Vec::new());
        let publisher = Self {
            limits,
            views,
            placed_views,
            workers,
            leads,
            members,
            is_stale: false,
            last_us: 0,
            last_phase: None,
        };
        let published = Published {
            views: views_receiver,
            placed_views: placed_views_receiver,
            workers: workers_receiver,
            leads: leads_receiver,
            members: members_receiver,
        };
        (publisher, published)
    }

    /// Something was applied.
    pub(super) fn applied(&mut self) {
        self.is_stale = true;
    }

    /// Whether this master leads.
    pub(super) fn leads(&self, term: Option<u64>) {
        self.leads.send_replace(term);
    }

    /// Publishes what is new: at once when a run begins or ends, otherwise now and then, since a view of a large run costs
    /// more than an entry of the log.
    pub(super) fn publish(&mut self, state: &ClusterState, now_us: u64) {
        if !self.is_stale {
            return;
        }
        let phase = state.run().map(akrida_core::state::run::Run::phase);
        let is_due = now_us.saturating_sub(self.last_us) >= limits::VIEW_EVERY.as_micros() as u64;
        if !is_due && phase == self.last_phase {
            return;
        }
        (self.is_stale, self.last_us, self.last_phase) = (false, now_us, phase);
        let view = state.run().map(|run| Arc::new(RunView::of(run, &self.limits)));
        self.placed_views.send_replace(PlacedView { index: state.applied(), view: view.clone() });
        self.views.send_replace(view);
        let present = state.workers().filter(|(_, worker)| worker.is_present).count();
        self.workers.send_if_modified(|known| std::mem::replace(known, present) != present);
        if *self.members.borrow() != state.members() {
            self.members.send_replace(state.members().to_vec());
        }
    }
}
