//! What `--list` and `--show-task-ratio` print.

use akrida_core::scenario::model::Scenario;
use akrida_core::scenario::ratio::{self, Ratio, Ratios};

/// The user classes of a scenario, as `--list` prints them.
pub(super) fn list(scenario: &Scenario) -> String {
    let names = scenario.classes.iter().map(|class| format!("    {}\n", class.name));
    format!("Available Users:\n{}", names.collect::<String>())
}

/// The shares of classes and tasks, as `--show-task-ratio` prints them.
pub(super) fn task_ratio(scenario: &Scenario, json: bool) -> String {
    let ratios = Ratios::of(scenario, &ratio::shares_by_weight(scenario));
    if json { format!("{:#}\n", ratios.to_json()) } else { ratio_tables(&ratios) }
}

/// Locust's layout.
fn ratio_tables(ratios: &Ratios) -> String {
    let mut text = String::new();
    for (title, tree) in [("Task ratio per User class", &ratios.per_class), ("Total task ratio", &ratios.total)] {
        text.push_str(&format!("\n {title}\n{}\n", "-".repeat(80)));
        write_tree(&mut text, tree, 0);
    }
    text
}

fn write_tree(text: &mut String, ratios: &[Ratio], depth: usize) {
    for ratio in ratios {
        let indent = "  ".repeat(depth);
        let percent = format!("{indent}{:.1}", ratio.ratio * 100.0);
        text.push_str(&format!(" {percent:<10} {:<50}\n", format!("{indent}{}", ratio.name)));
        write_tree(text, ratio.tasks.as_deref().unwrap_or_default(), depth + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_laid_out_as_in_locust() {
        let home = Ratio { name: "home".into(), ratio: 0.75, tasks: None };
        let visitor = |ratio| Ratio { name: "Visitor".into(), ratio, tasks: Some(vec![home.clone()]) };
        let text = ratio_tables(&Ratios { per_class: vec![visitor(1.0)], total: vec![visitor(0.25)] });
        let rule = "-".repeat(80);
        let names = [format!("{:<50}", "Visitor"), format!("{:<50}", "  home")];
        let lines = [
            "",
            " Task ratio per User class",
            &rule,
            &format!(" 100.0      {}", names[0]),
            &format!("   75.0     {}", names[1]),
            "",
            " Total task ratio",
            &rule,
            &format!(" 25.0       {}", names[0]),
            &format!("   75.0     {}", names[1]),
            "",
        ];
        assert_eq!(text.split('\n').collect::<Vec<_>>(), lines);
    }
}
