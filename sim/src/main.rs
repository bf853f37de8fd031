//! Runs seeds of the simulator.

use std::process::ExitCode;
use std::time::Instant;

use akrida_sim::{Bug, Counts, TraceMode, live};
use clap::Parser;

/// Simulates clusters, each as a seed decides, and holds the invariants. Ends with 1 if one is broken.
#[derive(Debug, Parser)]
#[command(name = "akrida-sim")]
struct Options {
    /// How many seeds
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only this one
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Print everything that happens
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Put a known bug into the cluster, which must be caught
    #[arg(long)]
    bug: Option<Bug>,
    /// Go on after a violation
    #[arg(long)]
    keep_going: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let trace = if options.trace { TraceMode::Print } else { TraceMode::Off };
    let (from, count) = options.seed.map_or((options.from, options.seeds), |seed| (seed, 1));
    let (mut counts, mut broken, mut virtual_us) = (Counts::default(), 0_u64, 0);
    let began = Instant::now();
    let mut lived = 0;
    for seed in from..from + count {
        let outcome = live(seed, options.bug, trace);
        lived += 1;
        virtual_us += outcome.virtual_us;
        counts.add(&outcome.counts);
        if let Some(violation) = outcome.violation {
            println!("seed {seed}: {violation}");
            broken += 1;
            if !options.keep_going {
                break;
            }
        }
    }
    let ms = began.elapsed().as_millis() as u64;
    println!(
        "{lived} seeds, {broken} broken; {} ms and {} virtual seconds a seed",
        ms / lived.max(1),
        virtual_us / lived.max(1) / 1_000_000
    );
    println!("{counts:#?}");
    ExitCode::from(u8::from(broken > 0))
}
