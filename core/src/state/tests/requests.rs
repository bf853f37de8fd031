use super::*;
use crate::state::record::Record;

fn key(key: &str, fingerprint: u64) -> Option<RequestKey> {
    Some(RequestKey { key: key.into(), fingerprint })
}

fn start(run: u64) -> Command {
    Command::StartRun { run: RunId(run), spec: Box::new(spec(LossPolicy::Replace)) }
}

#[test]
fn a_request_that_is_made_again_is_answered_as_the_first_time_and_does_nothing() {
    let mut log = Log::with_workers(&["a"]);
    let first = log.apply_as(start(1), key("k", 5));
    assert_eq!(first.reply, Ok(Reply::Run(RunId(1))));
    assert!(!first.effects.is_empty());
    let again = log.apply_as(start(2), key("k", 5));
    assert_eq!(again, Applied { reply: Ok(Reply::Run(RunId(1))), effects: Vec::new() });
    assert_eq!(log.run().id(), RunId(1));
}

#[test]
fn a_refusal_is_remembered_too() {
    let mut log = Log::with_workers(&[]);
    assert_eq!(log.apply_as(start(1), key("k", 5)).reply, Err(Refusal::NoWorkers));
    log.register("a", 1);
    assert_eq!(log.apply_as(start(1), key("k", 5)).reply, Err(Refusal::NoWorkers));
    assert_eq!(log.apply_as(start(1), key("another", 5)).reply, Ok(Reply::Run(RunId(1))));
}

#[test]
fn a_key_of_another_request_is_refused_and_stays_that_of_the_first() {
    let mut log = Log::with_workers(&["a"]);
    log.apply_as(start(1), key("k", 5));
    assert_eq!(log.apply_as(start(1), key("k", 6)).reply, Err(Refusal::KeyReused));
    assert_eq!(log.apply_as(start(1), key("k", 5)).reply, Ok(Reply::Run(RunId(1))));
}

impl Log {
    /// Makes so many requests that do nothing, past the replica of every step, for speed.
    fn make_requests(&mut self, count: usize) {
        for at in 0..count {
            let index = LogIndex(self.next);
            self.next += 1;
            let request = key(&at.to_string(), 1);
            let command = Command::SetMembers(Vec::new());
            self.state.apply(&Entry { index, time_ms: self.time_ms, request, command });
        }
    }
}

#[test]
fn keys_are_kept_for_a_time_and_in_a_number() {
    let mut log = Log::with_workers(&["a"]);
    let members = || Command::SetMembers(Vec::new());
    log.apply_as(members(), key("old", 1));
    log.make_requests(limits::REQUESTS_KEPT_MIN);
    log.time_ms += limits::REQUESTS_KEPT.as_millis() as u64 - 1;
    assert_eq!(log.apply_as(members(), key("old", 2)).reply, Err(Refusal::KeyReused));
    log.time_ms += 1;
    assert_eq!(log.apply_as(members(), key("old", 2)).reply, Ok(Reply::Done), "its time is over");
    log.make_requests(limits::REQUESTS_KEPT_MAX);
    assert_eq!(log.apply_as(members(), key("old", 3)).reply, Ok(Reply::Done), "too many came after it");
    let newest = (limits::REQUESTS_KEPT_MAX - 1).to_string();
    assert_eq!(log.apply_as(members(), key(&newest, 2)).reply, Err(Refusal::KeyReused));
}

#[test]
fn a_leader_whose_clock_is_far_ahead_forgets_no_request_of_late() {
    let mut log = Log::with_workers(&["a"]);
    let first = log.apply_as(start(1), key("k", 5));
    log.time_ms += 24 * 3_600 * 1_000;
    let again = log.apply_as(start(2), key("k", 5));
    assert_eq!(again, Applied { reply: first.reply, effects: Vec::new() });
}

#[test]
fn a_record_comes_back_from_its_bytes() {
    let record = Record { proposal: ProposalId(3), time_ms: 9, request: key("k", 1), command: start(4) };
    assert_eq!(Record::from_bytes(&record.to_bytes()).expect("its own bytes"), record);
    assert!(Record::from_bytes(&[record::VERSION + 1]).is_err());
    assert!(Record::from_bytes(&[]).is_err());
}
