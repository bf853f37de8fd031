//! Which scenario, and which part of it.

use std::path::PathBuf;

/// Which scenario, and which part of it.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Scenario")]
pub struct ScenarioFlags {
    /// Scenario file [default: akrida.yml]
    #[arg(short = 'f', long, visible_alias = "scenario", value_name = "FILE")]
    pub locustfile: Option<PathBuf>,
    /// Configuration file to read in addition
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Run only tasks with one of these tags
    #[arg(short = 'T', long, value_name = "TAG", num_args = 1.., value_delimiter = ',')]
    pub tags: Vec<String>,
    /// Leave out tasks with one of these tags
    #[arg(short = 'E', long, value_name = "TAG", num_args = 1.., value_delimiter = ',')]
    pub exclude_tags: Vec<String>,
    /// Ignore the weights of user classes and tasks
    #[arg(long)]
    pub equal_weights: bool,
    /// Print the names of the user classes and exit
    #[arg(short = 'l', long)]
    pub list: bool,
    /// Print the share of each task and exit
    #[arg(long)]
    pub show_task_ratio: bool,
    /// Print the share of each task as JSON and exit
    #[arg(long)]
    pub show_task_ratio_json: bool,
    /// Run one user through each task once and print all that it sends and gets
    #[arg(long)]
    pub debug_user: bool,
    /// With --debug-user: do not mask credentials and cookies
    #[arg(long)]
    pub debug_secrets: bool,
    /// User classes to run [default: all]
    #[arg(value_name = "USER_CLASS")]
    pub user_classes: Vec<String>,
}
