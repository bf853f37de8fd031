//! The functions that templates may call.
//!
//! They draw from the random numbers of the user that renders, so a run with the same seed makes the same choices.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

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
    environment.add_function("random_int", random_int);
    environment.add_function("random_choice", random_choice);
    environment.add_function("random_string", random_string);
    environment.add_function("uuid", uuid);
    environment.add_function("now", now);
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
    Ok(RANDOM.with_borrow_mut(|random| random.i64(low..=high)))
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
    Ok(RANDOM.with_borrow_mut(|random| (0..length).map(|_| random.alphanumeric()).collect()))
}

fn uuid() -> String {
    let random = RANDOM.with_borrow_mut(|random| random.u128(..));
    // Version 4, variant 1 (RFC 9562, section 5.4).
    let bits = random & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

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
