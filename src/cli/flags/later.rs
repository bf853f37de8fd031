//! Options that are known but cannot be used: Locust's that this build does not have, and those that Locust removed.
//! They are refused by name, so that none is ever ignored in silence.

use clap::{Arg, ArgAction};

/// What an option takes.
#[derive(Clone, Copy)]
enum Takes {
    Nothing,
    Value,
    Values,
}

use Takes::{Nothing, Value, Values};

const NOT_YET: &str = "not available in this build yet";

/// The long name, the short one, what it takes, and why it is refused.
const LATER: [(&str, Option<char>, Takes, &str); 13] = [
    ("web-host-display-name", None, Value, NOT_YET),
    ("web-login", None, Nothing, NOT_YET),
    ("tls-cert", None, Value, NOT_YET),
    ("tls-key", None, Value, NOT_YET),
    ("class-picker", None, Nothing, NOT_YET),
    ("build-path", None, Value, NOT_YET),
    ("config-users", None, Values, NOT_YET),
    ("enable-rebalancing", None, Nothing, NOT_YET),
    ("otel", None, Nothing, NOT_YET),
    ("slave", None, Nothing, "was renamed to --worker"),
    ("expect-slaves", None, Value, "was renamed to --expect-workers"),
    ("web-auth", None, Value, "was replaced by --web-login"),
    ("legacy-ui", None, Nothing, "was removed, since there is one web UI only; leave it out"),
];

/// The options for clap, hidden from the help.
pub(crate) fn arguments() -> impl Iterator<Item = Arg> {
    LATER.iter().map(|&(long, short, takes, _)| {
        let argument = Arg::new(long).long(long).hide(true);
        let argument = match short {
            Some(short) => argument.short(short),
            None => argument,
        };
        match takes {
            Nothing => argument.action(ArgAction::SetTrue),
            Value => argument.action(ArgAction::Set).allow_negative_numbers(true),
            Values => argument.action(ArgAction::Append).num_args(1..),
        }
    })
}

/// Why the option with this long name is refused, if it is.
#[must_use]
pub fn refusal(long: &str) -> Option<&'static str> {
    LATER.iter().find(|entry| entry.0 == long).map(|entry| entry.3)
}
