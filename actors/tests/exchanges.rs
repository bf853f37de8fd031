//! What counts as a request, a failure and an exchange, against servers that behave in every way.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use akrida_core::limits;
use akrida_core::stats::endpoint::EndpointKey;
use support::{Reply, Served, counts, failures, header, requests, response, run_steps};

fn failed_with(text: &str) -> Vec<(String, u64)> {
    vec![(text.to_owned(), 1)]
}

#[actix::test]
async fn statuses_of_400_and_more_fail_unless_the_scenario_judges_them() {
    let served = Served::with(|request, _| match request.split(' ').nth(1).unwrap() {
        "/ok" => response("200 OK", "", "hello"),
        "/missing" => response("404 Not Found", "", ""),
        _ => response("500 Internal Server Error", "", "oh"),
    })
    .await;
    let steps =
        "- get: /ok\n- get: /missing\n- get: /broken\n- get: /missing\n  name: wanted\n  check: { status: 404 }";
    let measured = run_steps(steps, &served.url()).await;
    assert_eq!(counts(&measured), (4, 2, 4));
    assert_eq!(served.lines(), ["GET /ok", "GET /missing", "GET /broken", "GET /missing"]);
    assert_eq!(failures(&measured), [("status was 500".to_owned(), 1), ("status was 404".to_owned(), 1)]);
    assert_eq!(served.connections(), 1, "a user keeps its connection");
    let ok = &measured.endpoints[&EndpointKey::request("GET", "/ok")];
    assert_eq!((ok.content_bytes, ok.connect.count(), ok.first_byte.count()), (5, 1, 1));
    let missing = &measured.endpoints[&EndpointKey::request("GET", "/missing")];
    assert_eq!((missing.connect.count(), missing.first_byte.count()), (0, 1), "no connection was made for it");
}

#[actix::test]
async fn a_request_carries_the_host_and_our_name_and_nothing_that_was_not_asked_for() {
    let served = Served::with(|_, _| response("200 OK", "", "")).await;
    let steps = "- get: /\n- get: /\n  headers: { User-Agent: mine, X-Own: a }\n- post: /\n  json: { a: [1, true] }";
    run_steps(steps, &served.url()).await;
    let log = served.log();
    assert_eq!(header(&log[0], "host"), served.url().strip_prefix("http://"));
    assert!(header(&log[0], "user-agent").unwrap().starts_with("akrida/"));
    for absent in ["accept-encoding", "accept", "content-length", "cookie"] {
        assert_eq!(header(&log[0], absent), None);
    }
    assert_eq!((header(&log[1], "user-agent"), header(&log[1], "x-own")), (Some("mine"), Some("a")));
    assert_eq!(header(&log[2], "content-type"), Some("application/json"));
    assert!(log[2].ends_with("\r\n\r\n{\"a\":[1,true]}"), "{}", log[2]);
}

#[actix::test]
async fn redirects_are_one_request_and_an_exchange_each() {
    let served = Served::with(|request, _| match request.split(' ').nth(1).unwrap() {
        "/one" => response("302 Found", "location: /end\r\n", "moved"),
        "/two" => response("307 Temporary Redirect", "location: /one\r\n", ""),
        "/loop" => response("301 Moved Permanently", "location: /loop\r\n", ""),
        _ => response("200 OK", "", "end"),
    })
    .await;
    let steps = "- post: /two\n  body: data\n- get: /one\n- get: /loop\n  redirects: 3\n- get: /one\n  name: not followed\n  redirects: 0\n  check: { status: 302 }";
    let measured = run_steps(steps, &served.url()).await;
    assert_eq!(counts(&measured), (4, 1, 3 + 2 + 4 + 1));
    assert_eq!(failures(&measured), failed_with("more than 3 redirects"));
    let lines = served.lines();
    assert_eq!(lines[..3], ["POST /two", "POST /one", "GET /end"]);
    assert!(served.log()[1].ends_with("\r\n\r\ndata") && !served.log()[2].contains("data"));
    assert_eq!(lines.len(), 10);
    assert_eq!(measured.endpoints[&EndpointKey::request("POST", "/two")].content_bytes, 3, "of the last response");
}

#[actix::test]
async fn credentials_stay_with_the_server_that_they_are_for() {
    let other = Served::with(|_, _| response("200 OK", "", "")).await;
    let location = format!("location: {}/there\r\n", other.url());
    let served = Served::with(move |_, _| response("302 Found", &location, "")).await;
    let steps = "- get: /\n  auth: { bearer: secret }\n  headers: { X-Own: kept }";
    let measured = run_steps(steps, &served.url()).await;
    assert_eq!(counts(&measured), (1, 0, 2));
    assert_eq!(header(&served.log()[0], "authorization"), Some("Bearer secret"));
    assert_eq!(header(&other.log()[0], "authorization"), None);
    assert_eq!(header(&other.log()[0], "x-own"), Some("kept"));
}

#[actix::test]
async fn a_reset_after_reading_is_a_failure_and_an_exchange() {
    let served = Served::with(|_, _| Reply::Reset).await;
    let measured = run_steps("- get: /", &served.url()).await;
    assert_eq!(counts(&measured), (1, 1, 1));
    assert_eq!(failures(&measured), failed_with("connection reset by peer"));
    assert_eq!(served.lines().len(), 1, "a new connection is not tried twice");
}

#[actix::test]
async fn a_refused_connection_is_a_failure_and_no_exchange() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let measured = run_steps("- get: /", &format!("http://{free}")).await;
    assert_eq!(counts(&measured), (1, 1, 0));
    assert_eq!(failures(&measured), failed_with("connection refused"));
}

#[actix::test]
async fn what_is_no_http_or_breaks_off_is_a_failure_and_an_exchange() {
    for (reply, text) in [
        ("garbage\r\n\r\n", "invalid HTTP response"),
        ("", "connection closed before the response"),
        ("HTTP/1.1 200 OK\r\ncontent-le", "response ended early"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfour", "response ended early"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfour\r\n", "response ended early"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno number\r\n", "invalid HTTP response"),
    ] {
        let served = Served::with(move |_, _| Reply::SendAndClose(reply.into())).await;
        let measured = run_steps("- get: /", &served.url()).await;
        assert_eq!(counts(&measured), (1, 1, 1), "{reply:?}");
        assert_eq!(failures(&measured), failed_with(text), "{reply:?}");
    }
}

#[actix::test]
async fn a_body_may_end_with_the_connection() {
    let served = Served::with(|_, _| Reply::SendAndClose(b"HTTP/1.0 200 OK\r\n\r\nall of it".to_vec())).await;
    let measured = run_steps("- get: /\n  check: { body: all of it }", &served.url()).await;
    assert_eq!(counts(&measured), (1, 0, 1));
}

#[actix::test]
async fn interim_responses_and_responses_without_a_length_are_read() {
    let served = Served::with(|_, number| match number {
        0 => Reply::Send(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".into()),
        1 => Reply::SendAndClose(b"HTTP/1.1 200 OK\r\n\r\nbody".into()),
        2 => Reply::Send(b"HTTP/1.1 204 No Content\r\n\r\n".into()),
        _ => Reply::Send(b"HTTP/1.1 304 Not Modified\r\n\r\n".into()),
    })
    .await;
    let measured = run_steps("- get: /hints\n- get: /open\n- get: /empty\n- get: /unchanged", &served.url()).await;
    assert_eq!(counts(&measured), (4, 0, 4));
    assert_eq!((served.lines().len(), served.connections()), (4, 2), "only the end of a connection makes another");
    let open = &measured.endpoints[&EndpointKey::request("GET", "/open")];
    assert_eq!(open.content_bytes, 4);
}

#[actix::test]
async fn the_time_out_covers_an_endless_body() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let served = Served::with(move |_, number| match number {
        0 => Reply::Endless(head.into()),
        1 => Reply::Silence,
        _ => response("200 OK", "", ""),
    })
    .await;
    let steps = "- get: /endless\n  timeout: 300ms\n- get: /silent\n  timeout: 50ms\n- get: /fine\n  timeout: 20s";
    let measured = run_steps(steps, &served.url()).await;
    assert_eq!(counts(&measured), (3, 2, 3));
    assert_eq!(failures(&measured), [("timed out after 300ms".to_owned(), 1), ("timed out after 50ms".to_owned(), 1)]);
    assert_eq!(served.connections(), 3, "a connection whose response was given up is not used again");
}

#[actix::test]
async fn a_body_that_is_not_text_is_checked_as_bytes() {
    let served =
        Served::with(|_, _| Reply::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n\xff\xfeneedle".to_vec())).await;
    let steps = "- get: /\n  check: { body: needle }\n- get: /json\n  check: { json: { $.a: { exists: true } } }";
    let measured = run_steps(steps, &served.url()).await;
    assert_eq!(counts(&measured), (2, 1, 2));
    assert_eq!(failures(&measured), failed_with("body is not UTF-8, expected JSON"));
}

#[actix::test]
async fn a_body_beyond_what_is_kept_is_counted_whole_and_checked_in_part() {
    let length = limits::BODY_KEPT_BYTES_MAX + 1_000;
    let served = Served::with(move |_, _| response("200 OK", "", &format!("{}end", "x".repeat(length - 3)))).await;
    let steps = "- get: /unchecked\n- get: /start\n  check: { body: xxx }\n- get: /end\n  check: { body: end }";
    let measured = run_steps(steps, &served.url()).await;
    assert_eq!(counts(&measured), (3, 1, 3));
    assert!(failures(&measured)[0].0.contains("the rest was not kept"), "{:?}", failures(&measured));
    for endpoint in measured.endpoints.values() {
        assert_eq!(endpoint.content_bytes, length as u64);
    }
}

#[actix::test]
async fn an_encoded_body_is_decoded_for_checks_and_counted_as_sent() {
    // gzip of "hello hello hello"
    const GZIP: &[u8] = &[
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 87, 200, 64, 144, 0, 128, 136, 249, 229, 17, 0, 0, 0,
    ];
    let served = Served::with(|_, number| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", GZIP.len());
        let body = if number < 2 { GZIP.to_vec() } else { vec![b'x'; GZIP.len()] };
        Reply::Send([head.into_bytes(), body].concat())
    })
    .await;
    let steps = "- get: /checked\n  headers: { Accept-Encoding: gzip }\n  check: { body: hello hello hello }\n- get: /unchecked\n- get: /broken\n  check: { body: x }";
    let measured = run_steps(steps, &served.url()).await;
    assert_eq!(failures(&measured), failed_with("response body cannot be decoded"));
    assert_eq!(counts(&measured), (3, 1, 3));
    assert_eq!(header(&served.log()[0], "accept-encoding"), Some("gzip"));
    for name in ["/checked", "/unchecked"] {
        assert_eq!(measured.endpoints[&EndpointKey::request("GET", name)].content_bytes, GZIP.len() as u64);
    }
}

#[actix::test]
async fn a_connection_that_the_server_closed_while_idle_is_no_failure() {
    let served = Served::with(|_, _| Reply::SendAndClose(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".into())).await;
    let steps = "- repeat: 5\n  steps:\n  - get: /\n  - wait: 20ms";
    let measured = run_steps(steps, &served.url()).await;
    assert_eq!(counts(&measured), (5, 0, 5));
    assert_eq!((served.lines().len(), served.connections()), (5, 5));
}

#[actix::test]
async fn a_request_that_meets_a_closing_connection_is_repeated_only_where_that_is_safe() {
    let served = Served::with(|_, number| {
        let fine = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
        if number.is_multiple_of(2) { Reply::SendAndRefuseNext(fine) } else { Reply::SendAndClose(fine) }
    })
    .await;
    let measured = run_steps("- get: /first\n- get: /second", &served.url()).await;
    assert_eq!(served.lines(), ["GET /first", "GET /second"]);
    let (samples, failed, exchanges) = counts(&measured);
    assert_eq!((samples, failed), (2, 0), "{:?}", failures(&measured));
    // The second request was written in full on the old connection and never read, or broke off while it was written.
    assert!((2..=3).contains(&exchanges), "{exchanges}");

    let measured = run_steps("- get: /third\n- post: /fourth", &served.url()).await;
    assert_eq!(counts(&measured).1, 1, "{:?}", failures(&measured));
    assert_eq!(requests(&measured, "POST", "/fourth"), 1);
    assert_eq!(served.lines().len(), 3, "a POST is not sent twice");
}

#[actix::test]
async fn a_user_that_visits_many_servers_keeps_few_connections() {
    let mut servers = Vec::new();
    for _ in 0..=limits::IDLE_SERVERS_MAX {
        servers.push(Served::with(|_, _| response("200 OK", "", "")).await);
    }
    let urls: Vec<String> = servers.iter().map(Served::url).collect();
    let visit = |url: &String| format!("- get: {url}/\n");
    let steps: String = urls.iter().chain([&urls[urls.len() - 1], &urls[0]]).map(visit).collect();
    let measured = run_steps(steps.trim_end(), &urls[0]).await;
    assert_eq!(counts(&measured).1, 0);
    assert_eq!(servers[0].connections(), 2, "the connections of before were dropped");
    assert_eq!(servers[limits::IDLE_SERVERS_MAX].connections(), 1, "the ones since are kept");
}

#[actix::test]
async fn cookies_are_kept_by_each_user_and_not_shared() {
    let served = Served::with(|request, number| match request.split(' ').nth(1).unwrap() {
        "/login" => response("200 OK", &format!("set-cookie: id={number}; Path=/\r\n"), ""),
        _ => response("200 OK", "", ""),
    })
    .await;
    let scenario = support::once("- get: /login\n- get: /page");
    for _ in 0..2 {
        support::run(&scenario, &served.url()).await;
    }
    let cookies: Vec<Option<String>> =
        served.log().iter().map(|request| header(request, "cookie").map(str::to_owned)).collect();
    assert_eq!(cookies, [None, Some("id=0".into()), None, Some("id=2".into())]);
}
