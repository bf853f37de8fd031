//! What clap has to say, in our words and on one line.

use std::error::Error;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What is wrong with a command line.
pub(crate) fn message_of(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(name) = unknown_argument(error)
    {
        return match error.get(ContextKind::SuggestedArg) {
            Some(ContextValue::String(known)) => format!("unknown option {name}; did you mean {known}?"),
            _ => format!("unknown option {name}"),
        };
    }
    first_paragraph(error)
}

/// The name of the option that clap does not know.
pub(crate) fn unknown_argument(error: &clap::Error) -> Option<&str> {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name)) => Some(name),
        _ => None,
    }
}

/// What is wrong with the value of an option whose name is told elsewhere.
pub(crate) fn value_message_of(error: &clap::Error) -> String {
    match (error.kind(), error.get(ContextKind::InvalidValue), error.get(ContextKind::ValidValue)) {
        (ErrorKind::ValueValidation, ..) => error.source().map_or_else(|| first_paragraph(error), ToString::to_string),
        (ErrorKind::InvalidUtf8, ..) => "the value is not valid UTF-8".to_owned(),
        (ErrorKind::InvalidValue, Some(ContextValue::String(value)), _) if value.is_empty() => {
            "the value is missing".to_owned()
        }
        (ErrorKind::InvalidValue, Some(ContextValue::String(value)), Some(ContextValue::Strings(allowed))) => {
            format!("\"{value}\" is not known; allowed: {}", allowed.join(", "))
        }
        _ => first_paragraph(error),
    }
}

/// clap's text up to its first empty line, which is where the hints about the usage begin.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let paragraph = lines.join(" ");
    paragraph.strip_prefix("error: ").unwrap_or(&paragraph).to_owned()
}
