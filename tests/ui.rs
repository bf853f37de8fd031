//! The web pages in a real browser, in front of real masters.
#![cfg(feature = "ui")]

use serde_json::Value;
use support::balancer::{Balancer, Kind};
use support::browser::Browser;
use support::cluster::{Cluster, Options};
use support::target::Target;
use tempfile::TempDir;

mod support;

/// One request passes, the other has a script for a name, and fails.
const SCENARIO: &str = r#"users:
  Visitor:
    wait_time: 20ms
    tasks:
      home: { weight: 3, steps: [ { get: / } ] }
      evil: { weight: 1, steps: [ { get: /about, name: "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">" } ] }
"#;

/// Masters that have a scenario, a worker, and a target.
struct Site {
    cluster: Cluster,
    target: Target,
    _folder: TempDir,
}

impl Site {
    fn start() -> Self {
        let target = Target::start(&[]);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let scenario = folder.path().join("shop.yml");
        std::fs::write(&scenario, SCENARIO).expect("a file");
        let scenario = scenario.to_str().expect("a path in UTF-8");
        let arguments = ["-f", scenario, "-H", target.url()].map(str::to_owned).to_vec();
        let cluster = Cluster::start(&Options { arguments, ..Options::default() }, &["worker-1"]);
        Self { cluster, target, _folder: folder }
    }

    /// The page of a master in a browser.
    fn browse(&self, master: usize) -> Browser {
        Browser::open(&format!("{}/", self.cluster.url(master)))
    }

    /// The summary of the only run, once it has ended.
    fn summary(&self, master: usize) -> Value {
        self.cluster.await_that("the end of the run", || {
            let runs = self.cluster.try_get(master, "/api/v1/runs")?.json();
            let run = runs[0]["id"].as_str()?.to_owned();
            let summary = self.cluster.try_get(master, &format!("/api/v1/runs/{run}"))?.json();
            (summary["run"]["status"] == "stopped").then_some(summary)
        })
    }
}

/// Fills the form in and sends it.
fn start_run(browser: &Browser, users: u64) {
    browser.await_that("document.querySelector('form') !== null && document.body.innerText.includes('shop.yml')");
    browser.fill("[name=users]", &users.to_string());
    browser.fill("[name=rate]", "50");
    browser.fill("[name=label]", "by hand");
    browser.press("Start");
    browser.await_that(&shows_status("RUNNING"));
}

fn shows_status(status: &str) -> String {
    format!("document.querySelector('[data-item=status] dd').innerText === '{status}'")
}

/// Requests in the last line of the table.
const TOTAL: &str = "Number(document.querySelector('tfoot td:nth-child(3)').innerText.replaceAll(',', ''))";

/// Points of the first chart.
const POINTS: &str = "Number(document.querySelector('figure').dataset.points)";

/// Waits until a number of the page is larger than now by this much.
fn await_growth(browser: &Browser, number: &str, by: u64) {
    let now = browser.value(number).as_f64().expect("a number");
    browser.await_that(&format!("{number} >= {}", now + by as f64));
}

#[test]
fn a_run_is_started_watched_edited_and_stopped_in_the_browser() {
    let site = Site::start();
    let leader = site.cluster.leader();
    let browser = site.browse((leader + 1) % 3);
    start_run(&browser, 4);
    browser.await_that("document.querySelector('tfoot') !== null");
    await_growth(&browser, TOTAL, 50);
    browser.await_that("document.querySelector('[data-item=users] dd').innerText === '4'");

    browser.press("Charts");
    browser.await_that("document.querySelectorAll('figure canvas').length === 3");
    await_growth(&browser, POINTS, 2);

    browser.press("Edit");
    browser.fill("dialog [name=users]", "7");
    browser.press("Update");
    browser.await_that("document.querySelector('[data-item=users] dd').innerText === '7'");
    browser.await_that("document.querySelector('dialog') === null");

    browser.press("Failures");
    browser.await_that("document.querySelectorAll('tbody tr').length === 1");
    assert!(browser.text("tbody tr").contains("<script>document.title='owned'</script>"), "it is text");
    browser.press("Workers");
    browser.await_that("document.querySelector('tbody')?.innerText.includes('worker-1') === true");

    browser.press("Stop");
    browser.await_that(&shows_status("STOPPED"));
    browser.press("Statistics");
    browser.await_that("document.querySelector('tbody')?.innerText.includes('<img src=x') === true");
    let summary = site.summary(leader);
    browser.await_that(&format!("{TOTAL} === {}", summary["totals"]["requests"]));
    assert_eq!(summary["totals"]["http_exchanges"], site.target.received());

    browser.press("New run");
    browser.fill("dialog [name=time]", "2s");
    assert_eq!(browser.value("document.querySelector('dialog [name=users]').value"), "7", "as the last one had");
    browser.press("Start");
    browser.await_that("document.querySelector('dialog') === null");
    browser.press("Runs");
    browser.await_that("document.querySelectorAll('tbody tr').length === 2");
    browser.await_that(&shows_status("STOPPED"));
    browser.click("tbody tr:nth-child(1) input");
    browser.click("tbody tr:nth-child(2) input");
    browser.await_that("document.querySelectorAll('[aria-label=\"Run 2\"]').length === 1");
    assert!(browser.text("[aria-label=\"Run 1\"]").contains("by hand"), "the older one, with its label");
    assert!(browser.text("[aria-label=Comparison]").contains("<img src=x"));
    assert_eq!(browser.value("document.title"), "Akrida");
    let scripts = browser.value("document.querySelectorAll('main script, main img, tbody script').length");
    assert_eq!(scripts, 0);
}

#[test]
fn a_page_of_a_follower_goes_on_when_the_leader_is_killed() {
    let mut site = Site::start();
    let leader = site.cluster.leader();
    let follower = (leader + 1) % 3;
    let browser = site.browse(follower);
    start_run(&browser, 4);
    browser.press("Charts");
    browser.await_that("document.querySelector('figure') !== null");
    await_growth(&browser, POINTS, 2);
    browser.value("window.isSamePage = true");
    site.cluster.kill_master(leader);
    // An action while nobody leads is held, and repeated with its key.
    browser.press("Edit");
    browser.fill("dialog [name=users]", "6");
    browser.press("Update");
    browser.await_that("document.querySelector('[data-item=users] dd').innerText === '6'");
    browser.await_that(&format!(
        "!document.querySelector('[data-item=leader] dd').innerText.startsWith('master-{} ')",
        leader + 1
    ));
    browser.await_that("document.querySelector('[data-item=leader] dd').innerText.startsWith('master-')");
    await_growth(&browser, POINTS, 4);
    browser.await_that("document.querySelectorAll('.marks .election').length === 1");

    browser.press("Stop");
    browser.await_that(&shows_status("STOPPED"));
    let summary = site.summary(follower);
    let series = summary["series"].as_array().expect("a series");
    browser.await_that(&format!("{POINTS} === {}", series.len()));
    let seconds: Vec<u64> = series.iter().filter_map(|point| point["second"].as_u64()).collect();
    assert!(seconds.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seconds:?}");
    assert_eq!(browser.value("window.isSamePage"), true, "it was never loaded again");
    browser.reload();
    browser.await_that(&format!("document.querySelector('figure') !== null && {POINTS} === {}", series.len()));
}

#[test]
fn a_page_behind_a_balancer_outlives_its_own_master_which_leads() {
    let mut site = Site::start();
    let masters = [0, 1, 2].map(|master| site.cluster.url(master).trim_start_matches("http://").to_owned());
    let balancer = Balancer::start(Kind::Nginx, &masters);
    let browser = Browser::open(&format!("{}/", balancer.tls_url()));
    start_run(&browser, 4);
    browser.press("Cluster");
    browser.await_that("document.querySelectorAll('tbody tr').length === 3");
    let own = browser.text(".facts div:nth-child(3) dd");
    let leads = format!("document.querySelector('[data-item=leader] dd').innerText.startsWith('{own} ')");
    if browser.value(&leads) != true {
        browser.press(&format!("Hand over to {own}"));
        browser.await_that(&leads);
    }
    browser.press("Charts");
    browser.await_that("document.querySelector('figure') !== null");
    await_growth(&browser, POINTS, 2);
    browser.value("window.isSamePage = true");
    let number: usize = own.trim_start_matches("master-").parse().expect("the number of a master");
    site.cluster.kill_master(number - 1);
    browser.await_that(&format!("!{leads} && document.querySelector('[data-item=leader] dd').innerText !== 'none'"));
    browser.await_that("document.querySelector('.connection').dataset.connected === 'true'");
    await_growth(&browser, POINTS, 4);
    browser.press("Stop");
    browser.await_that(&shows_status("STOPPED"));
    let series = site.summary(site.cluster.leader())["series"].as_array().map(Vec::len);
    browser.await_that(&format!("{POINTS} === {}", series.expect("a series")));
    assert_eq!(browser.value("window.isSamePage"), true, "it was never loaded again");
}

/// A tool that finds what people with a screen reader, a keyboard or weak eyes cannot use.
const AXE: &str = include_str!("../ui/node_modules/axe-core/axe.min.js");

/// Rules that are broken in a way that keeps people out.
const SERIOUS: &str = "window.broken.filter(rule => ['serious', 'critical'].includes(rule.impact))\
     .map(rule => rule.id + ' ' + rule.nodes.map(node => node.target + ': ' + node.failureSummary).join('; '))";

#[test]
fn every_page_is_usable_by_everybody_in_both_colours() {
    let site = Site::start();
    let browser = site.browse(site.cluster.leader());
    start_run(&browser, 2);
    browser.await_that("document.querySelector('tfoot') !== null");
    await_growth(&browser, TOTAL, 20);
    browser.run(AXE);
    for _ in 0..2 {
        for page in ["Statistics", "Charts", "Failures", "Workers", "Cluster", "Runs"] {
            browser.press(page);
            browser.await_that("document.querySelector('tbody tr td:nth-child(2), figure canvas') !== null");
            browser.run("window.broken = null; axe.run().then(result => { window.broken = result.violations; });");
            browser.await_that("window.broken !== null");
            assert_eq!(browser.value(SERIOUS), serde_json::json!([]), "{page}");
            let width = browser.value("document.documentElement.scrollWidth <= innerWidth");
            assert_eq!(width, true, "{page} is wider than the window");
        }
        browser.click(".actions [aria-label^=Change]");
    }
}
