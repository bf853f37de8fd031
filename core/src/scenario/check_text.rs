//! A check in the words of the file, for whoever looks at single responses.

use std::fmt;

use super::check::{Check, HeaderExpectation, JsonExpectation};
use super::model::ValueTemplate;

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(ranges) => {
                let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
                write!(f, "status {}", ranges.join(" or "))
            }
            Self::Header { name, expected } => write!(f, "header {name} {expected}"),
            Self::BodyContains(text) => write!(f, "body contains {:?}", text.source()),
            Self::BodyLacks(text) => write!(f, "body does not contain {:?}", text.source()),
            Self::BodyMatches(pattern) => write!(f, "body matches {:?}", pattern.as_str()),
            Self::Json { query, expected } => write!(f, "{} {expected}", query.source()),
            Self::Time(limit) => write!(f, "time less than {limit:?}"),
        }
    }
}

impl fmt::Display for HeaderExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => f.write_str("is present"),
            Self::Absent => f.write_str("is absent"),
            Self::Equals(text) => write!(f, "equals {:?}", text.source()),
            Self::Contains(text) => write!(f, "contains {:?}", text.source()),
            Self::Matches(pattern) => write!(f, "matches {:?}", pattern.as_str()),
        }
    }
}

impl fmt::Display for JsonExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => f.write_str("exists"),
            Self::Absent => f.write_str("does not exist"),
            Self::Equals(ValueTemplate::Literal(value)) => write!(f, "equals {value}"),
            Self::Equals(ValueTemplate::Text(text)) => write!(f, "equals {:?}", text.source()),
            Self::Equals(_) => f.write_str("equals a value with templates"),
            Self::Contains(text) => write!(f, "contains {:?}", text.source()),
            Self::Matches(pattern) => write!(f, "matches {:?}", pattern.as_str()),
        }
    }
}
