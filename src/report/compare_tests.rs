use super::super::sample_view::{empty, endpoint, small};
use super::*;

/// A run with these endpoints, of a minute.
fn run(id: u64, endpoints: Vec<EndpointView>) -> RunView {
    let mut view = RunView { endpoints, ..empty() };
    view.run.id = akrida_core::ids::RunId(id);
    view.total = view.endpoints.first().map_or_else(
        || view.total.clone(),
        |first| EndpointView { method: "".into(), name: "Aggregated".into(), ..first.clone() },
    );
    view
}

fn one(latency_us: u64, failures: usize, seconds: f64) -> RunView {
    run(1, vec![endpoint("GET", "/", &[latency_us; 1_000], failures, seconds)])
}

fn worse(base: &RunView, new: &RunView) -> Vec<(String, &'static str)> {
    let comparison = Comparison::of(base, new, 0.1);
    let worse = comparison.lines.iter().filter(|line| line.is_regression && line.endpoint != "Aggregated");
    worse.map(|line| (line.endpoint.clone(), line.figure.name())).collect()
}

#[test]
fn a_run_is_no_worse_than_itself() {
    for view in [small(), empty(), super::super::sample_view::hostile()] {
        let comparison = Comparison::of(&view, &view, 0.0);
        assert!(!comparison.has_regressed(), "{}", comparison.to_text());
    }
}

#[test]
fn only_what_is_worse_beyond_the_tolerance_counts() {
    let base = one(100_000, 10, 60.0);
    assert_eq!(worse(&base, &one(109_000, 10, 60.0)), []);
    assert_eq!(worse(&base, &one(50_000, 0, 30.0)), [], "better is not worse");
    let slower = worse(&base, &one(120_000, 10, 60.0));
    assert_eq!(slower.iter().map(|(_, figure)| *figure).collect::<Vec<_>>(), ["p50", "p95", "p99"]);
    assert_eq!(worse(&base, &one(100_000, 20, 60.0)), [("GET /".to_owned(), "failed")]);
    assert_eq!(worse(&base, &one(100_000, 10, 70.0)), [("GET /".to_owned(), "requests")]);
}

#[test]
fn noise_never_counts() {
    assert_eq!(worse(&one(400, 0, 60.0), &one(900, 0, 60.0)), [], "half a millisecond");
    assert_eq!(worse(&one(400, 0, 60.0), &one(2_400, 0, 60.0)).len(), 3);
    let rare = |failures| run(1, vec![endpoint("GET", "/", &[1_000; 5_000], failures, 60.0)]);
    assert_eq!(worse(&rare(0), &rare(4)), [], "less than a thousandth");
    assert_eq!(worse(&rare(0), &rare(5)), [("GET /".to_owned(), "failed")]);
}

#[test]
fn an_endpoint_that_is_gone_is_worse_and_a_new_one_is_not() {
    let (home, more) = (endpoint("GET", "/", &[1_000; 10], 0, 1.0), endpoint("GET", "/more", &[1_000; 10], 0, 1.0));
    let (one, both) = (run(1, vec![home.clone()]), run(2, vec![home, more]));
    assert_eq!(worse(&one, &both), []);
    assert_eq!(worse(&both, &one), [("GET /more".to_owned(), "requests")]);
}

#[test]
fn a_comparison_is_a_table() {
    let base = run(0xa, vec![endpoint("GET", "/", &[100_000; 1_000], 0, 60.0)]);
    let new = run(
        0xb,
        vec![endpoint("GET", "/", &[150_000; 1_000], 5, 60.0), endpoint("POST", "/basket", &[2_500; 100], 0, 60.0)],
    );
    let comparison = Comparison::of(&base, &new, 0.1);
    assert_eq!(
        comparison.to_text(),
        "\
A: run 000000000000000a of shop.yml, 2026-11-24T21:57:56Z, 1000 requests, VALID
B: run 000000000000000b of shop.yml, 2026-11-24T21:57:56Z, 1000 requests, VALID

ENDPOINT      FIGURE               A            B     CHANGE
Aggregated    p50             100 ms       150 ms    +50.0 %  WORSE
              p95             100 ms       150 ms    +50.0 %  WORSE
              p99             100 ms       150 ms    +50.0 %  WORSE
              failed          0.00 %       0.50 %             WORSE
              requests        16.7/s       16.7/s     +0.0 %
GET /         p50             100 ms       150 ms    +50.0 %  WORSE
              p95             100 ms       150 ms    +50.0 %  WORSE
              p99             100 ms       150 ms    +50.0 %  WORSE
              failed          0.00 %       0.50 %             WORSE
              requests        16.7/s       16.7/s     +0.0 %
POST /basket  p50                  -      2.50 ms        new
              p95                  -      2.50 ms        new
              p99                  -      2.50 ms        new
              failed               -       0.00 %        new
              requests             -        1.7/s        new

8 figures are worse by more than 10 %
"
    );
    assert_eq!(comparison.to_json()["regressed"], true);
    assert_eq!(comparison.to_json()["figures"][0]["base"], 100_000.0);
}
