//! What can be known to go wrong before a run: descriptors and ports.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Descriptors that the program needs beside its users' connections.
const DESCRIPTORS_BESIDE_USERS: u64 = 128;

/// Raises the soft limit of open files to the hard one.
///
/// Returns the limit that holds now.
pub(super) fn raise_descriptor_limit() -> std::io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}

/// The ports that outgoing connections may use, as far as the system says.
pub(super) fn local_ports() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let (low, high) = text.trim().split_once(char::is_whitespace)?;
    let (low, high): (u64, u64) = (low.parse().ok()?, high.trim().parse().ok()?);
    (high + 1).checked_sub(low)
}

/// What this number of users, each with a connection of its own, will run into.
pub(super) fn warnings(users: u64, descriptors: u64, ports: Option<u64>) -> Vec<String> {
    let mut warnings = Vec::new();
    let needed = users.saturating_add(DESCRIPTORS_BESIDE_USERS);
    if needed > descriptors {
        warnings.push(format!(
            "{users} users need about {needed} open files, the limit is {descriptors}: raise it with 'ulimit -n', or \
             requests beyond it count as generator errors"
        ));
    }
    if let Some(ports) = ports.filter(|ports| users > *ports) {
        warnings.push(format!(
            "{users} users need as many local ports to one target, the system has {ports}: widen \
             net.ipv4.ip_local_port_range, or requests beyond it count as generator errors"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_users_need_no_warning() {
        assert!(warnings(1_000, 20_000, Some(28_232)).is_empty());
    }

    #[test]
    fn too_many_users_are_warned_of_each_limit() {
        let found = warnings(30_000, 20_000, Some(28_232));
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("30128 open files, the limit is 20000"), "{}", found[0]);
        assert!(found[1].contains("28232"), "{}", found[1]);
    }

    #[test]
    fn a_system_that_does_not_say_its_ports_gives_no_warning() {
        assert!(warnings(50_000, 100_000, None).is_empty());
    }
}
