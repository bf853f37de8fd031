//! Whether a run starts at once, and what happens at its end.

use std::time::Duration;

use super::flags::load::LoadFlags;
use super::values::Autoquit;

/// How the program behaves around the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartMode {
    /// Waits in the web UI until somebody starts a run, and stays after it. Masters do so unless they are told otherwise.
    WebUi,
    /// Starts at once, ends with the run.
    Headless,
    /// Starts at once, stays after the run.
    Autostart {
        /// How long to stay; `None` until it is told to quit.
        autoquit: Option<Duration>,
    },
}

/// Decides the mode, and what the user should be told about it. A run on one machine has no web UI to wait in in this
/// build, so it is headless if it was not told how to start.
pub(super) fn decide(load: &LoadFlags, has_web_ui: bool) -> (StartMode, Option<&'static str>) {
    if load.headless && !load.headful {
        let notice = load.autostart.then_some("--autostart has no effect with --headless");
        return (StartMode::Headless, notice);
    }
    if load.autostart {
        let autoquit = match load.autoquit {
            Some(Autoquit::After(delay)) => Some(delay),
            Some(Autoquit::Never) | None => None,
        };
        let notice = (!has_web_ui).then_some("the web UI is not in this build; the run starts without it");
        return (StartMode::Autostart { autoquit }, notice);
    }
    if has_web_ui {
        return (StartMode::WebUi, None);
    }
    (StartMode::Headless, Some("the web UI is not in this build; the run starts at once, as with --headless"))
}
