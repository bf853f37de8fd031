//! The paths that Rust code names, found without a parser of the language.

use std::path::PathBuf;

/// A file and the paths in it.
#[derive(Debug)]
pub(crate) struct Code {
    /// Relative to the root of the repository.
    pub(crate) file: PathBuf,
    pub(crate) paths: Vec<String>,
}

/// Every path in the code of a module, with the braces of `use` spread out and `super` and `self` resolved. Names
/// without `::` count as paths only inside braces and where a use statement consists of them.
pub(crate) fn paths_of(text: &str, module: &str) -> Vec<String> {
    let tokens = tokens(&without_comments(text));
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" {
            at = tree("", &tokens, at + 1, &mut paths);
        } else if is_name(&tokens[at]) && tokens.get(at + 1).is_some_and(|next| next == "::") {
            at = tree("", &tokens, at, &mut paths);
        } else {
            at += 1;
        }
    }
    paths.iter().map(|path| resolved(path, module)).collect()
}

/// Reads one tree of a use statement, or one path, that begins at a token; returns the token after it.
fn tree(prefix: &str, tokens: &[String], mut at: usize, paths: &mut Vec<String>) -> usize {
    let mut path = prefix.to_owned();
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("::") => at += 1,
            Some("{") if path.ends_with("::") || path.is_empty() => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    let next = tree(&path, tokens, at, paths);
                    // What is no path is a comma.
                    at = next.max(at + 1);
                }
                return at + 1;
            }
            Some(name) if is_name(name) && (path.is_empty() || path.ends_with("::")) => {
                path.push_str(name);
                at += 1;
                if tokens.get(at).is_some_and(|next| next == "::") {
                    path.push_str("::");
                } else {
                    break;
                }
            }
            _ => break,
        }
    }
    if tokens.get(at).is_some_and(|token| token == "as") {
        at += 2;
    }
    if path != prefix {
        paths.push(path.trim_end_matches("::").to_owned());
    }
    at
}

/// A path with `self` and `super` replaced by the module that they mean.
fn resolved(path: &str, module: &str) -> String {
    let mut base: Vec<&str> = module.split("::").collect();
    let mut rest: Vec<&str> = path.split("::").collect();
    if !matches!(rest[0], "self" | "super") {
        return path.to_owned();
    }
    while let Some(first) = rest.first().copied().filter(|first| matches!(*first, "self" | "super")) {
        if first == "super" && base.len() > 1 {
            base.pop();
        }
        rest.remove(0);
    }
    base.extend(rest);
    base.join("::")
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Names, `::`, and single other characters.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    tokens
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::paths_of;

    #[test]
    fn paths_are_found_wherever_they_stand() {
        for (text, paths) in [
            ("use std::net::TcpStream;", vec!["std::net::TcpStream"]),
            (
                "use std::{fs, net::{TcpStream, UdpSocket as U}};",
                vec!["std::fs", "std::net::TcpStream", "std::net::UdpSocket"],
            ),
            ("use tokio;", vec!["tokio"]),
            ("use ::tokio::time;", vec!["tokio::time"]),
            ("let x = f(std::thread::spawn(g)); a.b(C);", vec!["std::thread::spawn"]),
            ("fn f(at: std::time::Instant) {}", vec!["std::time::Instant"]),
            ("use super::x; use self::y; use super::super::z;", vec!["crate::a::x", "crate::a::b::y", "crate::z"]),
            ("// use std::fs;\nlet a = 1; // std::net", vec![]),
        ] {
            let found = paths_of(text, "crate::a::b");
            for path in &paths {
                assert!(found.iter().any(|other| other == path), "{text}: {path} is not in {found:?}");
            }
            assert_eq!(found.len(), paths.len(), "{text}: {found:?}");
        }
    }
}
