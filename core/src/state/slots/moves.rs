//! Which slots have to move so that everybody has its share: as few as possible.

use std::collections::{BTreeMap, BTreeSet};

use super::{NOBODY, STAYS, Slots};
use crate::limits::{REBALANCE_SLOTS_DIVISOR, SLOTS};
use crate::plan::dealing::{Taker, deal, quotas, spread, users_in};

/// What a participant should have beside the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which participant.
    pub position: u16,
    /// Its share of the slots.
    pub weight: u64,
    /// The most users that it may run.
    pub users_max: Option<u64>,
}

/// Who takes slots that nobody runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopts {
    /// Whoever has less than its share, and then whoever has room for their users.
    Everybody,
    /// Only this participant, up to its share.
    Only(u16),
    /// Nobody: they stay unused.
    Nobody,
}

/// Slots that are to change hands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// From a live owner to an heir, or to nobody.
    pub(super) inherited: Vec<(u16, Option<u16>)>,
    /// From nobody to an owner.
    pub(super) adopted: Vec<(u16, u16)>,
    /// Whether some slots have to move: they are too much for their owner.
    must: bool,
}

impl Moves {
    /// How many slots change hands.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inherited.len() + self.adopted.len()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether they are worth that users stop here and start there.
    #[must_use]
    pub fn are_worth_it(&self) -> bool {
        self.must || !self.adopted.is_empty() || self.len() as u64 >= SLOTS as u64 / REBALANCE_SLOTS_DIVISOR
    }
}

impl Slots {
    /// What has to move, and no more, so that everybody has its share of the slots and nobody too many users of a plan
    /// with `users` users. Slots that move already are left to move.
    #[must_use]
    pub fn moves(&self, shares: &[Share], adopts: Adopts, users: u64) -> Moves {
        let held = self.held(shares);
        let in_use = held.iter().map(Vec::len).sum::<usize>();
        let total = if adopts == Adopts::Nobody { in_use } else { SLOTS };
        let quotas = quotas(total as u64, &shares.iter().map(|share| share.weight).collect::<Vec<_>>());
        let too_much = self.too_much(shares, &held, users);
        let spare = self.spare(&held, &quotas, &too_much);
        let mut short = short_of(shares, &held, &quotas);
        let mut placing = Placing::new(self, users);
        let (adopted, ownerless) = self.adopt(&mut placing, &mut short, adopts);
        let giving: Vec<u16> = too_much.union(&spare).copied().collect();
        let (inherited, staying) = placing.place(&giving, &mut short);
        let mut moves = Moves { adopted, must: !too_much.is_empty(), ..Moves::default() };
        moves.inherited.extend(inherited.into_iter().map(|(slot, heir)| (slot, Some(heir))));
        // Beyond its share, whoever has room for them helps with users that would run nowhere.
        let must: Vec<u16> = staying.into_iter().filter(|slot| too_much.contains(slot)).collect();
        let mut anyone = takers(shares);
        let (helped, homeless) = placing.place(&must, &mut anyone);
        moves.inherited.extend(helped.into_iter().map(|(slot, heir)| (slot, Some(heir))));
        moves.inherited.extend(homeless.into_iter().map(|slot| (slot, None)));
        if adopts == Adopts::Everybody {
            let idle: Vec<u16> = ownerless.into_iter().filter(|slot| users_in(*slot, users) > 0).collect();
            moves.adopted.extend(placing.place(&idle, &mut anyone).0);
        }
        moves
    }

    /// Deals what nobody runs. Gives also what is left of it.
    fn adopt(&self, placing: &mut Placing, short: &mut [Taker], adopts: Adopts) -> (Vec<(u16, u16)>, Vec<u16>) {
        let nobodys = |slot: &u16| self.owner(*slot) == NOBODY;
        let ownerless: Vec<u16> = (0..self.owners.0.len()).map(|slot| slot as u16).filter(nobodys).collect();
        match adopts {
            Adopts::Everybody => placing.place(&ownerless, short),
            Adopts::Only(position) => match short.iter_mut().find(|taker| taker.position == position) {
                Some(taker) => placing.place(&ownerless, std::slice::from_mut(taker)),
                None => (Vec::new(), ownerless),
            },
            Adopts::Nobody => (Vec::new(), ownerless),
        }
    }

    /// What must go although its owner lives: slots with more users than the owner may run, the highest first.
    fn too_much(&self, shares: &[Share], held: &[Vec<u16>], users: u64) -> BTreeSet<u16> {
        let mut gone = BTreeSet::new();
        for (share, slots) in shares.iter().zip(held) {
            let Some(users_max) = share.users_max else { continue };
            let mut load: u64 = slots.iter().map(|slot| users_in(*slot, users)).sum();
            let runs = |slot: &&u16| self.runs(usize::from(share.position), **slot) && users_in(**slot, users) > 0;
            for slot in slots.iter().rev().filter(runs) {
                if load <= users_max {
                    break;
                }
                load -= users_in(*slot, users);
                gone.insert(*slot);
            }
        }
        gone
    }

    /// What participants have beyond their share and do not give up anyway, spread evenly over what they have.
    fn spare(&self, held: &[Vec<u16>], quotas: &[u64], but_not: &BTreeSet<u16>) -> BTreeSet<u16> {
        let mut spare = BTreeSet::new();
        for (slots, quota) in held.iter().zip(quotas) {
            let gone = slots.iter().filter(|slot| but_not.contains(slot)).count();
            let beyond = ((slots.len() - gone) as u64).saturating_sub(*quota);
            let free = slots.iter().copied().filter(|slot| self.heir(*slot) == STAYS && !but_not.contains(slot));
            spare.extend(spread(&free.collect::<Vec<_>>(), beyond));
        }
        spare
    }

    /// The slots that each participant has or is to have, ascending.
    fn held(&self, shares: &[Share]) -> Vec<Vec<u16>> {
        let mut held = vec![Vec::new(); shares.len()];
        let at: BTreeMap<u16, usize> = shares.iter().enumerate().map(|(at, share)| (share.position, at)).collect();
        for slot in 0..self.owners.0.len() {
            if let Some(at) = at.get(&self.holder(slot as u16)) {
                held[*at].push(slot as u16);
            }
        }
        held
    }
}

/// Deals slots to takers as far as the users that they have leave them room.
#[derive(Debug)]
pub(super) struct Placing {
    users: u64,
    /// Users of each participant.
    loads: BTreeMap<u16, u64>,
}

impl Placing {
    pub(super) fn new(slots: &Slots, users: u64) -> Self {
        let mut loads: BTreeMap<u16, u64> = BTreeMap::new();
        for slot in 0..slots.owners.0.len() {
            *loads.entry(slots.holder(slot as u16)).or_default() += users_in(slot as u16, users);
        }
        Self { users, loads }
    }

    /// Who takes which of the slots, and which nobody takes.
    pub(super) fn place(&mut self, slots: &[u16], takers: &mut [Taker]) -> (Vec<(u16, u16)>, Vec<u16>) {
        let mut with_room = takers.to_vec();
        for taker in &mut with_room {
            let load = self.loads.get(&taker.position).copied().unwrap_or(0);
            taker.users_max = taker.users_max.map(|most| most.saturating_sub(load));
        }
        let dealt = deal(slots, &mut with_room, self.users);
        takers.iter_mut().zip(&with_room).for_each(|(taker, after)| taker.slots_max = after.slots_max);
        let (mut placed, mut left) = (Vec::new(), Vec::new());
        for (slot, owner) in dealt {
            match owner {
                Some(owner) => {
                    *self.loads.entry(owner).or_default() += users_in(slot, self.users);
                    placed.push((slot, owner));
                }
                None => left.push(slot),
            }
        }
        (placed, left)
    }
}

/// Whoever takes slots by its share, as many as there are.
pub(super) fn takers(shares: &[Share]) -> Vec<Taker> {
    let taker = |share: &Share| Taker {
        position: share.position,
        weight: share.weight,
        slots_max: u64::MAX,
        users_max: share.users_max,
    };
    shares.iter().map(taker).collect()
}

/// Whoever has less than its quota, with what it lacks.
fn short_of(shares: &[Share], held: &[Vec<u16>], quotas: &[u64]) -> Vec<Taker> {
    let lacks = held.iter().zip(quotas).map(|(held, quota)| quota.saturating_sub(held.len() as u64));
    let short = takers(shares).into_iter().zip(lacks).filter(|(_, lack)| *lack > 0);
    short.map(|(taker, lack)| Taker { weight: lack, slots_max: lack, ..taker }).collect()
}
