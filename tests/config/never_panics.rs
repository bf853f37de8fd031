//! No text makes the reader panic.

use akrida::config::{ConfigFile, MasterOverrides, WorkerOverrides, keys};
use proptest::prelude::*;

use super::machine::Machine;
use super::reference;

fn check(text: &str) -> Result<(), TestCaseError> {
    let machine = Machine::default().variable("A", "1");
    match machine.read(text) {
        Err(problems) => prop_assert!(!problems.is_empty()),
        Ok(ConfigFile::Master(file)) => {
            for node in file.names().into_iter().map(Some).chain([None]) {
                let overrides = MasterOverrides { node, ..MasterOverrides::default() };
                if let Ok(config) = machine.with(|surroundings| file.clone().resolve(overrides, surroundings)) {
                    prop_assert!(!config.settings_text().is_empty());
                }
            }
        }
        Ok(ConfigFile::Worker(file)) => {
            if let Ok(config) = machine.with(|surroundings| file.resolve(WorkerOverrides::default(), surroundings)) {
                prop_assert!(!config.settings_text().is_empty());
            }
        }
    }
    Ok(())
}

/// A document with one key set to something, in the right place.
fn with_one_key() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "\\PC{0,12}",
        "[0-9.]{0,22}(s|ms|m|GB|Gi|%|h)?",
        "-?[0-9]{0,20}",
        "[${}:\\-A]{0,8}",
        "[\\[\\]a,{}:\"' .*/]{0,12}",
        Just("[a, b]".to_owned()),
        Just("{ a: b }".to_owned()),
        Just("~".to_owned()),
    ];
    (prop::sample::select(keys::all()), value).prop_map(|(key, value)| {
        let mut text = String::new();
        for (depth, name) in key.split('.').enumerate() {
            let (name, is_list) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
            text.push_str(&format!("\n{}{name}:", "    ".repeat(depth)));
            if is_list {
                text.push_str(&format!("\n{}-", "    ".repeat(depth)));
            }
        }
        format!("{} {value}\n", text.trim_start())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        check(&text)?;
    }

    #[test]
    fn any_yaml_like_text_is_answered(text in "[a-c:\\-\\[\\]{}&*!#|>'\" \n,<]{0,80}") {
        check(&text)?;
    }

    #[test]
    fn any_value_of_any_key_is_answered(text in with_one_key()) {
        check(&text)?;
    }

    #[test]
    fn a_damaged_file_is_answered(at in any::<prop::sample::Index>(), length in 0_usize..40, insert in "\\PC{0,6}", master in any::<bool>()) {
        let mut text: Vec<char> = if master { reference::MASTER } else { reference::WORKER }.chars().collect();
        let at = at.index(text.len());
        let end = (at + length).min(text.len());
        text.splice(at..end, insert.chars());
        check(&text.into_iter().collect::<String>())?;
    }
}
