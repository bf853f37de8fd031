//! Which headers are masked.

/// What stands in the place of a secret.
const MASK: &str = "***";

/// The value of a header as it may be shown. Of a cookie the name stays, of credentials the scheme.
pub(super) fn masked(name: &str, value: &str, shows_secrets: bool) -> String {
    if shows_secrets {
        return value.to_owned();
    }
    match name.to_ascii_lowercase().as_str() {
        "authorization" | "proxy-authorization" => match value.split_once(' ') {
            Some((scheme, _)) => format!("{scheme} {MASK}"),
            None => MASK.to_owned(),
        },
        "cookie" => value.split(';').map(|pair| masked_pair(pair.trim())).collect::<Vec<_>>().join("; "),
        "set-cookie" => match value.split_once(';') {
            Some((pair, attributes)) => format!("{};{attributes}", masked_pair(pair)),
            None => masked_pair(value),
        },
        _ => value.to_owned(),
    }
}

fn masked_pair(pair: &str) -> String {
    pair.split_once('=').map_or_else(|| MASK.to_owned(), |(name, _)| format!("{name}={MASK}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_schemes_stay_and_values_go() {
        for (name, value, shown) in [
            ("Authorization", "Bearer abc.def", "Bearer ***"),
            ("authorization", "token", "***"),
            ("Proxy-Authorization", "Basic dTpw", "Basic ***"),
            ("cookie", "sid=1; other=2", "sid=***; other=***"),
            ("set-cookie", "sid=1; Path=/; HttpOnly", "sid=***; Path=/; HttpOnly"),
            ("set-cookie", "sid=1", "sid=***"),
            ("X-Other", "Bearer abc", "Bearer abc"),
        ] {
            assert_eq!(masked(name, value, false), shown, "{name}: {value}");
            assert_eq!(masked(name, value, true), value);
        }
    }
}
