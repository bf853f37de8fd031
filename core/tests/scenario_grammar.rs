//! What the forms of the grammar mean.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use akrida_core::scenario::model::{
    Auth, Body, Iterations, Request, Scenario, Step, Task, TaskBody, TaskOrder, UserClass, ValueTemplate, WaitTime,
};
use akrida_core::scenario::{Format, Source, load};

fn loaded(text: &str) -> Arc<Scenario> {
    load(&Source { name: "f", text, format: Format::Yaml }, |_| ()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn class(text: &str) -> UserClass {
    loaded(&format!("users: {{ A: {{ {text} }} }}")).classes[0].clone()
}

fn task(text: &str) -> Task {
    class(&format!("tasks: {{ t: {text} }}")).tasks.tasks[0].clone()
}

fn steps(text: &str) -> Vec<Step> {
    match task(text).body {
        TaskBody::Steps(steps) => steps,
        _ => panic!("steps"),
    }
}

fn request(text: &str) -> Request {
    match steps(text).remove(0) {
        Step::Request(request) => *request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn requests_have_long_and_short_forms() {
    for (text, method, url) in [
        ("/a", "GET", "/a"),
        ("GET /a", "GET", "/a"),
        ("[ /a ]", "GET", "/a"),
        ("'PROPFIND /a'", "PROPFIND", "/a"),
        ("[ { delete: /a } ]", "DELETE", "/a"),
        ("{ steps: [ { request: { method: mkcol, url: 'http://x/a' } } ] }", "MKCOL", "http://x/a"),
        ("[ { request: 'PUT /a' } ]", "PUT", "/a"),
    ] {
        let request = request(text);
        assert_eq!((&*request.method.0, request.url.source(), request.name.source()), (method, url, url), "{text}");
    }
}

#[test]
fn a_request_is_named_as_its_url_is_written_unless_it_has_a_name() {
    let text = "[ { set: { id: 1 } }, { get: '/p/{{ id }}' }, { get: '/p/{{ id }}', name: product } ]";
    let names: Vec<String> = steps(text)
        .iter()
        .filter_map(|step| match step {
            Step::Request(request) => Some(request.name.source().to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["/p/{{ id }}", "product"]);
}

#[test]
fn bodies_keep_their_kind_and_order() {
    let form = request("[ { post: /, form: { b: [1, x], a: true } } ]");
    let Body::Form(fields) = form.body else { panic!("a form") };
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, value.source())).collect();
    assert_eq!(fields, [("b", "1"), ("b", "x"), ("a", "true")]);
    let multipart = request("[ { post: /, multipart: { a: x, f: [ { content: y, file_name: n }, z ] } } ]");
    let Body::Multipart(parts) = multipart.body else { panic!("parts") };
    let parts: Vec<(&str, bool)> = parts.iter().map(|part| (&*part.name, part.file_name.is_some())).collect();
    assert_eq!(parts, [("a", false), ("f", true), ("f", false)]);
    assert!(matches!(request("[ { post: /, json: { a: [1, null] } } ]").body, Body::Json(ValueTemplate::Literal(_))));
    let dynamic = request("[ { post: /, json: { a: '{{ loop_index }}', b: 'x{{ loop_index }}' } } ]");
    let Body::Json(ValueTemplate::Object(entries)) = dynamic.body else { panic!("an object") };
    assert!(matches!(entries[0].1, ValueTemplate::Expression(_)) && matches!(entries[1].1, ValueTemplate::Text(_)));
}

#[test]
fn classes_have_the_defaults_of_the_document_and_their_own() {
    let scenario = loaded(
        "headers: { X-A: 1, X-B: 1 }\nvariables: { a: 1, b: 1 }\ntimeout: 5s\nredirects: false\nauth: { basic: 'u:p:q' }\n\
         users:\n  Plain: { tasks: { t: / } }\n  \
         Own: { headers: { x-b: 2, X-C: 2 }, variables: { a: 2, c: 2 }, timeout: 1m, redirects: true, \
         auth: { bearer: t }, tasks: { t: / } }\n",
    );
    let [plain, own] = scenario.classes.as_slice() else { panic!("two classes") };
    let headers = |class: &UserClass| {
        class.defaults.headers.iter().map(|(name, value)| format!("{name}={}", value.source())).collect::<Vec<_>>()
    };
    assert_eq!(headers(plain), ["X-A=1", "X-B=1"]);
    assert_eq!(headers(own), ["X-A=1", "x-b=2", "X-C=2"]);
    let names = |class: &UserClass| class.variables.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
    assert_eq!((names(plain), names(own)), (vec!["a".into(), "b".into()], vec!["a".into(), "b".into(), "c".into()]));
    assert_eq!((plain.defaults.timeout, plain.defaults.redirects_max), (Duration::from_secs(5), 0));
    assert_eq!((own.defaults.timeout, own.defaults.redirects_max), (Duration::from_secs(60), 30));
    let Some(Auth::Basic { username, password }) = &plain.defaults.auth else { panic!("basic") };
    assert_eq!((username.source(), password.source()), ("u", "p:q"));
    assert!(matches!(own.defaults.auth, Some(Auth::Bearer(_))));
}

#[test]
fn class_weights_may_be_fractions() {
    assert_eq!(class("weight: 1.5, tasks: { t: / }").weight_milli, 1_500);
    assert_eq!(class("weight: 0, fixed_count: 3, tasks: { t: / }").fixed_count, 3);
    assert_eq!(class("tasks: { t: / }").weight_milli, 1_000);
}

#[test]
fn nested_sets_say_how_long_they_run() {
    let set = |text: &str| match task(text).body {
        TaskBody::Set(set) => set,
        _ => panic!("a set"),
    };
    let plain = set("{ tasks: { a: / } }");
    assert_eq!((plain.order, plain.iterations, plain.wait_time), (TaskOrder::Random, Iterations::Count(1), None));
    let own = set("{ tasks: { a: [ interrupt ] }, sequential: true, iterations: forever, wait_time: 1 }");
    assert_eq!((own.order, own.iterations), (TaskOrder::Sequential, Iterations::Forever));
    assert_eq!(own.wait_time, Some(WaitTime::Constant(Duration::from_secs(1))));
    assert_eq!(class("order: sequential, tasks: { t: / }").tasks.order, TaskOrder::Sequential);
}

#[test]
fn a_named_set_is_copied_and_its_user_may_differ() {
    let scenario = loaded(
        "task_sets:\n  s: { iterations: 3, order: sequential, tasks: { a: { use: inner }, b: [ interrupt ] } }\n  \
         inner: { tasks: { c: / } }\n\
         users: { A: { tasks: { x: { use: s, weight: 2 }, y: { use: s, iterations: 5, order: random } } } }\n",
    );
    let [x, y] = scenario.classes[0].tasks.tasks.as_slice() else { panic!("two tasks") };
    let (TaskBody::Set(x_set), TaskBody::Set(y_set)) = (&x.body, &y.body) else { panic!("sets") };
    assert_eq!((x.weight, x_set.iterations, x_set.order), (2, Iterations::Count(3), TaskOrder::Sequential));
    assert_eq!((y.weight, y_set.iterations, y_set.order), (1, Iterations::Count(5), TaskOrder::Random));
    let TaskBody::Set(inner) = &x_set.tasks[0].body else { panic!("a set") };
    assert_eq!(&*inner.tasks[0].name, "c");
}

#[test]
fn anchors_and_merge_keys_repeat_values() {
    let scenario = loaded(
        "users:\n  A: &a\n    wait_time: 1s\n    tasks: { t: / }\n  B:\n    <<: *a\n    wait_time: 2s\n  \
         C: { <<: [ { weight: 2 }, { weight: 3, fixed_count: 1 } ], tasks: { t: / } }\n",
    );
    let [a, b, c] = scenario.classes.as_slice() else { panic!("three classes") };
    assert_eq!(a.wait_time, WaitTime::Constant(Duration::from_secs(1)));
    assert_eq!(b.wait_time, WaitTime::Constant(Duration::from_secs(2)));
    assert_eq!(b.tasks.tasks.len(), 1);
    assert_eq!((c.weight_milli, c.fixed_count), (2_000, 1));
}

#[test]
fn the_formats_mean_the_same() {
    let show = |text: &str, format| {
        let loaded = load(&Source { name: "f", text, format }, |_| ());
        format!("{:?}", loaded.unwrap_or_else(|problems| panic!("{problems:?}")).classes)
    };
    let yaml = show(
        "users:\n  A:\n    weight: 2\n    tasks:\n      t: { tags: [x], steps: [ { post: /, json: { a: \"\\U0001F600\" } } ] }\n      u: /",
        Format::Yaml,
    );
    let json = show(
        r#"{"users": {"A": {"weight": 2, "tasks": {"t": {"tags": ["x"], "steps": [{"post": "/", "json": {"a": "\ud83d\ude00"}}]}, "u": "/"}}}}"#,
        Format::Json,
    );
    let toml = show(
        "[users.A]\nweight = 2\n[users.A.tasks]\nt = { tags = ['x'], steps = [{ post = '/', json = { a = \"\\U0001F600\" } }] }\nu = '/'\n",
        Format::Toml,
    );
    assert_eq!(yaml, json);
    assert_eq!(yaml, toml);
}
