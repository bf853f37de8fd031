//! The worked examples load, and the first one means what it says.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use akrida_core::data::{OnExhausted, Per, Pick};
use akrida_core::scenario::model::{Iterations, Step, TaskBody, WaitTime};
use akrida_core::scenario::template::Template;
use akrida_core::scenario::{Format, Source, load, load_with};
use akrida_core::threshold::Judged;
use akrida_core::threshold::names::unknown_names;

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| ["yml", "json", "toml"].iter().any(|known| end == *known)));
    files.sort();
    assert!(files.len() >= 11, "{files:?}");
    files
}

fn format_of(file: &Path) -> Format {
    match file.extension().unwrap().to_str().unwrap() {
        "json" => Format::Json,
        "toml" => Format::Toml,
        _ => Format::Yaml,
    }
}

/// The functions that the engine adds, by their names.
fn functions(environment: &mut minijinja::Environment<'static>) {
    for name in ["random_int", "random_choice", "random_string", "uuid", "now"] {
        environment.add_function(name, || 0);
    }
}

#[test]
fn every_example_loads() {
    for file in examples() {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        let read_file = |name: &str| std::fs::read(file.with_file_name(name));
        let loaded = load_with(&Source { name, text: &text, format: format_of(&file) }, functions, &read_file);
        let problems: Vec<String> = loaded.err().into_iter().flatten().map(|problem| problem.to_string()).collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}

#[test]
fn the_first_example_means_what_it_says() {
    let text = std::fs::read_to_string(examples().iter().find(|file| file.ends_with("first.yml")).unwrap()).unwrap();
    let scenario = load(&Source { name: "first.yml", text: &text, format: Format::Yaml }, functions).unwrap();
    assert_eq!(scenario.host.as_deref(), Some("http://127.0.0.1:8000"));
    let [visitor] = scenario.classes.as_slice() else { panic!("one class") };
    assert_eq!((&*visitor.name, visitor.weight_milli, visitor.fixed_count), ("Visitor", 3_000, 0));
    assert_eq!(visitor.wait_time, WaitTime::Constant(std::time::Duration::ZERO));
    assert_eq!(visitor.tasks.iterations, Iterations::Forever);
    let [home, missing] = visitor.tasks.tasks.as_slice() else { panic!("two tasks") };
    assert_eq!((&*home.name, home.weight, &*missing.name, missing.weight), ("home", 3, "missing", 1));
    assert_eq!(missing.tags.iter().map(|tag| &**tag).collect::<Vec<_>>(), ["rare"]);
    let TaskBody::Steps(steps) = &missing.body else { panic!("steps") };
    let [Step::Request(request)] = steps.as_slice() else { panic!("one request") };
    assert_eq!((&*request.method.0, request.url.source(), request.name.source()), ("GET", "/missing", "/missing"));
    assert!(request.checks.iter().all(|check| check.is_status()) && request.checks.len() == 1);
}

#[test]
fn a_request_without_a_name_is_named_by_its_url_as_written() {
    let text = "users: { A: { tasks: { t: [ 'GET /p/{{ user.index }}', { get: '/q/{{ user.index }}' },\
                { get: /r, name: 'r {{ user.index }}' } ] } } }";
    let scenario = load(&Source { name: "f", text, format: Format::Yaml }, functions).unwrap();
    let TaskBody::Steps(steps) = &scenario.classes[0].tasks.tasks[0].body else { panic!("steps") };
    let names: Vec<_> = steps
        .iter()
        .map(|step| match step {
            Step::Request(request) => (matches!(request.name, Template::Literal(_)), request.name.source()),
            _ => panic!("requests"),
        })
        .collect();
    assert_eq!(names, [(true, "/p/{{ user.index }}"), (true, "/q/{{ user.index }}"), (false, "r {{ user.index }}")]);
}

#[test]
fn thresholds_are_read_with_their_options() {
    let text =
        std::fs::read_to_string(examples().iter().find(|file| file.ends_with("thresholds.yml")).unwrap()).unwrap();
    let scenario = load(&Source { name: "thresholds.yml", text: &text, format: Format::Yaml }, functions).unwrap();
    let read: Vec<_> = scenario
        .thresholds
        .iter()
        .map(|threshold| (&*threshold.text, threshold.judged, threshold.abort, threshold.after_s))
        .collect();
    let expected = [
        ("p95 < 500ms", Judged::AtEnd, false, 0),
        ("p99(GET /json) < 1s", Judged::AtEnd, false, 0),
        ("mean(purchase) < 2s", Judged::AtEnd, false, 0),
        ("requests(/cart) >= 1", Judged::AtEnd, false, 0),
        ("p95(/products/{{ random_int(1, 50) }}) < 300ms for 30s", Judged::Sustained { violated_s: 30 }, false, 0),
        ("rps > 1 for 10s", Judged::Sustained { violated_s: 10 }, false, 20),
        ("fail_ratio < 5%", Judged::Continuously, true, 30),
    ];
    assert_eq!(read, expected);
    assert_eq!(unknown_names(&scenario.thresholds, &scenario), []);
}

#[test]
fn the_example_of_data_draws_from_its_file() {
    let file = examples().into_iter().find(|file| file.ends_with("data.yml")).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let source = Source { name: "data.yml", text: &text, format: Format::Yaml };
    let scenario = load_with(&source, functions, &|name| std::fs::read(file.with_file_name(name))).unwrap();
    let feeders: Vec<_> = scenario.feeders.iter().map(|f| (&*f.name, f.table.rows(), f.pick, f.per)).collect();
    let unique = Pick::Unique(OnExhausted::StopUser);
    assert_eq!(feeders, [("accounts", 15, unique, Per::User), ("customers", 15, Pick::Random, Per::Iteration)]);
    assert_eq!(scenario.classes[0].feeders, [0, 1]);
    assert!(load(&source, functions).is_err(), "its file is needed");
}
