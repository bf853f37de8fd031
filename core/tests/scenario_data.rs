//! Data feeders: from the text of a scenario and of its data files to rows in templates.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::io;
use std::sync::Arc;

use akrida_core::data::row::Row;
use akrida_core::data::{OnExhausted, Per, Pick};
use akrida_core::scenario::model::{Scenario, Step, TaskBody};
use akrida_core::scenario::render::Renderer;
use akrida_core::scenario::{Format, Source, load, load_with};
use minijinja::Value;

/// The data files that tests may name.
fn file(name: &str) -> io::Result<Vec<u8>> {
    let text = match name {
        "users.csv" => "name,pass\nann,a1\nbo,b2\n",
        "users.tsv" => "name\tpass\nann\ta,1\n",
        "semi.txt" => "name;pass\nann;a1\n",
        "words.json" => r#"[{"word": "one", "n": 1}, {"word": "two", "n": 2}]"#,
        "broken.csv" => "name,pass\nann,a1\n\nbo\n",
        "empty.csv" => "name,pass\n",
        _ => return Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
    };
    Ok(text.into())
}

fn scenario(text: &str) -> Arc<Scenario> {
    load_with(&Source { name: "f", text, format: Format::Yaml }, |_| (), &file).unwrap_or_else(|p| panic!("{p:?}"))
}

fn problems(text: &str) -> Vec<String> {
    let loaded = load_with(&Source { name: "f", text, format: Format::Yaml }, |_| (), &file);
    loaded.err().into_iter().flatten().map(|problem| problem.to_string()).collect()
}

/// Each class with the feeders that it draws from, by file.
fn drawn(scenario: &Scenario) -> Vec<(&str, Vec<&str>)> {
    let files = |feeders: &[usize]| feeders.iter().map(|at| &*scenario.feeders[*at].file).collect();
    scenario.classes.iter().map(|class| (&*class.name, files(&class.feeders))).collect()
}

#[test]
fn feeders_are_read_with_their_options() {
    let scenario = scenario(
        "data:
  a: users.csv
  b: { file: users.csv, pick: unique }
  c: { file: semi.txt, format: csv, delimiter: ;, pick: round_robin, per: user }
  d: { file: words.json, pick: unique, on_exhausted: recycle }
  e: { file: users.tsv, pick: unique, on_exhausted: stop_run, per: iteration }
users: { A: { tasks: { t: / } } }",
    );
    let read: Vec<_> = scenario.feeders.iter().map(|f| (&*f.name, f.table.rows(), f.pick, f.per)).collect();
    let unique = Pick::Unique;
    let expected = [
        ("a", 2, Pick::Random, Per::Iteration),
        ("b", 2, unique(OnExhausted::StopUser), Per::Iteration),
        ("c", 1, Pick::RoundRobin, Per::User),
        ("d", 2, unique(OnExhausted::Recycle), Per::Iteration),
        ("e", 1, unique(OnExhausted::StopRun), Per::Iteration),
    ];
    assert_eq!(read, expected);
    assert!(Arc::ptr_eq(&scenario.feeders[0].table, &scenario.feeders[1].table), "a file used twice is read once");
    assert_eq!(drawn(&scenario), [("A", vec![])], "nothing uses them");
}

#[test]
fn a_class_draws_from_the_feeders_that_its_templates_name() {
    let scenario = scenario(
        "data: { all: users.csv, some: words.json, rest: users.tsv }
headers: { X-All: '{{ all.name }}' }
task_sets:
  inner: { tasks: { t: [ { log: '{{ some.word }}' } ] } }
  outer: { tasks: { t: { use: inner } } }
users:
  Plain: { tasks: { t: / } }
  Nested: { tasks: { t: { use: outer } } }
  Own: { data: { all: users.tsv, own: words.json }, tasks: { t: [ { if: 'own.n > 1', then: [ / ] } ] } }
",
    );
    assert_eq!(
        drawn(&scenario),
        [
            ("Plain", vec!["users.csv"]),
            ("Nested", vec!["users.csv", "words.json"]),
            ("Own", vec!["users.tsv", "words.json"]),
        ]
    );
}

#[test]
fn the_current_row_renders_without_being_copied_into_variables() {
    let scenario = scenario(
        "data: { users: users.csv, words: words.json }
users: { A: { tasks: { t: [ { log: '{{ users.name }}:{{ users[\"pass\"] }} {{ words.n + 1 }}' } ] } } }",
    );
    let TaskBody::Steps(steps) = &scenario.classes[0].tasks.tasks[0].body else { panic!("steps") };
    let [Step::Log(line)] = steps.as_slice() else { panic!("one line") };
    let row = |feeder: usize, number| Row::of(&scenario.feeders[feeder].table, number).unwrap().into_value();
    let variables = Value::from_pairs([("users", row(0, 1)), ("words", row(1, 0))]);
    let renderer = Renderer { templates: &scenario.templates, variables: &variables };
    assert_eq!(renderer.text(line).unwrap(), "bo:b2 2");
}

#[test]
fn what_is_wrong_with_data_says_where() {
    for (data, expected) in [
        ("a: broken.csv", r#"f:1:12: data.a: broken.csv:4:1: values in the row: 1, columns in the header: 2"#),
        ("a: empty.csv", "f:1:12: data.a: empty.csv: there are no rows"),
        ("a: none.csv", r#"f:1:12: data.a: cannot read "none.csv": no such file"#),
        (
            "a: semi.txt",
            r#"f:1:12: data.a: the ending of "semi.txt" does not say its format, expected .csv, .tsv, .json or the key `format`"#,
        ),
        (
            "a: [users.csv]",
            "f:1:12: data.a: found a list, expected the name of a data file, or an object with the key `file`",
        ),
        ("a: { pick: unique }", "f:1:12: data.a: expected the key `file`"),
        (
            "a: { file: users.csv, pik: unique }",
            "f:1:31: data.a.pik: unknown key `pik`, did you mean `pick`? (allowed: file, format, delimiter, pick, on_exhausted, per)",
        ),
        (
            "a: { file: users.csv, pick: uniq }",
            r#"f:1:37: data.a.pick: found "uniq", expected one of random, round_robin, unique"#,
        ),
        (
            "a: { file: users.csv, on_exhausted: recycle }",
            "f:1:45: data.a.on_exhausted: `on_exhausted` has a meaning only with `pick: unique`, as other rows never run out",
        ),
        ("a: { file: words.json, delimiter: ';' }", "f:1:20: data.a.file: a JSON file has no delimiter"),
        (
            "a: { file: users.csv, delimiter: '::' }",
            "f:1:42: data.a.delimiter: found the text \"::\", expected a delimiter: one ASCII character such as `;`, or `tab`",
        ),
        ("user: users.csv", "f:1:15: data.user: `user` has a meaning of its own and cannot be set"),
        (
            "a-b: users.csv",
            "f:1:14: data.a-b: `a-b` is no name for a variable: letters, digits and `_`, no digit first",
        ),
        ("[users.csv]", "f:1:7: data: found a list, expected an object of data feeders"),
    ] {
        let data = if data.starts_with('[') { data.to_owned() } else { format!("{{ {data} }}") };
        let text = format!("data: {data}\nusers: {{ A: {{ tasks: {{ t: / }} }} }}");
        assert_eq!(problems(&text), [expected], "{data}");
    }
}

#[test]
fn what_is_wrong_with_the_use_of_data_says_where() {
    let text = "data: { accounts: users.csv }
users:
  A:
    variables: { accounts: 1 }
    tasks: { t: [ { log: '{{ accounts.nam }} {{ accounts.pass }} {{ acounts.name }}' } ] }
  B:
    data: { words: words.json }
    tasks: { t: [ { get: /, extract: { words: $ } }, { log: '{{ words.word }} {{ accounts.x }}' } ] }
  C:
    tasks: { t: [ { log: '{{ words.n }}' } ] }
  D:
    data: []
    tasks: { t: [ { log: '{{ words.n }}' } ] }
  E:
    tasks: { t: / }
";
    assert_eq!(
        problems(text),
        [
            "f:4:28: users.A.variables.accounts: `accounts` is a data feeder and cannot be set",
            "f:5:26: users.A.tasks.t[0].log: the data feeder `accounts` has no column `nam`, did you mean `name`? (there are name, pass)",
            "f:5:26: users.A.tasks.t[0].log: no variable or function `acounts`, did you mean `accounts`?",
            "f:8:47: users.B.tasks.t[0].extract.words: `words` is a data feeder and cannot be set",
            "f:8:61: users.B.tasks.t[1].log: the data feeder `accounts` has no column `x` (there are name, pass)",
            "f:10:5: users.C: the data feeder `words` that it uses is that of another class",
            "f:12:11: users.D.data: found a list, expected an object of data feeders",
        ]
    );
}

#[test]
fn files_are_read_once_and_only_by_those_who_can() {
    let text = "data: { a: users.csv, b: { file: users.csv, pick: unique } }\nusers: { A: { tasks: { t: / } } }";
    let read = RefCell::new(Vec::new());
    let reader = |name: &str| {
        read.borrow_mut().push(name.to_owned());
        file(name)
    };
    load_with(&Source { name: "f", text, format: Format::Yaml }, |_| (), &reader).unwrap();
    assert_eq!(*read.borrow(), ["users.csv"]);
    let problems = load(&Source { name: "f", text, format: Format::Yaml }, |_| ()).unwrap_err();
    assert_eq!(problems[0].to_string(), r#"f:1:12: data.a: cannot read "users.csv": data files are not read here"#);
}
