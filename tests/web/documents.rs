//! What Locust serves beside its statistics: a test for each path.

use super::fake_master::Master;
use crate::support::raw_http::{get, send};

/// Column titles as in the files of a run of Locust 2.47.0.
const REQUESTS: &str = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,\
    Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,\
    99.9%,99.99%,100%\r\n";

#[test]
fn csv_files_are_downloads_with_locusts_columns_and_names() {
    let leader = Master::leader();
    let aggregated = format!("{REQUESTS},Aggregated,0,0,0,0.0,0,0,0,0.0,0.0{}\r\n", ",N/A".repeat(11));
    for (path, text, name) in [
        ("/stats/requests/csv", &*aggregated, "_requests.csv"),
        ("/stats/failures/csv", "Method,Name,Error,Occurrences,First Seen,Last Seen\r\n", "_failures.csv"),
        ("/exceptions/csv", "Count,Message,Traceback,Nodes\r\n", "_exceptions.csv"),
    ] {
        // The same before the first run and in one that has measured nothing.
        for _ in 0..2 {
            let reply = get(&leader.url, path);
            assert_eq!((reply.status, reply.text(), reply.header("content-type")), (200, text, Some("text/csv")));
            let disposition = reply.header("content-disposition").unwrap();
            let file = disposition.strip_prefix("attachment;filename=Locust_").unwrap();
            assert!(file.contains("_own.yml_") && file.ends_with(name), "{file}");
            if leader.orders().is_empty() {
                leader.start_run();
            }
        }
    }
    let history = get(&leader.url, "/stats/requests_full_history/csv");
    assert_eq!((history.status, history.header("content-type")), (200, Some("text/csv")));
    assert!(history.text().starts_with("Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,"));
    assert!(history.header("content-disposition").unwrap().ends_with("_requests_full_history.csv"));
}

#[test]
fn exceptions_tasks_logs_and_the_number_of_workers_are_json() {
    let leader = Master::leader();
    let empty = serde_json::json!({"exceptions": []});
    assert_eq!(get(&leader.url, "/exceptions").json(), empty);
    let home = |ratio: f64| serde_json::json!({"Visitor": {"ratio": ratio, "tasks": {"home": {"ratio": ratio}}}});
    let tasks = get(&leader.url, "/tasks");
    assert_eq!(tasks.header("content-type"), Some("application/json"));
    assert_eq!(tasks.json()["total"], home(0.0));
    assert_eq!(tasks.json()["per_class"]["Visitor"]["tasks"]["home"]["ratio"], 1.0);
    leader.start_run();
    assert_eq!(get(&leader.url, "/exceptions").json(), empty);
    // No worker has reported any user yet.
    assert_eq!(get(&leader.url, "/tasks").json()["per_class"]["Visitor"]["ratio"], 0.0);
    let logs = get(&leader.url, "/logs").json();
    assert_eq!(logs, serde_json::json!({"master": ["a line"], "workers": {"w": ["another line"]}}));
    assert_eq!(get(&leader.url, "/worker-count").json(), serde_json::json!({"worker_count": 0}));
}

#[test]
fn a_report_is_shown_or_saved() {
    let leader = Master::leader();
    assert_eq!(get(&leader.url, "/stats/report").status, 404, "there is nothing to report");
    leader.start_run();
    let shown = get(&leader.url, "/stats/report");
    assert_eq!((shown.status, shown.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert_eq!(shown.header("content-disposition"), None);
    assert!(shown.text().contains("own.yml") && shown.text().contains("</html>"));
    let saved = get(&leader.url, "/stats/report?download=1&theme=dark");
    let disposition = saved.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment;filename=Locust_") && disposition.ends_with(".html"), "{disposition}");
    assert_ne!(saved.body, shown.body, "the theme makes a difference");
    let wrong = get(&leader.url, "/stats/report?theme=pink");
    let reason = wrong.json()["reason"].as_str().unwrap().to_owned();
    assert_eq!((wrong.status, reason.contains("allowed: dark, light")), (400, true), "{reason}");
}

#[test]
fn a_follower_has_the_leader_make_them() {
    let (leader, follower) = (Master::leader(), Master::start("follower", std::time::Duration::from_secs(20)));
    follower.fake.follows(Some(leader.port));
    leader.start_run();
    for path in ["/stats/requests/csv", "/exceptions", "/tasks", "/stats/report?download=1", "/worker-count", "/logs"] {
        let (own, passed_on) = (get(&leader.url, path), get(&follower.url, path));
        assert_eq!((passed_on.status, &passed_on.body), (200, &own.body), "{path}");
        for header in ["content-type", "content-disposition"] {
            assert_eq!(passed_on.header(header), own.header(header), "{path}");
        }
    }
}

#[test]
fn without_a_leader_nothing_is_made_up() {
    let master = Master::start("master", std::time::Duration::from_millis(300));
    for path in ["/stats/requests/csv", "/exceptions", "/tasks", "/stats/report", "/worker-count", "/logs"] {
        let reply = get(&master.url, path);
        assert_eq!((reply.status, &reply.json()["error"]), (503, &"no_leader".into()), "{path}");
    }
}

#[test]
fn other_methods_and_what_is_not_offered_are_refused_clearly() {
    let leader = Master::leader();
    for path in ["/stats/requests/csv", "/exceptions", "/tasks", "/stats/report", "/logs", "/worker-count"] {
        assert_eq!(leader.post(path, &[], b"").status, 405, "{path}");
    }
    let refused = leader.post("/user", &[], b"{\"user_class_name\": \"Visitor\"}");
    assert_eq!((refused.status, &refused.json()["error"]), (501, &"not_supported".into()));
}

#[test]
fn everything_is_also_below_the_base_path() {
    let leader = Master::leading_below("/load/locust");
    let moved = get(&leader.url, "/load/locust");
    assert_eq!((moved.status, moved.header("location")), (307, Some("/load/locust/")));
    for path in ["/stats/requests", "/exceptions", "/ready", "/api/v1/cluster", "/api/v1/runs"] {
        let below = get(&leader.url, &format!("/load/locust{path}"));
        assert_eq!((below.status, below.body), (200, get(&leader.url, path).body), "{path}");
    }
    let started = leader.post("/load/locust/swarm", &[], b"user_count=1&spawn_rate=1");
    assert_eq!(started.json()["success"], true, "{}", started.text());
    // What may not be done from elsewhere may not be done there either.
    let elsewhere = [("sec-fetch-site", "cross-site")];
    assert_eq!(send(&leader.url, "GET", "/load/locust/stop", &elsewhere, b"").unwrap().status, 403);
    assert_eq!(get(&leader.url, "/load/locusts/stats/requests").status, 404);
}
