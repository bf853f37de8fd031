//! The text of a threshold: `METRIC [(TARGET)] OPERATOR LIMIT [for SPAN]`.

use super::decimal::Decimal;
use super::quantity::{Quantity, Unit};
use super::{Judged, Metric, Operator, Threshold};
use crate::document::closest;
use crate::limits::{
    LATENCY_MAX, THRESHOLD_ABORT_AFTER, THRESHOLD_CHARS_MAX, THRESHOLD_RATE_MAX_PER_S, THRESHOLD_SPAN_MAX,
};

/// The metrics, as messages list them.
const METRICS: &str = "p95, p99.9 and other percentiles, median, mean, min, max, fail_ratio, rps, failures_per_s, \
                       requests, failures, missed_arrivals";

/// The metrics that have a fixed name.
const NAMED: &[(&str, Metric)] = &[
    ("median", Metric::Percentile(50_000)),
    ("mean", Metric::Mean),
    ("min", Metric::Min),
    ("max", Metric::Max),
    ("fail_ratio", Metric::FailRatio),
    ("rps", Metric::Rps),
    ("failures_per_s", Metric::FailuresPerS),
    ("requests", Metric::Requests),
    ("failures", Metric::Failures),
    ("missed_arrivals", Metric::MissedArrivals),
];

/// What other tools call a metric.
const ELSEWHERE: &[(&str, &str)] = &[
    ("avg", "mean"),
    ("average", "mean"),
    ("med", "median"),
    ("error_rate", "fail_ratio"),
    ("fail_rate", "fail_ratio"),
    ("rate", "rps"),
    ("count", "requests"),
    ("errors", "failures"),
];

const OPERATORS: &[(&str, Operator)] = &[
    ("<", Operator::Less),
    ("<=", Operator::LessOrEqual),
    (">", Operator::Greater),
    (">=", Operator::GreaterOrEqual),
    ("==", Operator::Equal),
];

/// Why a text is no threshold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (character {column} of the threshold)")]
pub struct ParseError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong and what is allowed.
    pub reason: String,
}

/// What is said about a threshold beside its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether the run is stopped as soon as the threshold has failed.
    pub abort: bool,
    /// How long nothing is judged after the start of the statistics, in seconds.
    pub after_s: Option<u32>,
}

/// Reads a threshold.
///
/// # Errors
/// Where the text departs from the grammar, and what is allowed there.
pub fn parse(text: &str, options: Options) -> Result<Threshold, ParseError> {
    let mut reader = Reader { text, at: 0 };
    if text.chars().count() > THRESHOLD_CHARS_MAX {
        return Err(reader.error(0, format!("a threshold has at most {THRESHOLD_CHARS_MAX} characters")));
    }
    let metric = reader.metric()?;
    let target = reader.target()?;
    if metric == Metric::MissedArrivals && target.is_some() {
        return Err(reader.error(0, "missed_arrivals are of the whole run and have no name".to_owned()));
    }
    let operator = reader.operator()?;
    let limit = reader.limit(metric)?;
    let judged = match reader.span()? {
        Some(_) if metric == Metric::MissedArrivals => {
            let reason = "missed_arrivals are counted over the whole run and take no `for`";
            return Err(reader.error(0, reason.to_owned()));
        }
        Some(violated_s) => Judged::Sustained { violated_s },
        None if options.abort => Judged::Continuously,
        None => Judged::AtEnd,
    };
    let after_s = match (judged, options.after_s) {
        (Judged::AtEnd, Some(_)) => {
            let reason =
                "`after` has a meaning only with `abort: true` or `for`, as this threshold is judged at the end";
            return Err(reader.error(0, reason.to_owned()));
        }
        (_, Some(after_s)) => after_s,
        (Judged::Continuously, None) => THRESHOLD_ABORT_AFTER.as_secs() as u32,
        (_, None) => 0,
    };
    let text = text.trim().into();
    Ok(Threshold {
        text,
        metric,
        target: target.map(Into::into),
        operator,
        limit,
        judged,
        abort: options.abort,
        after_s,
    })
}

/// A text and how far it was read, in bytes.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn error(&self, at: usize, reason: String) -> ParseError {
        ParseError { column: self.text[..at].chars().count() + 1, reason }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// The characters that come next and are of this kind.
    fn take(&mut self, kind: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|character| !kind(character)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// The next character, for messages.
    fn found(&self) -> String {
        match self.rest().chars().next() {
            Some(character) => format!("found {character:?}"),
            None => "the threshold ends here".to_owned(),
        }
    }

    fn metric(&mut self) -> Result<Metric, ParseError> {
        self.skip_blanks();
        let at = self.at;
        let word = self.take(|character| character.is_ascii_alphanumeric() || "_.-".contains(character));
        if word.is_empty() {
            return Err(self.error(at, format!("{}, expected a metric: {METRICS}", self.found())));
        }
        if let Some((_, metric)) = NAMED.iter().find(|(name, _)| *name == word) {
            return Ok(*metric);
        }
        let percent =
            word.strip_prefix('p').filter(|percent| percent.starts_with(|first: char| first.is_ascii_digit()));
        let Some(percent) = percent else { return Err(self.error(at, unknown_metric(word))) };
        let thousandths = Decimal::parse(percent).and_then(|percent| percent.times(1_000));
        match thousandths.filter(|thousandths| (1..=100_000).contains(thousandths)) {
            Some(thousandths) => Ok(Metric::Percentile(thousandths as u32)),
            None => {
                let reason =
                    format!("`{word}` is no percentile, expected one from p0.001 to p100, such as p95 or p99.9");
                Err(self.error(at, reason))
            }
        }
    }

    /// A name in round brackets, in which brackets are balanced, or in quotes within them.
    fn target(&mut self) -> Result<Option<&'t str>, ParseError> {
        self.skip_blanks();
        if !self.rest().starts_with('(') {
            return Ok(None);
        }
        let opened = self.at;
        let inner = &self.rest()[1..];
        let quoted = inner.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let (name, length) = match quoted {
            Some((name, rest)) if rest.trim_start().starts_with(')') => (name, inner.len() - rest.trim_start().len()),
            _ => {
                let length = balanced(inner).ok_or_else(|| {
                    let reason = "the bracket is never closed, expected `(NAME)`; a name with single brackets is \
                                  written in quotes: `(\"a(b\")`";
                    self.error(opened, reason.to_owned())
                })?;
                (inner[..length].trim(), length)
            }
        };
        self.at += length + 2;
        if name.is_empty() {
            let reason = "the brackets are empty, expected the name of requests or of a group, or no brackets at all";
            return Err(self.error(opened, reason.to_owned()));
        }
        Ok(Some(name))
    }

    fn operator(&mut self) -> Result<Operator, ParseError> {
        self.skip_blanks();
        let at = self.at;
        let sign = self.take(|character| "<>=!~".contains(character));
        if let Some((_, operator)) = OPERATORS.iter().find(|(known, _)| *known == sign) {
            return Ok(*operator);
        }
        let found = if sign.is_empty() { self.found() } else { format!("found `{sign}`") };
        let meant = match sign {
            "=" | "===" => ", did you mean `==`?",
            "=<" => ", did you mean `<=`?",
            "=>" => ", did you mean `>=`?",
            _ => "",
        };
        Err(self.error(at, format!("{found}, expected one of <, <=, >, >=, =={meant}")))
    }

    /// The limit: everything up to the word `for`.
    fn limit(&mut self, metric: Metric) -> Result<Quantity, ParseError> {
        self.skip_blanks();
        let (at, rest) = (self.at, self.rest());
        let ends = rest.match_indices("for").map(|(from, _)| from).find(|from| {
            let before = rest[..*from].chars().next_back();
            let after = rest[from + 3..].chars().next();
            before.is_none_or(char::is_whitespace) && after.is_none_or(char::is_whitespace)
        });
        let length = ends.unwrap_or(rest.len());
        self.at += length;
        let text = rest[..length].trim();
        let unit = metric.unit();
        limit_of(text, unit).map(|value| unit.of(value)).map_err(|reason| self.error(at, reason))
    }

    /// `for SPAN`, in seconds, if it is there.
    fn span(&mut self) -> Result<Option<u32>, ParseError> {
        let Some(text) = self.rest().strip_prefix("for") else { return Ok(None) };
        let at = self.text.len() - text.trim_start().len();
        let longest_s = THRESHOLD_SPAN_MAX.as_secs();
        let span_us = time_us(text.trim()).map_err(|reason| self.error(at, reason))?;
        let seconds =
            Some(span_us / 1_000_000).filter(|s| span_us.is_multiple_of(1_000_000) && (1..=longest_s).contains(s));
        match seconds {
            Some(seconds) => Ok(Some(seconds as u32)),
            None => {
                let reason = format!("`for` takes whole seconds from 1s to {longest_s}s, found {:?}", text.trim());
                Err(self.error(at, reason))
            }
        }
    }
}

/// Where the bracket that was opened before a text is closed.
fn balanced(text: &str) -> Option<usize> {
    let mut open = 1;
    for (at, character) in text.char_indices() {
        match character {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

fn unknown_metric(word: &str) -> String {
    let meant = ELSEWHERE.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours);
    let meant = meant.or_else(|| closest(word, NAMED.iter().map(|(name, _)| *name)));
    let meant = meant.map(|meant| format!(", did you mean `{meant}`?")).unwrap_or_default();
    format!("unknown metric `{word}`{meant} (allowed: {METRICS})")
}

fn limit_of(text: &str, unit: Unit) -> Result<u64, String> {
    match unit {
        Unit::Microseconds => {
            let limit_us = time_us(text)?;
            let longest = LATENCY_MAX;
            if u128::from(limit_us) > longest.as_micros() {
                return Err(format!("{text:?} is longer than {longest:?}, the longest latency that is told apart"));
            }
            Ok(limit_us)
        }
        Unit::PartsPerMillion => ratio_ppm(text),
        Unit::MillionthsPerSecond => {
            let number = text.strip_suffix("/s").unwrap_or(text).trim_end();
            let rate = Decimal::parse(number).and_then(|rate| rate.times(1_000_000));
            rate.filter(|rate| *rate <= THRESHOLD_RATE_MAX_PER_S * 1_000_000).ok_or_else(|| {
                format!("{text:?} is no rate, expected one up to {THRESHOLD_RATE_MAX_PER_S}/s such as 1000 or 2.5/s")
            })
        }
        Unit::Count => Decimal::parse(text)
            .and_then(|count| count.times(1))
            .ok_or_else(|| format!("{text:?} is no count, expected a whole number such as 0 or 1000")),
    }
}

/// A share: `1%`, or `0.01` of the whole.
fn ratio_ppm(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no share, expected one such as 1%, 0.5% or 0.01, in steps of 0.0001%");
    let (number, ppm) = match text.strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 10_000),
        None => (text, 1_000_000),
    };
    let ratio = Decimal::parse(number).and_then(|ratio| ratio.times(ppm)).ok_or_else(wrong)?;
    match ratio {
        1_000_000 if ppm == 1_000_000 => Err(format!("{text:?} may be a percent or the whole, expected 1% or 100%")),
        0..=1_000_000 => Ok(ratio),
        _ => Err(format!("{text:?} is more than the whole, expected at most 100%")),
    }
}

/// A time: `300ms`, `1.5s`, `1m30s`, in microseconds.
fn time_us(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no time, expected one such as 300ms, 1.5s or 1m30s");
    let mut total_us = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.');
        let (number, tail) = rest.split_at(digits.unwrap_or(rest.len()));
        let tail = tail.trim_start();
        let letters = tail.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let number = Decimal::parse(number).ok_or_else(wrong)?;
        let unit_us = match unit {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "" => return Err(format!("{text:?} has no unit, expected one such as {text}ms or {text}s")),
            _ => return Err(format!("{text:?} has no unit that is known (us, ms, s, m, h)")),
        };
        let part = number.times(unit_us).ok_or_else(|| format!("{text:?} is not a whole number of microseconds"))?;
        total_us = total_us.checked_add(part).ok_or_else(wrong)?;
        rest = tail.trim_start();
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total_us) }
}

#[cfg(test)]
mod tests;
