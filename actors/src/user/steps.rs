//! Runs the steps of a task.

use std::sync::Arc;
use std::time::Instant;

use akrida_core::scenario::model::ValueTemplate;
use akrida_core::scenario::template::{Condition, Template};
use akrida_core::stats::recorder::EndpointId;
use minijinja::Value;
use minijinja::value::Serde;

use super::program::{Action, Times, repetitions};
use super::runner::{Flow, Runner};
use crate::observe::Event;

/// Iterations of a loop after which a user that waits for nothing gives way.
const GIVE_WAY_EVERY: u64 = 64;

impl Runner {
    /// Runs steps until one of them ends the task.
    pub(super) async fn run_steps(&mut self, steps: &[Action]) -> Flow {
        for step in steps {
            if self.is_cut() {
                return Flow::Cut;
            }
            let flow = match step {
                Action::Request(request) => self.request(request).await,
                Action::WebSocket(conversation) => Box::pin(self.websocket(conversation)).await,
                Action::Wait(wait) => self.pause_within(wait).await,
                Action::If { condition, then, otherwise } => match self.holds(condition) {
                    Ok(true) => Box::pin(self.run_steps(then)).await,
                    Ok(false) => Box::pin(self.run_steps(otherwise)).await,
                    Err(flow) => flow,
                },
                Action::Repeat { times, steps } => match self.times(times) {
                    Ok(times) => Box::pin(self.repeat(times, steps)).await,
                    Err(flow) => flow,
                },
                Action::Group { endpoint, steps } => Box::pin(self.group_step(*endpoint, steps)).await,
                Action::Log(text) => self.log_step(text),
                Action::Set(values) => self.set_variables(values),
                Action::Interrupt => Flow::Interrupt,
                Action::StopUser => {
                    self.context.show(&Event::StopsUser);
                    Flow::StopUser
                }
            };
            if let Some(observer) = &self.context.observer {
                observer.see(&Event::Variables(self.session.variables()));
            }
            if flow != Flow::Continue {
                return flow;
            }
        }
        Flow::Continue
    }

    async fn repeat(&mut self, times: u64, steps: &[Action]) -> Flow {
        let name: Arc<str> = "loop_index".into();
        let outer = self.session.get(&name);
        let mut flow = Flow::Continue;
        for index in 0..times {
            self.session.set(&name, Value::from(index));
            flow = self.run_steps(steps).await;
            if flow != Flow::Continue {
                break;
            }
            if index % GIVE_WAY_EVERY == GIVE_WAY_EVERY - 1 {
                self.give_way().await;
            }
        }
        self.session.restore(&name, outer);
        flow
    }

    /// Times steps as one transaction. One that was cut short by a stop is no transaction and is not recorded.
    async fn group_step(&mut self, endpoint: EndpointId, steps: &[Action]) -> Flow {
        let failures = self.failures;
        let started = Instant::now();
        let flow = self.run_steps(steps).await;
        if flow == Flow::Cut {
            return flow;
        }
        self.record_group(endpoint, started, self.failures > failures);
        flow
    }

    fn holds(&mut self, condition: &Condition) -> Result<bool, Flow> {
        let held = self.session.render(&self.program.templates, |renderer| {
            renderer.templates.holds(condition, renderer.variables).map_err(|error| error.to_string())
        });
        held.map_err(|reason| self.exception(&reason))
    }

    fn times(&mut self, times: &Times) -> Result<u64, Flow> {
        let template = match times {
            Times::Fixed(times) => return Ok(*times),
            Times::Rendered(template) => template,
        };
        let times = self.session.render(&self.program.templates, |renderer| {
            renderer.text(template).map_err(|error| error.to_string()).and_then(|text| repetitions(&text))
        });
        times.map_err(|reason| self.exception(&reason))
    }

    fn log_step(&mut self, template: &Template) -> Flow {
        let (user, observer) = (self.spec.index.0, self.context.observer.as_deref());
        let logged = self.session.render(&self.program.templates, |renderer| {
            let text = renderer.text(template).map_err(|error| error.to_string())?;
            match observer {
                Some(observer) => observer.see(&Event::Logs(&text)),
                None => tracing::info!(user, "{text}"),
            }
            Ok(())
        });
        logged.map_or_else(|reason: String| self.exception(&reason), |()| Flow::Continue)
    }

    /// Sets variables in order; each sees the ones before it.
    pub(super) fn set_variables(&mut self, values: &[(Arc<str>, ValueTemplate)]) -> Flow {
        for (name, template) in values {
            let value = match template {
                ValueTemplate::Literal(value) => Ok(Value::from(Serde(value))),
                ValueTemplate::Expression(expression) => self.session.render(&self.program.templates, |renderer| {
                    renderer.templates.evaluate_value(expression, renderer.variables)
                }),
                other => self
                    .session
                    .render(&self.program.templates, |renderer| renderer.value(other))
                    .map(|value| Value::from(Serde(&value))),
            };
            match value {
                Ok(value) => self.session.set(name, value),
                Err(error) => return self.exception(&error.to_string()),
            }
        }
        Flow::Continue
    }

    /// Records an error of scenario code outside of a request. It ends the task.
    pub(super) fn exception(&mut self, message: &str) -> Flow {
        self.failures += 1;
        let class = &self.program.classes[self.spec.class].name;
        let user = self.spec.index.0;
        let is_news = self.context.recorder.borrow_mut().record_exception(message, &format!("in user class {class}"));
        // Users that do nothing but fail would write hundreds of thousands of lines a second.
        match (self.context.observer.as_deref(), is_news) {
            (Some(observer), _) => observer.see(&Event::Raises(message)),
            (None, true) => tracing::warn!(user, %class, "{message}"),
            (None, false) => tracing::debug!(user, %class, "{message}"),
        }
        Flow::EndTask
    }
}
