//! What a run is told.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use akrida::cli::checked::{ClientCertificate, Console, Log, Outputs, Tls};
use akrida::cli::flags::connection::DnsPolicy;
use akrida::cli::flags::logging::LogLevel;
use akrida::cli::{Exit, ExpectedWorkers, Invocation, RunOptions, StartMode};

use super::surroundings::Surroundings;

#[test]
fn defaults_are_those_of_locust() {
    let expected = RunOptions {
        scenario: PathBuf::from("akrida.yml"),
        host: None,
        users: 1,
        spawn_rate_per_s: 1.0,
        load_flags: Vec::new(),
        run_time: None,
        stop_timeout: Duration::ZERO,
        mode: StartMode::Headless,
        notices: Vec::new(),
        outputs: Outputs::default(),
        console: Console { only_summary: false, print_stats: false },
        tags: Vec::new(),
        exclude_tags: Vec::new(),
        user_classes: Vec::new(),
        equal_weights: false,
        reset_stats: false,
        processes: NonZeroUsize::new(2).unwrap(),
        workers: ExpectedWorkers::default(),
        profile: None,
        exit_code_on_error: 1,
        fail_on_invalid: false,
        tls: Tls { insecure: false, ca: None, client: None },
        dns: DnsPolicy::Once,
        allowed_hosts: Vec::new(),
        log: Log::default(),
    };
    assert_eq!(Surroundings::with_scenario().run(&["--headless"]), expected);
}

#[test]
fn a_whole_command_line() {
    let run = Surroundings::empty().run(&[
        "-f",
        "first.yml",
        "-H",
        "http://127.0.0.1:8000",
        "-u",
        "1000",
        "-r",
        "100",
        "-t",
        "60s",
        "-s",
        "500ms",
        "--headless",
        "--csv",
        "out/run",
        "--csv-full-history",
        "--html",
        "{u}-{r}-{t}.html",
        "--json",
        "--json-file",
        "v1.2",
        "--summary-json",
        "sum.json",
        "--only-summary",
        "-T",
        "a",
        "-E",
        "b",
        "--processes",
        "-1",
        "-L",
        "debug",
        "--insecure",
        "--client-cert",
        "c.pem",
        "--client-key",
        "k.pem",
        "Visitor",
        "Buyer",
    ]);
    assert_eq!(run.scenario, Path::new("first.yml"));
    assert_eq!(run.host.as_deref(), Some("http://127.0.0.1:8000"));
    assert_eq!((run.users, run.spawn_rate_per_s), (1_000, 100.0));
    assert_eq!((run.run_time, run.stop_timeout), (Some(Duration::from_secs(60)), Duration::from_millis(500)));
    let outputs = Outputs {
        csv_prefix: Some("out/run".into()),
        csv_full_history: true,
        html: Some("1000-100-60.html".into()),
        json_stdout: true,
        json_file: Some("v1.2.json".into()),
        summary_json: Some("sum.json".into()),
    };
    assert_eq!(run.outputs, outputs);
    assert_eq!((run.tags, run.exclude_tags), (vec!["a".to_owned()], vec!["b".to_owned()]));
    assert_eq!(run.processes.get(), 2);
    assert_eq!(run.log.config.level, LogLevel::Debug);
    let client = ClientCertificate { certificate: "c.pem".into(), key: "k.pem".into() };
    assert_eq!(run.tls, Tls { insecure: true, ca: None, client: Some(client) });
    assert_eq!(run.user_classes, ["Visitor", "Buyer"]);
    assert!(run.notices.is_empty());
}

#[test]
fn the_name_of_the_report_keeps_fractions_and_what_is_unknown() {
    let html = |arguments: &[&str]| Surroundings::with_scenario().run(arguments).outputs.html.unwrap();
    assert_eq!(html(&["--html", "{u}_{r}_{t}.html", "-r", "0.5", "-t", "1m"]), Path::new("1_0.5_60.html"));
    assert_eq!(html(&["--html", "{t}.html"]), Path::new("{t}.html"));
}

#[test]
fn a_json_file_that_is_named_in_full_keeps_its_name() {
    let run = Surroundings::with_scenario().run(&["--json-file", "out.json"]);
    assert_eq!(run.outputs.json_file.as_deref(), Some(Path::new("out.json")));
}

#[test]
fn how_a_run_starts() {
    let surroundings = Surroundings::with_scenario();
    let mode = |arguments: &[&str]| {
        let run = surroundings.run(arguments);
        (run.mode, run.notices.join("; ").contains("the web UI is not in this build"))
    };
    let autostart = |seconds: Option<u64>| StartMode::Autostart { autoquit: seconds.map(Duration::from_secs) };
    assert_eq!(mode(&["--headless"]), (StartMode::Headless, false));
    assert_eq!(mode(&["--headless", "--autostart"]), (StartMode::Headless, false));
    assert_eq!(mode(&[]), (StartMode::Headless, true));
    assert_eq!(mode(&["--headless", "--headful"]), (StartMode::Headless, true));
    assert_eq!(mode(&["--autostart"]), (autostart(None), true));
    assert_eq!(mode(&["--autostart", "--autoquit", "5"]), (autostart(Some(5)), true));
    assert_eq!(mode(&["--autostart", "--autoquit", "-1"]), (autostart(None), true));
}

#[test]
fn the_last_of_a_repeated_option_counts() {
    assert_eq!(Surroundings::with_scenario().run(&["-u", "1", "--users=2", "--headless", "--headless"]).users, 2);
}

#[test]
fn other_questions_take_the_same_options() {
    let surroundings = Surroundings::with_scenario();
    let Ok(Invocation::List(options)) = surroundings.parse(&["-l"]) else { panic!("no list") };
    assert_eq!(options.scenario, Path::new("akrida.yml"));
    for (flag, as_json) in [("--show-task-ratio", false), ("--show-task-ratio-json", true)] {
        let Ok(Invocation::TaskRatio { json, options }) = surroundings.parse(&[flag, "-u", "3", "-T", "a"]) else {
            panic!("{flag} is no question");
        };
        assert_eq!((json, options.users, options.tags), (as_json, 3, vec!["a".to_owned()]));
    }
}

#[test]
fn how_a_run_ends() {
    let surroundings = Surroundings::with_scenario();
    let strict = surroundings.run(&["--fail-on-invalid"]);
    let lenient = surroundings.run(&["--exit-code-on-error", "7"]);
    let silent = surroundings.run(&["--exit-code-on-error", "0"]);
    assert_eq!(Exit::of_run(false, false, &strict).code(), 0);
    assert_eq!(Exit::of_run(true, false, &strict).code(), 1);
    assert_eq!(Exit::of_run(true, true, &strict).code(), 3);
    assert_eq!(Exit::of_run(false, true, &lenient).code(), 0);
    assert_eq!(Exit::of_run(true, true, &lenient).code(), 7);
    assert_eq!(Exit::of_run(true, false, &silent), Exit::Passed);
}
