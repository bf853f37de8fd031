//! Wait times: `2s`, `1s..5s`, `pacing 5s`, `throughput 10/s`, `poisson 2/s`.

use std::time::Duration;

use super::Decoder;
use super::cursor::Cursor;
use crate::document::duration_of;
use crate::document::problem::shown;
use crate::limits::{USER_RATE_MAX_PER_S, WAIT_MAX};
use crate::scenario::model::WaitTime;

const ALLOWED: &str = "`2s`, `1s..5s`, `pacing 5s`, `throughput 10/s` or `poisson 2/s`";
const ALLOWED_IN_STEP: &str = "`2s`, `1s..5s` or `poisson 2/s`";

impl<'n> Decoder<'n> {
    /// The pause between tasks.
    pub(super) fn wait_time(&mut self, cursor: &Cursor<'n>) -> Option<WaitTime> {
        self.wait_time_of(cursor, ALLOWED)
    }

    /// The pause of a `wait` step, which has no start of a task to be paced from.
    pub(super) fn wait_of_step(&mut self, cursor: &Cursor<'n>) -> Option<WaitTime> {
        let wait = self.wait_time_of(cursor, ALLOWED_IN_STEP)?;
        if let WaitTime::Pacing(_) = wait {
            let message = format!("a step cannot be paced: `wait` takes {ALLOWED_IN_STEP}");
            self.problem(cursor, message);
            return None;
        }
        Some(wait)
    }

    fn wait_time_of(&mut self, cursor: &Cursor<'n>, allowed: &str) -> Option<WaitTime> {
        let text = self.text(cursor, allowed)?;
        match parse(text) {
            Ok(wait) => Some(wait),
            Err(reason) => {
                self.problem(cursor, format!("{reason}, expected {allowed}"));
                None
            }
        }
    }
}

fn parse(text: &str) -> Result<WaitTime, String> {
    let text = text.trim();
    if let Some((word, argument)) = text.split_once(char::is_whitespace).filter(|(word, _)| is_word(word)) {
        return match word {
            "pacing" => bounded(argument).map(WaitTime::Pacing),
            "throughput" => period(argument).map(WaitTime::Pacing),
            "poisson" => period(argument).map(WaitTime::Poisson),
            _ => Err(format!("{:?} is no wait time", shown(text))),
        };
    }
    match text.split_once("..") {
        None => bounded(text).map(WaitTime::Constant),
        Some((low, high)) => {
            let (low, high) = (bounded(low)?, bounded(high)?);
            if low > high {
                return Err(format!("the range {:?} ends before it begins", shown(text)));
            }
            Ok(WaitTime::Between(low, high))
        }
    }
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn bounded(text: &str) -> Result<Duration, String> {
    let duration = duration_of(text)?;
    if duration > WAIT_MAX {
        return Err(format!("{:?} is longer than {WAIT_MAX:?}", shown(text)));
    }
    Ok(duration)
}

/// The time between two events of a rate such as `10/s` or `90/m`.
fn period(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{:?} is no rate", shown(text));
    let (count, unit) = text.trim().split_once('/').ok_or_else(wrong)?;
    let unit_s = match unit.trim() {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return Err(wrong()),
    };
    let rate_per_s = count.trim().parse::<f64>().map_err(|_| wrong())? / unit_s;
    let lowest = 1.0 / WAIT_MAX.as_secs_f64();
    if !(lowest..=USER_RATE_MAX_PER_S).contains(&rate_per_s) {
        return Err(format!("the rate {:?} is not between 1 in {WAIT_MAX:?} and {USER_RATE_MAX_PER_S}/s", shown(text)));
    }
    Ok(Duration::from_secs_f64(1.0 / rate_per_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let s = Duration::from_secs;
        for (text, expected) in [
            ("0s", WaitTime::Constant(s(0))),
            ("2", WaitTime::Constant(s(2))),
            ("500ms", WaitTime::Constant(Duration::from_millis(500))),
            ("1s..5s", WaitTime::Between(s(1), s(5))),
            ("1 .. 5", WaitTime::Between(s(1), s(5))),
            ("pacing 5s", WaitTime::Pacing(s(5))),
            ("throughput 10/s", WaitTime::Pacing(Duration::from_millis(100))),
            ("throughput 30/m", WaitTime::Pacing(s(2))),
            ("poisson 2/s", WaitTime::Poisson(Duration::from_millis(500))),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_wait_time_is_refused() {
        for text in [
            "",
            "soon",
            "5s..1s",
            "-1s",
            "1s..-2s",
            "pacing",
            "pacing x",
            "throughput 10",
            "throughput 0/s",
            "throughput -1/s",
            "poisson NaN/s",
            "poisson inf/s",
            "poisson 1e9/s",
            "25h",
            "sleep 5s",
            "1s..2s..3s",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
