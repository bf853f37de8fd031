//! A cluster is founded once, by everybody, or not at all.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use akrida_core::ids::{ClusterId, RaftId};
use akrida_core::replica::formation::{Formation, FormationConfig, FormationMessage, FormationOutput, Waiting, answer};
use akrida_core::replica::stored::NamedMember;

const NAMES: [&str; 3] = ["a", "b", "c"];

fn names(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

fn formation(name: &str, id: u64, masters: &[&str]) -> Formation {
    Formation::new(FormationConfig {
        name: name.into(),
        id: RaftId(id),
        masters: names(masters),
        cluster: ClusterId(1_000 + id),
    })
}

/// Masters without data, and a network that loses what `loses` says.
struct World {
    nodes: BTreeMap<Arc<str>, Formation>,
    ends: BTreeMap<Arc<str>, FormationOutput>,
}

impl World {
    fn new(ids: &[(&str, u64)]) -> Self {
        let nodes = ids.iter().map(|(name, id)| ((*name).into(), formation(name, *id, &NAMES))).collect();
        Self { nodes, ends: BTreeMap::new() }
    }

    fn run(&mut self, steps: usize, mut loses: impl FnMut(&str, &str) -> bool) {
        for _ in 0..steps {
            let mut flying = VecDeque::new();
            let all: Vec<Arc<str>> = self.nodes.keys().cloned().collect();
            for name in all {
                let due = self.nodes.get_mut(&name).unwrap().step();
                self.carry_out(&name, due, &mut flying);
            }
            while let Some((from, to, message)) = flying.pop_front() {
                if loses(&from, &to) || !self.nodes.contains_key(&to) {
                    continue;
                }
                let due = self.nodes.get_mut(&to).unwrap().receive(&from, message);
                self.carry_out(&to, due, &mut flying);
            }
        }
    }

    fn carry_out(
        &mut self,
        name: &Arc<str>,
        due: Vec<FormationOutput>,
        flying: &mut VecDeque<(Arc<str>, Arc<str>, FormationMessage)>,
    ) {
        for output in due {
            match output {
                FormationOutput::Send { to, message } => flying.push_back((name.clone(), to, message)),
                end => {
                    let before = self.ends.insert(name.clone(), end);
                    assert_eq!(before, None, "{name} founded or joined twice");
                }
            }
        }
    }
}

fn all_three() -> World {
    World::new(&[("a", 11), ("b", 22), ("c", 33)])
}

fn founded(voters: &[(u64, &str)]) -> FormationOutput {
    let named = |(id, name): &(u64, &str)| NamedMember { id: RaftId(*id), name: (*name).into() };
    FormationOutput::Founded { cluster: ClusterId(1_011), voters: voters.iter().map(named).collect() }
}

#[test]
fn three_masters_without_data_found_one_cluster() {
    let mut world = all_three();
    world.run(3, |_, _| false);
    let expected = founded(&[(11, "a"), (22, "b"), (33, "c")]);
    assert_eq!(world.ends.values().collect::<Vec<_>>(), [&expected; 3]);
}

#[test]
fn no_cluster_is_founded_while_one_does_not_answer() {
    let mut world = all_three();
    world.run(100, |from, to| from == "c" || to == "c");
    assert!(world.ends.is_empty());
    let waiting = world.nodes["a"].waiting();
    assert_eq!(waiting, Waiting::Unanswered { masters: names(&["c"]), name: "a".into() });
    assert!(waiting.to_string().contains("waiting for c to answer"), "{waiting}");
    world.run(3, |_, _| false);
    assert_eq!(world.ends.len(), 3);
}

#[test]
fn a_master_alone_founds_a_cluster_at_once() {
    let mut alone = formation("a", 11, &["a"]);
    assert_eq!(alone.step(), [founded(&[(11, "a")])]);
    assert_eq!(alone.step(), []);
}

#[test]
fn an_answer_of_long_ago_does_not_count() {
    let mut founder = formation("a", 11, &NAMES);
    founder.step();
    founder.receive("b", FormationMessage::Empty { id: RaftId(22), masters: names(&NAMES) });
    for _ in 0..20 {
        founder.step();
    }
    let due = founder.receive("c", FormationMessage::Empty { id: RaftId(33), masters: names(&NAMES) });
    assert_eq!(due, [], "b may be gone, or have drawn another id");
}

#[test]
fn a_lost_disk_waits_for_the_operator_and_founds_nothing() {
    // The first of all masters lost its disk; the other two have data.
    let mut lost = formation("a", 99, &NAMES);
    lost.step();
    let member = answer(ClusterId(7), RaftId(22), RaftId(99), false);
    lost.receive("b", member);
    lost.receive("c", FormationMessage::Empty { id: RaftId(34), masters: names(&NAMES) });
    assert_eq!(lost.step().len(), 2, "only the two questions");
    let waiting = lost.waiting();
    assert!(waiting.to_string().contains("akrida cluster replace a"), "{waiting}");
    // After the operator's word its new id is a member.
    let join = answer(ClusterId(7), RaftId(22), RaftId(99), true);
    assert_eq!(lost.receive("b", join), [FormationOutput::Joined { cluster: ClusterId(7) }]);
    assert_eq!(lost.step(), []);
}

#[test]
fn only_the_founder_is_believed_and_only_about_the_configured_masters() {
    let voters =
        |ids: [(u64, &str); 3]| ids.map(|(id, name)| NamedMember { id: RaftId(id), name: name.into() }).to_vec();
    let good = voters([(11, "a"), (22, "b"), (33, "c")]);
    let mut master = formation("b", 22, &NAMES);
    let found = |voters| FormationMessage::Found { cluster: ClusterId(5), voters };
    assert_eq!(master.receive("c", found(good.clone())), [], "c is not the first");
    assert_eq!(master.receive("stranger", found(good.clone())), []);
    assert_eq!(master.receive("a", found(voters([(11, "a"), (23, "b"), (33, "c")]))), [], "an id of an earlier life");
    assert_eq!(master.receive("a", found(voters([(11, "a"), (22, "b"), (33, "d")]))), [], "other masters");
    assert_eq!(master.receive("a", FormationMessage::Join { cluster: ClusterId(5), id: RaftId(23) }), []);
    assert_eq!(master.receive("a", found(good)).len(), 1);
}

#[test]
fn masters_that_are_configured_differently_found_nothing() {
    let mut founder = formation("a", 11, &NAMES);
    founder.step();
    founder.receive("b", FormationMessage::Empty { id: RaftId(22), masters: names(&["b", "a", "c"]) });
    founder.receive("c", FormationMessage::Empty { id: RaftId(33), masters: names(&NAMES) });
    assert_eq!(founder.step().len(), 2);
    assert_eq!(founder.waiting(), Waiting::OtherMasters("b".into()));
}

#[test]
fn however_messages_are_lost_there_is_one_cluster() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut world = all_three();
        world.run(60, |_, _| random.u8(..) < 140);
        let clusters: Vec<_> = world.ends.values().collect();
        assert!(clusters.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed}: {clusters:?}");
        if !clusters.is_empty() {
            assert!(world.ends.contains_key("a"), "seed {seed}: founded without its founder");
        }
    }
}

#[test]
fn garbage_is_no_message() {
    let mut random = fastrand::Rng::with_seed(1);
    let good = FormationMessage::Empty { id: RaftId(7), masters: names(&NAMES) }.to_bytes();
    assert!(FormationMessage::from_bytes(&good).is_ok());
    for _ in 0..2_000 {
        let mut bytes = good.clone();
        let place = random.usize(..bytes.len());
        bytes[place] = random.u8(..);
        bytes.truncate(random.usize(..=bytes.len()));
        let _ = FormationMessage::from_bytes(&bytes);
    }
}
