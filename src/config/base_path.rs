//! A path that stands before all paths of the web UI.

/// A base path such as `/locust`, without a slash at its end; "" if there is none, as for `/`.
///
/// # Errors
/// What is wrong with it.
pub fn base_path(text: &str) -> Result<String, String> {
    let allowed = "allowed: names of letters, digits and - . _ ~, each after a slash, such as /load/locust";
    let bare = text.strip_suffix('/').unwrap_or(text);
    let is_plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c));
    let is_name = |name: &str| !name.is_empty() && name != "." && name != ".." && is_plain(name);
    match bare.strip_prefix('/') {
        None if bare.is_empty() => Ok(String::new()),
        Some(names) if names.split('/').all(is_name) => Ok(bare.to_owned()),
        _ => Err(format!("{text:?} is no path; {allowed}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_plain_names() {
        for (text, path) in [("/locust", "/locust"), ("/a/b-1/", "/a/b-1"), ("/", ""), ("", "")] {
            assert_eq!(base_path(text).as_deref(), Ok(path), "{text}");
        }
        for bad in ["locust", "//", "//a", "/a//b", "/a/../b", "/a b", "/a?b", "/ä", "http://a/b", "/%2e"] {
            assert!(base_path(bad).is_err(), "{bad}");
        }
    }
}
