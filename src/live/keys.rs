//! What keys mean.

use akrida_core::limits::USERS_MAX;
use akrida_core::view::{RunView, Status};

/// What the user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAction {
    /// More users, or fewer.
    AddUsers(i64),
    /// End the run in good order. A command, not a count: it may repeat what is known from elsewhere.
    Stop,
    /// Leave at once. The view has already given the terminal back.
    Quit,
}

/// A key that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Users(i64),
    /// The first time it stops the run, the second time it leaves at once.
    End,
}

const CONTROL_C: u8 = 3;
const ESCAPE: u8 = 27;

/// The keys in what a terminal in raw mode sent at once. Arrow and function keys are sequences that contain letters;
/// they and whatever comes with Alt mean nothing.
pub(super) fn keys(mut input: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    while let [byte, rest @ ..] = input {
        input = if *byte == ESCAPE { after_sequence(rest) } else { rest };
        keys.extend(key(*byte));
    }
    keys
}

fn key(byte: u8) -> Option<Key> {
    match byte {
        b'w' => Some(Key::Users(1)),
        b'W' => Some(Key::Users(10)),
        b's' => Some(Key::Users(-1)),
        b'S' => Some(Key::Users(-10)),
        b'q' | CONTROL_C => Some(Key::End),
        _ => None,
    }
}

fn after_sequence(input: &[u8]) -> &[u8] {
    let length = match input {
        [b'[', sequence @ ..] => 2 + sequence.iter().take_while(|byte| !(0x40..=0x7e).contains(*byte)).count(),
        [b'O', ..] => 2,
        _ => 1,
    };
    input.get(length..).unwrap_or_default()
}

/// A new number of users.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edit {
    /// How many there are to be.
    pub users: u64,
    /// How fast the change is made, in users per second.
    pub spawn_rate_per_s: f64,
}

/// Why the number of users stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no run, or it is ending.
    #[error("the number of users cannot be changed while the run is {}", .0.as_str())]
    NotRunning(Status),
    /// There are as many or as few as there can be.
    #[error("there are {0} users already, allowed are 0 to {USERS_MAX}")]
    AtLimit(u64),
}

/// The users that a run should have after a key, at a rate of 100 users per second. A change that is under way, such as
/// the ramp-up, gets another target and keeps its rate.
///
/// # Errors
/// When no run is under way, or when there cannot be more or fewer users.
pub fn edit_of(view: &RunView, delta: i64) -> Result<Edit, Refused> {
    let spawn_rate_per_s = match view.status {
        Status::Running => 100.0,
        Status::Spawning => view.run.spawn_rate_per_s,
        status => return Err(Refused::NotRunning(status)),
    };
    let before = view.run.target_users;
    let users = before.saturating_add_signed(delta).min(USERS_MAX);
    if users == before {
        return Err(Refused::AtLimit(before));
    }
    Ok(Edit { users, spawn_rate_per_s })
}

#[cfg(test)]
mod tests {
    use super::super::frame::tests::view;
    use super::*;

    #[test]
    fn letters_and_control_c_are_keys() {
        let expected = [1, 10, -1, -10].map(Key::Users).into_iter().chain([Key::End, Key::End]);
        assert_eq!(keys(b"wWx sS\r\xc3\xa9q\x03"), expected.collect::<Vec<_>>());
    }

    #[test]
    fn the_letters_of_other_keys_are_not() {
        // Up, F4 twice as terminals differ, Delete, Alt-w, Alt-[ alone, Escape alone.
        for sequence in ["\x1b[A", "\x1bOS", "\x1b[1;2S", "\x1b[3~", "\x1bw", "\x1b[", "\x1b"] {
            assert_eq!(keys(sequence.as_bytes()), [], "{sequence:?}");
        }
        assert_eq!(keys(b"\x1b[1;5Sw\x1bOSw"), [Key::Users(1), Key::Users(1)]);
    }

    #[test]
    fn users_change_while_a_run_is_under_way_and_within_bounds() {
        let with = |status, target_users| {
            let mut view = view();
            (view.status, view.run.target_users) = (status, target_users);
            view
        };
        let edit = |users| Ok(Edit { users, spawn_rate_per_s: 100.0 });
        assert_eq!(edit_of(&with(Status::Running, 50), 10), edit(60));
        assert_eq!(edit_of(&with(Status::Running, 5), -10), edit(0));
        assert_eq!(edit_of(&with(Status::Running, USERS_MAX - 1), 10), edit(USERS_MAX));
        assert_eq!(edit_of(&with(Status::Running, 0), -1), Err(Refused::AtLimit(0)));
        assert_eq!(edit_of(&with(Status::Running, USERS_MAX), 1), Err(Refused::AtLimit(USERS_MAX)));
        let ramping_up = with(Status::Spawning, 50);
        let kept = ramping_up.run.spawn_rate_per_s;
        assert_eq!(edit_of(&ramping_up, 1), Ok(Edit { users: 51, spawn_rate_per_s: kept }));
        assert_eq!(edit_of(&with(Status::Stopping, 50), 1), Err(Refused::NotRunning(Status::Stopping)));
    }
}
