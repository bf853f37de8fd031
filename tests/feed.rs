//! The live feed of real masters, one of which is killed: what a page knows in the end is what the masters know.

use serde_json::Value;
use support::cluster::Cluster;
use support::cluster::run::{Run, await_requests};
use support::feed::{Feed, Page};
use support::target::Target;

mod support;

/// Reads until the page has seen what is asked for, or the connection is over.
fn read_until(feed: &mut Feed, page: &mut Page, is_so: impl Fn(&Page) -> bool) -> bool {
    while let Some(event) = feed.next() {
        if page.take(&event) && is_so(page) {
            return true;
        }
    }
    false
}

/// The points of the series follow each other without a gap, and are those of the run as a master tells it.
fn assert_complete(page: &Page, cluster: &Cluster, master: usize) {
    let run = page.run["run"]["id"].as_str().expect("a run");
    let summary = cluster.await_that("the summary", || {
        let summary: Value = cluster.try_get(master, &format!("/api/v1/runs/{run}"))?.json();
        (summary["run"]["status"] == "stopped").then_some(summary)
    });
    let series: Vec<Value> = page.series.values().cloned().collect();
    assert_eq!(summary["series"], Value::Array(series.clone()));
    let requests: u64 = series.iter().filter_map(|point| point["requests"].as_u64()).sum();
    assert_eq!(summary["totals"]["requests"], requests, "no second is missing or doubled");
    let seconds: Vec<u64> = page.series.keys().map(|(second, _)| *second).collect();
    assert!(seconds.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seconds:?}");
}

#[test]
fn a_page_goes_on_at_another_master_when_the_leader_is_killed() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1"]);
    let leader = cluster.leader();
    let [follower, other] = [(leader + 1) % 3, (leader + 2) % 3];
    let mut at_leader = (Feed::open(&cluster.url(leader), None), Page::default());
    let mut at_follower = (Feed::open(&cluster.url(follower), None), Page::default());
    let run = Run::start(&cluster, &target, &["-u", "10", "-r", "50", "-t", "10s"]);
    for (feed, page) in [&mut at_leader, &mut at_follower] {
        assert!(read_until(feed, page, |page| page.series.len() >= 3), "{}", cluster.logs());
    }
    cluster.kill_master(leader);
    let (mut feed, mut page) = at_leader;
    assert!(!read_until(&mut feed, &mut page, |_| false), "it was the leader's");
    await_requests(&target, 50);
    let (seen, whole) = (page.series.len(), page.whole);
    let mut feed = Feed::open(&cluster.url(other), page.index);
    assert!(read_until(&mut feed, &mut page, |page| page.status() == "stopped"), "{}", cluster.logs());
    assert!(page.series.len() > seen);
    assert_eq!(page.whole, whole, "only what is new was told");
    let (mut feed, mut follower_page) = at_follower;
    assert!(read_until(&mut feed, &mut follower_page, |page| page.status() == "stopped"), "it was never cut off");
    run.end(&cluster);
    for (mut feed, mut page, master) in
        [(feed, follower_page, follower), (Feed::open(&cluster.url(other), page.index), page, other)]
    {
        // What the last entries of the run bring comes with the next events.
        while let Some(event) = feed.next() {
            if !page.take(&event) {
                break;
            }
        }
        assert_complete(&page, &cluster, master);
        assert_eq!(page.run["incidents"]["leader_changes_s"].as_array().map(Vec::len), Some(1), "{}", page.run);
    }
}

#[test]
fn a_master_that_ends_sends_its_pages_to_others() {
    let mut cluster = Cluster::with_workers(&[]);
    let leader = cluster.leader();
    let mut feed = Feed::open(&cluster.url(leader), None);
    let first = feed.next().expect("an event");
    assert_eq!(first["kind"], "state");
    // Who leads is looked at now and then.
    let told = std::iter::from_fn(|| feed.next()).find(|event| event["master"]["leader"] == event["master"]["name"]);
    assert!(told.is_some(), "{}", cluster.logs());
    cluster.end_master(leader);
    while feed.next().is_some() {}
    let heir = cluster.leader_other_than(Some(leader));
    let mut page = Page { index: first["index"].as_u64(), ..Page::default() };
    let mut feed = Feed::open(&cluster.url(heir), page.index);
    assert!(read_until(&mut feed, &mut page, |_| true), "the new leader has an entry of its own");
}
