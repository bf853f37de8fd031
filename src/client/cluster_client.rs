//! What can be asked of a cluster.

use std::cmp::Reverse;
use std::fmt;

use akrida_core::ids::RunId;
use akrida_core::limits;
use akrida_core::view::RunView;
use awc::http::Method;
use bytes::Bytes;
use futures_util::future::join;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::ClientError;
use super::exchange::{Answer, Masters, Request};
use super::retry::Patience;
use crate::api::{
    AddMember, ClusterStatus, Done, EditRun, JSON, MSGPACK, MasterAddress, NamedMember, RunListed, StartRun, Started,
    StateDigest, Transfer, paths, run_id,
};

/// A client of a cluster. It stays on the thread of an actix system.
pub struct ClusterClient {
    masters: Masters,
}

impl fmt::Debug for ClusterClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterClient")
    }
}

impl ClusterClient {
    /// A client of these masters; at least one.
    #[must_use]
    pub fn new(masters: Vec<MasterAddress>, patience: Patience) -> Self {
        Self { masters: Masters::new(masters, patience) }
    }

    /// Starts a run.
    ///
    /// # Errors
    /// When the cluster refuses it or cannot act.
    pub async fn start(&self, start: &StartRun) -> Result<RunId, ClientError> {
        let body = rmp_serde::to_vec_named(start).expect("writing to memory does not fail");
        let answer = self
            .masters
            .send(&Request {
                method: Method::POST,
                path: paths::RUNS.to_owned(),
                body: Some((MSGPACK, body.into())),
                answer_wait: limits::CLIENT_LONG_ANSWER_WAIT,
            })
            .await?;
        let started: Started = parsed(&answer)?;
        run_id(&started.run).ok_or_else(|| malformed(&answer, "no run id"))
    }

    /// The whole view of a run.
    ///
    /// # Errors
    /// When there is no such run, or the cluster cannot act.
    pub async fn view(&self, run: RunId) -> Result<RunView, ClientError> {
        let answer = self.masters.send(&get(&paths::of_run(paths::RUN_VIEW, &run.to_string()))).await?;
        rmp_serde::from_slice(&answer.body).map_err(|error| malformed(&answer, &error.to_string()))
    }

    /// The summary of a run.
    ///
    /// # Errors
    /// As [`ClusterClient::view`].
    pub async fn summary(&self, run: RunId) -> Result<Value, ClientError> {
        parsed(&self.masters.send(&get(&paths::of_run(paths::RUN, &run.to_string()))).await?)
    }

    /// The runs that are remembered, the newest first.
    ///
    /// # Errors
    /// When the cluster cannot act.
    pub async fn runs(&self) -> Result<Vec<RunListed>, ClientError> {
        parsed(&self.masters.send(&get(paths::RUNS)).await?)
    }

    /// Stops a run.
    ///
    /// # Errors
    /// When it is not active, or the cluster cannot act.
    pub async fn stop(&self, run: RunId) -> Result<(), ClientError> {
        self.change(paths::of_run(paths::RUN_STOP, &run.to_string()), &Value::Null).await
    }

    /// Forgets the statistics of a run so far.
    ///
    /// # Errors
    /// As [`ClusterClient::stop`].
    pub async fn reset(&self, run: RunId) -> Result<(), ClientError> {
        self.change(paths::of_run(paths::RUN_RESET, &run.to_string()), &Value::Null).await
    }

    /// Changes the users of a run.
    ///
    /// # Errors
    /// As [`ClusterClient::stop`].
    pub async fn edit(&self, run: RunId, edit: &EditRun) -> Result<(), ClientError> {
        self.change(paths::of_run(paths::RUN_EDIT, &run.to_string()), edit).await
    }

    /// The state of the cluster. All masters are asked: one that waits to be let in knows nothing of the cluster, and
    /// whoever asks wants to know most of all which of them does not answer.
    ///
    /// # Errors
    /// When no master answers.
    pub async fn status(&self) -> Result<ClusterStatus, ClientError> {
        // What the leader says, through whichever master; and what each of them sees.
        let (of_cluster, by_itself) = (get(paths::CLUSTER), get(&format!("{}?local=true", paths::CLUSTER)));
        let asked = (self.masters.send_to_each(&of_cluster), self.masters.send_to_each(&by_itself));
        let (heard, each) = join(asked.0, asked.1).await;
        let mut statuses = Vec::new();
        let mut silent = Vec::new();
        for answer in heard {
            match answer.and_then(|answer| parsed::<ClusterStatus>(&answer).map_err(|error| error.to_string())) {
                Ok(status) => statuses.push(status),
                Err(why) => silent.push(why),
            }
        }
        let Some(best) = best_of(&statuses) else {
            return parsed(&self.masters.send(&get(paths::CLUSTER)).await?);
        };
        let mut best = statuses.swap_remove(best);
        let each = each.into_iter().filter_map(|answer| parsed::<ClusterStatus>(&answer.ok()?).ok());
        let told: Vec<_> = each.flat_map(|other| said_of(other, &best)).collect();
        best.warnings.extend(told.into_iter().chain(silent));
        Ok(best)
    }

    /// Hands the lead to another master.
    ///
    /// # Errors
    /// When it cannot be done, or the cluster cannot act.
    pub async fn transfer(&self, to: &str) -> Result<(), ClientError> {
        self.change(paths::CLUSTER_TRANSFER.to_owned(), &Transfer { to: to.to_owned() }).await
    }

    /// Adds a master.
    ///
    /// # Errors
    /// As [`ClusterClient::transfer`].
    pub async fn add(&self, member: &AddMember) -> Result<(), ClientError> {
        self.change(paths::CLUSTER_ADD.to_owned(), member).await
    }

    /// Removes a master.
    ///
    /// # Errors
    /// As [`ClusterClient::transfer`].
    pub async fn remove(&self, name: &str) -> Result<(), ClientError> {
        self.change(paths::CLUSTER_REMOVE.to_owned(), &NamedMember { name: name.to_owned() }).await
    }

    /// Lets a master with an empty data folder take the place of the one of its name.
    ///
    /// # Errors
    /// As [`ClusterClient::transfer`].
    pub async fn replace(&self, name: &str) -> Result<(), ClientError> {
        self.change(paths::CLUSTER_REPLACE.to_owned(), &NamedMember { name: name.to_owned() }).await
    }

    /// A backup of the replicated state, of the master that has applied most of those that answer: without a leader they
    /// may differ.
    ///
    /// # Errors
    /// When no master answers.
    pub async fn snapshot(&self) -> Result<Bytes, ClientError> {
        let digests = self.masters.send_to_each(&get(paths::CLUSTER_DIGEST)).await;
        let applied = |answer: &Result<Answer, String>| {
            answer.as_ref().ok().and_then(|answer| parsed::<StateDigest>(answer).ok()).map(|digest| digest.applied)
        };
        let best = digests.iter().enumerate().filter_map(|(at, answer)| Some((applied(answer)?, Reverse(at)))).max();
        if let Some((_, Reverse(at))) = best {
            self.masters.prefer(at);
        }
        let answer_wait = limits::CLIENT_LONG_ANSWER_WAIT;
        Ok(self.masters.send(&Request { answer_wait, ..get(paths::CLUSTER_SNAPSHOT) }).await?.body)
    }

    async fn change(&self, path: String, body: &impl Serialize) -> Result<(), ClientError> {
        let body = serde_json::to_vec(body).expect("writing to memory does not fail");
        let answer_wait = limits::CLIENT_LONG_ANSWER_WAIT;
        let request = Request { method: Method::POST, path, body: Some((JSON, body.into())), answer_wait };
        parsed::<Done>(&self.masters.send(&request).await?)?;
        Ok(())
    }
}

/// Which of these is shown: of the cluster that most of the masters belong to, what the leader says, or else whoever knows
/// the latest term. A master with the disk of another cluster may lead that one, in any term.
fn best_of(statuses: &[ClusterStatus]) -> Option<usize> {
    let of_cluster = |id: &str| statuses.iter().filter(|other| !id.is_empty() && other.cluster_id == id).count();
    (0..statuses.len()).max_by_key(|at| {
        let status = &statuses[*at];
        (of_cluster(&status.cluster_id), status.ready, status.term, Reverse(*at))
    })
}

/// What the status of another master adds to the one that is shown.
fn said_of(other: ClusterStatus, best: &ClusterStatus) -> Vec<String> {
    let ClusterStatus { name, cluster_id, warnings, .. } = other;
    if !cluster_id.is_empty() && !best.cluster_id.is_empty() && cluster_id != best.cluster_id {
        return vec![format!("{name} belongs to another cluster: {cluster_id}")];
    }
    let news = warnings.into_iter().filter(|said| name != best.name && !best.warnings.contains(said));
    news.map(|said| format!("{name}: {said}")).collect()
}

fn get(path: &str) -> Request {
    Request { method: Method::GET, path: path.to_owned(), body: None, answer_wait: limits::CLIENT_ANSWER_WAIT }
}

fn parsed<T: DeserializeOwned>(answer: &Answer) -> Result<T, ClientError> {
    serde_json::from_slice(&answer.body).map_err(|error| malformed(answer, &error.to_string()))
}

fn malformed(answer: &Answer, reason: &str) -> ClientError {
    ClientError::Malformed { master: answer.master.clone(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(name: &str, cluster: &str, ready: bool, term: u64) -> ClusterStatus {
        let warnings = vec![format!("said by {name}")];
        let (name, cluster_id) = (name.to_owned(), cluster.to_owned());
        ClusterStatus { name, cluster_id, ready, term, warnings, ..ClusterStatus::default() }
    }

    fn shown(statuses: &[ClusterStatus]) -> &str {
        best_of(statuses).map(|best| statuses[best].name.as_str()).expect("there are some")
    }

    #[test]
    fn the_cluster_of_most_masters_is_shown_and_the_stray_one_is_named() {
        let stray = status("c", "2", true, 9);
        let statuses = [stray.clone(), status("a", "1", true, 3), status("a", "1", true, 3)];
        assert_eq!(shown(&statuses), "a");
        assert_eq!(said_of(stray, &statuses[1]), ["c belongs to another cluster: 2"]);
    }

    #[test]
    fn of_one_cluster_the_leader_with_the_latest_term_is_shown_and_those_that_wait_are_heard() {
        let waiting = status("c", "", false, 0);
        let statuses = [waiting.clone(), status("b", "1", true, 3), waiting.clone(), status("a", "1", true, 4)];
        assert_eq!(shown(&statuses), "a");
        assert_eq!(said_of(waiting, &statuses[3]), ["c: said by c"]);
        assert_eq!(said_of(statuses[1].clone(), &statuses[3]), ["b: said by b"]);
        assert_eq!(said_of(statuses[3].clone(), &statuses[3]), Vec::<String>::new(), "it is shown already");
        let again = ClusterStatus { warnings: statuses[3].warnings.clone(), ..statuses[1].clone() };
        assert_eq!(said_of(again, &statuses[3]), Vec::<String>::new(), "so is that");
    }
}
