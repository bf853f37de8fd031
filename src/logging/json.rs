//! Log lines for programs: an object a line, with the names of the Elastic Common Schema, which log shippers know.

use std::fmt::{self, Debug};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

/// The version of the schema whose names are used.
const SCHEMA_VERSION: &str = "8.11.0";

/// Writes an event as an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        writeln!(writer, "{}", line(Timestamp::now(), *metadata.level(), metadata.target(), fields))
    }
}

fn line(at: Timestamp, level: Level, target: &str, fields: Fields) -> Value {
    let level = match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    };
    let mut line = json!({
        "@timestamp": format!("{at:.3}"),
        "log.level": level,
        "message": fields.message,
        "ecs.version": SCHEMA_VERSION,
        "service.name": "akrida",
        "log.logger": target,
        "process.pid": std::process::id(),
    });
    if let (false, Some(line)) = (fields.others.is_empty(), line.as_object_mut()) {
        line.insert("labels".to_owned(), Value::Object(fields.others));
    }
    line
}

/// What an event says.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(message)) => self.message = message,
            (name, value) => drop(self.others.insert(name.to_owned(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_object_with_the_names_of_the_schema() {
        let others = Map::from_iter([("worker".to_owned(), "w\n\"1\"".into()), ("users".to_owned(), 7.into())]);
        let at = Timestamp::from_millisecond(1_795_557_476_012).expect("a time");
        let text = line(at, Level::WARN, "akrida", Fields { message: "a line".to_owned(), others }).to_string();
        assert!(!text.contains('\n'));
        let read: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            read,
            json!({
                "@timestamp": "2026-11-24T21:57:56.012Z", "log.level": "warning", "message": "a line",
                "ecs.version": "8.11.0", "service.name": "akrida", "log.logger": "akrida",
                "process.pid": std::process::id(), "labels": {"worker": "w\n\"1\"", "users": 7},
            })
        );
    }
}
