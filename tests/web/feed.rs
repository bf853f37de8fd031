//! The live feed of one master.

use std::time::Duration;

use akrida_core::limits;

use super::fake_master::Master;
use crate::support::feed::Feed;
use crate::support::raw_http::get;

#[test]
fn the_first_event_is_the_whole_picture_and_the_next_ones_are_news() {
    let leader = Master::leader();
    let run = leader.start_run();
    let mut feed = Feed::open(&leader.url, None);
    let first = feed.next().unwrap();
    assert_eq!((&first["kind"], &first["series"]["is_whole"]), (&"state".into(), &true.into()));
    assert_eq!(first["run"]["run"]["id"], run);
    assert_eq!(first["master"]["leader"], "leader");
    assert_eq!(feed.next().unwrap()["kind"], "heartbeat");
    leader.post("/stop", &[], b"");
    let next = std::iter::from_fn(|| feed.next()).find(|event| event["kind"] == "state").unwrap();
    assert_eq!(next["series"]["is_whole"], false);
    assert!(next["index"].as_u64() > first["index"].as_u64());
}

#[test]
fn whoever_is_slow_skips_to_the_newest_state() {
    let leader = Master::leader();
    let mut slow = Feed::open(&leader.url, None);
    let mut quick = Feed::open(&leader.url, None);
    let mut last = quick.next().unwrap()["index"].as_u64().unwrap();
    for _ in 0..3 {
        leader.start_run();
        leader.post("/stop", &[], b"");
        leader.fake.end_run();
        let news = std::iter::from_fn(|| quick.next()).find(|event| event["index"].as_u64() > Some(last + 2));
        last = news.unwrap()["index"].as_u64().unwrap();
    }
    let seen: Vec<u64> = (0..2).map(|_| slow.next().unwrap()["index"].as_u64().unwrap()).collect();
    assert!(seen[0] < last - 6 && seen[1] >= last, "{seen:?}, {last}");
}

#[test]
fn whoever_is_ahead_waits_for_the_master_and_not_for_ever() {
    let leader = Master::leader();
    let mut feed = Feed::open(&leader.url, Some(1_000_000));
    assert_eq!(feed.next().unwrap()["kind"], "heartbeat");
    let whole = std::iter::from_fn(|| feed.next()).find(|event| event["kind"] == "state").unwrap();
    assert_eq!(whole["series"]["is_whole"], true, "another cluster, or a restored one");
}

#[test]
fn feeds_are_bounded_and_for_own_pages_only() {
    let leader = Master::leader();
    let refused = Feed::try_open(&leader.url, None, &[("origin", "http://elsewhere")]);
    assert_eq!(refused.err(), Some(403));
    assert_eq!(get(&leader.url, "/api/v1/feed").status, 400, "no WebSocket is asked for");
    assert_eq!(get(&leader.url, "/api/v1/feed?after=x").status, 400);
    let mut open: Vec<Feed> = (0..limits::WEB_FEEDS_MAX).map(|_| Feed::open(&leader.url, None)).collect();
    assert_eq!(Feed::try_open(&leader.url, None, &[]).err(), Some(503));
    open.pop();
    let mut again = None;
    for _ in 0..600 {
        again = Feed::try_open(&leader.url, None, &[]).ok();
        if again.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(again.is_some(), "a place that is left is free");
}
