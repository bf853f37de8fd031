//! The manual names everything that the parser knows.

use akrida::cli::option_table::options;
use akrida::cli::{Exit, command};

const MANUAL: &str = include_str!("../../docs/command-line.md");

#[test]
fn every_option_is_in_the_manual_with_its_variable() {
    for option in options() {
        let name = if option.positional { "`USER_CLASS...`".to_owned() } else { format!("`--{}", option.key) };
        let row = MANUAL.lines().find(|line| line.split('|').nth(2).is_some_and(|cell| names(cell, &name)));
        let row = row.unwrap_or_else(|| panic!("{name} has no row in docs/command-line.md"));
        // The manual says once that each of Locust's variables has a twin of ours.
        if let Some(variable) = option.locust_variable.as_ref().or(option.akrida_variables.first()) {
            assert!(row.contains(&format!("`{variable}`")), "{variable} is missing in: {row}");
        }
    }
}

/// Whether a cell names this option, and not only one whose name starts with it.
fn names(cell: &str, name: &str) -> bool {
    cell.match_indices(name).any(|(at, _)| name.ends_with('`') || cell[at + name.len()..].starts_with([' ', '`']))
}

#[test]
fn every_short_option_is_in_the_manual() {
    for short in command().get_arguments().filter_map(clap::Arg::get_short) {
        assert!(MANUAL.contains(&format!("`-{short}`")), "-{short}");
    }
}

#[test]
fn every_command_is_in_the_manual() {
    for subcommand in command().get_subcommands() {
        assert!(MANUAL.contains(&format!("`akrida {}", subcommand.get_name())), "{}", subcommand.get_name());
        for argument in subcommand.get_arguments().filter_map(clap::Arg::get_long) {
            assert!(MANUAL.contains(&format!("`--{argument}")), "akrida {} --{argument}", subcommand.get_name());
        }
    }
}

#[test]
fn every_exit_code_is_in_the_manual() {
    for exit in [Exit::Passed, Exit::Failed { code: 1 }, Exit::Usage, Exit::Invalid] {
        assert!(MANUAL.lines().any(|line| line.starts_with(&format!("| {} |", exit.code()))), "{exit:?}");
    }
}
