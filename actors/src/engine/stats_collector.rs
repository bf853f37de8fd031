//! The stats collector: drains what the users of its arbiter recorded.

use actix::{Actor, Context, Handler, Message, MessageResult};
use akrida_core::stats::measurements::Measurements;

use super::cpu::ThreadCpu;
use crate::user::context::SharedContext;

/// Sits on the users' thread, so that they record without locks and a drain never sees half a sample.
#[derive(Debug)]
pub(super) struct StatsCollector {
    context: SharedContext,
    cpu: ThreadCpu,
}

/// Asks for everything since the last time.
#[derive(Debug, Message)]
#[rtype(result = "Drained")]
pub(super) struct Drain;

/// What a collector had.
#[derive(Debug)]
pub(super) struct Drained {
    /// Users that exist, per class.
    pub(super) users: Vec<u64>,
    /// CPU use of the arbiter since the last time, in thousandths of a core.
    pub(super) cpu_permille: u16,
    /// What was measured.
    pub(super) measurements: Measurements,
}

impl StatsCollector {
    /// A collector for the calling thread.
    pub(super) fn new(context: SharedContext) -> Self {
        Self { context, cpu: ThreadCpu::start() }
    }
}

impl Actor for StatsCollector {
    type Context = Context<Self>;
}

impl Handler<Drain> for StatsCollector {
    type Result = MessageResult<Drain>;

    fn handle(&mut self, _: Drain, _: &mut Self::Context) -> Self::Result {
        MessageResult(Drained {
            users: self.context.live.iter().map(std::cell::Cell::get).collect(),
            cpu_permille: self.cpu.permille(),
            measurements: self.context.recorder.borrow_mut().drain(),
        })
    }
}
