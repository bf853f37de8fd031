//! Which of the allowed texts a misspelt one was meant to be.

/// The allowed text that is most like another one, if any is like enough to be meant.
#[must_use]
pub fn closest<'a>(text: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer texts are no misspelt keys, and comparing them would take long.
    const COMPARED_BYTES_MAX: usize = 64;
    if text.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let normal = text.to_lowercase().replace(['-', ' '], "_");
    let likely = (text.chars().count() / 3).max(1);
    let likeness = |candidate: &str| strsim::jaro_winkler(&normal, candidate);
    allowed
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&normal, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= likely)
        .min_by(|(one, a), (other, b)| one.cmp(other).then_with(|| likeness(b).total_cmp(&likeness(a))))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 6] = ["weight", "wait_time", "host", "headers", "tasks", "tags"];

    #[test]
    fn the_closest_key_is_suggested_and_nothing_far_away() {
        assert_eq!(closest("wieght", KEYS), Some("weight"));
        assert_eq!(closest("wait-time", KEYS), Some("wait_time"));
        assert_eq!(closest("Headers", KEYS), Some("headers"));
        assert_eq!(closest("taks", KEYS), Some("tasks"));
        assert_eq!(closest("zzz", KEYS), None);
    }
}
