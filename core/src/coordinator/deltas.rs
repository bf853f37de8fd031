//! Deltas between their arrival and the log.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::time::Duration;

use serde::Serialize;

use super::pace::Pace;
use crate::ids::{Incarnation, Seq, WorkerId};
use crate::limits;
use crate::state::command::{DeltaBatch, DeltaPart};
use crate::stats::delta::Delta;
use crate::stats::run::MergedIntervals;

/// Deltas of one run that came and are not applied. They are proposed one batch at a time: the next one gathers while one
/// is under way. A batch takes whole deltas, in the order in which they came, up to `limits::BATCH_BYTES_MAX`; how soon
/// the next one follows is a matter of its [`Pace`].
#[derive(Debug, Default)]
pub(super) struct Deltas {
    open: VecDeque<Sized>,
    open_bytes: usize,
    /// Deltas among the open ones that are their worker's last.
    open_ends: usize,
    pace: Pace,
    /// What is under way; nothing if empty.
    proposed: Vec<DeltaPart>,
    /// Workers whose deltas were not taken for want of room.
    turned_away: BTreeSet<WorkerId>,
}

#[derive(Debug)]
struct Sized {
    delta: Delta,
    bytes: usize,
    came_us: u64,
}

/// What became of a delta that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receipt {
    /// It is kept until it is applied.
    Kept,
    /// It came before and is on its way.
    UnderWay,
    /// It is applied already.
    Safe,
    /// One before it is missing.
    Gap,
    /// There is no room.
    TurnedAway,
}

impl Deltas {
    /// Takes a delta of a worker of which everything up to `applied` is safe.
    pub(super) fn receive(&mut self, delta: Delta, applied: Seq, now_us: u64) -> Receipt {
        let last = self.last_of(&delta.worker, delta.incarnation).unwrap_or(applied).max(applied);
        if delta.seq <= applied {
            return Receipt::Safe;
        }
        if delta.seq <= last {
            return Receipt::UnderWay;
        }
        if delta.seq != last.next() {
            return Receipt::Gap;
        }
        let bytes = size_of_delta(&delta);
        if self.open_bytes + bytes > limits::DELTAS_BUFFERED_BYTES_MAX && !self.open.is_empty() {
            self.turned_away.insert(delta.worker);
            return Receipt::TurnedAway;
        }
        self.open_bytes += bytes;
        self.open_ends += usize::from(delta.last);
        self.open.push_back(Sized { delta, bytes, came_us: now_us });
        Receipt::Kept
    }

    /// The next batch to propose, if none is under way and it is time for one.
    pub(super) fn next_batch(&mut self, now_us: u64, sync_interval: Duration) -> Option<DeltaBatch> {
        if !self.proposed.is_empty() || !self.is_due(now_us, sync_interval) {
            return None;
        }
        let run = self.open.front()?.delta.run;
        let mut parts: BTreeMap<WorkerId, DeltaPart> = BTreeMap::new();
        let mut intervals = MergedIntervals::default();
        let mut size = 0;
        // Deltas add less than their size to what they are merged with, so that there may be room for more of them.
        while self.fill(&mut parts, &mut intervals, limits::BATCH_BYTES_MAX.saturating_sub(size)) {
            size = size_of(&intervals) + parts.values().map(size_of).sum::<usize>();
        }
        self.pace.propose(size as u64, now_us);
        self.proposed = parts.into_values().collect();
        Some(DeltaBatch { run, parts: self.proposed.clone(), intervals })
    }

    /// Whether what there is should be proposed: by the pace, or because it has waited long enough, fills half the room,
    /// or ends the part of a worker in the run.
    fn is_due(&self, now_us: u64, sync_interval: Duration) -> bool {
        let has_waited_us = self.open.front().map_or(0, |oldest| now_us.saturating_sub(oldest.came_us));
        self.pace.allows(now_us)
            || has_waited_us >= sync_interval.as_micros() as u64
            || self.open_bytes > limits::DELTAS_BUFFERED_BYTES_MAX / 2
            || self.open_ends > 0
    }

    /// Moves open deltas into a batch, as many as certainly fit, and at least one into an empty batch. False if there was
    /// none to move.
    fn fill(
        &mut self,
        parts: &mut BTreeMap<WorkerId, DeltaPart>,
        intervals: &mut MergedIntervals,
        room: usize,
    ) -> bool {
        let mut bytes = 0;
        let fits = |next: &mut Sized, bytes, is_first| is_first || bytes + next.bytes <= room;
        while let Some(next) = self.open.pop_front_if(|next| fits(next, bytes, parts.is_empty())) {
            bytes += next.bytes;
            self.open_bytes -= next.bytes;
            self.open_ends -= usize::from(next.delta.last);
            let delta = next.delta;
            intervals.add(&delta.worker, &delta.interval);
            let part = parts.entry(delta.worker.clone()).or_insert_with(|| DeltaPart {
                worker: delta.worker,
                incarnation: delta.incarnation,
                first: delta.seq,
                last: delta.seq,
                finished: delta.last,
            });
            (part.last, part.finished) = (delta.seq, delta.last);
        }
        bytes > 0
    }

    /// The batch that was under way is applied.
    pub(super) fn settle(&mut self) {
        self.proposed.clear();
    }

    /// Forgets everything: workers send again what is not safe.
    pub(super) fn forget(&mut self) {
        *self = Self { pace: self.pace, ..Self::default() };
    }

    /// Forgets what is not under way of a worker.
    pub(super) fn forget_worker(&mut self, worker: &WorkerId) {
        self.open.retain(|sized| sized.delta.worker != *worker);
        self.open_bytes = self.open.iter().map(|sized| sized.bytes).sum();
        self.open_ends = self.open.iter().filter(|sized| sized.delta.last).count();
    }

    /// Workers whose deltas were turned away, when there is room again.
    pub(super) fn take_turned_away(&mut self) -> BTreeSet<WorkerId> {
        let has_room = self.open_bytes < limits::DELTAS_BUFFERED_BYTES_MAX / 2;
        if has_room { std::mem::take(&mut self.turned_away) } else { BTreeSet::new() }
    }

    fn last_of(&self, worker: &WorkerId, incarnation: Incarnation) -> Option<Seq> {
        let open = self.open.iter().rev().map(|sized| &sized.delta);
        let open = open.filter(|delta| delta.worker == *worker && delta.incarnation == incarnation);
        let proposed = self.proposed.iter().filter(|part| part.worker == *worker && part.incarnation == incarnation);
        open.map(|delta| delta.seq).next().max(proposed.map(|part| part.last).next())
    }
}

/// The size of what a delta adds to an entry; merged with others it adds less.
fn size_of_delta(delta: &Delta) -> usize {
    size_of(&delta.interval) + delta.worker.0.len() + 64
}

fn size_of(value: &impl Serialize) -> usize {
    let mut size = Counted(0);
    // Counting does not fail; whatever cannot be written here cannot be written to the log either.
    let _ = value.serialize(&mut rmp_serde::Serializer::new(&mut size));
    size.0
}

struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
