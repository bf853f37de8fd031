//! Who owns which slots of a run, and who is to own them next.
//!
//! A slot moves in three steps, each an entry of the log: it gets an heir; its owner says that no user of it is left; the
//! heir becomes its owner. Only an owner whose slot has no heir may run its users, so no user exists twice. When an owner
//! is dead, its slots pass at once.

mod moves;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::SLOTS;
use crate::plan::dealing::users_in;
use crate::plan::slots::SlotSet;
use moves::Placing;
pub use moves::{Adopts, Moves, Share};

/// Whom a slot belongs to that no participant runs.
const NOBODY: u16 = u16::MAX;
/// The heir of a slot that does not move.
const STAYS: u16 = u16::MAX - 1;

/// The slots of a run. Participants are named by their position.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    epoch: u64,
    owners: BySlot,
    /// Empty while no slot moves.
    heirs: BySlot,
    /// In which epoch what a participant may run changed last.
    changed: BTreeMap<u16, u64>,
}

/// A participant for every slot, or nothing at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct BySlot(Vec<u16>);

impl Slots {
    /// Deals all slots to participants that run nothing yet, for a plan with `users` users. Says whose slots changed.
    pub(super) fn deal(&mut self, shares: &[Share], users: u64) -> Vec<usize> {
        let before: BTreeSet<u16> = self.owners.0.iter().copied().collect();
        (self.owners, self.heirs) = (BySlot(vec![NOBODY; SLOTS]), BySlot::default());
        let all: Vec<u16> = (0..=u16::MAX).collect();
        let (dealt, _) = Placing::new(self, users).place(&all, &mut moves::takers(shares));
        dealt.iter().for_each(|(slot, owner)| self.set_owner(*slot, *owner));
        let now = shares.iter().map(|share| share.position);
        self.note_changes(before.into_iter().chain(now).collect())
    }

    /// The number of this distribution.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// In which epoch what a participant may run changed last.
    #[must_use]
    pub fn changed(&self, position: usize) -> u64 {
        self.changed.get(&(position as u16)).copied().unwrap_or(0)
    }

    /// The slots whose users a participant may run.
    #[must_use]
    pub fn kept_by(&self, position: usize) -> SlotSet {
        SlotSet::from_fn(|slot| self.runs(position, slot))
    }

    /// Whether a participant may run the users of a slot.
    #[must_use]
    pub fn runs(&self, position: usize, slot: u16) -> bool {
        usize::from(self.owner(slot)) == position && self.heir(slot) == STAYS
    }

    /// The participants that have slots which they are to give up.
    #[must_use]
    pub fn givers(&self) -> BTreeSet<usize> {
        if !self.is_moving() {
            return BTreeSet::new();
        }
        self.owned().filter(|(slot, _)| self.heir(*slot) != STAYS).map(|(_, owner)| owner).collect()
    }

    /// Whether any slot waits for its owner to give it up.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        !self.heirs.0.is_empty()
    }

    /// Every slot that a participant owns, with its owner.
    pub fn owned(&self) -> impl Iterator<Item = (u16, usize)> + '_ {
        let owners = self.owners.0.iter().enumerate().filter(|(_, owner)| **owner != NOBODY);
        owners.map(|(slot, owner)| (slot as u16, usize::from(*owner)))
    }

    /// Users of a plan with `users` users that nobody runs or is about to run.
    #[must_use]
    pub fn users_of_nobody(&self, users: u64) -> u64 {
        let nobodys = (0..self.owners.0.len()).map(|slot| slot as u16).filter(|slot| self.holder(*slot) == NOBODY);
        nobodys.map(|slot| users_in(slot, users)).sum()
    }

    /// A participant is dead, and so are its users: what was to be its own stays where it is, what it owned passes to its
    /// heirs, and the rest to those who are left by their shares, or to nobody. Says whose slots changed.
    pub(super) fn pass_on(&mut self, from: usize, shares: &[Share], users: u64) -> Vec<usize> {
        let from = from as u16;
        let mut concerned = BTreeSet::new();
        let mut ownerless = Vec::new();
        for slot in 0..self.owners.0.len() {
            let slot = slot as u16;
            let (owner, heir) = (self.owner(slot), self.heir(slot));
            if owner == from && heir == STAYS {
                self.set_owner(slot, NOBODY);
                ownerless.push(slot);
            } else if owner == from {
                self.hand_over(slot, heir);
                concerned.insert(heir);
            } else if heir == from {
                self.set_heir(slot, STAYS);
                concerned.insert(owner);
            }
        }
        let (dealt, _) = Placing::new(self, users).place(&ownerless, &mut moves::takers(shares));
        for (slot, owner) in dealt {
            self.set_owner(slot, owner);
            concerned.insert(owner);
        }
        self.note_changes(concerned)
    }

    /// Begins moves. Says whose slots changed.
    pub(super) fn begin(&mut self, moves: &Moves) -> Vec<usize> {
        let mut concerned = BTreeSet::new();
        for &(slot, heir) in &moves.inherited {
            concerned.insert(self.owner(slot));
            self.set_heir(slot, heir.unwrap_or(NOBODY));
        }
        for &(slot, owner) in &moves.adopted {
            self.set_owner(slot, owner);
            concerned.insert(owner);
        }
        self.note_changes(concerned)
    }

    /// A participant that knows the distribution of this epoch has no users left in what it had to give up: that goes to
    /// its heirs. Says whose slots changed; nobody's if the participant knows an older distribution.
    pub(super) fn release(&mut self, position: usize, epoch: u64) -> Vec<usize> {
        if epoch < self.changed(position) || !self.is_moving() {
            return Vec::new();
        }
        let mut concerned = BTreeSet::new();
        for slot in 0..self.owners.0.len() {
            let slot = slot as u16;
            let heir = self.heir(slot);
            if usize::from(self.owner(slot)) == position && heir != STAYS {
                self.hand_over(slot, heir);
                concerned.insert(heir);
            }
        }
        self.note_changes(concerned)
    }

    fn hand_over(&mut self, slot: u16, heir: u16) {
        self.set_owner(slot, heir);
        self.set_heir(slot, STAYS);
    }

    /// Who has a slot, or is to have it.
    fn holder(&self, slot: u16) -> u16 {
        match self.heir(slot) {
            STAYS => self.owner(slot),
            heir => heir,
        }
    }

    fn owner(&self, slot: u16) -> u16 {
        self.owners.0.get(usize::from(slot)).copied().unwrap_or(NOBODY)
    }

    fn heir(&self, slot: u16) -> u16 {
        self.heirs.0.get(usize::from(slot)).copied().unwrap_or(STAYS)
    }

    fn set_owner(&mut self, slot: u16, owner: u16) {
        if let Some(entry) = self.owners.0.get_mut(usize::from(slot)) {
            *entry = owner;
        }
    }

    fn set_heir(&mut self, slot: u16, heir: u16) {
        if self.heirs.0.is_empty() && heir != STAYS {
            self.heirs.0 = vec![STAYS; SLOTS];
        }
        if let Some(entry) = self.heirs.0.get_mut(usize::from(slot)) {
            *entry = heir;
        }
    }

    fn note_changes(&mut self, mut concerned: BTreeSet<u16>) -> Vec<usize> {
        concerned.remove(&NOBODY);
        if !concerned.is_empty() {
            self.epoch += 1;
        }
        self.changed.extend(concerned.iter().map(|position| (*position, self.epoch)));
        if self.heirs.0.iter().all(|heir| *heir == STAYS) {
            self.heirs.0.clear();
        }
        concerned.into_iter().map(usize::from).collect()
    }
}

impl Serialize for BySlot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|position| position.to_le_bytes()).collect();
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for BySlot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = serde_bytes::ByteBuf::deserialize(deserializer)?;
        if !bytes.is_empty() && bytes.len() != 2 * SLOTS {
            return Err(serde::de::Error::invalid_length(bytes.len(), &"two bytes for every slot"));
        }
        Ok(Self(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()))
    }
}

#[cfg(test)]
mod tests;
