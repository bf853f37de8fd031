//! Processes that call a cluster and do not belong there, or not as they are.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::{Cluster, Node};

/// A process in the folder of a cluster that is none of its masters and workers. It is killed when it is dropped.
#[derive(Debug)]
pub struct Stranger {
    node: Node,
    log: PathBuf,
}

impl Cluster {
    /// Starts a process with these arguments.
    pub fn start_stranger(&self, name: &str, arguments: &[&str]) -> Stranger {
        let mut node = Node::new(name, "127.0.0.1".to_owned(), 0, &[0, 0]);
        node.start(self.folder(), arguments);
        Stranger { log: node.log_file(self.folder()), node }
    }

    /// Writes a file like another one of the cluster, with one text in place of another.
    pub fn write_like(&self, like: &str, name: &str, changes: &[(&str, &str)]) {
        let mut text = fs::read_to_string(self.folder().join(like)).expect("a file");
        for (old, new) in changes {
            assert!(text.contains(old), "{like} has no {old:?}\n{text}");
            text = text.replace(old, new);
        }
        fs::write(self.folder().join(name), text).expect("a file");
    }

    /// Where a master listens to masters and workers.
    pub fn link_address(&self, master: usize) -> String {
        let status = self.status().expect("a status");
        let members = status["members"].as_array().expect("a list");
        let member = members.iter().find(|member| member["name"] == self.name(master)).expect("a member");
        format!("127.0.0.1:{}", member["port"])
    }

    /// What `cluster status` tells an operator to look at. Both its forms say the same.
    pub fn warnings(&self) -> Vec<String> {
        let status: Value = serde_json::from_str(&self.operated(&["status", "--json"])).expect("JSON");
        let warnings = status["warnings"].as_array().expect("a list");
        warnings.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Waits until both forms of `cluster status` show a warning with these texts.
    pub fn await_warning(&self, texts: &[&str]) {
        let has_all = |line: &str| texts.iter().all(|text| line.contains(text));
        self.await_that(&format!("a warning with {texts:?}"), || {
            let in_json = self.warnings().iter().any(|warning| has_all(warning));
            let shown = self.operated(&["status"]);
            let in_text = shown.lines().any(|line| line.starts_with("Warning: ") && has_all(line));
            (in_json && in_text).then_some(())
        });
    }
}

impl Stranger {
    /// Its whole log.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it has said something.
    pub fn await_log(&self, cluster: &Cluster, text: &str) {
        let said = || self.log().contains(text).then_some(());
        cluster.await_that(&format!("{} to say {text:?}; it says\n{}", self.node.name, self.log()), said);
    }

    /// Asks it to end, and waits until it has.
    pub fn end(&mut self) -> Option<i32> {
        self.node.end()
    }
}
