//! A run over HTTP/2 against a real nginx that goes away every few requests: nothing fails, and the counts are its own.

use support::akrida::Akrida;
use support::nginx::{HTTP2_REQUESTS, Nginx};

mod support;

#[test]
fn a_server_that_goes_away_in_the_run_costs_no_request() {
    let mut nginx = Nginx::start();
    let ca = nginx.ca_path();
    let run = |http2: &str, protocol: &str| {
        let scenario = format!(
            "connection: {{ http2: {http2} }}
users:
  Visitor:
    wait_time: 2ms
    tasks:
      read: [ {{ get: /, check: {{ body: {protocol} }} }} ]
      write: [ {{ post: /, body: x, check: {{ body: {protocol} }} }} ]"
        );
        let arguments = ["-H", &nginx.http2_url(), "--cacert", ca.to_str().expect("text")];
        let ended =
            Akrida::with_scenario(&scenario).run(&[&arguments[..], &["-u", "4", "-r", "100", "-t", "2s"]].concat());
        assert_eq!((ended.code, ended.total("failures")), (Some(0), 0), "{:?}\n{}", ended.errors(), ended.stderr);
        assert!(ended.total("requests") > 3 * 4 * HTTP2_REQUESTS as u64, "{}", ended.stderr);
        (ended.total("http_exchanges"), ended.total("interrupted"))
    };
    let (exchanges, interrupted) = run("auto", "HTTP/2.0");
    let (old_exchanges, old_interrupted) = run("never", "HTTP/1.1");
    let (least, interrupted) = (exchanges + old_exchanges, interrupted + old_interrupted);
    let logged = nginx.log_lines().len() as u64;
    assert!((least..=least + interrupted).contains(&logged), "{least} {interrupted} {logged}");
}
