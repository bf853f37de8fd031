//! `${NAME}` and `${NAME:-default}` in the texts of a configuration.

use akrida_core::document::node::{Node, NodeValue};
use akrida_core::document::plain;
use akrida_core::document::problem::{Problems, shown};

use super::Surroundings;

/// Replaces the variables in every text of a document. A text that is a number or a switch afterwards becomes one, so
/// that `port: ${PORT}` works. A missing variable is a problem, and its text stays as it is.
///
/// No message repeats a text: it may be a secret.
pub(super) fn expand(node: &mut Node, path: &str, surroundings: &Surroundings<'_>, problems: &mut Problems) {
    match &mut node.value {
        NodeValue::Text(text) => match expanded(text, surroundings) {
            Ok(None) => {}
            Ok(Some(text)) => {
                node.value = match plain(&text) {
                    typed @ (NodeValue::Number(..) | NodeValue::Bool(_)) => typed,
                    _ => NodeValue::Text(text),
                }
            }
            Err(message) => problems.add(node.at, path, message),
        },
        NodeValue::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                expand(item, &format!("{path}[{index}]"), surroundings, problems);
            }
        }
        NodeValue::Map(entries) => {
            for entry in entries {
                let separator = if path.is_empty() { "" } else { "." };
                expand(&mut entry.node, &format!("{path}{separator}{}", shown(&entry.key)), surroundings, problems);
            }
        }
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(..) | NodeValue::NotFinite(_) => {}
    }
}

/// The text with its variables replaced; `None` if it has none.
fn expanded(text: &str, surroundings: &Surroundings<'_>) -> Result<Option<String>, String> {
    if !text.contains("${") {
        return Ok(None);
    }
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            result.push_str(before);
            result.push_str("${");
            rest = after;
            continue;
        }
        result.push_str(before);
        let (inside, after) = after.split_once('}').ok_or("`${` without its `}`; write `$${` for the characters")?;
        result.push_str(&value(inside, surroundings)?);
        rest = after;
    }
    result.push_str(rest);
    Ok(Some(result))
}

/// What stands for the inside of one `${...}`. An empty variable counts as not set.
fn value(inside: &str, surroundings: &Surroundings<'_>) -> Result<String, String> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return Err("between `${` and `}` stands no name of a variable; write `$${` for the characters".to_owned());
    }
    if default.is_some_and(|default| default.contains("${")) {
        return Err(format!("the default of `${{{name}}}` cannot hold a variable itself"));
    }
    match ((surroundings.variable)(name).filter(|value| !value.is_empty()), default) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.to_owned()),
        (None, None) if name == "HOSTNAME" => Ok(surroundings.host_name.to_owned()),
        (None, None) => {
            Err(format!("the variable {name} is not set; set it, or give a default: `${{{name}:-default}}`"))
        }
    }
}
