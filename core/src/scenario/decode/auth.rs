//! Credentials: `{basic: …}` or `{bearer: …}`.

use super::Decoder;
use super::cursor::Cursor;
use super::keys::{AUTH, BASIC};
use crate::document::node::NodeValue;
use crate::scenario::model::Auth;

impl<'n> Decoder<'n> {
    /// The value of `auth`.
    pub(super) fn auth(&mut self, cursor: &Cursor<'n>) -> Option<Auth> {
        let object = self.object(cursor, &AUTH)?;
        let mut given = object.given(AUTH.keys);
        if given.len() != 1 {
            self.problem(cursor, "expected one of `basic` and `bearer`");
            return None;
        }
        let (kind, value) = given.pop()?;
        match kind {
            "bearer" => self.template(&value, "a token").map(Auth::Bearer),
            _ => self.basic(&value),
        }
    }

    fn basic(&mut self, cursor: &Cursor<'n>) -> Option<Auth> {
        let NodeValue::Text(text) = &cursor.node.value else {
            let object = self.object(cursor, &BASIC)?;
            let (Some(username), Some(password)) = (object.get("username"), object.get("password")) else {
                self.problem(cursor, "expected both `username` and `password`");
                return None;
            };
            let username = self.template(&username, "a user name");
            let password = self.template(&password, "a password");
            return Some(Auth::Basic { username: username?, password: password? });
        };
        let Some(colon) = colon_outside_braces(text) else {
            self.problem(cursor, "expected `user:password` or an object with `username` and `password`");
            return None;
        };
        let username = self.compile(cursor, &text[..colon]);
        let password = self.compile(cursor, &text[colon + 1..]);
        Some(Auth::Basic { username: username?, password: password? })
    }
}

/// Where a text has its first colon that is not part of a template.
fn colon_outside_braces(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}
