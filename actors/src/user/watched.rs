//! The life of a user that is debugged: alone, on the caller's thread, and by default through each task once.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use akrida_core::ids::UserIndex;

use super::context::{SharedContext, StopMode, UserSpec};
use super::program::{ClassProgram, Program, SetProgram, TaskProgram};
use super::runner::{Flow, Runner};
use super::stop::{Phase, StopSignal};
use crate::observe::Event;

/// Lives as one user of a class, an index into the scenario's classes. With a run time it lives as in a run of that
/// length, without one it runs `on_start`, each task that has a weight once, in the order of the file and without pauses
/// between them, and `on_stop`. What it measured is in the context's recorder.
pub async fn live(context: &SharedContext, class: usize, run_time: Option<Duration>) {
    let program = Rc::new(Program::new(context));
    let spec = UserSpec { index: UserIndex(0), class, intended_start_us: context.clock.now_us() };
    let stop = Rc::new(StopSignal::default());
    let mut runner = Runner::new(Rc::clone(context), Rc::clone(&program), spec, Rc::clone(&stop));
    let Some(run_time) = run_time else { return runner.rehearse(&program.classes[class]).await };
    let order = async {
        tokio::time::sleep(run_time).await;
        stop.order(StopMode::Now);
        std::future::pending::<()>().await;
    };
    let life = pin!(runner.run());
    tokio::select! {
        biased;
        _ = stop.unless(Phase::Dead, life) => {}
        () = order => {}
    }
}

impl Runner {
    async fn rehearse(&mut self, class: &ClassProgram) {
        if self.draw_rows().await != Flow::Continue {
            return;
        }
        let flow = self.start(class).await;
        if flow != Flow::StopUser && (self.living.is_some() || !class.is_native) {
            self.rehearse_set(&class.tasks, "").await;
        }
        self.finish(class).await;
    }

    /// A step that ends the user ends the task alone: the next one is to be seen as well.
    async fn rehearse_set(&mut self, set: &SetProgram, around: &str) {
        let weighted = set.tasks.iter().zip(&set.names).filter(|(_, (_, weight))| *weight > 0);
        for (at, (task, (name, _))) in weighted.enumerate() {
            // As in a run: the first task has the rows that the user started with, nested ones those around them.
            if at > 0 && around.is_empty() && self.draw_rows().await != Flow::Continue {
                return;
            }
            let name = format!("{around}{name}");
            match task {
                TaskProgram::Steps(steps) => {
                    self.context.show(&Event::Begins(&name));
                    Box::pin(self.run_steps(steps)).await;
                }
                TaskProgram::Native(place) => {
                    self.context.show(&Event::Begins(&name));
                    self.run_native(*place).await;
                }
                TaskProgram::Set(inner) => Box::pin(self.rehearse_set(inner, &format!("{name}."))).await,
            }
        }
    }
}
