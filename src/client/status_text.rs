//! The state of a cluster for people.

use std::fmt::Write;

use crate::api::{ClusterStatus, MasterRole, MemberStatus, WorkerStatus};

use super::runs_text::{self, table};

/// The state of a cluster: who leads, the masters, the workers, the run.
#[must_use]
pub fn status(status: &ClusterStatus) -> String {
    let mut text = String::new();
    let leader = status.leader.as_ref().map_or("no leader", |leader| leader.name.as_str());
    let ready = if status.ready { "ready" } else { "not ready" };
    let id = if status.cluster_id.is_empty() { "without an id yet" } else { &status.cluster_id };
    let _ = writeln!(text, "Cluster {id}: {ready}");
    let _ = writeln!(text, "Leader: {leader}, term {}", status.term);
    let _ =
        writeln!(text, "Log: applied {}, committed {} (as {} knows)", status.applied, status.committed, status.name);
    let _ = writeln!(text, "\nMasters");
    text += &table(&["NAME", "ROLE", "ADDRESS", "WEB", "PRIORITY", "BEHIND", "ID"], &rows_of(&status.members));
    let present = status.workers.iter().filter(|worker| worker.state != "missing").count();
    let _ = writeln!(text, "\nWorkers: {present} connected, {} expected", status.expected_workers);
    if !status.workers.is_empty() {
        let rows: Vec<_> = status.workers.iter().map(worker_row).collect();
        text += &table(&["NAME", "STATE", "USERS", "CPU", "MEMORY", "LOST", "VERSION", "TAGS"], &rows);
    }
    match &status.run {
        None => text += "\nNo run yet\n",
        Some(run) => {
            text += "\nRun\n";
            text += &runs_text::list(std::slice::from_ref(run));
        }
    }
    for warning in &status.warnings {
        let _ = writeln!(text, "\nWarning: {warning}");
    }
    text
}

fn rows_of(members: &[MemberStatus]) -> Vec<Vec<String>> {
    members.iter().map(member_row).collect()
}

fn member_row(member: &MemberStatus) -> Vec<String> {
    let behind = match (member.role, member.is_reachable, member.lag) {
        (MasterRole::Leader, ..) => "-".to_owned(),
        (_, Some(false), _) => "unreachable".to_owned(),
        (_, _, Some(lag)) => lag.to_string(),
        (_, _, None) => "?".to_owned(),
    };
    vec![
        member.name.clone(),
        member.role.as_str().to_owned(),
        format!("{}:{}", member.host, member.port),
        member.web_port.to_string(),
        member.priority.to_string(),
        behind,
        member.raft_id.clone(),
    ]
}

fn worker_row(worker: &WorkerStatus) -> Vec<String> {
    let memory = worker.memory_bytes.map(|bytes| format!("{} MB", bytes / 1_000_000));
    vec![
        worker.name.clone(),
        worker.state.clone(),
        worker.users.to_string(),
        worker.cpu_percent.map_or_else(unknown, |percent| format!("{percent:.0} %")),
        memory.unwrap_or_else(unknown),
        worker.losses.to_string(),
        worker.version.clone(),
        worker.tags.join(","),
    ]
}

fn unknown() -> String {
    "?".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{LeaderAddress, RunListed};

    fn member(name: &str, role: MasterRole, lag: Option<u64>, is_reachable: Option<bool>) -> MemberStatus {
        MemberStatus {
            name: name.to_owned(),
            raft_id: "00000000000000aa".to_owned(),
            host: format!("10.0.0.{}", name.trim_start_matches("master")),
            port: 5557,
            web_port: 8089,
            priority: 100,
            role,
            match_index: None,
            lag,
            is_reachable,
        }
    }

    #[test]
    fn a_cluster_is_shown_at_a_glance() {
        let shown = status(&ClusterStatus {
            cluster_id: "load".to_owned(),
            name: "master1".to_owned(),
            role: MasterRole::Leader,
            term: 7,
            leader: Some(LeaderAddress { name: "master1".to_owned(), host: "10.0.0.1".to_owned(), web_port: 8089 }),
            ready: true,
            members: vec![
                member("master1", MasterRole::Leader, None, None),
                member("master2", MasterRole::Follower, Some(3), Some(true)),
                member("master3", MasterRole::Follower, Some(900), Some(false)),
            ],
            workers: vec![WorkerStatus {
                name: "worker-a".to_owned(),
                state: "running".to_owned(),
                users: 250,
                cpu_percent: Some(41.7),
                memory_bytes: Some(93_000_000),
                memory_limit_bytes: None,
                tags: vec!["eu".to_owned(), "big".to_owned()],
                version: "0.1.0".to_owned(),
                losses: 1,
            }],
            expected_workers: 1,
            run: Some(RunListed {
                id: "00000000000000ff".to_owned(),
                scenario: "shop.yml".to_owned(),
                profile: None,
                status: "running".to_owned(),
                started_unix_ms: 1_795_557_476_000,
                ended_unix_ms: None,
                users: 250,
                requests: 12_345,
                failures: 6,
                thresholds_missed: 0,
                validity: "VALID".to_owned(),
            }),
            applied: 1_200,
            committed: 1_203,
            warnings: vec!["master3 does not answer".to_owned()],
        });
        assert_eq!(
            shown,
            "\
Cluster load: ready
Leader: master1, term 7
Log: applied 1200, committed 1203 (as master1 knows)

Masters
NAME     ROLE      ADDRESS        WEB   PRIORITY  BEHIND       ID
master1  leader    10.0.0.1:5557  8089  100       -            00000000000000aa
master2  follower  10.0.0.2:5557  8089  100       3            00000000000000aa
master3  follower  10.0.0.3:5557  8089  100       unreachable  00000000000000aa

Workers: 1 connected, 1 expected
NAME      STATE    USERS  CPU   MEMORY  LOST  VERSION  TAGS
worker-a  running  250    42 %  93 MB   1     0.1.0    eu,big

Run
ID                SCENARIO  STATUS   STARTED               LASTED  REQUESTS  FAILED  MISSED  VALIDITY  PROFILE
00000000000000ff  shop.yml  running  2026-11-24T21:57:56Z  -       12345     6       0       VALID

Warning: master3 does not answer
"
        );
    }

    #[test]
    fn a_cluster_without_a_leader_says_so() {
        let shown = status(&ClusterStatus::default());
        assert!(shown.contains("not ready") && shown.contains("Leader: no leader") && shown.contains("No run yet"));
    }
}
