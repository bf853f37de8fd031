//! A worker that keeps the rules and measures one request a second.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::super::*;

/// How long users go on after the last heartbeat that was answered.
pub(super) const LEASE: Duration = Duration::from_secs(4);

const SECOND_US: i64 = 1_000_000;

pub(super) struct FakeWorker {
    pub(super) id: WorkerId,
    pub(super) incarnation: Incarnation,
    /// The life that its link was made by.
    pub(super) linked_as: Incarnation,
    pub(super) paused_until_us: u64,
    dead_until_us: Option<u64>,
    now_us: u64,
    lease_until_us: u64,
    hello_us: u64,
    heartbeat_us: u64,
    is_welcome: bool,
    is_gone: bool,
    membership: u32,
    run: Option<FakeRun>,
    /// The names of all that it measured, and of what it was told is safe.
    pub(super) sealed: BTreeSet<String>,
    pub(super) safe: BTreeSet<String>,
}

struct FakeRun {
    plan: Plan,
    segment: u32,
    /// The world's time at plan time 0.
    zero_us: Option<i64>,
    epoch: u64,
    slots: SlotSet,
    /// Slots whose users are still stopping, until then.
    stopping: Vec<(u64, SlotSet)>,
    has_released: bool,
    seq: u64,
    open_from_us: i64,
    outbox: VecDeque<Delta>,
    is_over: bool,
}

impl FakeWorker {
    pub(super) fn new(name: &str) -> Self {
        Self {
            id: worker(name),
            incarnation: Incarnation(1),
            linked_as: Incarnation(1),
            paused_until_us: 0,
            dead_until_us: None,
            now_us: 0,
            lease_until_us: 0,
            hello_us: 0,
            heartbeat_us: 0,
            is_welcome: false,
            is_gone: false,
            membership: 0,
            run: None,
            sealed: BTreeSet::new(),
            safe: BTreeSet::new(),
        }
    }

    /// It is killed, and starts again some seconds later.
    pub(super) fn die(&mut self) {
        let id = self.id.clone();
        let (sealed, safe) = (std::mem::take(&mut self.sealed), std::mem::take(&mut self.safe));
        let again_us = self.now_us + 3_000_000;
        let incarnation = Incarnation(self.incarnation.0 + 1);
        let linked_as = self.linked_as;
        *self = Self { id, incarnation, linked_as, sealed, safe, now_us: self.now_us, ..Self::new("") };
        self.dead_until_us = Some(again_us);
    }

    /// Whether it does anything at all.
    pub(super) fn is_up(&self, now_us: u64) -> bool {
        self.dead_until_us.is_none_or(|until| now_us >= until) && now_us >= self.paused_until_us && !self.is_gone
    }

    pub(super) fn may_say_goodbye(&mut self) -> bool {
        self.run.is_none() && self.is_welcome
    }

    pub(super) fn is_in_run(&self) -> bool {
        self.run.is_some()
    }

    pub(super) fn sealed_in_last_membership(&self) -> Vec<String> {
        let prefix = format!("{}/{}/{}/", self.id, self.incarnation.0, self.membership);
        self.sealed.iter().filter(|name| name.starts_with(&prefix)).cloned().collect()
    }

    pub(super) fn hello(&mut self, now_us: u64) -> FromWorker {
        (self.linked_as, self.hello_us, self.is_welcome) = (self.incarnation, now_us, false);
        FromWorker::Hello { profile: WorkerProfile::default(), running: self.running(now_us) }
    }

    /// Whether users of a slot exist.
    pub(super) fn runs(&self, slot: u64, now_us: u64) -> bool {
        let Some(run) = self.run.as_ref().filter(|run| run.zero_us.is_some() && !run.is_over) else { return false };
        // While it is paused its users are not running, and before any request its lease is checked.
        let drained_us = self.lease_until_us + limits::DRAIN_MAX.as_micros() as u64;
        let is_awake = now_us >= self.paused_until_us;
        let has = run.slots.owns_user(slot) || run.stopping.iter().any(|(_, slots)| slots.owns_user(slot));
        has && is_awake && now_us <= drained_us
    }

    pub(super) fn tick(&mut self, now_us: u64) -> Vec<FromWorker> {
        self.now_us = now_us;
        let mut said = Vec::new();
        if now_us >= self.heartbeat_us + 1_000_000 {
            self.heartbeat_us = now_us;
            let (running, vitals) = (self.running(now_us), Vitals::default());
            said.push(FromWorker::Heartbeat { sent_us: now_us, running, vitals });
        }
        let Some(run) = &mut self.run else { return said };
        run.stopping.retain(|(until_us, _)| now_us < *until_us);
        if run.stopping.is_empty() && !run.has_released {
            run.has_released = true;
            said.push(FromWorker::Released { run: RUN, epoch: run.epoch });
        }
        said.extend(self.seal(now_us));
        said
    }

    fn seal(&mut self, now_us: u64) -> Vec<FromWorker> {
        let Some(run) = &mut self.run else { return Vec::new() };
        let Some(zero_us) = run.zero_us.filter(|_| !run.is_over) else { return Vec::new() };
        let plan_us = now_us as i64 - zero_us;
        let ends = run.plan.ends_at_us().is_some_and(|end_us| plan_us >= end_us as i64);
        let mut said = Vec::new();
        while plan_us >= run.open_from_us + SECOND_US || (ends && !run.is_over) {
            run.seq += 1;
            run.is_over = ends && plan_us < run.open_from_us + SECOND_US;
            let name = format!("{}/{}/{}/{}", self.id, self.incarnation.0, self.membership, run.seq);
            let mut delta = delta_of(&self.id, self.incarnation, run.seq, &name, run.is_over);
            let from_us = run.open_from_us;
            let to_us = (from_us + SECOND_US).min(plan_us.max(from_us + 1));
            (delta.interval.from_us, delta.interval.to_us) = (from_us as u64, to_us as u64);
            delta.interval.segment = run.segment;
            run.open_from_us = from_us + SECOND_US;
            self.sealed.insert(name);
            run.outbox.push_back(delta.clone());
            if self.is_welcome {
                said.push(FromWorker::Delta(Box::new(delta)));
            }
        }
        said
    }

    pub(super) fn hear(&mut self, message: ToWorker, now_us: u64) -> Vec<FromWorker> {
        match message {
            ToWorker::Welcome { last_seq, .. } => {
                self.is_welcome = true;
                self.lease_until_us = self.lease_until_us.max(self.hello_us + LEASE.as_micros() as u64);
                self.acknowledge(last_seq);
                let outbox = self.run.iter().flat_map(|run| &run.outbox).cloned();
                outbox.map(|delta| FromWorker::Delta(Box::new(delta))).collect()
            }
            ToWorker::Begin(assignment) => {
                if self.run.is_none() {
                    self.membership += 1;
                    self.run = Some(FakeRun {
                        plan: assignment.plan,
                        segment: assignment.segment,
                        zero_us: None,
                        epoch: assignment.epoch,
                        slots: assignment.slots,
                        stopping: Vec::new(),
                        has_released: true,
                        seq: 0,
                        open_from_us: 0,
                        outbox: VecDeque::new(),
                        is_over: false,
                    });
                }
                vec![FromWorker::Ready { run: RUN }]
            }
            ToWorker::Launch { plan_us, .. } => {
                if let Some(run) = self.run.as_mut().filter(|run| run.zero_us.is_none()) {
                    run.zero_us = Some(now_us as i64 - plan_us);
                    run.open_from_us = plan_us.max(0) / SECOND_US * SECOND_US;
                }
                Vec::new()
            }
            ToWorker::Slots { epoch, slots, .. } => self.change_slots(epoch, slots, now_us),
            ToWorker::Update { plan, segment, .. } => {
                if let Some(run) = &mut self.run {
                    (run.plan, run.segment) = (plan, segment);
                }
                Vec::new()
            }
            ToWorker::Acknowledge { seq, .. } => {
                self.acknowledge(seq);
                Vec::new()
            }
            ToWorker::HeartbeatHeard { sent_us, .. } => {
                self.lease_until_us = self.lease_until_us.max(sent_us + LEASE.as_micros() as u64);
                Vec::new()
            }
            ToWorker::Leave { .. } => {
                self.run = None;
                Vec::new()
            }
            ToWorker::NotNow { .. } => {
                self.run = None;
                vec![self.hello(now_us)]
            }
            ToWorker::Quit | ToWorker::Refused { .. } => {
                self.is_gone = true;
                Vec::new()
            }
            ToWorker::Rows { .. } => Vec::new(),
        }
    }

    fn change_slots(&mut self, epoch: u64, slots: SlotSet, now_us: u64) -> Vec<FromWorker> {
        let Some(run) = self.run.as_mut().filter(|run| epoch >= run.epoch) else { return Vec::new() };
        let old = std::mem::replace(&mut run.slots, slots);
        let lost = SlotSet::from_fn(|slot| old.owns_user(u64::from(slot)) && !run.slots.owns_user(u64::from(slot)));
        (run.epoch, run.has_released) = (epoch, false);
        if !lost.is_empty() && run.zero_us.is_some() {
            run.stopping.push((now_us + 600_000, lost));
        }
        Vec::new()
    }

    /// Everything up to here is safe; a run of which all is safe is forgotten.
    fn acknowledge(&mut self, seq: Seq) {
        let Some(run) = &mut self.run else { return };
        while let Some(delta) = run.outbox.pop_front_if(|delta| delta.seq <= seq) {
            let name = delta.interval.measurements.endpoints.keys().next().expect("one").name.to_string();
            self.safe.insert(name);
        }
        if run.is_over && run.outbox.is_empty() {
            self.run = None;
        }
    }

    fn running(&self, now_us: u64) -> Option<Running> {
        let plan_us = |zero_us: i64| (now_us as i64 - zero_us).max(0) as u64;
        self.run.as_ref().map(|run| Running { run: RUN, plan_us: run.zero_us.map(plan_us) })
    }
}
