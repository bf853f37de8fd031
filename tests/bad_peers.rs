//! Whoever does not belong to a cluster, or not as it is: refused with the reason, which both sides log and `akrida cluster
//! status` shows, while a run goes on undisturbed.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use akrida_core::ids::{Incarnation, WorkerId};
use akrida_core::limits;
use akrida_core::wire::frame::{Decoder, FrameKind};
use akrida_core::wire::handshake::initiator::Initiator;
use akrida_core::wire::handshake::refusal::Refusal;
use akrida_core::wire::handshake::{Hello, ProtocolRange, Role, WorkerHello};
use bytes::BytesMut;
use support::akrida::program;
use support::cluster::run::{Run, assert_exact, await_requests};
use support::cluster::{Cluster, Options, free_ports};
use support::target::Target;

mod support;

const LOAD: [&str; 6] = ["-u", "10", "-r", "50", "-t", "600s"];

/// Says something on a connection of its own. Gives what is answered until the other side ends the connection.
fn say(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("the port is open");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time");
    stream.write_all(bytes).expect("it listens");
    let mut answer = Vec::new();
    // A connection with unread bytes may be reset.
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// Why a worker that says this is refused.
fn refusal(address: &str, hello: Hello) -> Refusal {
    let mut bytes = BytesMut::new();
    Initiator::new(hello, None).hello().encode(&mut bytes).expect("a short frame");
    let mut decoder = Decoder::new(limits::FRAME_BYTES_MAX);
    decoder.buffer().extend_from_slice(&say(address, &bytes));
    let frame = decoder.take().expect("frames").expect("an answer");
    assert_eq!(frame.kind, FrameKind::Refused);
    Refusal::of(&frame)
}

fn await_log(cluster: &Cluster, text: &str) {
    let leader = cluster.leader();
    cluster.await_log(leader, text);
}

#[test]
fn callers_who_do_not_belong_are_refused_with_the_reason_and_disturb_nothing() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1"]);
    let run = Run::start(&cluster, &target, &LOAD);
    await_requests(&target, 100);
    let port = cluster.link_address(cluster.leader());

    // Whoever speaks another protocol, or a length of 4 GiB.
    say(&port, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    say(&port, &[0xff; 4]);
    for reason in
        ["this is HTTP; links and the web UI have ports of their own", "a frame of 4294967295 bytes is longer"]
    {
        await_log(&cluster, reason);
        cluster.await_warning(&["was not accepted: 127.0.0.1: ", reason]);
    }

    // Also whoever calls a follower alone.
    let follower = (cluster.leader() + 1) % 3;
    say(&cluster.link_address(follower), b"\x16\x03\x01\x02\x00\x01");
    let by = format!("{}: a connection was not accepted: 127.0.0.1: ", cluster.name(follower));
    cluster.await_warning(&[&by, "this is TLS"]);

    // A program of another age.
    let worker = WorkerHello { id: WorkerId("from-the-future".into()), incarnation: Incarnation(1), cluster: None };
    let protocol = ProtocolRange { min: 200, max: 201 };
    let told = refusal(&port, Hello { protocol, role: Role::Worker(worker), nonce: [5; 32] }).to_string();
    assert!(told.contains("no common protocol version: the caller speaks 200-201"), "{told}");
    await_log(&cluster, &told);
    cluster.await_warning(&["worker \"from-the-future\" at 127.0.0.1", &told]);

    // Secrets that are not those of the cluster.
    let other_secret = [("a-secret-of-the-tests", "a-secret-of-others"), ("node_id: worker-1", "node_id: worker-9")];
    cluster.write_like("worker-1.yml", "worker-9.yml", &other_secret);
    let wrong_worker = cluster.start_stranger("worker-9", &["--config", "worker-9.yml"]);
    let new = cluster.new_master();
    let name = cluster.name(new.number).to_owned();
    cluster.write_like("masters-4.yml", "wrong.yml", &other_secret[..1]);
    let wrong_master = cluster.start_stranger("wrong-master", &["--config", "wrong.yml", "--node", &name]);
    for (stranger, role, name) in [(&wrong_worker, "worker", "worker-9"), (&wrong_master, "master", &name)] {
        let reason = format!("the caller's secret is not the one that this master expects of a {role}");
        stranger.await_log(&cluster, &reason);
        await_log(&cluster, &reason);
        cluster.await_warning(&[&format!("{role} \"{name}\" at 127.0.0.1"), &reason]);
    }
    drop((wrong_worker, wrong_master));

    // A master that nobody knows.
    let unknown = cluster.start_stranger("unknown-master", &["--config", "masters-4.yml", "--node", &name]);
    let reason = format!("the master knows no other master of the name \"{name}\"");
    unknown.await_log(&cluster, &reason);
    await_log(&cluster, &reason);
    cluster.await_warning(&[&format!("master \"{name}\" at 127.0.0.1"), &reason]);
    drop(unknown);

    // A second process with the name of the one that is under load.
    let twin = cluster.start_stranger("twin", &["--config", "worker-1.yml"]);
    let reason = "node id \"worker-1\" is in use by another process";
    twin.await_log(&cluster, reason);
    await_log(&cluster, reason);
    cluster.await_warning(&["node id worker-1 is in use by another process"]);

    await_requests(&target, 100);
    let ended = run.stop(&cluster);
    assert_exact(&ended, &cluster, &target);
    drop(twin);
}

#[test]
fn a_master_with_the_disk_of_another_cluster_is_refused_and_disturbs_nothing() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1"]);
    let run = Run::start(&cluster, &target, &LOAD);
    await_requests(&target, 100);
    let leader = cluster.leader();
    let other = (leader + 1) % 3;
    let name = cluster.name(other).to_owned();
    cluster.kill_master(other);
    cluster.wipe_master(other);

    // Alone, it founds a cluster of its own.
    let new = cluster.new_master();
    let alone = format!(
        "master_cluster: {{ nodes: [{{ name: {name}, host: 127.0.0.1, port: {}, web_port: {} }}] }}\n\
                         master: {{ bind: {{ host: 127.0.0.1 }}, web: {{ host: 127.0.0.1 }}, data_dir: data }}\n",
        new.port, new.web_port
    );
    fs::write(cluster.folder().join("alone.yml"), alone).expect("a file");
    let mut founder = cluster.start_stranger("founder", &["--config", "alone.yml", "--node", &name]);
    founder.await_log(&cluster, "this master leads");
    assert_eq!(founder.end(), Some(0), "{}", founder.log());

    cluster.start_master(other);
    let reason = "different clusters: the caller belongs to ";
    cluster.await_log(other, reason);
    cluster.await_log(leader, reason);
    cluster.await_warning(&[&format!("master \"{name}\" at 127.0.0.1: "), reason]);
    cluster.await_warning(&[&format!("{name} belongs to another cluster: ")]);
    cluster.await_warning(&[&format!("{name} does not answer")]);
    cluster.await_that("the worker to refuse it", || cluster.worker_log(0).contains(reason).then_some(()));

    await_requests(&target, 100);
    let ended = run.stop(&cluster);
    // It leads itself alone, and is no part of the cluster that must agree.
    cluster.kill_master(other);
    assert_exact(&ended, &cluster, &target);
}

/// What makes the wall clock of a process that far off. Its monotonic clock is that of the machine.
fn clock_of(node: &str, offset: &str) -> Vec<[String; 3]> {
    let library = fs::read_dir("/usr/lib").expect("a folder").filter_map(|entry| {
        let library = entry.ok()?.path().join("faketime/libfaketimeMT.so.1");
        library.is_file().then(|| library.display().to_string())
    });
    let library = library.last().expect("libfaketime is there; scripts/install-test-tools.sh installs it");
    let variables = [("LD_PRELOAD", library.as_str()), ("FAKETIME", offset), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    variables.map(|(variable, value)| [node, variable, value].map(str::to_owned)).to_vec()
}

#[test]
fn clocks_that_are_hours_away_change_nothing() {
    let target = Target::start(&[]);
    let variables = [clock_of("master-1", "+9h"), clock_of("master-2", "-30h"), clock_of("worker-1", "-5h")].concat();
    let mut cluster = Cluster::start(&Options { variables, ..Options::default() }, &["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &["-u", "10", "-r", "50", "-t", "8s"]);
    await_requests(&target, 300);
    let old = cluster.leader();
    cluster.kill_master(old);
    cluster.leader_other_than(Some(old));
    await_requests(&target, 300);
    cluster.start_master(old);
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
    // The clocks were really that far off: lines of the log begin with them.
    let hour = |log: String| log.lines().next().and_then(|line| line.get(..13).map(str::to_owned));
    assert_ne!(hour(cluster.worker_log(0)), hour(cluster.worker_log(1)));
}

#[test]
fn a_worker_that_cannot_hold_the_scenario_is_left_out_and_the_others_go_on() {
    let target = Target::start(&[]);
    let cluster = Cluster::start(&Options { masters: 1, ..Options::default() }, &["worker-1"]);
    let small = [("node_id: worker-1 }", "node_id: worker-2 }\n  resources: { memory_limit: 1MB }")];
    cluster.write_like("worker-1.yml", "worker-2.yml", &small);
    let small = cluster.start_stranger("worker-2", &["--config", "worker-2.yml"]);
    cluster.await_workers(2);
    let run = Run::start(&cluster, &target, &LOAD);
    await_requests(&target, 100);
    let reason = "bytes of memory, and its memory_limit is 1000000";
    small.await_log(&cluster, reason);
    await_log(&cluster, reason);
    cluster.await_warning(&["worker-2 was left out of the run: ", reason]);
    let ended = run.stop(&cluster);
    assert_exact(&ended, &cluster, &target);
}

/// The beginning of a configuration, up to its masters.
fn masters(nodes: &[&str]) -> String {
    let local = "data_dir: data, bind: { host: 127.0.0.1 }, web: { host: 127.0.0.1 }";
    format!("master_cluster: {{ nodes: [{}] }}\nmaster: {{ {local} }}\n", nodes.join(", "))
}

#[test]
fn a_master_with_a_bad_configuration_does_not_start_and_says_why() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (a, b) =
        ("{ name: a, host: 127.0.0.1, port: 1, web_port: 2 }", "{ name: b, host: 127.0.0.1, port: 3, web_port: 4 }");
    let again = "{ name: a, host: 127.0.0.1, port: 3, web_port: 4 }";
    let same_port = "{ name: b, host: 127.0.0.1, port: 1, web_port: 4 }";
    let one_port = "{ name: b, host: 127.0.0.1, port: 3, web_port: 3 }";
    for (nodes, node, reason) in [
        (&[a, b][..], "c", "no master is named \"c\", did you mean a?; allowed: a, b"),
        (&[a, again], "a", "masters.yml:1:87: master_cluster.nodes[1].name: a is already that of master \"a\""),
        (&[a, same_port], "a", "master_cluster.nodes[1]"),
        (&[a, one_port], "b", "master_cluster.nodes[1]"),
    ] {
        fs::write(folder.path().join("masters.yml"), masters(nodes)).expect("a file");
        let mut command = program();
        command.current_dir(folder.path()).args(["--config", "masters.yml", "--node", node]);
        let output = command.output().expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(reason), "{nodes:?} {node}: {said}");
        assert!(!folder.path().join("data").exists(), "{nodes:?}");
    }
}

#[test]
fn a_port_that_is_taken_is_named_before_anybody_is_spoken_to() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let (port, free) = (taken.local_addr().expect("an address").port(), free_ports(1)[0]);
    let (host, other) = ("name: a, host: 127.0.0.1", "{ name: b, host: 127.0.0.1, port: 1, web_port: 2 }");
    for (ports, reason) in [
        (format!("port: {port}, web_port: {free}"), "the port for masters and workers cannot be opened: 127.0.0.1:"),
        (format!("port: {free}, web_port: {port}"), "the web port cannot be opened: 127.0.0.1:"),
    ] {
        let text = masters(&[&format!("{{ {host}, {ports} }}"), other]);
        fs::write(folder.path().join("masters.yml"), text).expect("a file");
        let mut command = program();
        command.current_dir(folder.path()).args(["--config", "masters.yml", "--node", "a"]);
        let output = command.output().expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(&format!("{reason}{port}")), "{said}");
        assert!(!said.contains("another master"), "{said}");
    }
}

#[test]
fn an_even_number_of_masters_is_warned_of() {
    let cluster = Cluster::start(&Options { masters: 2, ..Options::default() }, &[]);
    let warning = "an even number of masters (2) survives the loss of 0, as 1 would; use an odd number";
    (0..2).for_each(|master| cluster.await_log(master, warning));
    cluster.await_warning(&[warning]);
}
