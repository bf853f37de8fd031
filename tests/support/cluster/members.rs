//! What an operator does about the masters of a cluster.

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::time::Instant;

use serde_json::Value;

use super::{Cluster, LOOK_EVERY, Node, PATIENCE, free_ports};

/// A master that is added to a cluster.
#[derive(Clone, Debug)]
pub struct NewMaster {
    /// Its number, for all else that is asked of a cluster.
    pub number: usize,
    /// Its port for masters and workers.
    pub port: u16,
    /// Its web port.
    pub web_port: u16,
}

impl Cluster {
    /// One more master, which does not run yet and which the others do not know. Its own file lists them and itself.
    pub fn new_master(&mut self) -> NewMaster {
        let number = self.masters.len();
        let ports = free_ports(2);
        let (port, web_port) = (ports[0], ports[1]);
        let name = format!("master-{}", number + 1);
        let node = Node::new(&name, "127.0.0.1".to_owned(), web_port, &free_ports(2));
        let own = format!(
            "    - {{ name: {}, host: 127.0.0.1, port: {port}, web_port: {web_port}, priority: 1 }}",
            node.name
        );
        let mut lines: Vec<String> = self.masters_text().lines().map(str::to_owned).collect();
        let last = lines.iter().rposition(|line| line.contains("- { name: master-")).expect("masters");
        lines.insert(last + 1, own);
        self.masters.push(node);
        fs::write(self.folder().join(format!("masters-{}.yml", number + 1)), lines.join("\n") + "\n").expect("a file");
        NewMaster { number, port, web_port }
    }

    fn masters_text(&self) -> String {
        fs::read_to_string(self.folder().join("masters.yml")).expect("the file of the masters")
    }

    /// The file that a master runs by: its own, or the one that all share.
    pub(super) fn config_of(&self, master: usize) -> String {
        let own = format!("masters-{}.yml", master + 1);
        if self.folder().join(&own).exists() { own } else { "masters.yml".to_owned() }
    }

    /// The name of a master.
    pub fn name(&self, master: usize) -> &str {
        &self.masters[master].name
    }

    /// The folder of data of a master.
    pub fn data(&self, master: usize) -> PathBuf {
        self.folder().join("data").join(self.name(master))
    }

    /// The address of one master as the command line takes it.
    pub fn address(&self, master: usize) -> String {
        format!("127.0.0.1:{}", self.masters[master].web_port)
    }

    /// Does something about the cluster, by way of these masters.
    pub fn operate_by(&self, masters: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(&["cluster"]);
        command.args(arguments).args(["--masters", masters]).output().expect("the program starts")
    }

    /// Does something about the cluster; any master may be asked.
    pub fn operate(&self, arguments: &[&str]) -> Output {
        self.operate_by(&self.addresses(), arguments)
    }

    /// The same; it must succeed. Gives what was printed.
    pub fn operated(&self, arguments: &[&str]) -> String {
        let output = self.operate(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cluster {arguments:?}: {said}\n{}", self.logs());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Adds a master that waits; it must succeed.
    pub fn add(&self, new: &NewMaster) {
        let (port, web_port) = (new.port.to_string(), new.web_port.to_string());
        let name = self.name(new.number);
        self.operated(&["add", name, "127.0.0.1", "--port", &port, "--web-port", &web_port, "--priority", "1"]);
    }

    /// The masters of the group as the leader knows them.
    pub fn member_names(&self) -> Option<Vec<String>> {
        let status = self.status()?;
        let members = status["members"].as_array()?;
        members.iter().map(|member| member["name"].as_str().map(str::to_owned)).collect()
    }

    /// What one master says of the cluster, whether it leads or not.
    pub fn status_of(&self, master: usize) -> Option<Value> {
        let reply = self.try_get(master, "/api/v1/cluster?local=true")?;
        (reply.status == 200).then(|| reply.json())
    }

    /// Waits until the log of a master has a text.
    pub fn await_log(&self, master: usize, text: &str) {
        let what = format!("{} to say {text:?}", self.name(master));
        self.await_that(&what, || self.master_log(master).contains(text).then_some(()));
    }

    /// Waits until a master has ended by itself, and says how.
    pub fn await_end(&mut self, master: usize) -> Option<i32> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let child = self.masters[master].child.as_mut().expect("a process that runs");
            if let Some(status) = child.try_wait().expect("a child of ours") {
                self.masters[master].child = None;
                return status.code();
            }
            std::thread::sleep(LOOK_EVERY);
        }
        panic!("waited in vain for the end of {}\n{}", self.name(master), self.logs());
    }
}
