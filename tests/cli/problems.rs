//! What is wrong, and how it is told.

use akrida::cli::Exit;

use super::surroundings::Surroundings;

#[test]
fn an_unknown_option_gets_a_suggestion() {
    let problems = Surroundings::empty().problems(&["--userss", "5", "--spwan-rate=3", "-y"]);
    let expected = [
        "unknown option --userss; did you mean --users?",
        "unknown option --spwan-rate; did you mean --spawn-rate?",
        "unknown option -y",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn an_unknown_key_gets_a_suggestion() {
    let surroundings = Surroundings::with_scenario()
        .file("home/.locust.conf", "# mine\nspawn_rate = 5\n")
        .file("here/locust.conf", "qqq = 1\nconfig = x\n")
        .file("here/pyproject.toml", "[tool.locust]\nusrs = 5\n");
    let expected = [
        "~/.locust.conf:2: spawn_rate: unknown key; did you mean spawn-rate?",
        "pyproject.toml:2: usrs: unknown key; did you mean users?",
        "locust.conf:1: qqq: unknown key; allowed: the long names of the options, see 'akrida --help'",
        "locust.conf:2: config: only allowed on the command line",
    ];
    assert_eq!(surroundings.problems(&[]), expected);
}

#[test]
fn a_wrong_value_is_named_with_its_place_and_what_is_allowed() {
    let surroundings = Surroundings::with_scenario()
        .file("here/locust.conf", "users = ten\nheadless = maybe\nhost = [a]\n")
        .file("here/pyproject.toml", "[tool.locust]\nusers = [1, 2]\nrun-time = 0\ntags = {a = 1}\n")
        .variable("LOCUST_DNS", "ignored")
        .variable("AKRIDA_DNS", "always")
        .variable("LOCUST_PRINT_STATS", "on");
    let problems = surroundings.problems(&["-r", "-1", "-L", "loud"]);
    let expected = [
        "pyproject.toml:2: users: takes one value, not a list",
        "pyproject.toml:4: tags: takes a value, not a table",
        "locust.conf:2: headless: \"maybe\" is neither true nor false; allowed: true, false, 1, 0, yes, no",
        "LOCUST_PRINT_STATS: \"on\" is neither true nor false; allowed: true, false, 1, 0, yes, no",
        "pyproject.toml:3: run-time: \"0\" is no time at all; allowed: more than 0s",
        "locust.conf:1: users: \"ten\" is not a whole number in range; allowed: 1 to 10000000",
        "locust.conf:3: host: \"[a]\" has no scheme; allowed: a base URL such as http://127.0.0.1:8000",
        "AKRIDA_DNS: \"always\" is not known; allowed: once, ttl, connection",
        "--spawn-rate: \"-1\" is not a spawn rate; allowed: more than 0, up to 1000000 users per second",
        "--loglevel: \"loud\" is not known; allowed: DEBUG, INFO, WARNING, ERROR, CRITICAL",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn an_overridden_mistake_is_still_one() {
    let surroundings = Surroundings::with_scenario().file("here/locust.conf", "users = ten\n");
    assert_eq!(surroundings.problems(&["-u", "5"]).len(), 1);
}

#[test]
fn a_missing_or_surplus_value_is_told() {
    let surroundings = Surroundings::with_scenario();
    assert_eq!(surroundings.problems(&["-u"]), ["a value is required for '--users <N>' but none was supplied"]);
    assert_eq!(
        surroundings.problems(&["--headless=3"]),
        ["unexpected value '3' for '--headless' found; no more were expected"]
    );
    assert_eq!(surroundings.problems(&["--csv="]), ["--csv: the value is missing"]);
    let surroundings = surroundings.file("here/locust.conf", "csv =\n");
    assert_eq!(surroundings.problems(&[]), ["locust.conf:1: csv: the value is missing"]);
}

#[test]
fn options_that_need_others() {
    let surroundings = Surroundings::with_scenario().file("here/locust.conf", "csv-full-history = true\n");
    let expected = [
        "locust.conf:1: csv-full-history: needs --csv",
        "--autoquit: needs --autostart",
        "--client-key: needs --client-cert",
    ];
    assert_eq!(surroundings.problems(&["--autoquit", "5", "--client-key", "k"]), expected);
}

#[test]
fn a_run_without_a_scenario_points_at_init() {
    let problems = Surroundings::empty().problems(&["-u", "ten"]);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[1].contains("no akrida.yml here") && problems[1].contains("'akrida init'"), "{problems:?}");
}

#[test]
fn a_misspelt_or_late_command_is_recognised() {
    let empty = Surroundings::empty();
    assert!(empty.problems(&["chekc", "a.yml"])[0].contains("did you mean the command 'akrida check'?"));
    assert!(empty.problems(&["-u", "5", "demo"])[0].contains("did you mean the command 'akrida demo'?"));
}

#[test]
fn files_that_cannot_be_used() {
    let long = "#".repeat(1024 * 1024 + 1);
    let surroundings = Surroundings::with_scenario()
        .file("home/.locust.conf", b"users = 5\nhost = \xff\n")
        .file("here/locust.conf", &long)
        .file("here/pyproject.toml", "[tool.locust\n")
        .file("here/empty.toml", "[tool.other]\n");
    let problems = surroundings.problems(&["--config", "empty.toml"]);
    assert_eq!(problems[0], "~/.locust.conf:2: not valid UTF-8");
    assert_eq!(problems[2], "locust.conf:1: too large; allowed: 1048576 bytes");
    assert!(problems[1].starts_with("pyproject.toml:1: not valid TOML: "), "{problems:?}");
    assert_eq!(problems[3], "empty.toml:1: has no section [tool.locust]");
    assert_eq!(problems.len(), 4);
}

#[test]
fn a_named_file_must_exist_and_be_ours() {
    let surroundings = Surroundings::with_scenario();
    assert!(surroundings.problems(&["--config", "none.conf"])[0].starts_with("--config: none.conf: cannot be read: "));
    for name in ["cluster.yml", "cluster.yaml"] {
        assert!(
            surroundings
                .problems(&["--config", name])
                .last()
                .unwrap()
                .starts_with(&format!("--config: {name}: cannot be read: "))
        );
    }
}

#[test]
fn a_key_given_twice_is_told() {
    let surroundings =
        Surroundings::with_scenario().file("here/locust.conf", "locustfile = a\nusers = 1\nscenario = b\n");
    assert_eq!(surroundings.problems(&[]), ["locust.conf:3: scenario: given twice, first in line 1"]);
}

#[test]
fn other_programs_variables_are_left_alone() {
    let surroundings = Surroundings::with_scenario()
        .variable("LOCUST_SKIP_MONKEY_PATCH", "1")
        .variable("AKRIDA_SERVICE_HOST", "10.0.0.1")
        .variable("USERS", "5");
    assert_eq!(surroundings.run(&[]), Surroundings::with_scenario().run(&[]));
}

#[cfg(unix)]
#[test]
fn bytes_that_are_no_text_are_told() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let bytes = || OsString::from_vec(vec![b'a', 0xff]);
    let surroundings = Surroundings::with_scenario().variable("LOCUST_TAGS", bytes()).variable("LOCUST_HOST", bytes());
    let expected = ["LOCUST_TAGS: the value is not valid UTF-8", "LOCUST_HOST: the value is not valid UTF-8"];
    assert_eq!(surroundings.problems(&[]), expected);
    let error = Surroundings::with_scenario().parse(&["--tags".into(), bytes()]).expect_err("no text");
    assert_eq!((error.exit(), error.text().contains("not valid UTF-8")), (Exit::Usage, true));
    assert!(Surroundings::empty().parse(&["-f".into(), bytes()]).is_ok(), "a file may have any name");
}
