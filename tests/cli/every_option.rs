//! Every option that clap knows, from the command line, from its variables and from files.

use akrida::cli::flags::later;
use akrida::cli::option_table::{OptionKind, OptionSpec, find, options};
use akrida::cli::{CliError, Invocation};

use super::surroundings::Surroundings;

/// A value that differs from the default. An option that is missing here fails the tests.
fn sample(option: &OptionSpec) -> &'static str {
    match option.key.as_str() {
        _ if option.kind == OptionKind::Flag => "true",
        "locustfile" => "other.yml",
        "tags" | "exclude-tags" => "[slow, rare]",
        "user-classes" => "[Visitor, Buyer]",
        "host" => "http://127.0.0.1:8000",
        "users" => "12",
        "spawn-rate" => "0.5",
        "run-time" => "1h30m",
        "stop-timeout" | "autoquit" => "10s",
        "processes" => "7",
        "exit-code-on-error" => "9",
        "cacert" | "client-cert" | "client-key" => "some.pem",
        "dns" => "ttl",
        "allow-host" => "[a.test, b.test:8080]",
        "csv" | "json-file" | "profile" => "name",
        "html" | "summary-json" | "logfile" => "file.out",
        "loglevel" => "warning",
        "node" | "node-id" => "name",
        "master-bind-host" | "web-host" => "127.0.0.1",
        "master-bind-port" | "web-port" | "master-port" => "6000",
        "web-base-path" => "/locust",
        "expect-workers" => "3",
        "expect-workers-max-wait" => "90",
        "data-dir" => "some/folder",
        "master-host" => "[a.test, b.test:6000]",
        "worker-tags" => "[zone:a, big]",
        key => panic!("give a sample for --{key}"),
    }
}

/// Other options, without which this one is refused or has no effect.
fn companions(key: &str) -> &'static [&'static str] {
    match key {
        "csv-full-history" => &["--csv=name"],
        "debug-secrets" => &["--debug-user"],
        "autoquit" => &["--autostart"],
        "headful" => &["--headless", "--autostart"],
        "node"
        | "master-bind-host"
        | "master-bind-port"
        | "expect-workers"
        | "expect-workers-max-wait"
        | "web-host"
        | "web-port"
        | "web-base-path"
        | "data-dir" => &["--master"],
        "node-id" | "master-host" | "master-port" | "worker-tags" => &["--worker"],
        "client-cert" => &["--client-key=k.pem"],
        "client-key" => &["--client-cert=c.pem"],
        _ => &[],
    }
}

fn usable_options() -> impl Iterator<Item = &'static OptionSpec> {
    options().iter().filter(|option| later::refusal(&option.key).is_none() && option.key != "config")
}

fn typed(option: &OptionSpec) -> Result<Invocation, CliError> {
    let mut items: Vec<&str> = sample(option).trim_matches(['[', ']']).split(", ").collect();
    let joined = items.join(",");
    if option.key == "master-host" {
        // One word, so that a user class may follow.
        items = vec![joined.as_str()];
    }
    let mut arguments = companions(&option.key).to_vec();
    let name = format!("--{}", option.key);
    if !option.positional {
        arguments.push(&name);
    }
    if option.kind != OptionKind::Flag {
        arguments.extend(items);
    }
    Surroundings::with_scenario().parse(&arguments)
}

fn in_variable(option: &OptionSpec, name: &str) -> Result<Invocation, CliError> {
    Surroundings::with_scenario().variable(name, sample(option)).parse(companions(&option.key))
}

fn in_file(option: &OptionSpec, key: &str, line: &str) -> Result<Invocation, CliError> {
    let line = line.replace("KEY", key).replace("VALUE", sample(option));
    Surroundings::with_scenario().file("here/locust.conf", line).parse(companions(&option.key))
}

#[test]
fn every_option_means_the_same_from_everywhere() {
    for option in usable_options() {
        let expected = typed(option);
        assert!(expected.is_ok(), "--{}: {expected:?}", option.key);
        let without = Surroundings::with_scenario().parse(companions(&option.key));
        assert_ne!(expected, without, "--{} has no effect", option.key);
        let deployments = option.deployment_variable.map(str::to_owned);
        for name in deployments.iter().chain(&option.locust_variable).chain(&option.akrida_variables) {
            assert_eq!(in_variable(option, name), expected, "{name}");
        }
        for key in std::iter::once(&option.key).chain(&option.aliases) {
            for line in ["KEY = VALUE", "KEY=VALUE # why", "KEY: VALUE"] {
                assert_eq!(in_file(option, key, line), expected, "{key} as {line}");
            }
        }
    }
}

#[test]
fn every_option_that_cannot_be_used_is_refused_from_everywhere() {
    let mut refused = 0;
    for option in options() {
        let Some(reason) = later::refusal(&option.key) else { continue };
        let name = format!("--{}", option.key);
        let (argument, value) = match option.kind {
            OptionKind::Flag => (name.clone(), "true"),
            OptionKind::Value | OptionKind::List => (format!("{name}=5"), "5"),
        };
        let empty = Surroundings::empty();
        assert_eq!(empty.problems(&[&argument]), [format!("{name}: {reason}")]);
        for variable in option.locust_variable.iter().chain(&option.akrida_variables) {
            let surroundings = Surroundings::empty().variable(variable, value);
            assert_eq!(surroundings.problems(&[]), [format!("{variable}: {reason}")]);
        }
        let surroundings = Surroundings::empty().file("here/locust.conf", format!("\n{} = {value}\n", option.key));
        assert_eq!(surroundings.problems(&[]), [format!("locust.conf:2: {}: {reason}", option.key)]);
        refused += 1;
    }
    assert_eq!(refused, 13);
}

#[test]
fn a_removed_option_names_the_new_one() {
    let empty = Surroundings::empty();
    for (old, new) in
        [("--slave", "--worker"), ("--expect-slaves=3", "--expect-workers"), ("--web-auth=a:b", "--web-login")]
    {
        assert!(empty.problems(&[old])[0].ends_with(new), "{old}");
    }
    assert!(empty.problems(&["--legacy-ui"])[0].contains("was removed"));
}

#[test]
fn an_option_that_cannot_be_used_may_be_switched_off() {
    let surroundings = Surroundings::with_scenario().file("here/locust.conf", "otel = false\nweb-login = no\n");
    assert_eq!(surroundings.run(&[]), Surroundings::with_scenario().run(&[]));
}

#[test]
fn variables_have_the_names_that_locust_gives_them() {
    for (key, variable) in [
        ("locustfile", Some("LOCUST_LOCUSTFILE")),
        ("host", Some("LOCUST_HOST")),
        ("users", Some("LOCUST_USERS")),
        ("spawn-rate", Some("LOCUST_SPAWN_RATE")),
        ("run-time", Some("LOCUST_RUN_TIME")),
        ("web-host", Some("LOCUST_WEB_HOST")),
        ("web-port", Some("LOCUST_WEB_PORT")),
        ("web-base-path", Some("LOCUST_WEB_BASE_PATH")),
        ("headless", Some("LOCUST_HEADLESS")),
        ("autostart", Some("LOCUST_AUTOSTART")),
        ("autoquit", Some("LOCUST_AUTOQUIT")),
        ("class-picker", Some("LOCUST_USERCLASS_PICKER")),
        ("tls-cert", Some("LOCUST_TLS_CERT")),
        ("master", Some("LOCUST_MODE_MASTER")),
        ("worker", Some("LOCUST_MODE_WORKER")),
        ("master-host", Some("LOCUST_MASTER_NODE_HOST")),
        ("master-port", Some("LOCUST_MASTER_NODE_PORT")),
        ("master-bind-port", Some("LOCUST_MASTER_BIND_PORT")),
        ("expect-workers-max-wait", Some("LOCUST_EXPECT_WORKERS_MAX_WAIT")),
        ("processes", Some("LOCUST_PROCESSES")),
        ("tags", Some("LOCUST_TAGS")),
        ("exclude-tags", Some("LOCUST_EXCLUDE_TAGS")),
        ("csv", Some("LOCUST_CSV")),
        ("csv-full-history", Some("LOCUST_CSV_FULL_HISTORY")),
        ("html", Some("LOCUST_HTML")),
        ("skip-log-setup", Some("LOCUST_SKIP_LOG_SETUP")),
        ("loglevel", Some("LOCUST_LOGLEVEL")),
        ("exit-code-on-error", Some("LOCUST_EXIT_CODE_ON_ERROR")),
        ("stop-timeout", Some("LOCUST_STOP_TIMEOUT")),
        ("otel", Some("LOCUST_ENABLE_OPENTELEMETRY")),
        ("user-classes", Some("LOCUST_USER_CLASSES")),
        ("json", None),
        ("json-file", None),
        ("equal-weights", None),
        ("profile", None),
        ("list", None),
        ("show-task-ratio", None),
        ("summary-json", None),
    ] {
        assert_eq!(find(key).unwrap().locust_variable.as_deref(), variable, "{key}");
    }
    for option in options() {
        if let Some(name) = &option.locust_variable {
            assert_eq!(option.akrida_variables[0], name.replace("LOCUST_", "AKRIDA_"));
        }
    }
    assert_eq!(find("json").unwrap().akrida_variables, ["AKRIDA_JSON"]);
    assert_eq!(find("locustfile").unwrap().akrida_variables, ["AKRIDA_LOCUSTFILE", "AKRIDA_SCENARIO"]);
}

#[test]
fn booleans_take_every_form() {
    for (text, expected) in [("true", true), ("1", true), ("YES", true), ("False", false), ("0", false), ("no", false)]
    {
        let surroundings = Surroundings::with_scenario().variable("LOCUST_RESET_STATS", text);
        assert_eq!(surroundings.run(&[]).reset_stats, expected, "{text}");
    }
}

#[test]
fn lists_take_every_form() {
    for text in ["[a, b]", "a b", "a,b", "a, b", "[\"a\", 'b']"] {
        let surroundings = Surroundings::with_scenario().variable("LOCUST_TAGS", text);
        assert_eq!(surroundings.run(&[]).tags, ["a", "b"], "{text}");
        let surroundings = Surroundings::with_scenario().file("here/locust.conf", format!("tags = {text}\n"));
        assert_eq!(surroundings.run(&[]).tags, ["a", "b"], "{text}");
    }
    let surroundings = Surroundings::with_scenario();
    for arguments in [&["-T", "a", "b"][..], &["-T", "a", "-T", "b"], &["--tags", "a,b"], &["--tags=a", "--tags=b"]] {
        assert_eq!(surroundings.run(arguments).tags, ["a", "b"], "{arguments:?}");
    }
}
