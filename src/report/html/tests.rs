#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::super::sample_view;
use super::*;

fn ratios() -> Value {
    let tasks = |of: f64| {
        json!({
            "home": {"ratio": 0.5 * of},
            "browse": {"ratio": 0.5 * of, "tasks": {"product": {"ratio": 0.5 * of}}},
        })
    };
    json!({
        "per_class": {
            "Visitor": {"ratio": 0.75, "tasks": tasks(1.0)},
            "Buyer": {"ratio": 0.25, "tasks": {"basket": {"ratio": 1.0}}},
        },
        "total": {
            "Visitor": {"ratio": 0.75, "tasks": tasks(0.75)},
            "Buyer": {"ratio": 0.25, "tasks": {"basket": {"ratio": 0.25}}},
        },
    })
}

fn page(view: &RunView) -> String {
    report(view, Some(&ratios()), Theme::System).unwrap()
}

#[test]
fn users_per_class_are_shown_while_there_are_users() {
    assert!(page(&sample_view::busy()).contains("<dd>Visitor (75), Buyer (25)</dd>"));
    assert!(page(&sample_view::empty()).contains("<dd>Visitor, Buyer</dd>"));
}

#[test]
fn a_run_has_all_sections_of_locusts_report_and_ours() {
    let html = page(&sample_view::busy());
    let expected = [
        "<dt>Profile</dt><dd>nightly</dd>",
        "<dt>During</dt><dd>2026-11-24 21:57:56 – 21:58:56 UTC (1 minute)</dd>",
        "<dt>Target host</dt><dd>http:&#x2f;&#x2f;127.0.0.1:8000</dd>",
        "<dt>Scenario</dt><dd>shop.yml</dd>",
        "<dd>closed: up to 100 users, spawned at 10 per second, for 1 minute</dd>",
        "<h2>Request statistics</h2>",
        "<h2>Response time percentiles",
        "<h2>Thresholds</h2>",
        "<td class=\"good\">passed</td><td class=\"num\">261.7&#x2f;s</td>",
        "<td class=\"bad\">failed</td><td class=\"num\">6.4ms</td><td class=\"text\">violated from 21 s to 51 s</td>",
        "<td class=\"warn\">no data</td><td class=\"num\">–</td><td class=\"text\">no requests</td>",
        "<h2>Phases <small>ms</small></h2>",
        "<h2>Failures</h2>",
        "<h2>Exceptions</h2>",
        "<h2>Transactions</h2>",
        "<h2>Generator errors</h2>",
        "<h2>Charts</h2>",
        "<h3>Requests per second</h3>",
        "<h3>Response times</h3>",
        "<h3>Number of users</h3>",
        "<h3>Percentile spectrum</h3>",
        "<h2>Final ratio</h2>",
        "<strong>DEGRADED</strong>",
        "schedule lag p99 19.9 ms",
        "<td class=\"num\">15,700</td>",
    ];
    for part in expected {
        assert!(html.contains(part), "{part} is missing");
    }
}

#[test]
fn a_closed_model_has_nothing_of_an_open_one() {
    let html = page(&sample_view::busy());
    for absent in ["<h2>Arrivals", "Service time", "due", "warm-up\"", "Warm-up", "TLS handshake</th>"] {
        assert!(!html.contains(absent), "{absent}");
    }
}

#[test]
fn an_open_model_shows_arrivals_both_latencies_and_its_warm_up() {
    let html = page(&sample_view::open());
    let expected = [
        "<dd>open: up to 100 arrivals per second (poisson), served by at most 1 user, for 1.5 s</dd>",
        "<dt>Warm-up</dt><dd>the first 10 s do not count</dd>",
        "<dt>Due</dt><dd>14<small>expected</small></dd>",
        "<dt>Dropped</dt><dd>2<small>given up</small></dd>",
        "<dt>Schedule lag</dt><dd>p50 1.00 ms, p99 1.98 ms, max 2.00 ms</dd>",
        "Latency counts from when a request was due.",
        "<h2>Service time (from when it was sent) <small>ms</small></h2>",
        "From when due",
        "warm-up, does not count",
    ];
    for part in expected {
        assert!(html.contains(part), "{part} is missing");
    }
    assert!(!html.contains("(reset)"));
    let served = html.split("<h2>Service time").nth(1).and_then(|rest| rest.split("</table>").next()).unwrap();
    assert_eq!((served.matches("<tr>").count(), served.matches("class=\"total\"").count()), (3, 1));
    assert!(served.contains("<td class=\"num\">331</td>") && !served.contains("<td class=\"num\">351</td>"));
}

#[test]
fn ratios_are_nested_lists() {
    let html = page(&sample_view::small());
    let text: String = html.split_whitespace().collect::<Vec<_>>().join(" ");
    let nested =
        "<li><span class=\"ratio\">50.0 %</span> browse <ul> <li><span class=\"ratio\">50.0 %</span> product</li>";
    assert!(text.contains(nested), "{text}");
    assert!(text.contains("<span class=\"ratio\">37.5 %</span> home</li>"));
}

#[test]
fn texts_from_outside_are_escaped() {
    let hostile = "<script>alert(1)</script>";
    let trees = json!({"per_class": {hostile: {"ratio": 1.0}}, "total": {hostile: {"ratio": 1.0}}});
    let html = report(&sample_view::hostile(), Some(&trees), Theme::System).unwrap();
    assert!(!html.contains("<script"), "{html}");
    let escaped = html.matches("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;").count();
    assert!(escaped >= 15, "only {escaped} places show the text");
    assert!(!html.contains("NaN") && !html.contains(">inf"), "{html}");
}

#[test]
fn the_page_needs_nothing_from_outside_and_runs_nothing() {
    let html = page(&sample_view::busy());
    for forbidden in ["src=", "@import", "url(", "<script", "onload", "onclick", "javascript:"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    let links: Vec<_> = html.match_indices("href=").map(|(at, _)| &html[at..at + 14]).collect();
    assert_eq!(links, ["href=\"data:,\">"]);
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn an_empty_run_has_a_page_without_charts() {
    let html = report(&sample_view::empty(), None, Theme::Dark).unwrap();
    assert!(html.contains("<html lang=\"en\" data-theme=\"dark\">"));
    assert!(html.contains("<dt>Median</dt><dd>N&#x2f;A</dd>"), "{html}");
    assert!(html.contains("<strong>VALID</strong>"));
    for absent in ["<svg", "<h2>Charts", "<h2>Exceptions", "<h2>Transactions", "<h2>Final ratio", "NaN"] {
        assert!(!html.contains(absent), "{absent}");
    }
}

#[test]
fn the_same_run_gives_the_same_page() {
    assert_eq!(page(&sample_view::busy()), page(&sample_view::busy()));
}

#[test]
fn trees_as_deep_as_a_scenario_may_be_are_shown() {
    let mut tree = json!({"leaf": {"ratio": 1.0}});
    for _ in 0..akrida_core::limits::SCENARIO_DEPTH_MAX {
        tree = json!({"set": {"ratio": 1.0, "tasks": tree}});
    }
    let html = report(&sample_view::small(), Some(&json!({"per_class": tree, "total": tree})), Theme::System).unwrap();
    assert_eq!(html.matches("</span> leaf").count(), 2);
}
