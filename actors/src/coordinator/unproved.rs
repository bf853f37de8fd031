//! What gives a worker time: only a leader that proves that it still leads says it.
//!
//! A leader that was paused finds greetings and heartbeats of workers that came meanwhile, before it finds out that another
//! one leads. An answer would renew their leases, although the other leader may have passed their slots on by then. So both
//! wait until a majority has confirmed, after they came, that this master leads; one question is for all that wait.

use std::collections::BTreeMap;

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use akrida_core::coordinator::Input;
use akrida_core::ids::{Incarnation, WorkerId};
use akrida_core::wire::{FromWorker, PlanTime, Running, ToWorker};
use tokio::sync::oneshot;

use super::actor::CoordinatorActor;
use crate::link::{Detach, Downlink, Uplink};

/// What waits, by the life of a worker that it is about.
#[derive(Debug, Default)]
pub(super) struct Unproved {
    /// What the question under way is for.
    asked: Option<Held>,
    /// What came since.
    gathered: Held,
}

type Held = BTreeMap<(WorkerId, Incarnation), OfWorker>;

#[derive(Debug, Default)]
struct OfWorker {
    /// Its greeting, which is answered then, and when it was heard by the coordinator's clock.
    hello: Option<(FromWorker, u64)>,
    /// The latest heartbeat that is to be answered.
    heartbeat: Option<Heartbeat>,
}

/// A heartbeat that was heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heartbeat {
    /// When it was sent, by the worker's clock.
    pub(super) sent_us: u64,
    /// Plan time when it was heard.
    pub(super) plan: Option<PlanTime>,
    /// When it was heard, by the coordinator's clock.
    pub(super) heard_us: u64,
}

impl Heartbeat {
    /// The answer to it. The worker takes plan time as that of half-way between its question and the answer, so half of
    /// what the heartbeat has waited here is added.
    fn answer(self, now_us: u64) -> ToWorker {
        let waited_us = i64::try_from(now_us.saturating_sub(self.heard_us)).unwrap_or(0);
        let later = |plan: PlanTime| PlanTime { plan_us: plan.plan_us.saturating_add(waited_us / 2), ..plan };
        ToWorker::HeartbeatHeard { sent_us: self.sent_us, plan: self.plan.map(later) }
    }
}

impl Unproved {
    /// Keeps the answer to a heartbeat.
    pub(super) fn keep_heard(&mut self, worker: WorkerId, life: Incarnation, heartbeat: Heartbeat) {
        self.gathered.entry((worker, life)).or_default().heartbeat = Some(heartbeat);
    }

    /// The link of a worker is gone: there is nobody to be answered.
    pub(super) fn forget(&mut self, detach: &Detach) {
        let of = (detach.worker.clone(), detach.incarnation);
        self.gathered.remove(&of);
        if let Some(asked) = &mut self.asked {
            asked.remove(&of);
        }
    }
}

impl CoordinatorActor {
    /// Takes what a worker says; a greeting where workers have leases only after the proof.
    pub(super) fn take(&mut self, uplink: Uplink, context: &mut Context<Self>) {
        let Uplink { worker, incarnation, message } = uplink;
        let waits = self.gives_leases() && matches!(message, FromWorker::Hello { .. });
        if waits && self.core().is_some() {
            let heard_us = self.now().mono_us;
            self.unproved().gathered.entry((worker, incarnation)).or_default().hello = Some((message, heard_us));
        } else {
            self.step(Input::Message { worker, incarnation, message });
        }
        self.ask(context);
    }

    /// Asks for the proof, if something waits for it that no question under way is for.
    fn ask(&mut self, context: &mut Context<Self>) {
        let unproved = self.unproved();
        if unproved.asked.is_some() || unproved.gathered.is_empty() {
            return;
        }
        unproved.asked = Some(std::mem::take(&mut unproved.gathered));
        let (sender, proved) = oneshot::channel();
        self.prove_leadership(sender);
        context.spawn(proved.into_actor(self).map(|proved, actor, context| {
            let held = actor.unproved().asked.take();
            // Without the proof all of it is dropped: workers say it again, to whoever leads.
            if matches!(proved, Ok(Ok(()))) {
                held.into_iter().flatten().for_each(|(of, held)| actor.answer(of, held));
            }
            actor.ask(context);
        }));
    }

    fn answer(&mut self, (worker, incarnation): (WorkerId, Incarnation), held: OfWorker) {
        if let Some(heartbeat) = held.heartbeat {
            let answer = heartbeat.answer(self.now().mono_us);
            self.tell(&worker, incarnation, Downlink::Message(answer));
        }
        if let Some((mut message, heard_us)) = held.hello {
            // Where it was then, it is no longer.
            if let FromWorker::Hello { running: Some(Running { plan_us: Some(plan_us), .. }), .. } = &mut message {
                *plan_us = plan_us.saturating_add(self.now().mono_us.saturating_sub(heard_us));
            }
            self.step(Input::Message { worker, incarnation, message });
        }
    }
}
