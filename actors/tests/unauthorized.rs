//! What happens when a request gets status 401.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use support::{Served, counts, failures, header, requests, response, run};

/// Gives tokens, and lets in who has one.
async fn guarded(login: &'static str) -> Served {
    Served::with(move |request, number| {
        let token = header(request, "authorization").unwrap_or_default().to_owned();
        match request.split(' ').nth(1).unwrap() {
            "/login" => response(login, "", &format!("{{\"token\": \"t{number}\"}}")),
            _ if token.starts_with("Bearer t") => response("200 OK", "", "good"),
            _ => response("401 Unauthorized", "", "bad"),
        }
    })
    .await
}

fn scenario(steps: &str, hook: &str) -> String {
    let steps: String = steps.lines().map(|line| format!("          {line}\n")).collect();
    format!(
        "\
host: HOST
users:
  User:
    variables: {{ token: none }}
    headers: {{ Authorization: 'Bearer {{{{ token }}}}' }}
    on_unauthorized: {hook}
    order: sequential
    tasks:
      only:
        steps:
{steps}      last: {{ steps: [ stop_user ] }}
"
    )
}

const LOGIN: &str = "[ { post: /login, extract: { token: $.token } } ]";

#[actix::test]
async fn the_user_logs_in_and_the_request_is_sent_once_more() {
    let served = guarded("200 OK").await;
    let steps = "- { get: /a, check: { body: [good] } }\n- get: /b";
    let measured = run(&scenario(steps, LOGIN), &served.url()).await;
    assert_eq!(served.lines(), ["GET /a", "POST /login", "GET /a", "GET /b"]);
    assert_eq!(failures(&measured), []);
    assert_eq!(counts(&measured), (3, 0, 4), "the first answer is an exchange and no sample");
    assert_eq!(header(&served.log()[2], "authorization"), Some("Bearer t1"), "it was rendered again");
}

#[actix::test]
async fn a_request_that_is_refused_again_is_not_sent_a_third_time() {
    let served = Served::with(|_, _| response("401 Unauthorized", "", "{\"token\": \"x\"}")).await;
    let measured = run(&scenario("- get: /a\n- get: /b", LOGIN), &served.url()).await;
    let once = ["GET /a", "POST /login", "GET /a"];
    assert_eq!(served.lines(), [&once[..], &["GET /b", "POST /login", "GET /b"]].concat(), "each once, and no circle");
    assert_eq!(counts(&measured), (4, 4, 6));
    assert_eq!((requests(&measured, "GET", "/a"), requests(&measured, "POST", "/login")), (1, 2));
}

#[actix::test]
async fn a_login_that_fails_ends_the_task_with_the_first_answer() {
    let served = Served::with(|_, _| response("401 Unauthorized", "", "{}")).await;
    let measured = run(&scenario("- get: /a\n- get: /never", LOGIN), &served.url()).await;
    assert_eq!(served.lines(), ["GET /a", "POST /login"]);
    assert_eq!(counts(&measured), (2, 2, 2));
    assert_eq!(requests(&measured, "GET", "/a"), 1);
}

#[actix::test]
async fn who_expects_it_or_has_no_steps_for_it_just_gets_it() {
    let served = guarded("200 OK").await;
    let steps = "- { get: /a, check: { status: [401, 403] } }\n- { get: /b, check: { status: 4xx } }";
    let measured = run(&scenario(steps, LOGIN), &served.url()).await;
    assert_eq!((served.lines(), failures(&measured)), (vec!["GET /a".to_owned(), "GET /b".to_owned()], Vec::new()));
    let served = guarded("200 OK").await;
    let without = scenario("- get: /a", LOGIN).replace("on_unauthorized", "on_stop");
    let measured = run(&without, &served.url()).await;
    assert_eq!(failures(&measured), [("status was 401".to_owned(), 1)]);
    assert_eq!(served.lines(), ["GET /a", "POST /login"]);
}

#[actix::test]
async fn the_hook_may_end_the_user() {
    let served = Served::with(|_, _| response("401 Unauthorized", "", "")).await;
    let measured = run(&scenario("- get: /a\n- get: /never", "[ stop_user ]"), &served.url()).await;
    assert_eq!(served.lines(), ["GET /a"]);
    assert_eq!(counts(&measured), (1, 1, 1));
}
