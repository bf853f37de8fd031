//! No command line, variable or file can make the parser panic.

use std::ffi::OsString;

use akrida::cli::option_table::options;
use akrida::cli::{Exit, command};
use proptest::prelude::*;

use super::surroundings::Surroundings;

/// Words that mean something, and others.
fn word() -> impl Strategy<Value = String> {
    let keys: Vec<String> = options().iter().map(|option| option.key.clone()).collect();
    let commands: Vec<String> = command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    prop_oneof![
        prop::sample::select(keys).prop_map(|key| format!("--{key}")),
        (prop::sample::select(options()), "\\PC{0,8}").prop_map(|(option, value)| format!("--{}={value}", option.key)),
        prop::sample::select(commands),
        "-[a-zA-Z0-9]{1,3}",
        "-?[0-9.]{1,22}(h|m|s|ms)?",
        "--[a-z-]{0,12}=?",
        "[\\[\\]'\", #;=:a-c]{0,12}",
        "\\PC{0,12}",
    ]
}

/// Any argument, also one that is no text.
fn argument() -> impl Strategy<Value = OsString> {
    prop_oneof![9 => word().prop_map(OsString::from), 1 => prop::collection::vec(1_u8..=255, 0..6).prop_map(from_bytes)]
}

#[cfg(unix)]
fn from_bytes(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn from_bytes(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// Lines that look like settings, and others.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let keys: Vec<String> = options().iter().map(|option| option.key.clone()).collect();
    let line = prop_oneof![
        (prop::sample::select(keys), " ?[=:] ?", word()).prop_map(|(key, separator, value)| key + &separator + &value),
        word(),
        Just("[tool.locust]".to_owned()),
    ];
    prop_oneof![
        9 => prop::collection::vec(line, 0..5).prop_map(|lines| lines.join("\n").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_input_is_answered(
        arguments in prop::collection::vec(argument(), 0..6),
        variables in prop::collection::vec((prop::sample::select(options()), argument()), 0..4),
        conf in content(),
        toml in content(),
    ) {
        let mut surroundings = Surroundings::empty().file("here/locust.conf", conf).file("here/pyproject.toml", toml);
        for (option, value) in variables {
            for name in option.locust_variable.iter().chain(&option.akrida_variables) {
                surroundings = surroundings.variable(name, value.clone());
            }
        }
        if let Err(error) = surroundings.parse(&arguments) {
            prop_assert!(matches!(error.exit(), Exit::Passed | Exit::Usage));
            prop_assert!(error.text().ends_with('\n'));
        }
    }

    #[test]
    fn an_option_taken_alone_keeps_its_meaning(users in 1_u64..10_000_000, rate in 0.001_f64..1_000_000.0, seconds in 1_u64..1_000_000) {
        let (users_text, rate_text, time_text) = (users.to_string(), rate.to_string(), format!("{}m{}s", seconds / 60, seconds % 60));
        let run = Surroundings::with_scenario().run(&["-u", &users_text, "-r", &rate_text, "-t", &time_text]);
        prop_assert_eq!((run.users, run.spawn_rate_per_s), (users, rate));
        prop_assert_eq!(run.run_time.map(|span| span.as_secs()), Some(seconds));
    }
}
