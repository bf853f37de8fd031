//! The functions that templates may call.
//!
//! They draw from the random numbers of the user that renders, so a run with the same seed makes the same choices.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use akrida_core::scenario::plain_function::{PlainFunction, Prepare, Write};
use fastrand::Rng;
use minijinja::{Environment, Error, ErrorKind, Value};

/// Adds the functions to an environment.
///
/// - `random_int(low, high)`: a whole number, both bounds included
/// - `random_choice(list)`: an element
/// - `random_string(length)`: letters and digits
/// - `uuid()`: a random UUID (version 4)
/// - `now()`: milliseconds since 1970
pub fn register(environment: &mut Environment<'static>) {
    environment.add_function("random_choice", random_choice);
    let mut add = |name: &'static str, by_engine: Value, prepare: Prepare| {
        environment.add_global(name, PlainFunction::global(by_engine, prepare));
    };
    add("random_int", Value::from_function(random_int), |arguments| match *arguments {
        [low, high] if low <= high => written(move |text| {
            let _ = write!(text, "{}", random_int_within(low, high));
        }),
        _ => None,
    });
    add("random_string", Value::from_function(random_string), |arguments| match *arguments {
        [length] => {
            let length = usize::try_from(length).ok().filter(|&length| length <= RANDOM_STRING_CHARS_MAX)?;
            written(move |text| push_random_string(length, text))
        }
        _ => None,
    });
    add("uuid", Value::from_function(uuid), |arguments| arguments.is_empty().then(|| written(push_uuid)).flatten());
    add("now", Value::from_function(now), |arguments| {
        let write = |text: &mut String| {
            let _ = write!(text, "{}", now());
        };
        arguments.is_empty().then(|| written(write)).flatten()
    });
}

fn written(write: impl Fn(&mut String) + Send + Sync + 'static) -> Option<Write> {
    Some(Arc::new(write))
}

/// Longest text of `random_string`.
const RANDOM_STRING_CHARS_MAX: usize = 1024 * 1024;

thread_local! {
    /// The random numbers of the user that renders now; outside of a user, some.
    static RANDOM: RefCell<Rng> = RefCell::new(Rng::new());
}

/// Renders with a user's random numbers.
pub(super) fn with_random<R>(random: &mut Rng, render: impl FnOnce() -> R) -> R {
    struct Lent<'a>(&'a mut Rng);
    impl Drop for Lent<'_> {
        fn drop(&mut self) {
            RANDOM.with_borrow_mut(|current| std::mem::swap(current, self.0));
        }
    }
    RANDOM.with_borrow_mut(|current| std::mem::swap(current, random));
    // Given back also when the template panics.
    let _lent = Lent(random);
    render()
}

fn invalid(reason: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason.to_owned())
}

fn random_int(low: i64, high: i64) -> Result<i64, Error> {
    if low > high {
        return Err(invalid("random_int: the low bound is above the high bound"));
    }
    Ok(random_int_within(low, high))
}

fn random_int_within(low: i64, high: i64) -> i64 {
    RANDOM.with_borrow_mut(|random| random.i64(low..=high))
}

fn random_choice(list: &Value) -> Result<Value, Error> {
    let length = list.len().filter(|&length| length > 0);
    let length = length.ok_or_else(|| invalid("random_choice: expected a list with at least one element"))?;
    let at = RANDOM.with_borrow_mut(|random| random.usize(..length));
    list.try_iter()?.nth(at).ok_or_else(|| invalid("random_choice: expected a list"))
}

fn random_string(length: usize) -> Result<String, Error> {
    if length > RANDOM_STRING_CHARS_MAX {
        return Err(invalid("random_string: longer than 1048576 characters"));
    }
    let mut text = String::with_capacity(length);
    push_random_string(length, &mut text);
    Ok(text)
}

fn push_random_string(length: usize, text: &mut String) {
    RANDOM.with_borrow_mut(|random| text.extend((0..length).map(|_| random.alphanumeric())));
}

fn uuid() -> String {
    let mut text = String::with_capacity(UUID_CHARS);
    push_uuid(&mut text);
    text
}

/// Characters of a UUID, and where among them the digits of each byte go.
const UUID_CHARS: usize = 36;
const UUID_BYTES_AT: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

fn push_uuid(text: &mut String) {
    let random = RANDOM.with_borrow_mut(|random| random.u128(..));
    // Version 4, variant 1 (RFC 9562, section 5.4).
    let bits = random & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let mut characters = [b'-'; UUID_CHARS];
    for (byte, at) in bits.to_be_bytes().into_iter().zip(UUID_BYTES_AT) {
        characters[at] = HEX[usize::from(byte >> 4)];
        characters[at + 1] = HEX[usize::from(byte & 0xf)];
    }
    text.push_str(std::str::from_utf8(&characters).expect("digits and hyphens"));
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use akrida_core::scenario::template::Templates;
    use minijinja::context;

    use super::*;

    fn render(source: &str, seed: u64) -> Result<String, String> {
        let mut templates = Templates::new(register);
        let template = templates.text(source).expect("compiles");
        with_random(&mut Rng::with_seed(seed), || templates.render(&template, &context! {}))
            .map(std::borrow::Cow::into_owned)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_same_seed_gives_the_same_text() {
        let source = "{{ random_int(1, 1000000) }} {{ random_string(12) }} {{ uuid() }} {{ random_choice([1, 2, 3]) }}";
        assert_eq!(render(source, 1), render(source, 1));
        assert_ne!(render(source, 1), render(source, 2));
    }

    /// What the engine gives for a template that cannot do without it.
    fn render_by_engine(source: &str, seed: u64) -> Result<String, String> {
        render(&format!("{source}{{# #}}"), seed)
    }

    #[test]
    fn the_engine_draws_what_is_drawn_without_it() {
        let sources = [
            "{{ uuid() }}",
            "a{{ random_int(1, 10) }}-{{ random_int(-1000000000000, 5) }}",
            "{{ random_int(7, 7) }}{{ uuid() }}{{ random_string(12) }}/{{ random_string(0) }}",
            "{{ random_int(2, 1) }}",
            "{{ random_int(1) }}",
            "{{ uuid() }}{{ random_string(-1) }}",
            "{{ uuid(1) }}",
            "{{ uuid() }}{{ missing }}",
            "{{ uuid }}",
        ];
        for (source, seed) in sources.iter().flat_map(|source| (0..100).map(move |seed| (source, seed))) {
            let reason = |result: Result<String, String>| {
                result.map_err(|error| error.split_once(": ").map(|(_, r)| r.to_owned()))
            };
            assert_eq!(reason(render(source, seed)), reason(render_by_engine(source, seed)), "{source}");
        }
    }

    #[test]
    fn as_many_numbers_are_left_to_draw_as_by_the_engine() {
        let next = |source: &str| {
            let mut templates = Templates::new(register);
            let template = templates.text(source).expect("compiles");
            let mut random = Rng::with_seed(3);
            let _ = with_random(&mut random, || templates.render(&template, &context! { uuid => 1 }).map(drop));
            random.u64(..)
        };
        for source in
            ["{{ random_string(9) }}{{ random_int(0, 9) }}", "{{ random_int(0, 9) }}{{ missing }}", "{{ uuid() }}"]
        {
            assert_eq!(next(source), next(&format!("{source}{{# #}}")), "{source}");
        }
    }

    #[test]
    fn a_uuid_is_the_hexadecimal_of_what_was_drawn() {
        for seed in 0..50 {
            let hex = format!("{:032x}", Rng::with_seed(seed).u128(..));
            let text = render("{{ uuid() }}", seed).expect("renders").replace('-', "");
            assert_eq!((&text[..12], &text[13..16], &text[17..]), (&hex[..12], &hex[13..16], &hex[17..]));
        }
    }

    #[test]
    fn bounds_are_included_and_checked() {
        let drawn: std::collections::BTreeSet<String> =
            (0..200).map(|seed| render("{{ random_int(3, 5) }}", seed).expect("renders")).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), ["3", "4", "5"]);
        assert!(render("{{ random_int(2, 1) }}", 0).expect_err("refused").contains("low bound"));
        assert!(render("{{ random_choice([]) }}", 0).is_err());
        assert!(render("{{ random_string(1048577) }}", 0).is_err());
    }

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        for seed in 0..50 {
            let text = render("{{ uuid() }}", seed).expect("renders");
            let groups: Vec<&str> = text.split('-').collect();
            assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
            assert!(groups[2].starts_with('4') && groups[3].starts_with(['8', '9', 'a', 'b']), "{text}");
        }
    }
}
