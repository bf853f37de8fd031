//! The same requests to a real Locust and to a master: the same answers, as far as they can be.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

#[path = "locust_api/python_locust.rs"]
mod python_locust;
#[path = "locust_api/shape.rs"]
mod shape;

use std::fs;

use serde_json::Value;

use python_locust::PythonLocust;
use shape::differences;
use support::cluster::{Cluster, Options};
use support::raw_http::{self, Reply};
use support::target::Target;

/// What both run: requests that pass, requests that fail, and a task that cannot be carried out.
const SCENARIO: &str = "users:
  Visitor:
    wait_time: 50ms
    tasks:
      home: { weight: 3, steps: [ { get: / } ] }
      missing: { weight: 1, steps: [ { get: /missing } ] }
      broken: { weight: 1, steps: [ { log: '{{ user.index.no.such }}' } ] }
";

const LOCUSTFILE: &str = "from locust import HttpUser, constant, task

class Visitor(HttpUser):
    wait_time = constant(0.05)

    @task(3)
    def home(self):
        self.client.get('/')

    @task
    def missing(self):
        self.client.get('/missing')

    @task
    def broken(self):
        raise ValueError('broken')
";

/// Paths that are answered with JSON.
const JSON_PATHS: [&str; 4] = ["/stats/requests", "/exceptions", "/tasks", "/worker-count"];

/// Paths that are answered with CSV, and the ends of their names.
const CSV_PATHS: [(&str, &str); 3] = [
    ("/stats/requests/csv", "_requests.csv"),
    ("/stats/failures/csv", "_failures.csv"),
    ("/exceptions/csv", "_exceptions.csv"),
];

/// A real Locust and a master, each with a worker.
struct Both {
    locust: PythonLocust,
    cluster: Cluster,
    _folder: tempfile::TempDir,
}

impl Both {
    fn start(target: &Target) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scenario = folder.path().join("scenario.yml");
        fs::write(&scenario, SCENARIO).unwrap();
        let locust = PythonLocust::start(LOCUSTFILE, target.url());
        let arguments = ["-f", scenario.to_str().unwrap(), "-H", target.url()].map(str::to_owned).to_vec();
        let options = Options { masters: 1, arguments, ..Options::default() };
        let cluster = Cluster::start(&options, &["worker-1"]);
        locust.await_answer("/worker-count", |answer| answer["worker_count"] == 1);
        Self { locust, cluster, _folder: folder }
    }

    /// The answers of Locust and of the master.
    fn get(&self, path: &str) -> [Reply; 2] {
        [raw_http::get(self.locust.url(), path), raw_http::get(&self.cluster.url(0), path)]
    }

    /// The answers to a form.
    fn post(&self, path: &str, form: &str) -> [Reply; 2] {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        [self.locust.url().to_owned(), self.cluster.url(0)]
            .map(|url| raw_http::send(&url, "POST", path, &headers, form.as_bytes()).unwrap())
    }

    /// Waits until both answer so.
    fn await_both(&self, path: &str, is: impl Fn(&Value) -> bool) {
        self.locust.await_answer(path, &is);
        self.cluster.await_that(path, || {
            let reply = self.cluster.try_get(0, path).filter(|reply| reply.status == 200)?;
            is(&reply.json()).then_some(())
        });
    }
}

fn media_type(reply: &Reply) -> String {
    reply.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().to_owned()
}

/// Holds that an answer in JSON has the names and types of Locust's.
fn assert_same_shape(what: &str, [locust, own]: &[Reply; 2]) {
    assert_eq!((own.status, media_type(own)), (locust.status, media_type(locust)), "{what}");
    let different = differences(&locust.json(), &own.json());
    assert!(different.is_empty(), "{what}: {different:#?}\n{}\n{}", locust.text(), own.text());
}

/// Holds that a download has the columns and the kind of name of Locust's.
fn assert_same_csv(path: &str, name: &str, [locust, own]: &[Reply; 2]) {
    assert_eq!((own.status, media_type(own)), (locust.status, media_type(locust)), "{path}");
    let columns = |reply: &Reply| reply.text().split("\r\n").next().unwrap().to_owned();
    assert_eq!(columns(own), columns(locust), "{path}");
    for reply in [locust, own] {
        let disposition = reply.header("content-disposition").unwrap();
        let is_named_so = disposition.starts_with("attachment;filename=Locust_") && disposition.ends_with(name);
        assert!(is_named_so, "{path}: {disposition}");
    }
}

fn compare_all(both: &Both, when: &str) {
    for path in JSON_PATHS {
        assert_same_shape(&format!("{path} {when}"), &both.get(path));
    }
    for (path, name) in CSV_PATHS {
        assert_same_csv(path, name, &both.get(path));
    }
    let logs = both.get("/logs").map(|reply| reply.json());
    assert!(logs.iter().all(|logs| logs["master"].as_array().is_some_and(|lines| !lines.is_empty())), "{logs:?}");
    assert!(logs.iter().all(|logs| logs["workers"].is_object()), "{logs:?}");
}

#[test]
fn a_master_answers_as_locust_does() {
    let target = Target::start(&[]);
    let both = Both::start(&target);
    // The masters offer the scenario that they were given as soon as one of them leads.
    both.await_both("/tasks", |tasks| tasks["total"]["Visitor"].is_object());
    compare_all(&both, "before the first run");
    what_is_wrong_with_a_form_is_said_in_the_same_words(&both);

    assert_same_answer("/swarm", &both.post("/swarm", "user_count=5&spawn_rate=20&run_time=10m&profile=p&no=1"));
    both.await_both("/stats/requests", |stats| {
        let rows = stats["stats"].as_array().unwrap();
        let is_measured = rows.len() == 3 && rows.iter().all(|row| row["num_requests"].as_u64() > Some(10));
        stats["state"] == "running" && is_measured && stats["user_count"] == 5 && stats["errors"][0].is_object()
    });
    both.await_both("/exceptions", |answer| answer["exceptions"][0].is_object());
    both.await_both("/tasks", |tasks| tasks["total"]["Visitor"]["ratio"] == 1.0);
    compare_all(&both, "in a run");
    let [locust, own] = both.get("/tasks").map(|reply| reply.json());
    assert_eq!(own, locust);
    for path in ["/stats/report", "/stats/report?download=1&theme=dark"] {
        let [locust, own] = both.get(path);
        assert_eq!((own.status, media_type(&own)), (locust.status, media_type(&locust)), "{path}");
        let is_saved = [&locust, &own]
            .map(|reply| reply.header("content-disposition").is_some_and(|disposition| disposition.ends_with(".html")));
        assert_eq!(is_saved, [path.contains("download"); 2], "{path}");
    }

    assert_same_answer("an edit", &both.post("/swarm", "user_count=3&spawn_rate=20"));
    both.await_both("/stats/requests", |stats| stats["user_count"] == 3);
    assert_same_answer("/stop", &both.post("/stop", ""));
    both.await_both("/stats/requests", |stats| stats["state"] == "stopped" && stats["user_count"] == 0);
    compare_all(&both, "after a run");
    both.await_both("/logs", |logs| {
        let workers = logs["workers"].as_object().unwrap();
        workers.len() == 1 && workers.values().all(|lines| lines[0].is_string())
    });
    let [locust, own] = both.post("/stats/reset", "");
    assert_eq!((own.text(), media_type(&own)), (locust.text(), media_type(&locust)));
}

/// Holds that an answer is the same to the letter.
fn assert_same_answer(what: &str, [locust, own]: &[Reply; 2]) {
    assert_eq!((own.status, media_type(own)), (locust.status, media_type(locust)), "{what}");
    assert_eq!(own.json(), locust.json(), "{what}");
}

fn what_is_wrong_with_a_form_is_said_in_the_same_words(both: &Both) {
    for form in [
        "",
        "user_count=1",
        "spawn_rate=1",
        "user_count=abc&spawn_rate=1",
        "user_count=2.5&spawn_rate=1",
        "user_count=-1&spawn_rate=1",
        "user_count=1&spawn_rate=x",
        "user_count=1&spawn_rate=0",
        "user_count=1&spawn_rate=-2",
        "user_count=1&spawn_rate=nan",
        "user_count=1&spawn_rate=inf",
        "user_count=1&spawn_rate=1&run_time=soon",
        "user_count=1&spawn_rate=1&run_time=1h2",
    ] {
        assert_same_answer(form, &both.post("/swarm", form));
    }
}
