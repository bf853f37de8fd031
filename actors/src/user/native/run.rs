//! How the engine starts, runs and stops a user that is code.

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use akrida_core::limits;

use super::super::program::ClassProgram;
use super::super::runner::{Flow, Runner};
use super::super::stop::Phase;
use super::error::{Reason, TaskError};
use crate::observe::Event;

impl Runner {
    /// Starts the user; if it is code that fails, again and again until it succeeds.
    pub(in crate::user) async fn start_at_last(&mut self, class: &ClassProgram) -> Flow {
        loop {
            let flow = self.start(class).await;
            if flow != Flow::EndTask || !class.is_native {
                return flow;
            }
            if self.pause(limits::PANIC_PAUSE, Phase::Finishing).await == Flow::Cut {
                return Flow::Cut;
            }
        }
    }

    /// Starts a user that is code.
    pub(in crate::user) async fn start_native(&mut self, class: &ClassProgram) -> Flow {
        let Some(code) = self.context.natives.code(&class.name).map(Arc::clone) else {
            self.exception("this program has no code for the class");
            return Flow::StopUser;
        };
        let stop = Rc::clone(&self.stop);
        let started = stop.unless_cut(pin!(code.start(self))).await;
        match started {
            None => Flow::Cut,
            Some(Ok(living)) => {
                self.living = Some(living);
                Flow::Continue
            }
            Some(Err(error)) => self.ended_early(error),
        }
    }

    /// Runs a task.
    pub(in crate::user) async fn run_native(&mut self, task: usize) -> Flow {
        // Taken out, so that it can use the rest of the user; one that panics is not put back.
        let Some(mut living) = self.living.take() else { return Flow::StopUser };
        let stop = Rc::clone(&self.stop);
        let ended = stop.unless_cut(pin!(living.perform(task, self))).await;
        self.living = Some(living);
        match ended {
            None => Flow::Cut,
            Some(Ok(())) => Flow::Continue,
            Some(Err(error)) => self.ended_early(error),
        }
    }

    /// Lets the user say goodbye, if it was started.
    pub(in crate::user) async fn stop_native(&mut self) {
        if let Some(mut living) = self.living.take() {
            living.stop(self).await;
        }
    }

    fn ended_early(&mut self, error: TaskError) -> Flow {
        match error.0 {
            Reason::Recorded(_) => Flow::EndTask,
            Reason::Raised(text) => self.exception(&text),
            Reason::StopUser => {
                self.context.show(&Event::StopsUser);
                Flow::StopUser
            }
        }
    }
}
