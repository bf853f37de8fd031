//! Durations in words, as Locust writes them in its report.

/// "1 hour, 2 minutes and 3 seconds"; parts that are zero are left out, and nothing at all is "0 seconds".
#[must_use]
pub fn in_words(seconds: u64) -> String {
    let parts: Vec<String> = [
        (seconds / 86_400, "day"),
        (seconds % 86_400 / 3_600, "hour"),
        (seconds % 3_600 / 60, "minute"),
        (seconds % 60, "second"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
    .collect();
    match parts.split_last() {
        None => "0 seconds".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn parts_are_joined_by_commas_and_a_last_and() {
        assert_eq!(in_words(0), "0 seconds");
        assert_eq!(in_words(1), "1 second");
        assert_eq!(in_words(3_600), "1 hour");
        assert_eq!(in_words(62), "1 minute and 2 seconds");
        assert_eq!(in_words(3_723), "1 hour, 2 minutes and 3 seconds");
        assert_eq!(in_words(2 * 86_400 + 1), "2 days and 1 second");
    }
}
