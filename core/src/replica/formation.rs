//! How a group comes to be, and how a master without data joins one.
//!
//! A group is founded once, and only if every configured master answers that it has no data: the first one in the
//! configured order draws the cluster id and tells the others. A master without data in a cluster that exists has lost
//! its disk. It must not come back under its old id, of which others remember confirmations, and it must not found a
//! second cluster. It waits until an operator puts it in the place of the one that it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::stored::NamedMember;
use crate::ids::{ClusterId, RaftId};
use crate::limits;

/// Steps after which the last word of another master is no longer believed.
const FRESH_STEPS: u64 = 10;

/// What masters tell each other before, and beside, Raft's own messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FormationMessage {
    /// I have no data.
    Empty {
        /// My id, drawn for this data folder.
        id: RaftId,
        /// The masters that I am configured with, in order.
        masters: Vec<Arc<str>>,
    },
    /// I belong to a cluster. You do not, as far as I know.
    Member {
        /// Which.
        cluster: ClusterId,
        /// My id.
        id: RaftId,
    },
    /// The cluster is founded, and you are a part of it.
    Found {
        /// Its id.
        cluster: ClusterId,
        /// Everybody, in order.
        voters: Vec<NamedMember>,
    },
    /// You are a member of this cluster: start with an empty log.
    Join {
        /// Which.
        cluster: ClusterId,
        /// The id that is a member.
        id: RaftId,
    },
}

/// Bytes that are no message of formation.
#[derive(Debug, thiserror::Error)]
#[error("the message about forming a cluster cannot be read")]
pub struct FormationMalformed(#[from] rmp_serde::decode::Error);

impl FormationMessage {
    /// The message as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        rmp_serde::to_vec(self).expect("writing to memory does not fail")
    }

    /// The message from bytes.
    ///
    /// # Errors
    /// When they are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormationMalformed> {
        Ok(rmp_serde::from_slice(bytes)?)
    }
}

/// What a master without data is told at the start.
#[derive(Clone, Debug)]
pub struct FormationConfig {
    /// Its configured name.
    pub name: Arc<str>,
    /// Its id, drawn for this data folder and written to it.
    pub id: RaftId,
    /// All configured masters in order, this one among them.
    pub masters: Vec<Arc<str>>,
    /// The id of the cluster, should it be the one that founds it. Random.
    pub cluster: ClusterId,
}

/// What must be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormationOutput {
    /// To be sent; it may be lost.
    Send {
        /// To whom, by name.
        to: Arc<str>,
        /// What.
        message: FormationMessage,
    },
    /// This master founds the cluster, or is part of its founding: write it, then start with the founding log.
    Founded {
        /// Its id.
        cluster: ClusterId,
        /// Everybody, in order.
        voters: Vec<NamedMember>,
    },
    /// This master joins a cluster: write it, then start with an empty log.
    Joined {
        /// Which.
        cluster: ClusterId,
    },
}

/// Why a master without data waits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Waiting {
    /// Not everybody has answered.
    #[error(
        "waiting for {} to answer: a cluster is founded only when every configured master does; if there is a cluster \
         already and this master is new to it, run `akrida cluster add {name} HOST`", .masters.join(", ")
    )]
    Unanswered {
        /// Who is awaited.
        masters: Vec<Arc<str>>,
        /// This master.
        name: Arc<str>,
    },
    /// Everybody is there; the first master founds the cluster.
    #[error("waiting for {0} to found the cluster")]
    Founder(Arc<str>),
    /// There is a cluster.
    #[error(
        "cluster {cluster} exists ({master} belongs to it) but this data folder is empty: if this master lost its \
         disk, run `akrida cluster replace {name}`; if it is new, run `akrida cluster add {name} HOST`"
    )]
    ClusterExists {
        /// Which.
        cluster: ClusterId,
        /// Who said so.
        master: Arc<str>,
        /// This master.
        name: Arc<str>,
    },
    /// The configurations differ.
    #[error("{0} is configured with other masters, or in another order; they must be the same everywhere")]
    OtherMasters(Arc<str>),
}

/// A master without data.
#[derive(Debug)]
pub struct Formation {
    config: FormationConfig,
    step: u64,
    said: BTreeMap<Arc<str>, (u64, Said)>,
    is_done: bool,
}

/// What another master last said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Empty(RaftId),
    Member(ClusterId),
    OtherMasters,
}

impl Formation {
    /// Nobody has said anything.
    #[must_use]
    pub fn new(config: FormationConfig) -> Self {
        Self { config, step: 0, said: BTreeMap::new(), is_done: false }
    }

    /// Called now and then, several times a second: asks the others again.
    pub fn step(&mut self) -> Vec<FormationOutput> {
        if self.is_done {
            return Vec::new();
        }
        self.step += 1;
        let message = FormationMessage::Empty { id: self.config.id, masters: self.config.masters.clone() };
        let ask = |to: &Arc<str>| FormationOutput::Send { to: to.clone(), message: message.clone() };
        let mut due: Vec<FormationOutput> = self.others().map(ask).collect();
        due.extend(self.found());
        due
    }

    /// Another master says something. Links are authenticated: `from` is who it is.
    pub fn receive(&mut self, from: &str, message: FormationMessage) -> Vec<FormationOutput> {
        let Some(from) = self.others().find(|name| ***name == *from).cloned() else { return Vec::new() };
        if self.is_done {
            return Vec::new();
        }
        match message {
            FormationMessage::Empty { id, masters } => {
                let said = if masters == self.config.masters { Said::Empty(id) } else { Said::OtherMasters };
                self.said.insert(from, (self.step, said));
                self.found()
            }
            FormationMessage::Member { cluster, .. } => {
                self.said.insert(from, (self.step, Said::Member(cluster)));
                Vec::new()
            }
            FormationMessage::Found { cluster, voters } if self.is_founding(&from, &voters) => {
                self.is_done = true;
                vec![FormationOutput::Founded { cluster, voters }]
            }
            FormationMessage::Join { cluster, id } if id == self.config.id => {
                self.is_done = true;
                vec![FormationOutput::Joined { cluster }]
            }
            FormationMessage::Found { .. } | FormationMessage::Join { .. } => Vec::new(),
        }
    }

    /// Why there is no cluster yet.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        let mut unanswered = Vec::new();
        for name in self.others() {
            match self.fresh(name) {
                Some(Said::Member(cluster)) => {
                    return Waiting::ClusterExists { cluster, master: name.clone(), name: self.config.name.clone() };
                }
                Some(Said::OtherMasters) => return Waiting::OtherMasters(name.clone()),
                Some(Said::Empty(_)) => {}
                None => unanswered.push(name.clone()),
            }
        }
        match self.config.masters.first() {
            Some(first) if unanswered.is_empty() => Waiting::Founder(first.clone()),
            _ => Waiting::Unanswered { masters: unanswered, name: self.config.name.clone() },
        }
    }

    fn found(&mut self) -> Vec<FormationOutput> {
        if self.config.masters.first() != Some(&self.config.name) {
            return Vec::new();
        }
        let mut voters = Vec::new();
        for name in &self.config.masters {
            let id = match self.fresh(name) {
                _ if *name == self.config.name => self.config.id,
                Some(Said::Empty(id)) => id,
                _ => return Vec::new(),
            };
            voters.push(NamedMember { id, name: name.clone() });
        }
        self.is_done = true;
        let cluster = self.config.cluster;
        let message = FormationMessage::Found { cluster, voters: voters.clone() };
        let mut due = vec![FormationOutput::Founded { cluster, voters }];
        due.extend(self.others().map(|to| FormationOutput::Send { to: to.clone(), message: message.clone() }));
        due
    }

    /// Whether this is the founding that this master waits for: by the first one, of exactly the configured masters.
    fn is_founding(&self, from: &Arc<str>, voters: &[NamedMember]) -> bool {
        let is_own = |voter: &NamedMember| voter.id == self.config.id && voter.name == self.config.name;
        self.config.masters.first() == Some(from)
            && voters.len() <= limits::MASTERS_MAX
            && voters.iter().map(|voter| &voter.name).eq(&self.config.masters)
            && voters.iter().any(is_own)
    }

    fn fresh(&self, name: &Arc<str>) -> Option<Said> {
        let (step, said) = self.said.get(name)?;
        (self.step - step <= FRESH_STEPS).then_some(*said)
    }

    fn others(&self) -> impl Iterator<Item = &Arc<str>> {
        self.config.masters.iter().filter(|name| **name != self.config.name)
    }
}

/// What a member of a cluster tells a master without data.
#[must_use]
pub fn answer(cluster: ClusterId, own: RaftId, asks: RaftId, is_member: bool) -> FormationMessage {
    if is_member { FormationMessage::Join { cluster, id: asks } } else { FormationMessage::Member { cluster, id: own } }
}
