//! Random histories of slots beside workers that obey, late or never: no slot is ever run by two of them.

use proptest::prelude::*;

use super::*;
use crate::plan::slots::SLOTS_U64;

/// A participant as its worker is: the slots that it runs, and what it was told.
#[derive(Clone, Debug)]
struct FakeWorker {
    lives: bool,
    users_max: Option<u64>,
    runs: BTreeSet<u16>,
    told: Option<(u64, BTreeSet<u16>)>,
    knows: u64,
}

#[derive(Clone, Debug)]
struct Cluster {
    slots: Slots,
    workers: Vec<FakeWorker>,
    users: u64,
}

/// Every 64th slot stands for all: sets of all of them are slow in a debug build.
fn sample(slots: &Slots, position: usize) -> BTreeSet<u16> {
    (0..=u16::MAX).step_by(64).filter(|slot| slots.runs(position, *slot)).collect()
}

impl Cluster {
    fn new(caps: &[Option<u64>], users: u64) -> Self {
        let fresh = |users_max: &Option<u64>| FakeWorker {
            lives: true,
            users_max: *users_max,
            runs: BTreeSet::new(),
            told: None,
            knows: 0,
        };
        let workers = caps.iter().map(fresh).collect();
        let mut cluster = Self { slots: Slots::default(), workers, users };
        let shares = cluster.shares();
        cluster.slots.deal(&shares, users);
        (0..caps.len()).for_each(|at| cluster.tell(at));
        (0..caps.len()).for_each(|at| cluster.obey(at));
        cluster
    }

    fn shares(&self) -> Vec<Share> {
        let live = self.workers.iter().enumerate().filter(|(_, worker)| worker.lives);
        live.map(|(at, worker)| Share { position: at as u16, weight: 1, users_max: worker.users_max }).collect()
    }

    /// What the leader says; it may get lost or be late.
    fn tell(&mut self, at: usize) {
        self.workers[at].told = Some((self.slots.epoch(), sample(&self.slots, at)));
    }

    /// The worker stops what it no longer owns, then starts what is new.
    fn obey(&mut self, at: usize) {
        let worker = &mut self.workers[at];
        let Some((epoch, slots)) = worker.told.take().filter(|(epoch, _)| worker.lives && *epoch >= worker.knows)
        else {
            return;
        };
        (worker.knows, worker.runs) = (epoch, slots);
    }

    fn kill(&mut self, at: usize) {
        if self.workers.iter().filter(|worker| worker.lives).count() < 2 || !self.workers[at].lives {
            return;
        }
        self.workers[at].lives = false;
        self.workers[at].runs.clear();
        let shares = self.shares();
        self.slots.pass_on(at, &shares, self.users);
    }

    fn even_out(&mut self) {
        let moves = self.slots.moves(&self.shares(), Adopts::Everybody, self.users);
        let held = |slots: &Slots| (0..=u16::MAX).map(|slot| slots.holder(slot)).collect::<Vec<_>>();
        let before = held(&self.slots);
        self.slots.begin(&moves);
        let changed = held(&self.slots).iter().zip(&before).filter(|(now, then)| now != then).count();
        assert_eq!(changed, moves.len(), "only what was to move has moved");
    }

    fn join(&mut self, users_max: Option<u64>) {
        if self.workers.len() < 8 {
            let fresh = FakeWorker { lives: true, users_max, runs: BTreeSet::new(), told: None, knows: 0 };
            self.workers.push(fresh);
        }
    }

    fn step(&mut self, (what, whom): (u8, usize)) {
        let at = whom % self.workers.len();
        match what {
            0 => self.kill(at),
            1 => self.even_out(),
            2 => self.join((whom % 3 == 0).then_some(self.users / 3)),
            3 | 4 => self.tell(at),
            5 | 6 => self.obey(at),
            _ => {
                if self.workers[at].lives {
                    self.slots.release(at, self.workers[at].knows);
                }
            }
        }
    }

    fn check(&self) {
        let mut runs = BTreeSet::new();
        for worker in &self.workers {
            worker.runs.iter().for_each(|slot| assert!(runs.insert(*slot), "slot {slot} is run twice"));
        }
        let dead = |owner: usize| !self.workers[owner].lives;
        assert!(self.slots.owned().all(|(_, owner)| !dead(owner)), "a dead worker owns slots");
    }

    /// Everything that was said arrives.
    fn heal(&mut self) {
        for _ in 0..4 {
            for at in 0..self.workers.len() {
                self.tell(at);
                self.obey(at);
                if self.workers[at].lives {
                    self.slots.release(at, self.workers[at].knows);
                }
                self.check();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_slot_is_ever_run_twice_and_all_are_run_in_the_end(
        steps in prop::collection::vec((0_u8..9, 0_usize..64), 0..25), users in 0_u64..200_000,
    ) {
        let mut cluster = Cluster::new(&[None, None, Some(users / 4)], users);
        for step in steps {
            cluster.step(step);
            cluster.check();
        }
        cluster.heal();
        cluster.even_out();
        cluster.heal();
        prop_assert!(!cluster.slots.is_moving());
        for (at, worker) in cluster.workers.iter().enumerate() {
            let has = cluster.slots.kept_by(at).users_below(users);
            prop_assert!(worker.users_max.is_none_or(|most| has <= most), "{has} users of {:?}", worker.users_max);
        }
        let unbounded = cluster.workers.iter().any(|worker| worker.lives && worker.users_max.is_none());
        if unbounded {
            prop_assert_eq!(cluster.slots.users_of_nobody(users), 0);
        }
    }

    #[test]
    fn as_few_slots_move_as_can(count in 1_usize..6, joiners in 1_usize..4) {
        let mut cluster = Cluster::new(&vec![None; count], 1_000);
        (0..joiners).for_each(|_| cluster.join(None));
        let moves = cluster.slots.moves(&cluster.shares(), Adopts::Everybody, 1_000);
        let needed = SLOTS_U64 * joiners as u64 / (count + joiners) as u64;
        prop_assert!((moves.len() as u64).abs_diff(needed) <= (count + joiners) as u64);
        cluster.even_out();
        cluster.heal();
        prop_assert!(cluster.slots.moves(&cluster.shares(), Adopts::Everybody, 1_000).len() <= count + joiners);
    }
}

#[test]
fn slots_come_back_from_their_bytes() {
    let mut cluster = Cluster::new(&[None, None], 10);
    cluster.join(None);
    cluster.even_out();
    let bytes = rmp_serde::to_vec(&cluster.slots).expect("serializes");
    assert!(bytes.len() < 300_000, "{}", bytes.len());
    assert_eq!(rmp_serde::from_slice::<Slots>(&bytes).expect("its own bytes"), cluster.slots);
}
