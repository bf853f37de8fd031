//! A worker's conversation with the leader: greeting, heartbeats, and what is said again.

use crate::limits;

/// Where the conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No leader is there.
    Absent,
    /// The leader was greeted at this time and has not answered.
    Greeting { since_us: u64 },
    /// The leader knows the worker.
    Welcomed,
}

/// The conversation with one leader after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    stage: Stage,
    heartbeat_every_us: u64,
    next_heartbeat_us: u64,
    say_again_at_us: u64,
    /// When the last message was sent that a leader has answered.
    answered_us: u64,
    /// The shortest round trip of a heartbeat to this leader.
    round_trip_us: Option<u64>,
}

/// [`limits::SAY_AGAIN`] in microseconds.
const SAY_AGAIN_US: u64 = limits::SAY_AGAIN.as_micros() as u64;

impl Session {
    /// No leader was heard of.
    pub(super) const NONE: Self = Self {
        stage: Stage::Absent,
        heartbeat_every_us: limits::HEARTBEAT.as_micros() as u64,
        next_heartbeat_us: 0,
        say_again_at_us: 0,
        answered_us: 0,
        round_trip_us: None,
    };

    /// A leader is there and is being greeted.
    pub(super) fn greet(&mut self, now_us: u64) {
        self.stage = Stage::Greeting { since_us: now_us };
        self.say_again_at_us = now_us + SAY_AGAIN_US;
        self.round_trip_us = None;
    }

    /// The leader does not want the worker now: it is greeted again later.
    pub(super) fn put_off(&mut self, now_us: u64) {
        self.greet(now_us);
        self.say_again_at_us = now_us + limits::NOT_NOW_RETRY.as_micros() as u64;
    }

    /// The leader is gone.
    pub(super) fn lose(&mut self) {
        self.stage = Stage::Absent;
    }

    /// The leader knows the worker. The answer is to the oldest greeting that may have come: so nothing is made of the
    /// time that it took.
    pub(super) fn welcome(&mut self, heartbeat_ms: u64, now_us: u64) {
        if let Stage::Greeting { since_us } = self.stage {
            self.answered_us = self.answered_us.max(since_us);
            self.next_heartbeat_us = now_us;
        }
        self.stage = Stage::Welcomed;
        self.heartbeat_every_us = heartbeat_ms.saturating_mul(1_000).max(limits::HEARTBEAT_MIN.as_micros() as u64);
        self.say_again_at_us = now_us + SAY_AGAIN_US;
    }

    /// A heartbeat was answered. Gives back when it was sent: never later than now, whatever the leader says.
    pub(super) fn heartbeat_heard(&mut self, sent_us: u64, now_us: u64) -> u64 {
        let sent_us = sent_us.min(now_us);
        let trip_us = now_us - sent_us;
        self.round_trip_us = Some(self.round_trip_us.map_or(trip_us, |shortest| shortest.min(trip_us)));
        self.answered_us = self.answered_us.max(sent_us);
        sent_us
    }

    /// Whether what a leader says now cannot be old, given that it has answered since what was sent at this time. A round
    /// trip that always takes long is no sign of age.
    pub(super) fn is_recent(&self, sent_us: u64, now_us: u64) -> bool {
        let usual_us = self.round_trip_us.unwrap_or(0).saturating_mul(2);
        now_us.saturating_sub(sent_us) <= usual_us.max(limits::LAUNCH_AGE_MAX.as_micros() as u64)
    }

    /// A heartbeat is due at once.
    pub(super) fn hasten_heartbeat(&mut self, now_us: u64) {
        self.next_heartbeat_us = self.next_heartbeat_us.min(now_us);
    }

    /// When the last message was sent that a leader has answered.
    pub(super) fn answered_us(&self) -> u64 {
        self.answered_us
    }

    /// Whether a leader listens.
    pub(super) fn is_welcomed(&self) -> bool {
        self.stage == Stage::Welcomed
    }

    /// Whether the greeting has had no answer.
    pub(super) fn is_greeting(&self) -> bool {
        matches!(self.stage, Stage::Greeting { .. })
    }

    /// How long a message takes from the leader to here, as far as that is known: half the shortest round trip.
    pub(super) fn one_way_us(&self) -> u64 {
        self.round_trip_us.unwrap_or(0) / 2
    }

    /// Whether a heartbeat is due; it counts as sent.
    pub(super) fn takes_heartbeat(&mut self, now_us: u64) -> bool {
        let due = self.is_welcomed() && now_us >= self.next_heartbeat_us;
        if due {
            self.next_heartbeat_us = now_us + self.heartbeat_every_us;
        }
        due
    }

    /// Whether it is time to say again what has had no answer.
    pub(super) fn takes_say_again(&mut self, now_us: u64) -> bool {
        let due = self.stage != Stage::Absent && now_us >= self.say_again_at_us;
        if due {
            self.say_again_at_us = now_us + SAY_AGAIN_US;
        }
        due
    }

    /// When the next of these is due.
    pub(super) fn next_us(&self) -> Option<u64> {
        match self.stage {
            Stage::Absent => None,
            Stage::Greeting { .. } => Some(self.say_again_at_us),
            Stage::Welcomed => Some(self.say_again_at_us.min(self.next_heartbeat_us)),
        }
    }
}
