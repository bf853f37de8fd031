//! `akrida --debug-user`: one user, alone, and everything that it does printed.

use std::rc::Rc;
use std::time::Instant;

use akrida_actors::clock::PlanClock;
use akrida_actors::user::context::ArbiterContext;
use akrida_actors::user::watched;
use anyhow::bail;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::runnable::{Origin, Runnable};
use super::shutdown::Signals;
use super::{http_setup, logging, print_all};
use crate::cli::{Exit, RunOptions};
use crate::debug_user::DebugPrinter;

/// Lives as one user of the class that the options name, the first one if they name none.
pub(super) fn debug(origin: &Origin, options: &RunOptions, shows_secrets: bool) -> anyhow::Result<Exit> {
    if options.user_classes.len() > 1 {
        bail!("--debug-user watches one user: name one user class, not {}", options.user_classes.join(", "));
    }
    let (Runnable { scenario, natives }, _) = origin.selected(options)?;
    logging::start(&options.log, BoxMakeWriter::new(std::io::stderr))?;
    print_all(format!("user class {}\n", scenario.classes[0].name))?;
    actix_rt::System::new().block_on(async {
        let http = http_setup::http_options(&scenario, options).await?;
        let printer = Rc::new(DebugPrinter::new(shows_secrets));
        let clock = PlanClock::anchored_at(Instant::now());
        let context = ArbiterContext::new(scenario, http, clock, fastrand::u64(..));
        let context = Rc::new(context.with_natives(natives).observed_by(Rc::clone(&printer) as _));
        let mut signals = Signals::listen()?;
        tokio::select! {
            () = watched::live(&context, 0, options.run_time) => {}
            () = signals.next() => print_all("\ninterrupted\n")?,
        }
        let failures = printer.failures();
        print_all(match failures {
            0 => "\nnothing failed\n".to_owned(),
            1 => "\n1 failure\n".to_owned(),
            more => format!("\n{more} failures\n"),
        })?;
        Ok(if failures == 0 { Exit::Passed } else { Exit::Failed { code: 1 } })
    })
}
