//! Which layer wins.

use super::surroundings::Surroundings;

/// The layers from the weakest to the strongest.
const LAYERS: [&str; 7] = [
    "home/.locust.conf",
    "here/pyproject.toml",
    "here/locust.conf",
    "here/more.conf",
    "LOCUST",
    "AKRIDA",
    "command line",
];

/// Surroundings and arguments in which some layers set one number of users and one list of tags each.
fn layered(layers: &[(&str, u64)]) -> (Surroundings, Vec<String>) {
    let mut surroundings = Surroundings::with_scenario();
    let mut arguments = Vec::new();
    for (layer, users) in layers {
        let tag = format!("tag{users}");
        surroundings = match *layer {
            "LOCUST" | "AKRIDA" => surroundings
                .variable(&format!("{layer}_USERS"), users.to_string())
                .variable(&format!("{layer}_TAGS"), format!("[{tag}]")),
            "command line" => {
                arguments.extend(["--users".to_owned(), users.to_string(), "--tags".to_owned(), tag]);
                surroundings
            }
            "here/pyproject.toml" => surroundings
                .file("here/pyproject.toml", format!("[tool.locust]\nusers = {users}\ntags = [\"{tag}\"]\n")),
            file => surroundings.file(file, format!("users = {users}\ntags = [{tag}]\n")),
        };
        if *layer == "here/more.conf" {
            arguments.extend(["--config".to_owned(), "more.conf".to_owned()]);
        }
    }
    (surroundings, arguments)
}

fn users_and_tags(layers: &[(&str, u64)]) -> (u64, Vec<String>) {
    let (surroundings, arguments) = layered(layers);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = surroundings.run(&arguments);
    (run.users, run.tags)
}

#[test]
fn each_layer_counts_alone() {
    for layer in LAYERS {
        assert_eq!(users_and_tags(&[(layer, 7)]), (7, vec!["tag7".to_owned()]), "{layer}");
    }
}

#[test]
fn of_each_pair_of_layers_the_stronger_wins() {
    for (index, strong) in LAYERS.iter().enumerate() {
        for weak in &LAYERS[..index] {
            // Both ways round, so that it is the layer that decides, not the value.
            for (weak_users, strong_users) in [(5, 6), (6, 5)] {
                let found = users_and_tags(&[(weak, weak_users), (strong, strong_users)]);
                let expected = (strong_users, vec![format!("tag{strong_users}")]);
                assert_eq!(found, expected, "{strong} over {weak}");
            }
        }
    }
}

#[test]
fn a_stronger_layer_switches_a_flag_off() {
    let surroundings = Surroundings::with_scenario().file("here/locust.conf", "equal-weights = true\n");
    assert!(surroundings.run(&[]).equal_weights);
    assert!(!surroundings.variable("AKRIDA_EQUAL_WEIGHTS", "no").run(&[]).equal_weights);
}

#[test]
fn a_stronger_layer_empties_a_list() {
    let surroundings = Surroundings::with_scenario().file("here/locust.conf", "tags = a\n");
    assert_eq!(surroundings.run(&[]).tags, ["a"]);
    assert!(surroundings.variable("LOCUST_TAGS", "[]").run(&[]).tags.is_empty());
}

#[test]
fn an_empty_variable_is_not_set() {
    let surroundings = Surroundings::with_scenario()
        .variable("LOCUST_USERS", "4")
        .variable("AKRIDA_USERS", "")
        .variable("LOCUST_HOST", "");
    let run = surroundings.run(&[]);
    assert_eq!((run.users, run.host), (4, None));
}

#[test]
fn a_toml_file_can_be_named_too() {
    let surroundings = Surroundings::with_scenario()
        .file("here/pyproject.toml", "[tool.locust]\nusers = 3\n")
        .file("here/more.toml", "[tool.locust]\nusers = 4\n");
    assert_eq!(surroundings.run(&["--config", "more.toml"]).users, 4);
}
