//! A network of a test alone: its hosts can be cut off, and nobody else's are touched.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

/// Hosts on a switch. They and the network go with the last process in it.
#[derive(Debug)]
pub struct Network {
    hosts: Vec<File>,
}

impl Network {
    /// Moves the calling thread, and what it starts from now on, to a network of its own with this many more hosts.
    ///
    /// # Panics
    /// Without the rights of root.
    pub fn enter(hosts: usize) -> Self {
        let needs = "a network of its own needs the rights of root (CAP_SYS_ADMIN)";
        unshare(CloneFlags::CLONE_NEWNET).expect(needs);
        ip("link set lo up");
        ip("link add switch type bridge");
        ip("address add 10.0.1.5/24 dev switch");
        ip("link set switch up");
        let network = Self { hosts: (0..hosts).map(|_| new_namespace()).collect() };
        for (host, namespace) in network.hosts.iter().enumerate() {
            let namespace = format!("/proc/{}/fd/{}", std::process::id(), namespace.as_raw_fd());
            ip(&format!("link add cable{host} type veth peer name eth0 netns {namespace}"));
            ip(&format!("link set cable{host} master switch up"));
            let address = network.host(host);
            network.within(host, || {
                ip("link set lo up");
                ip(&format!("address add {address}/24 dev eth0"));
                ip("link set eth0 up");
            });
        }
        network
    }

    /// The address of a host: those of the masters in the shipped configurations.
    pub fn host(&self, host: usize) -> String {
        format!("10.0.1.{}", 10 + host)
    }

    /// Does something on a host. What it starts stays there.
    pub fn within<T: Send>(&self, host: usize, action: impl FnOnce() -> T + Send) -> T {
        let namespace = &self.hosts[host];
        thread::scope(|scope| {
            let there = scope.spawn(|| {
                setns(namespace, CloneFlags::CLONE_NEWNET).expect("a network of ours");
                action()
            });
            there.join().expect("no panic")
        })
    }

    /// Cuts a host off from all others.
    pub fn pull(&self, host: usize) {
        ip(&format!("link set cable{host} down"));
    }

    /// Connects it again.
    pub fn plug(&self, host: usize) {
        ip(&format!("link set cable{host} up"));
    }
}

fn new_namespace() -> File {
    let made = thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET).expect("the rights that made the first one");
        File::open("/proc/thread-self/ns/net").expect("the network of this thread")
    });
    made.join().expect("no panic")
}

fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split_whitespace()).output();
    let output = output.expect("ip is missing: run scripts/test.sh, which installs it");
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}
