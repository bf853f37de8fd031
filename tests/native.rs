//! Tests written in Rust: both examples, as a user starts them, against targets that count for themselves.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use akrida::target::{TargetOptions, start};
use support::akrida::{Akrida, Ended};
use support::example::example;

mod support;

/// The requests of an endpoint, or how often a group ran.
fn requests(ended: &Ended, name: &str) -> u64 {
    let lines = ["endpoints", "groups"].map(|lines| ended.summary[lines].as_array().expect("a list"));
    let found = lines.into_iter().flatten().find(|endpoint| endpoint["name"] == name);
    found.and_then(|endpoint| endpoint["requests"].as_u64()).unwrap_or_else(|| panic!("no {name}: {}", ended.summary))
}

#[test]
fn http_users_are_counted_as_their_target_counts_them() {
    let target = start(TargetOptions { workers: 1, ..TargetOptions::default() }).expect("the target starts");
    let shop = Akrida::of_program(example("shop"));
    let ended = shop.run(&["-H", &target.url(), "-u", "12", "-r", "100", "-t", "2s", "-s", "1s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let counted = target.counts().received;
    let reported = ended.total("http_exchanges");
    assert!((reported..=reported + ended.total("interrupted")).contains(&counted), "{counted}: {}", ended.stderr);
    assert_eq!((ended.total("requests"), ended.total("failures")), (reported, 0));
    assert_eq!(requests(&ended, "/login"), 3, "a quarter of the users are customers");
    assert!(requests(&ended, "/products/[id]") > 0);
    let checkouts = ["/cart", "/cart/[id]", "checkout"].map(|name| requests(&ended, name));
    assert!(checkouts.iter().all(|count| *count > 0 && *count == checkouts[0]), "had the time to end: {checkouts:?}");
    assert!(ended.stderr.contains("things"), "each customer says goodbye: {}", ended.stderr);
}

/// A server of the line protocol that counts what it reads.
#[derive(Debug, Default)]
struct Counts {
    connections: AtomicU64,
    lines: AtomicU64,
}

fn line_server() -> (String, Arc<Counts>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let host = format!("tcp://{}", listener.local_addr().expect("is bound"));
    let counts: Arc<Counts> = Arc::default();
    let shared = Arc::clone(&counts);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            shared.connections.fetch_add(1, Ordering::Relaxed);
            let counts = Arc::clone(&shared);
            std::thread::spawn(move || serve(&stream, &counts));
        }
    });
    (host, counts)
}

/// Refuses every hundredth line.
fn serve(stream: &TcpStream, counts: &Counts) -> io::Result<()> {
    let mut writer = stream;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        let number = counts.lines.fetch_add(1, Ordering::Relaxed) + 1;
        let answer = match line.strip_prefix("ECHO ") {
            _ if number.is_multiple_of(100) => "ERROR",
            Some(text) => text,
            None => "PONG",
        };
        writer.write_all(format!("{answer}\n").as_bytes())?;
    }
    Ok(())
}

#[test]
fn users_of_another_protocol_are_counted_as_their_target_counts_them() {
    let (host, counts) = line_server();
    let talk = Akrida::of_program(example("line_protocol"));
    let ended = talk.run(&["-H", &host, "-u", "10", "-r", "100", "-t", "2s", "--processes", "2"]);
    assert_eq!(ended.code, Some(1), "every hundredth request fails: {}", ended.stderr);
    let (connections, lines) = (counts.connections.load(Ordering::Relaxed), counts.lines.load(Ordering::Relaxed));
    let (asked, opened) = (requests(&ended, "PING") + requests(&ended, "ECHO"), requests(&ended, "connect"));
    // What was under way at the end the target may have counted.
    let agree = |reported: u64, counted: u64| (reported..=reported + ended.total("interrupted")).contains(&counted);
    assert!(agree(asked, lines), "{asked}, {lines}: {}", ended.stderr);
    assert!(agree(opened, connections), "{opened}, {connections}: {}", ended.stderr);
    assert!(agree(ended.total("failures"), lines / 100), "{lines}: {}", ended.stderr);
    assert!(lines >= 100 && ended.errors().iter().all(|(text, _)| text == "wrong answer"), "{:?}", ended.errors());
    assert_eq!((ended.total("requests"), ended.total("http_exchanges")), (asked + opened, 0));
}

#[test]
fn the_command_line_is_that_of_the_program_without_scenario_files() {
    let talk = Akrida::of_program(example("line_protocol"));
    let listed = talk.run(&["--list"]);
    assert_eq!((listed.code, listed.stdout.as_str()), (Some(0), "Available Users:\n    Talker\n"));
    let ratios = talk.run(&["--show-task-ratio-json", "--tags", "payload"]);
    let ratios: serde_json::Value = serde_json::from_str(&ratios.stdout).expect("JSON");
    assert_eq!(ratios["per_class"]["Talker"]["tasks"], serde_json::json!({"echo": {"ratio": 1.0}}));
    for (arguments, problem) in [
        (&["-f", "scenario.yml"][..], "--locustfile: this program brings its own users"),
        (&["-H", "localhost:7000"], "has no scheme"),
        (&["-H", "tcp://a.test:7000", "--allow-host", "b.test"], "host not allowed: a.test; --allow-host names b.test"),
        (&["Tolker"], "did you mean \"Talker\"?"),
        (&["target"], "no user class \"target\""),
        (&["--tags", "nothing"], "no task is left"),
    ] {
        let refused = talk.run(arguments);
        assert_eq!(refused.code, Some(2), "{arguments:?}");
        assert!(refused.stderr.contains(problem), "{arguments:?}: {}", refused.stderr);
    }
    let shown = Akrida::of_program(example("line_protocol")).run(&["--debug-user"]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(shown.stdout.contains("ping") && shown.stdout.contains("echo"), "{}", shown.stdout);
    let alone = talk.run(&["-u", "2", "-t", "1s", "Talker"]);
    assert_eq!((alone.code, alone.total("failures")), (Some(0), 0), "{}", alone.stderr);
    assert!(alone.total("requests") > 0);
}
