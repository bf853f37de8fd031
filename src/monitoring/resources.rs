//! What a process uses, held against what it may use.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use akrida_actors::memory;
use nix::time::{ClockId, clock_gettime};

/// How long CPU use is measured before it is judged: a moment of work is no overload.
const CPU_WINDOW: Duration = Duration::from_secs(10);

/// What a process may use, and what it uses.
#[derive(Debug)]
pub struct Resources {
    max_memory_bytes: Option<u64>,
    max_cpu_percent: Option<u8>,
    cores: u32,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    since: Instant,
    cpu: Duration,
    /// CPU in the last window, in percent of all cores.
    cpu_percent: Option<f64>,
    /// What was warned of last.
    warned: Vec<String>,
}

impl Resources {
    /// The limits of this process, which may use so many cores.
    #[must_use]
    pub fn new(max_memory_bytes: Option<u64>, max_cpu_percent: Option<u8>, cores: usize) -> Self {
        let seen = Seen { since: Instant::now(), cpu: process_cpu(), cpu_percent: None, warned: Vec::new() };
        let cores = u32::try_from(cores).unwrap_or(u32::MAX).max(1);
        Self { max_memory_bytes, max_cpu_percent, cores, seen: Mutex::new(seen) }
    }

    /// Why the process should take no new work: it uses more memory than it may.
    #[must_use]
    pub fn shortage(&self) -> Option<String> {
        memory_excess(memory::resident_bytes(), self.max_memory_bytes)
    }

    /// What an operator should look at.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let cpu = cpu_excess(seen.cpu_percent, self.max_cpu_percent);
        self.shortage().into_iter().chain(cpu).collect()
    }

    /// Measures, and logs what is worth a warning when it begins. To be called every second or so.
    pub fn look(&self) {
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let elapsed = seen.since.elapsed();
            if elapsed < CPU_WINDOW {
                return;
            }
            let cpu = process_cpu();
            seen.cpu_percent = Some(percent_of(cpu.saturating_sub(seen.cpu), elapsed, self.cores));
            (seen.since, seen.cpu) = (Instant::now(), cpu);
        }
        let warnings = self.warnings();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.len() > seen.warned.len() {
            warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        }
        seen.warned = warnings;
    }
}

fn memory_excess(used_bytes: u64, max_bytes: Option<u64>) -> Option<String> {
    let max_bytes = max_bytes.filter(|max| used_bytes > *max)?;
    let (used, max) = (megabytes(used_bytes), megabytes(max_bytes));
    Some(format!("this master uses {used} MB of memory, more than max_memory_usage ({max} MB): it starts no runs"))
}

fn cpu_excess(used_percent: Option<f64>, max_percent: Option<u8>) -> Option<String> {
    let (used, max) = (used_percent?, max_percent?);
    (used > f64::from(max))
        .then(|| format!("this master uses {used:.0} % of the processors, more than max_cpu_usage ({max} %)"))
}

fn megabytes(bytes: u64) -> u64 {
    bytes / 1_000_000
}

fn percent_of(cpu: Duration, elapsed: Duration, cores: u32) -> f64 {
    let could = elapsed.as_secs_f64() * f64::from(cores);
    if could > 0.0 { cpu.as_secs_f64() / could * 100.0 } else { 0.0 }
}

/// CPU time of this process so far.
fn process_cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_a_limit_there_is_a_reason() {
        assert_eq!((memory_excess(9, None), memory_excess(9, Some(9))), (None, None));
        let reason = memory_excess(5_000_000, Some(4_000_000)).expect("too much");
        assert!(reason.contains("5 MB") && reason.contains("max_memory_usage (4 MB)"), "{reason}");
        assert_eq!(
            [cpu_excess(None, Some(1)), cpu_excess(Some(80.0), Some(80)), cpu_excess(Some(99.0), None)],
            [const { None }; 3]
        );
        assert!(cpu_excess(Some(80.4), Some(80)).is_some_and(|reason| reason.contains("max_cpu_usage (80 %)")));
    }

    #[test]
    fn a_share_is_of_all_cores() {
        let seconds = Duration::from_secs;
        assert_eq!([percent_of(seconds(5), seconds(10), 2), percent_of(seconds(1), seconds(0), 2)], [25.0, 0.0]);
    }

    #[test]
    fn a_process_that_uses_more_memory_than_it_may_is_short_of_it() {
        assert!(Resources::new(Some(1), None, 1).shortage().is_some());
        assert_eq!(Resources::new(None, None, 1).shortage(), None);
    }
}
