//! The client finds a master that can act, and repeats what is not done.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use akrida::api::{EditRun, MasterAddress, StartRun};
use akrida::client::{ClientError, ClusterClient, Patience, follow};
use akrida_core::coordinator::Order;
use akrida_core::plan::rate::SpawnRate;
use akrida_core::view::{RunView, Status};

use super::fake_master::{Master, bundle};

fn patient(seconds: u64) -> Patience {
    let pause = Duration::from_millis(20);
    Patience { total: Duration::from_secs(seconds), pause_min: pause, pause_max: pause }
}

fn client(ports: &[u16], seconds: u64) -> ClusterClient {
    let masters = ports.iter().map(|port| format!("127.0.0.1:{port}").parse::<MasterAddress>().unwrap());
    ClusterClient::new(masters.collect(), patient(seconds))
}

fn start() -> StartRun {
    StartRun { bundle: Some(bundle().into()), users: 3, ..serde_json::from_str("{}").unwrap() }
}

/// Answers each connection with the next of these, the last one again and again, and keeps what was asked.
fn scripted(answers: &'static [&'static str]) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = thread::spawn(move || {
        answers
            .iter()
            .map(|answer| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = Vec::new();
                let mut chunk = [0; 4_096];
                while !asked.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
                    let count = stream.read(&mut chunk).unwrap();
                    asked.extend_from_slice(&chunk[..count]);
                    if count == 0 {
                        break;
                    }
                }
                stream.write_all(answer.as_bytes()).unwrap();
                String::from_utf8_lossy(&asked).into_owned()
            })
            .collect()
    });
    (port, served)
}

fn key_of(request: &str) -> &str {
    request.lines().find_map(|line| line.strip_prefix("idempotency-key: ")).expect("a key")
}

const UNAVAILABLE: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const BAD_GATEWAY: &str = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const DONE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: close\r\n\r\n{\"done\":true}";

#[actix_rt::test]
async fn a_request_is_repeated_with_the_same_key_until_it_is_done() {
    let (port, served) = scripted(&[UNAVAILABLE, "", BAD_GATEWAY, DONE]);
    client(&[port], 30).transfer("m2").await.unwrap();
    let asked = served.join().unwrap();
    assert_eq!(asked.len(), 4);
    assert!(asked.iter().all(|request| key_of(request) == key_of(&asked[0])), "{asked:#?}");
}

#[actix_rt::test]
async fn a_master_that_is_gone_is_passed_over() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let leader = Master::leader();
    let client = client(&[gone, leader.port], 30);
    let run = client.start(&start()).await.unwrap();
    assert_eq!(client.runs().await.unwrap()[0].id, run.to_string());
    client.edit(run, &EditRun { users: 9, spawn_rate_per_s: 1.0 }).await.unwrap();
    assert_eq!(client.view(run).await.unwrap().run.target_users, 9);
    client.reset(run).await.unwrap();
    client.stop(run).await.unwrap();
    assert_eq!(client.summary(run).await.unwrap()["id"], run.to_string());
    assert_eq!(client.status().await.unwrap().name, "leader");
    assert_eq!(&client.snapshot().await.unwrap()[..], b"snapshot");
}

#[actix_rt::test]
async fn what_is_refused_is_not_repeated() {
    let leader = Master::leader();
    let client = client(&[leader.port], 30);
    client.start(&start()).await.unwrap();
    let refused = client.start(&start()).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused { status: 409, .. }), "{refused:?}");
    assert_eq!(refused.to_string(), "a run is active");
    assert_eq!(leader.orders().len(), 2);
    let unknown = client.view(akrida_core::ids::RunId(1)).await.unwrap_err();
    assert!(unknown.is_no_such_run());
}

#[actix_rt::test]
async fn patience_ends_and_the_last_reason_is_told() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = client(&[gone], 0).status().await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&format!("no master of 127.0.0.1:{gone} could act")), "{text}");
}

#[actix_rt::test]
async fn an_answer_of_something_else_is_an_error_and_no_panic() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>",
        "HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    ] {
        // The state of the cluster, what the master itself sees, and once more with patience.
        let (port, served) = scripted(Box::leak(Box::new([answer; 3])));
        let error = client(&[port], 30).status().await.unwrap_err();
        assert!(matches!(error, ClientError::Malformed { .. }), "{error:?}");
        served.join().unwrap();
    }
}

#[actix_rt::test]
async fn a_run_is_followed_through_the_loss_of_its_leader() {
    let (first, second) = (Master::leader(), Master::start("second", Duration::from_secs(20)));
    second.fake.follows(Some(first.port));
    let client = Rc::new(client(&[second.port, first.port], 30));
    let run = client.start(&start()).await.unwrap();
    let followed = follow(Rc::clone(&client), run);
    let mut views = followed.views();
    views.wait_for(Option::is_some).await.unwrap();

    // Nobody leads for a while; the orders that are given meanwhile come through, one after the other.
    first.fake.follows(None);
    second.fake.follows(None);
    let rate = SpawnRate::per_second(2.0).unwrap();
    followed.order(Order::Edit { users: 8, rate }).unwrap();
    followed.order(Order::Stop).unwrap();
    first.fake.leads();
    second.fake.follows(Some(first.port));
    views.wait_for(|view| is(view, Status::Stopping)).await.unwrap();
    first.fake.end_run();
    views.wait_for(|view| is(view, Status::Stopped)).await.unwrap();
    assert_eq!(first.orders(), ["Start", "Edit", "Stop"]);
    assert_eq!(followed.lost(), None);
}

fn is(view: &Option<Arc<RunView>>, status: Status) -> bool {
    view.as_ref().is_some_and(|view| view.status == status)
}

#[actix_rt::test]
async fn a_run_that_the_cluster_forgot_is_lost() {
    let leader = Master::leader();
    let followed = follow(Rc::new(client(&[leader.port], 30)), akrida_core::ids::RunId(7));
    let mut views = followed.views();
    assert!(views.changed().await.is_err(), "there is no view");
    assert_eq!(followed.lost().as_deref(), Some("the cluster no longer knows run 0000000000000007"));
}
