//! Messages that must not reach raft-rs, which would panic or do what only this process may ask for.

use raft::RawNode;
use raft::eraftpb::{Message, MessageType};

use super::members::is_sound;
use super::mirror::Mirror;
use super::snapshots;

/// No term or index of an honest master comes near it.
const NUMBER_MAX: u64 = 1 << 62;

/// Why a message was ignored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It cannot be read.
    #[error("the message cannot be read: {0}")]
    Malformed(String),
    /// It is for another master, or from nobody.
    #[error("the message is from {from:016x} for {to:016x}")]
    Misaddressed {
        /// Who sent it.
        from: u64,
        /// Whom it is for.
        to: u64,
    },
    /// Masters do not send such messages to each other.
    #[error("a message of a kind that masters do not send: {0}")]
    Kind(String),
    /// What it says cannot be.
    #[error("the message contradicts itself: {0}")]
    Absurd(&'static str),
    /// The leader believes that this master has entries that it has not. It lost its disk and came back under its old id.
    #[error("the leader says that entry {commit} is here, but the log ends at {last}: were data lost?")]
    LostEntries {
        /// What the leader says.
        commit: u64,
        /// Where the log ends.
        last: u64,
    },
}

/// Lets a message pass, or tells why not.
pub(super) fn screen(message: &Message, node: &RawNode<Mirror>) -> Result<(), Refused> {
    let own = node.raft.id;
    if message.to != own || message.from == 0 || message.from == own {
        return Err(Refused::Misaddressed { from: message.from, to: message.to });
    }
    let numbers = [message.term, message.log_term, message.index, message.commit, message.reject_hint];
    if numbers.iter().any(|number| *number >= NUMBER_MAX) {
        return Err(Refused::Absurd("a number is out of range"));
    }
    if message.term == 0 {
        return Err(Refused::Absurd("it has no term"));
    }
    let is_old = message.term < node.raft.term;
    let last = node.raft.raft_log.last_index();
    match message.get_msg_type() {
        MessageType::MsgAppend => entries_follow(message)?,
        MessageType::MsgSnapshot => snapshot_is_sound(message)?,
        MessageType::MsgHeartbeat if !is_old && message.commit > last => {
            return Err(Refused::LostEntries { commit: message.commit, last });
        }
        MessageType::MsgAppendResponse if !is_old && !message.reject && message.index > last => {
            return Err(Refused::Absurd("it confirms entries that were never sent"));
        }
        MessageType::MsgAppendResponse if message.request_snapshot != 0 => {
            return Err(Refused::Absurd("it asks for a snapshot"));
        }
        MessageType::MsgHeartbeat
        | MessageType::MsgAppendResponse
        | MessageType::MsgHeartbeatResponse
        | MessageType::MsgRequestVote
        | MessageType::MsgRequestVoteResponse
        | MessageType::MsgRequestPreVote
        | MessageType::MsgRequestPreVoteResponse
        | MessageType::MsgTimeoutNow => {}
        kind => return Err(Refused::Kind(format!("{kind:?}"))),
    }
    Ok(())
}

/// Entries must be numbered without gaps behind the one that they follow, with terms that never fall.
fn entries_follow(message: &Message) -> Result<(), Refused> {
    if (message.index == 0) != (message.log_term == 0) {
        return Err(Refused::Absurd("the term of the entry before is missing"));
    }
    let mut term = message.log_term;
    for (expected, entry) in (message.index + 1..).zip(message.get_entries()) {
        if entry.index != expected || entry.term < term.max(1) || entry.term > message.term {
            return Err(Refused::Absurd("entries that do not follow each other"));
        }
        term = entry.term;
    }
    Ok(())
}

fn snapshot_is_sound(message: &Message) -> Result<(), Refused> {
    let metadata = message.get_snapshot().get_metadata();
    let possible = metadata.index > 0
        && metadata.index < NUMBER_MAX
        && metadata.term > 0
        && metadata.term <= message.term
        && is_sound(metadata.get_conf_state());
    if !possible {
        return Err(Refused::Absurd("a snapshot of an impossible state"));
    }
    if snapshots::decode(&message.get_snapshot().data).is_none() {
        return Err(Refused::Absurd("a snapshot that cannot be read"));
    }
    Ok(())
}
