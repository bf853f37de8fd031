//! Connections of workers to masters: what is said on one arrives in order, up to where it breaks, or not at all.
//!
//! Each side learns of a break by itself: from the other side's last word, if that still arrives, or because nothing has
//! come for long enough.

use std::collections::{BTreeMap, VecDeque};

use akrida_core::ids::Incarnation;
use akrida_core::limits;
use akrida_core::wire::{FromWorker, Leadership, ToWorker};

use crate::clock::SECOND;
use crate::event::{Event, MasterEvent, Node, WorkerEvent};
use crate::world::World;

/// One connection; never the same again.
pub(crate) type ConnectionId = u64;

/// How long a side waits for a sign of life. Shorter than in the program, so that more happens in a run.
const IDLE_US: u64 = 5 * SECOND;
const CHECK_EVERY_US: u64 = SECOND;
/// How often what is under way on a cut line is tried again.
const RETRANSMIT_US: u64 = 100_000;

/// What travels to a master.
#[derive(Debug)]
pub(crate) enum Up {
    Attach,
    Message(FromWorker),
    Closed,
}

/// What travels to a worker.
#[derive(Debug)]
pub(crate) enum Down {
    Attached,
    Leadership(Leadership),
    Message(ToWorker),
    Closed,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) worker: usize,
    pub(crate) master: usize,
    pub(crate) worker_life: u64,
    pub(crate) master_life: u64,
    pub(crate) incarnation: Incarnation,
    /// Whether the worker said goodbye on it, and the master heard it.
    pub(crate) said_goodbye: bool,
    up: Way<Up>,
    down: Way<Down>,
}

/// One direction of a connection.
#[derive(Debug)]
struct Way<T> {
    under_way: VecDeque<(u64, T)>,
    last_due_us: u64,
    /// Whether whoever receives on it still has it open, and when that side last had a sign of life.
    is_open: bool,
    heard_us: u64,
}

impl<T> Way<T> {
    fn new(now_us: u64) -> Self {
        Self { under_way: VecDeque::new(), last_due_us: 0, is_open: true, heard_us: now_us }
    }

    /// Adds what is sent last; tells when it arrives.
    fn push(&mut self, due_us: u64, what: T) -> u64 {
        self.last_due_us = self.last_due_us.max(due_us);
        self.under_way.push_back((self.last_due_us, what));
        self.last_due_us
    }

    /// The sender is gone: of what has not arrived only a beginning will.
    fn cut_short(&mut self, now_us: u64, keep: impl FnOnce(usize) -> usize) {
        let arrived = self.under_way.iter().take_while(|(due_us, _)| *due_us <= now_us).count();
        let rest = self.under_way.len() - arrived;
        self.under_way.truncate(arrived + keep(rest));
    }

    fn close(&mut self) {
        self.is_open = false;
        self.under_way.clear();
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Links {
    last: ConnectionId,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
}

impl World {
    pub(crate) fn start_link_checks(&mut self) {
        self.schedule.after(CHECK_EVERY_US, Event::CheckLinks);
    }

    /// A worker calls a master; gives the connection if it comes about.
    pub(crate) fn connect(&mut self, worker: usize, master: usize) -> Option<ConnectionId> {
        let (from, to) = (Node::Worker(worker), Node::Master(master));
        let is_there = self.masters[master].is_awake();
        if !is_there || !self.network.passes(from, to) || !self.network.passes(to, from) {
            return None;
        }
        let process = self.workers[worker].process.as_ref()?;
        let now_us = self.schedule.now_us();
        let connection = Connection {
            worker,
            master,
            worker_life: process.life,
            master_life: self.masters[master].life,
            incarnation: process.incarnation,
            said_goodbye: false,
            up: Way::new(now_us),
            down: Way::new(now_us),
        };
        self.links.last += 1;
        let id = self.links.last;
        self.links.connections.insert(id, connection);
        self.send_up(id, Up::Attach);
        self.send_down(id, Down::Attached);
        Some(id)
    }

    /// A worker says something on a connection.
    pub(crate) fn send_up(&mut self, id: ConnectionId, what: Up) {
        let due_us = self.schedule.now_us() + self.network.delay(&mut self.random);
        if let Some(connection) = self.links.connections.get_mut(&id) {
            let due_us = connection.up.push(due_us, what);
            self.schedule.at(due_us, Event::Up(id));
        }
    }

    /// A master says something on a connection. A worker that does not keep up loses it.
    pub(crate) fn send_down(&mut self, id: ConnectionId, what: Down) {
        let due_us = self.schedule.now_us() + self.network.delay(&mut self.random);
        let Some(connection) = self.links.connections.get_mut(&id) else { return };
        let is_full = connection.down.under_way.len() >= limits::LINK_QUEUE_FRAMES_MAX;
        let due_us = connection.down.push(due_us, what);
        self.schedule.at(due_us, Event::Down(id));
        if is_full {
            self.close_at_master(id, true);
        }
    }

    /// Something may arrive at a master.
    pub(crate) fn arrive_up(&mut self, id: ConnectionId) {
        let Some(connection) = self.links.connections.get(&id) else { return };
        let (worker, master, life) = (connection.worker, connection.master, connection.master_life);
        if !self.network.passes(Node::Worker(worker), Node::Master(master)) {
            return self.schedule.after(RETRANSMIT_US, Event::Up(id));
        }
        self.happen_at_master(master, life, MasterEvent::Arrived(id));
    }

    /// Something may arrive at a worker.
    pub(crate) fn arrive_down(&mut self, id: ConnectionId) {
        let Some(connection) = self.links.connections.get(&id) else { return };
        let (worker, master, life) = (connection.worker, connection.master, connection.worker_life);
        if !self.network.passes(Node::Master(master), Node::Worker(worker)) {
            return self.schedule.after(RETRANSMIT_US, Event::Down(id));
        }
        self.happen_at_worker(worker, life, WorkerEvent::Arrived(id));
    }

    /// What a master reads next.
    pub(crate) fn take_up(&mut self, id: ConnectionId) -> Option<Up> {
        let connection = self.links.connections.get_mut(&id)?;
        connection.up.heard_us = self.schedule.now_us();
        connection.up.under_way.pop_front().map(|(_, what)| what)
    }

    /// What a worker reads next.
    pub(crate) fn take_down(&mut self, id: ConnectionId) -> Option<Down> {
        let connection = self.links.connections.get_mut(&id)?;
        connection.down.heard_us = self.schedule.now_us();
        connection.down.under_way.pop_front().map(|(_, what)| what)
    }

    /// The worker's side is closed, by itself or because its process is gone. It may be that nobody hears of it.
    pub(crate) fn close_at_worker(&mut self, id: ConnectionId, says_so: bool) {
        let now_us = self.schedule.now_us();
        let Some(connection) = self.links.connections.get_mut(&id).filter(|known| known.down.is_open) else { return };
        connection.down.close();
        connection.up.cut_short(now_us, |rest| self.random.usize(0..=rest));
        if says_so {
            self.send_up(id, Up::Closed);
        }
        self.forget_if_closed(id);
        self.worker_lost_link(id);
    }

    /// The master's side is closed.
    pub(crate) fn close_at_master(&mut self, id: ConnectionId, says_so: bool) {
        let now_us = self.schedule.now_us();
        let Some(connection) = self.links.connections.get_mut(&id).filter(|known| known.up.is_open) else { return };
        connection.up.close();
        connection.down.cut_short(now_us, |rest| self.random.usize(0..=rest));
        let (master, worker, incarnation) = (connection.master, connection.worker, connection.incarnation);
        let died = connection.said_goodbye;
        if says_so {
            self.send_down(id, Down::Closed);
        }
        self.forget_if_closed(id);
        self.master_lost_link(master, id, worker, incarnation, died);
    }

    fn forget_if_closed(&mut self, id: ConnectionId) {
        if self.links.connections.get(&id).is_some_and(|known| !known.up.is_open && !known.down.is_open) {
            self.links.connections.remove(&id);
        }
    }

    /// Both sides of all connections look for a sign of life of the other one, and give up those without.
    pub(crate) fn check_links(&mut self) {
        self.start_link_checks();
        let now_us = self.schedule.now_us();
        let (mut at_master, mut at_worker) = (Vec::new(), Vec::new());
        for (id, known) in &mut self.links.connections {
            let (worker, master) = (Node::Worker(known.worker), Node::Master(known.master));
            let worker_there = self.workers[known.worker].is_awake_in(known.worker_life);
            let master_there = self.masters[known.master].is_awake_in(known.master_life);
            if worker_there && known.down.is_open && self.network.passes(worker, master) {
                known.up.heard_us = now_us;
            }
            if master_there && known.up.is_open && self.network.passes(master, worker) {
                known.down.heard_us = now_us;
            }
            if known.up.is_open && now_us - known.up.heard_us > IDLE_US && master_there {
                at_master.push(*id);
            }
            if known.down.is_open && now_us - known.down.heard_us > IDLE_US && worker_there {
                at_worker.push(*id);
            }
        }
        at_master.into_iter().for_each(|id| self.close_at_master(id, true));
        at_worker.into_iter().for_each(|id| self.close_at_worker(id, true));
    }

    /// All connections of a process that has died. Whether the others hear of it is up to chance, but the same for all.
    pub(crate) fn close_all_of(&mut self, node: Node, life: u64, says_so: bool) {
        let is_of = |known: &Connection| match node {
            Node::Master(at) => known.master == at && known.master_life == life,
            Node::Worker(at) => known.worker == at && known.worker_life == life,
        };
        let of_it = self.links.connections.iter().filter(|(_, known)| is_of(known)).map(|(id, _)| *id);
        for id in of_it.collect::<Vec<_>>() {
            match node {
                Node::Master(_) => self.close_at_master(id, says_so),
                Node::Worker(_) => self.close_at_worker(id, says_so),
            }
        }
    }
}
