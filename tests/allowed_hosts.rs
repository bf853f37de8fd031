//! `--allow-host`: no request leaves for another host, and a run against one does not begin.

use akrida::target::{Target, TargetOptions, start};
use support::akrida::Akrida;

mod support;

fn target() -> Target {
    start(TargetOptions { workers: 1, ..TargetOptions::default() }).expect("the target starts")
}

fn host_of(target: &Target) -> String {
    target.url().trim_start_matches("http://").to_owned()
}

#[test]
fn a_run_against_another_host_is_refused_before_it_begins() {
    let (allowed, other) = (target(), target());
    for steps in ["GET /", &format!("[ GET /, GET {}/x ]", other.url())] {
        let base = if steps == "GET /" { &other } else { &allowed };
        let scenario = format!("host: {}\nusers: {{ A: {{ tasks: {{ a: {steps} }} }} }}", base.url());
        let ended = Akrida::with_scenario(&scenario).run(&["--allow-host", &host_of(&allowed), "-t", "1s"]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        let message = format!("host not allowed: {}; --allow-host names {}", host_of(&other), host_of(&allowed));
        assert!(ended.stderr.contains(&message), "{}", ended.stderr);
    }
    assert_eq!((allowed.counts().received, other.counts().received), (0, 0));
}

#[test]
fn a_host_that_is_only_known_in_the_run_is_not_connected_to() {
    let (allowed, other) = (target(), target());
    let scenario = format!(
        "variables: {{ there: '{}' }}
users:
  A:
    wait_time: 50ms
    tasks: {{ a: [ {{ get: / }}, {{ get: '{{{{ there }}}}/x', name: elsewhere }} ] }}",
        other.url()
    );
    let akrida = Akrida::with_scenario(&scenario);
    let ended =
        akrida.run(&["-H", &allowed.url(), "--allow-hosts", &format!("{},c.test", host_of(&allowed)), "-t", "1s"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let [(text, count)] = &ended.errors()[..] else { panic!("{}", ended.stderr) };
    assert_eq!(*text, format!("host not allowed: {}", host_of(&other)));
    assert_eq!(*count, ended.total("failures"));
    assert_eq!(other.counts().received, 0);
    assert_eq!(ended.total("http_exchanges"), allowed.counts().received, "what was not sent is no exchange");
}
