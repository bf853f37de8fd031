//! Where the masters are: from the configuration for those that it names, from the replicated state for those that were
//! added since.

use std::collections::BTreeMap;
use std::sync::Arc;

use akrida_actors::link::peers::PeerAddress;
use akrida_core::ids::RaftId;
use akrida_core::state::member::Member;

use crate::config::{MasterConfig, NodeConfig};
use crate::raft::status::MemberStatus;

/// The id of a master that was added and has not been let into the group yet.
pub(super) const NOT_YET: RaftId = RaftId(0);

/// The masters of the configuration, to be called.
pub(super) fn configured_peers(config: &MasterConfig) -> Vec<PeerAddress> {
    config.nodes.iter().map(|node| peer(&node.name, &node.host, node.port)).collect()
}

/// All masters to be called: the configured ones and those that the state names.
pub(super) fn all_peers(nodes: &[NodeConfig], members: &[Member]) -> Vec<PeerAddress> {
    let configured = nodes.iter().map(|node| peer(&node.name, &node.host, node.port));
    let named = members.iter().map(|member| peer(&member.name, &member.host, member.port));
    let by_name: BTreeMap<Arc<str>, PeerAddress> =
        named.chain(configured).map(|peer| (Arc::clone(&peer.name), peer)).collect();
    by_name.into_values().collect()
}

fn peer(name: &str, host: &str, port: u16) -> PeerAddress {
    PeerAddress { name: name.into(), host: host.into(), port }
}

/// A master of the configuration as the state names it.
pub(in crate::compose) fn member_of(node: &NodeConfig, id: RaftId) -> Member {
    let NodeConfig { name, host, port, web_port, priority } = node;
    let (name, host) = (name.as_str().into(), host.as_str().into());
    Member { id, name, host, port: *port, web_port: *web_port, priority: *priority }
}

/// Where the master of this name is, with this id: as the configuration says, or else the state.
pub(super) fn find(name: &str, id: RaftId, nodes: &[NodeConfig], known: &[Member]) -> Option<Member> {
    let node = nodes.iter().find(|node| node.name == name).map(|node| member_of(node, id));
    node.or_else(|| known.iter().find(|member| &*member.name == name).map(|member| Member { id, ..member.clone() }))
}

/// What the state should say of the masters: those of the group, and those that were added and are awaited.
pub(super) fn wanted(group: &[MemberStatus], nodes: &[NodeConfig], known: &[Member]) -> Vec<Member> {
    let named = group.iter().filter_map(|member| Some((member.name.as_deref()?, member.id)));
    let mut wanted: Vec<Member> = named.filter_map(|(name, id)| find(name, id, nodes, known)).collect();
    let is_in = |member: &&Member| group.iter().any(|other| other.name.as_ref() == Some(&member.name));
    wanted.extend(known.iter().filter(|member| member.id == NOT_YET && !is_in(member)).cloned());
    wanted.sort_by(|one, other| one.name.cmp(&other.name));
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, port: u16) -> NodeConfig {
        NodeConfig { name: name.to_owned(), host: "h".to_owned(), port, web_port: port + 1, priority: 1 }
    }

    fn in_group(name: &str, id: u64) -> MemberStatus {
        let name = Some(name.into());
        MemberStatus { id: RaftId(id), name, is_voter: true, matched: None, lag: None, is_healthy: true }
    }

    #[test]
    fn the_state_names_those_of_the_group_and_those_that_are_awaited() {
        let nodes = [node("a", 1), node("b", 2), node("c", 3)];
        let added = Member { name: "d".into(), ..member_of(&node("d", 4), NOT_YET) };
        let group = [in_group("a", 11), in_group("b", 12)];
        let named = |members: &[Member]| members.iter().map(|m| (m.name.to_string(), m.id.0)).collect::<Vec<_>>();
        let first = wanted(&group, &nodes, &[added]);
        assert_eq!(named(&first), [("a".to_owned(), 11), ("b".to_owned(), 12), ("d".to_owned(), 0)]);
        let group = [in_group("a", 11), in_group("b", 99), in_group("d", 14)];
        let second = wanted(&group, &nodes, &first);
        assert_eq!(named(&second), [("a".to_owned(), 11), ("b".to_owned(), 99), ("d".to_owned(), 14)]);
        assert_eq!(wanted(&group, &nodes, &second), second, "nothing is left to change");
    }

    #[test]
    fn masters_that_were_added_are_called_as_well() {
        let members = [member_of(&node("d", 4), RaftId(4)), member_of(&node("a", 9), RaftId(1))];
        let peers = all_peers(&[node("a", 1)], &members);
        let ports: Vec<_> = peers.iter().map(|peer| (&*peer.name, peer.port)).collect();
        assert_eq!(ports, [("a", 1), ("d", 4)], "the configuration wins");
    }
}
