//! What is wrong with a scenario file is said completely, in the order of its lines, with line, column and path.

#![allow(clippy::unwrap_used, reason = "tests")]

use akrida_core::scenario::{Format, Source, load};

/// The problems of a file, one a line, without the name of the file.
fn problems(text: &str, format: Format) -> Vec<String> {
    match load(&Source { name: "f", text, format }, |_| ()) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            problems.iter().map(|problem| problem.to_string().strip_prefix("f:").unwrap().to_owned()).collect()
        }
    }
}

#[test]
fn an_empty_file_is_said_to_be_empty() {
    let text = "";
    let expected: &[&str] = &["1:1: the file is empty"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn a_document_is_an_object() {
    let text = r#"hello
"#;
    let expected: &[&str] = &[
        r#"1:1: found the text "hello", expected an object with the keys host, users, task_sets, variables, headers, auth, timeout, redirects, connection, load, data, thresholds"#,
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn yaml_syntax_errors_have_a_place() {
    let text = r#"users:
  A:
    tasks: [
"#;
    let expected: &[&str] = &["4:1: not valid YAML: while parsing a node, did not find expected node content"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn tabs_do_not_indent() {
    let text = r#"users:
	A: 1
"#;
    let expected: &[&str] = &["2:2: not valid YAML: tabs disallowed within this context (block indentation)"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn a_second_document_is_refused() {
    let text = r#"users: { A: { tasks: { t: / } } }
---
a: 1
"#;
    let expected: &[&str] = &["2:1: a file holds one document, here a second one begins"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn unknown_keys_name_the_allowed_ones_and_the_likely_one() {
    let text = r#"hots: http://x
users:
  A:
    wieght: 3
    tasks:
      t: { steps: [ { gett: / }, { get: /, chek: 1 } ] }
"#;
    let expected: &[&str] = &[
        "1:1: hots: unknown key `hots`, did you mean `host`? (allowed: host, users, task_sets, variables, headers, auth, timeout, redirects, connection, load, data, thresholds)",
        "4:5: users.A.wieght: unknown key `wieght`, did you mean `weight`? (allowed: weight, fixed_count, host, wait_time, variables, headers, auth, timeout, redirects, on_start, on_stop, order, sequential, tags, tasks, data, connection, on_unauthorized)",
        "6:23: users.A.tasks.t.steps[0].gett: unknown key `gett`, did you mean `get`? (allowed: get, post, put, patch, delete, head, options, request, websocket, wait, if, repeat, group, log, set, interrupt, stop_user)",
        "6:44: users.A.tasks.t.steps[1].chek: unknown key `chek`, did you mean `check`? (allowed: get, post, put, patch, delete, head, options, request, name, headers, query, json, form, multipart, body, auth, timeout, redirects, check, extract)",
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn all_problems_are_found_at_once_and_ordered_by_line() {
    let text = r#"users:
  A:
    weight: -1
    wait_time: soon
    tasks:
      t: { weight: 1.5, steps: [ { get: /, wait: 1s }, { post: /x, json: 1, form: { a: 1 } } ] }
host: localhost:8000
timeout: 0
redirects: -1
"#;
    let expected: &[&str] = &[
        "3:13: users.A.weight: found the number -1, expected a number from 0 to 1000000",
        r#"4:16: users.A.wait_time: "soon" has no unit that is known (us, ms, s, m, h), expected `2s`, `1s..5s`, `pacing 5s`, `throughput 10/s` or `poisson 2/s`"#,
        "6:20: users.A.tasks.t.weight: found the number 1.5, expected a whole number from 0 to 1000000",
        "6:44: users.A.tasks.t.steps[0]: a step does one thing, found `get` and `wait`",
        "6:83: users.A.tasks.t.steps[1].form: a request has one body, found `json` and `form`",
        r#"7:7: host: "localhost:8000" does not begin with http:// or https://, expected a URL such as `http://127.0.0.1:8000`"#,
        "8:10: timeout: a time-out is longer than nothing",
        "9:12: redirects: found the number -1, expected a whole number from 0 to 1000",
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn duplicate_keys_are_refused() {
    let text = r#"users:
  A:
    tasks: { t: / }
  A:
    tasks: { t: / }
"#;
    let expected: &[&str] = &["4:3: the key `A` is already given on line 2"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn aliases_do_not_multiply_without_end() {
    let text = r#"a: &a [x, x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
"#;
    let expected: &[&str] = &["5:32: anchors and aliases repeat more than 100000 values"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn an_alias_cannot_contain_itself() {
    let text = r#"users: &u
  A: *u
"#;
    let expected: &[&str] = &["2:6: this alias stands inside the value that it refers to"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn nesting_is_bounded() {
    let text = r#"a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
"#;
    let expected: &[&str] = &["1:67: nested more than 64 levels deep"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn sets_that_use_each_other_are_spelled_out() {
    let text = r#"users: { A: { tasks: { t: { use: a } } } }
task_sets:
  a: { tasks: { x: { use: b } } }
  b: { tasks: { x: { use: c } } }
  c: { tasks: { x: { use: a } } }
"#;
    let expected: &[&str] = &["5:27: task_sets.c.tasks.x.use: task sets use each other in a circle: a -> b -> c -> a"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn a_set_that_uses_itself_is_a_circle() {
    let text = r#"task_sets: { a: { tasks: { x: { use: a } } } }
users: { A: { tasks: { t: { use: a } } } }
"#;
    let expected: &[&str] = &["1:38: task_sets.a.tasks.x.use: task sets use each other in a circle: a -> a"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn an_unknown_set_names_the_known_ones() {
    let text = r#"users: { A: { tasks: { t: { use: brwse } } } }
task_sets: { browse: { tasks: { x: / } } }
"#;
    let expected: &[&str] =
        &["1:34: users.A.tasks.t.use: no set `brwse` under `task_sets`, did you mean `browse`? (there are browse)"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn headers_and_credentials_are_checked() {
    let text = r#"users:
  A:
    headers: { "a b": x, X: "a\nb", Y: ü, Z: "{{ 1 }}\n" }
    auth: { basic: nobody }
    tasks:
      t: { steps: [ { get: /, auth: {} }, { get: /, auth: { basic: { username: a } } } ] }
"#;
    let expected: &[&str] = &[
        r#"3:23: users.A.headers.a b: "a b" is no header name: letters, digits and !#$%&'*+-.^_`|~"#,
        "3:29: users.A.headers.X: a header value is one line, found a line break in it",
        r#"3:40: users.A.headers.Y: "ü" is no header value: only visible ASCII and blanks"#,
        "3:46: users.A.headers.Z: a header value is one line, found a line break in it",
        "4:20: users.A.auth.basic: expected `user:password` or an object with `username` and `password`",
        "6:37: users.A.tasks.t.steps[0].auth: expected one of `basic` and `bearer`",
        "6:68: users.A.tasks.t.steps[1].auth.basic: expected both `username` and `password`",
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn variables_have_names() {
    let text = r#"variables: { 1a: 2, user: 3 }
users: { A: { tasks: { t: [ { get: /, extract: { "a-b": $.a } }, { set: { loop_index: 1 } } ] } } }
"#;
    let expected: &[&str] = &[
        "1:18: variables.1a: `1a` is no name for a variable: letters, digits and `_`, no digit first",
        "1:27: variables.user: `user` has a meaning of its own and cannot be set",
        "2:57: users.A.tasks.t[0].extract.a-b: `a-b` is no name for a variable: letters, digits and `_`, no digit first",
        "2:87: users.A.tasks.t[1].set.loop_index: `loop_index` has a meaning of its own and cannot be set",
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn urls_and_methods_are_checked() {
    let text = r#"users:
  A:
    tasks:
      t:
        - get: products
        - get: "/a b"
        - get: "/{{ a"
        - get: ""
        - get: http://
        - request: { method: A B, url: ftp://x }
        - request: { url: / }
        - GET
        - "BR[EW /"
"#;
    let expected: &[&str] = &[
        r#"5:16: users.A.tasks.t[0].get: "products" is neither a path that begins with / nor an http:// or https:// URL"#,
        r#"6:16: users.A.tasks.t[1].get: "/a b" holds a blank, which is written %20 in a URL"#,
        r#"7:16: users.A.tasks.t[2].get: "/{{ a" is no template: syntax error: unexpected end of input, expected end of variable block"#,
        r#"8:16: users.A.tasks.t[3].get: "" is neither a path that begins with / nor an http:// or https:// URL"#,
        r#"9:16: users.A.tasks.t[4].get: "http://" is no URL: empty host"#,
        r#"10:30: users.A.tasks.t[5].request.method: "A B" is no HTTP method"#,
        r#"10:40: users.A.tasks.t[5].request.url: "ftp://x" is neither a path that begins with / nor an http:// or https:// URL"#,
        "11:20: users.A.tasks.t[6].request: expected both `method` and `url`",
        r#"12:11: users.A.tasks.t[7]: found the text "GET", expected `/path`, a URL, or `METHOD /path`"#,
        r#"13:11: users.A.tasks.t[8]: "BR[EW" is no HTTP method"#,
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn checks_are_compiled() {
    let text = r#"users:
  A:
    tasks:
      t:
        - get: /
          check:
            status: [2xx, 700..200, abc]
            regex: "("
            json: { id: 1, $.a: { equal: 1 }, $.b: { regex: "[" } }
            time: -1s
            header: { a: { regex: "[" }, b: { present: 1 } }
            body: ""
"#;
    let expected: &[&str] = &[
        r#"7:27: users.A.tasks.t[0].check.status[1]: "700..200" is no status, expected a status such as `404`, a class such as `2xx` or a range such as `200..299`"#,
        r#"7:37: users.A.tasks.t[0].check.status[2]: "abc" is no status, expected a status such as `404`, a class such as `2xx` or a range such as `200..299`"#,
        r#"8:20: users.A.tasks.t[0].check.regex: "(" is no regular expression: unclosed group"#,
        r#"9:21: users.A.tasks.t[0].check.json.id: "id" is no JSONPath: it does not begin with $"#,
        "9:35: users.A.tasks.t[0].check.json.$.a.equal: unknown key `equal`, did you mean `equals`? (allowed: equals, contains, regex, exists)",
        r#"9:61: users.A.tasks.t[0].check.json.$.b.regex: "[" is no regular expression: unclosed character class"#,
        r#"10:19: users.A.tasks.t[0].check.time: "-1s" is negative, expected a time such as `500ms`"#,
        r#"11:35: users.A.tasks.t[0].check.header.a.regex: "[" is no regular expression: unclosed character class"#,
        "11:56: users.A.tasks.t[0].check.header.b.present: found the number 1, expected `true` or `false`",
        "12:19: users.A.tasks.t[0].check.body: every body contains an empty text",
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn extractions_are_compiled() {
    let text = r#"users:
  A:
    tasks:
      t:
        - get: /
          extract:
            a: id
            b: { css: "a[", group: 1 }
            c: { json: $.a, css: b }
            d: { regex: (a), group: 2 }
            e: { regex: "(?<x>a)", group: y }
            f: { header: a b }
            g: { json: $.a, default: "{{ g }}" }
            h: {}
"#;
    let expected: &[&str] = &[
        r#"7:16: users.A.tasks.t[0].extract.a: "id" is no JSONPath: it does not begin with $"#,
        r#"8:23: users.A.tasks.t[0].extract.b.css: "a[" is no CSS selector: Unexpected EOL"#,
        "8:36: users.A.tasks.t[0].extract.b.group: `group` has a meaning only beside `regex`",
        "9:16: users.A.tasks.t[0].extract.c: expected exactly one of json, regex, css, header, cookie",
        r#"10:37: users.A.tasks.t[0].extract.d.group: the pattern has no group "2", its groups are 0 to 1"#,
        r#"11:43: users.A.tasks.t[0].extract.e.group: the pattern has no group "y", its groups are 0 to 1"#,
        r#"12:26: users.A.tasks.t[0].extract.f.header: "a b" is no header name: letters, digits and !#$%&'*+-.^_`|~"#,
        "13:38: users.A.tasks.t[0].extract.g.default: templates are not allowed in this value",
        "14:16: users.A.tasks.t[0].extract.h: expected exactly one of json, regex, css, header, cookie",
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn steps_are_checked() {
    let text = r#"users:
  A:
    tasks:
      t:
        - interrupt
        - { repeat: -1, steps: [] }
        - { repeat: 1000001, steps: [ / ] }
        - { if: a >, then: [] }
        - { group: "" }
        - wait: pacing 1s
        - wait: 5s..1s
        - log: [ 1 ]
        - stop_user: false
        - {}
        - name: x
        - 5
"#;
    let expected: &[&str] = &[
        "5:11: users.A.tasks.t[0]: `interrupt` leaves a nested task set, and there is none around this step",
        "6:21: users.A.tasks.t[1].repeat: found the number -1, expected a whole number from 0 to 1000000",
        "6:32: users.A.tasks.t[1].steps: found an empty list, expected at least one step",
        "7:21: users.A.tasks.t[2].repeat: found the number 1000001, expected a whole number from 0 to 1000000",
        r#"8:17: users.A.tasks.t[3].if: "a >" is no template: syntax error: unexpected end of input, expected expression"#,
        "8:28: users.A.tasks.t[3].then: found an empty list, expected at least one step",
        "9:11: users.A.tasks.t[4]: expected the key `steps`",
        "9:20: users.A.tasks.t[4].group: a group has an empty name",
        "10:17: users.A.tasks.t[5].wait: a step cannot be paced: `wait` takes `2s`, `1s..5s` or `poisson 2/s`",
        r#"11:17: users.A.tasks.t[6].wait: the range "5s..1s" ends before it begins, expected `2s`, `1s..5s` or `poisson 2/s`"#,
        "12:16: users.A.tasks.t[7].log: found a list, expected a text",
        "13:22: users.A.tasks.t[8].stop_user: found `false`, expected `true`",
        "14:11: users.A.tasks.t[9]: the step does nothing, expected one of get, post, put, patch, delete, head, options, request, websocket, wait, if, repeat, group, log, set, interrupt, stop_user",
        "15:11: users.A.tasks.t[10]: the step does nothing, expected one of get, post, put, patch, delete, head, options, request, websocket, wait, if, repeat, group, log, set, interrupt, stop_user",
        "16:11: users.A.tasks.t[11]: found the number 5, expected a step: an object such as `{ get: / }` or a text such as `GET /`",
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn names_that_nothing_sets_are_found() {
    let text = r#"users:
  A:
    variables: { token: 1 }
    tasks:
      t:
        - get: "/{{ tokn }}/{{ token }}/{{ user.index }}"
        - if: "{{ nothing }}"
          then: [ { log: "{{ id }}" } ]
        - { get: /, extract: { id: $.id } }
        - { post: /, json: [ "{{ missing() }}" ] }
"#;
    let expected: &[&str] = &[
        "6:16: users.A.tasks.t[0].get: no variable or function `tokn`, did you mean `token`?",
        "7:15: users.A.tasks.t[1].if: no variable or function `nothing`",
        "10:30: users.A.tasks.t[3].json[0]: no variable or function `missing`",
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn weights_must_leave_something_to_run() {
    let text = r#"users:
  A: { weight: 0, tasks: { t: { weight: 0, steps: [ / ] } } }
"#;
    let expected: &[&str] = &["2:26: users.A.tasks: every task has weight 0, so there is none to run"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn classes_must_leave_someone_to_spawn() {
    let text = r#"users: { A: { weight: 0, tasks: { t: / } } }
"#;
    let expected: &[&str] = &["1:8: users: every class has weight 0 and no fixed_count, so there is no user to spawn"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn numbers_have_bounds() {
    let text = r#"users:
  A: { weight: .nan, tasks: { t: / } }
  B: { weight: 0.0001, fixed_count: 1e99, tasks: { t: / } }
  C: { weight: 1e7, timeout: 2h, wait_time: 25h, tasks: { t: / } }
  D: { wait_time: throughput 0/s, tasks: { t: { tasks: { x: / }, iterations: 0 } } }
"#;
    let expected: &[&str] = &[
        "2:16: users.A.weight: found the number .nan, expected a number from 0 to 1000000",
        "3:16: users.B.weight: a weight is 0 or at least 0.001",
        "3:37: users.B.fixed_count: found the number 1e99, expected a whole number from 0 to 10000000",
        "4:16: users.C.weight: found the number 1e7, expected a number from 0 to 1000000",
        r#"4:30: users.C.timeout: "2h" is too long, at most 3600s are allowed"#,
        r#"4:45: users.C.wait_time: "25h" is longer than 86400s, expected `2s`, `1s..5s`, `pacing 5s`, `throughput 10/s` or `poisson 2/s`"#,
        r#"5:19: users.D.wait_time: the rate "0/s" is not between 1 in 86400s and 1000000/s, expected `2s`, `1s..5s`, `pacing 5s`, `throughput 10/s` or `poisson 2/s`"#,
        "5:78: users.D.tasks.t.iterations: found the number 0, expected a whole number from 1 to 1000000",
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn names_are_not_empty() {
    let text = r#"users:
  "": { tasks: { "": / } }
"#;
    let expected: &[&str] =
        &["2:7: users.: a user class has an empty name", "2:22: users..tasks.: a task has an empty name"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn tasks_say_one_thing() {
    let text = r#"users:
  A:
    order: any
    tasks:
      a: { steps: [ / ], order: random }
      b: { tasks: {} }
      c: {}
      d: { steps: [ / ], use: x }
      e:
      f: []
      g: { tasks: { x: / }, order: random, sequential: true }
  B: {}
"#;
    let expected: &[&str] = &[
        r#"3:12: users.A.order: found the text "any", expected `random` or `sequential`"#,
        "5:33: users.A.tasks.a.order: `order` has a meaning only beside `tasks` or `use`",
        "6:19: users.A.tasks.b.tasks: expected at least one task",
        "7:10: users.A.tasks.c: expected exactly one of `steps`, `tasks` and `use`",
        "8:10: users.A.tasks.d: expected exactly one of `steps`, `tasks` and `use`",
        "9:8: users.A.tasks.e: found nothing, expected a task: an object, a list of steps or a text such as `GET /`",
        "10:10: users.A.tasks.f: found an empty list, expected at least one step",
        "11:56: users.A.tasks.g.sequential: `order` and `sequential` say the same, expected one of them",
        "12:6: users.B: expected the key `tasks`",
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn bodies_are_checked() {
    let text = r#"users:
  A:
    tasks:
      t:
        - { post: /, form: [ a ] }
        - { post: /, multipart: { a: { content_type: text }, b: { content: x, content_type: text } } }
        - { post: /, json: .inf }
        - { post: /, body: { a: 1 } }
        - { post: /, query: { a: { b: 1 } } }
"#;
    let expected: &[&str] = &[
        "5:28: users.A.tasks.t[0].form: found a list, expected an object of form fields",
        "6:38: users.A.tasks.t[1].multipart.a: expected the key `content`",
        r#"6:93: users.A.tasks.t[1].multipart.b.content_type: found the text "text", expected a media type such as `text/plain`"#,
        "7:28: users.A.tasks.t[2].json: found the number .inf, expected a finite number, as JSON has no other",
        "8:28: users.A.tasks.t[3].body: found an object, expected a text",
        "9:34: users.A.tasks.t[4].query.a: found an object, expected a text or a list of texts",
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn wrong_types_say_what_was_found() {
    let text = r#"users: [ A ]
headers: x
variables: [ 1 ]
task_sets: 5
"#;
    let expected: &[&str] = &[
        "1:8: users: found a list, expected an object of user classes",
        r#"2:10: headers: found the text "x", expected an object of header names and values"#,
        "3:12: variables: found a list, expected an object of variables and their values",
        "4:12: task_sets: found the number 5, expected an object of named task sets",
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn merge_keys_merge_objects() {
    let text = r#"users: { A: { <<: 5, tasks: { t: / } } }
"#;
    let expected: &[&str] = &["1:19: `<<` merges objects, found the number 5"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn unknown_tags_and_keys_that_are_no_text_are_refused() {
    let text = r#"users: { A: { tasks: { t: !x / } }, ? [ 1 ] : 2 }
"#;
    let expected: &[&str] = &["1:27: the tag `!x` has no meaning here", "1:39: a key is a text, found a list"];
    assert_eq!(problems(text, Format::Yaml), expected);
}

#[test]
fn json_is_read_strictly() {
    let text = r#"{"users": {"A": {"tasks": {"t": "/"}}},}"#;
    let expected: &[&str] = &["1:40: not valid JSON: key must be a string"];
    assert_eq!(problems(text, Format::Json), expected);
}

#[test]
fn json_problems_have_a_place() {
    let text = r#"{"users":
 {"A": {"taks": 1},
  "B": {"tasks": {"t": "/"}}, "B": 1}}"#;
    let expected: &[&str] = &[
        "2:8: users.A: expected the key `tasks`",
        "2:9: users.A.taks: unknown key `taks`, did you mean `tasks`? (allowed: weight, fixed_count, host, wait_time, variables, headers, auth, timeout, redirects, on_start, on_stop, order, sequential, tags, tasks, data, connection, on_unauthorized)",
        "3:31: the key `B` is already given on line 3",
    ];
    assert_eq!(problems(text, Format::Json), expected);
}

#[test]
fn json_cannot_be_empty() {
    let text = "";
    let expected: &[&str] = &["1:1: not valid JSON: EOF while parsing a value"];
    assert_eq!(problems(text, Format::Json), expected);
}

#[test]
fn toml_syntax_errors_have_a_place() {
    let text = r#"[users.A]
weight = 1
[users.A]
"#;
    let expected: &[&str] = &["3:8: not valid TOML: duplicate key"];
    assert_eq!(problems(text, Format::Toml), expected);
}

#[test]
fn toml_problems_have_a_place() {
    let text = r#"[users.A]
wieght = 1
tasks = { t = 5 }
[[users.B.tasks.x.steps]]
gte = '/'
"#;
    let expected: &[&str] = &[
        "2:1: users.A.wieght: unknown key `wieght`, did you mean `weight`? (allowed: weight, fixed_count, host, wait_time, variables, headers, auth, timeout, redirects, on_start, on_stop, order, sequential, tags, tasks, data, connection, on_unauthorized)",
        "3:15: users.A.tasks.t: found the number 5, expected a task: an object, a list of steps or a text such as `GET /`",
        "5:1: users.B.tasks.x.steps[0].gte: unknown key `gte`, did you mean `get`? (allowed: get, post, put, patch, delete, head, options, request, websocket, wait, if, repeat, group, log, set, interrupt, stop_user)",
    ];
    assert_eq!(problems(text, Format::Toml), expected);
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let text = " ".repeat(akrida_core::limits::SCENARIO_BYTES_MAX + 1);
    let expected = format!("1:1: the file has {} bytes, at most {} are read", text.len(), text.len() - 1);
    for format in [Format::Yaml, Format::Json, Format::Toml] {
        assert_eq!(problems(&text, format), [expected.as_str()]);
    }
}

#[test]
fn problems_are_counted_beyond_the_bound() {
    let max = akrida_core::limits::SCENARIO_PROBLEMS_MAX;
    let keys: String = (0..max + 5).map(|index| format!("key_{index}: 1\n")).collect();
    let found = problems(&format!("{keys}users: {{ A: {{ tasks: {{ t: / }} }} }}\n"), Format::Yaml);
    assert_eq!(found.len(), max);
    assert!(found[max - 1].ends_with("(and 5 more problems)"), "{}", found[max - 1]);
}

#[test]
fn sets_cannot_nest_without_end_through_their_uses() {
    let sets: String = (0..1_000).map(|n| format!("  s{n}: {{ tasks: {{ t: {{ use: s{} }} }} }}\n", n + 1)).collect();
    let text = format!(
        "users: {{ A: {{ tasks: {{ t: {{ use: s0 }} }} }} }}\ntask_sets:\n{sets}  s1000: {{ tasks: {{ t: / }} }}\n"
    );
    let found = problems(&text, Format::Yaml);
    assert!(!found.is_empty());
    assert!(found.iter().all(|problem| problem.ends_with("task sets are nested more than 32 deep")), "{found:?}");
}

#[test]
fn sets_cannot_multiply_without_end_through_their_uses() {
    let uses = |n: usize| (0..20).map(|task| format!("t{task}: {{ use: s{n} }}")).collect::<Vec<_>>().join(", ");
    let sets: String = (1..20).map(|n| format!("  s{n}: {{ tasks: {{ {} }} }}\n", uses(n - 1))).collect();
    let text = format!(
        "users: {{ A: {{ tasks: {{ t: {{ use: s19 }} }} }} }}\ntask_sets:\n  s0: {{ tasks: {{ t: / }} }}\n{sets}"
    );
    let found = problems(&text, Format::Yaml);
    assert!(!found.is_empty());
    assert!(found.iter().all(|problem| problem.contains("bytes of sets and defaults are repeated")), "{found:?}");
}

#[test]
fn thresholds_that_are_none_say_where_and_why() {
    let text = r#"thresholds:
  - p95(/a) < 300
  - [p95]
  - { expr: rps > x, abort: yes, after: 1.5s }
  - { abort: true }
  - { expr: "failures == 0", after: 5s }
  - { expr: "fail_ratio < 1%", aborts: true }
  - avg < 1s
users: { A: { tasks: { t: / } } }
"#;
    let expected: &[&str] = &[
        r#"2:5: thresholds[0]: "300" has no unit, expected one such as 300ms or 300s (character 11 of the threshold)"#,
        "3:5: thresholds[1]: found a list, expected a threshold such as `p95(/path) < 300ms`",
        r#"4:13: thresholds[2].expr: "x" is no rate, expected one up to 1000000000/s such as 1000 or 2.5/s (character 7 of the threshold)"#,
        r#"4:29: thresholds[2].abort: found the text "yes", expected `true` or `false`"#,
        "4:41: thresholds[2].after: thresholds are judged once a second, expected a time in whole seconds such as `10s`",
        "5:5: thresholds[3]: expected the key `expr`",
        "6:13: thresholds[4].expr: `after` has a meaning only with `abort: true` or `for`, as this threshold is judged at the end (character 1 of the threshold)",
        "7:32: thresholds[5].aborts: unknown key `aborts`, did you mean `abort`? (allowed: expr, abort, after)",
        "8:5: thresholds[6]: unknown metric `avg`, did you mean `mean`? (allowed: p95, p99.9 and other percentiles, median, mean, min, max, fail_ratio, rps, failures_per_s, requests, failures, missed_arrivals) (character 1 of the threshold)",
    ];
    assert_eq!(problems(text, Format::Yaml), expected);
    let text = "thresholds: { p95: 1s }\nusers: { A: { tasks: { t: / } } }";
    assert_eq!(problems(text, Format::Yaml), ["1:13: thresholds: found an object, expected a list of thresholds"]);
}
