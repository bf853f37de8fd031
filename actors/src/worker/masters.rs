//! The masters that a worker has links to, and which of them leads.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::Recipient;
use akrida_core::ids::{Incarnation, WorkerId};
use akrida_core::wire::FromWorker;
use akrida_core::worker::Input;

use crate::link::{Downlink, Heard, LinkEvent, LinkId, Says, Uplink};

/// The link to a master in the same process.
pub(super) const LOCAL: LinkId = LinkId(u16::MAX);

/// The links of a worker.
#[derive(Debug)]
pub(super) struct Masters {
    /// How many masters there are.
    count: usize,
    links: BTreeMap<LinkId, Link>,
    /// The link whose master leads, and its term.
    leader: Option<(LinkId, u64)>,
}

#[derive(Debug, Default)]
struct Link {
    /// Where what the worker says goes; `None` while the link is down.
    way: Option<Way>,
    /// The term since which its master leads, if it says so.
    leads: Option<u64>,
    is_given_up: bool,
}

/// Where what a worker says goes.
#[derive(Debug)]
pub(super) enum Way {
    /// To a link actor.
    Link(Recipient<Says>),
    /// To a coordinator in the same process.
    Local(Recipient<Uplink>),
}

impl Masters {
    /// This many masters, none of which was heard of.
    pub(super) fn new(count: usize) -> Self {
        Self { count, links: BTreeMap::new(), leader: None }
    }

    /// What an event on a link means.
    pub(super) fn hear(&mut self, Heard { link, event }: Heard) -> Vec<Input> {
        match event {
            LinkEvent::Up { master, uplink } => {
                tracing::info!(%master, "connected");
                // Whether it leads it says itself, again after each interruption.
                self.links.insert(link, Link { way: Some(Way::Link(uplink)), ..Link::default() });
                self.settle()
            }
            LinkEvent::Says(Downlink::Message(message)) => {
                let leads = self.leader.is_some_and(|(leader, _)| leader == link);
                if !leads {
                    tracing::debug!(link = link.0, "a master that does not lead says something");
                }
                leads.then_some(Input::Message(message)).into_iter().collect()
            }
            LinkEvent::Says(Downlink::Leads { term }) => self.leads(link, Some(term)),
            LinkEvent::Says(Downlink::Follows { .. }) => self.leads(link, None),
            // Links look after it themselves.
            LinkEvent::Says(Downlink::Masters(_)) => Vec::new(),
            LinkEvent::Down => {
                self.links.insert(link, Link::default());
                self.settle()
            }
            LinkEvent::GivenUp { reason } => self.give_up(link, reason),
        }
    }

    /// How many masters there is a link to at this moment.
    pub(super) fn linked(&self) -> usize {
        self.links.values().filter(|link| link.way.is_some()).count()
    }

    /// The term of the master that leads, if one does.
    pub(super) fn leader_term(&self) -> Option<u64> {
        self.leader.map(|(_, term)| term)
    }

    /// A master in this process is there. It leads until it says otherwise.
    pub(super) fn connect(&mut self, uplink: Recipient<Uplink>) -> Vec<Input> {
        let link = self.links.entry(LOCAL).or_insert_with(|| Link { leads: Some(0), ..Link::default() });
        link.way = Some(Way::Local(uplink));
        self.settle()
    }

    /// Says something to the leader, if there is one and its link has room. What matters is said again later.
    pub(super) fn say(&self, worker: &WorkerId, incarnation: Incarnation, message: FromWorker) {
        let link = self.leader.and_then(|(leader, _)| self.links.get(&leader));
        let sent = match link.and_then(|link| link.way.as_ref()) {
            None => return,
            Some(Way::Link(uplink)) => uplink.try_send(Says(message)).map_err(|error| error.to_string()),
            Some(Way::Local(uplink)) => {
                let uplinked = Uplink { worker: worker.clone(), incarnation, message };
                uplink.try_send(uplinked).map_err(|error| error.to_string())
            }
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "the link to the leader takes no messages");
        }
    }

    fn leads(&mut self, link: LinkId, term: Option<u64>) -> Vec<Input> {
        self.links.entry(link).or_default().leads = term;
        self.settle()
    }

    fn give_up(&mut self, link: LinkId, reason: Arc<str>) -> Vec<Input> {
        tracing::error!(link = link.0, %reason, "a link to a master was given up");
        self.links.insert(link, Link { is_given_up: true, ..Link::default() });
        let given_up = self.links.values().filter(|link| link.is_given_up).count();
        let none_left = given_up >= self.count && given_up == self.links.len();
        self.settle().into_iter().chain(none_left.then_some(Input::Unreachable { reason })).collect()
    }

    /// Finds the leader: of the masters that are there and say that they lead, the one with the highest term.
    fn settle(&mut self) -> Vec<Input> {
        let there = self.links.iter().filter(|(_, link)| link.way.is_some());
        let leader = there.filter_map(|(id, link)| Some((*id, link.leads?))).max_by_key(|(id, term)| (*term, *id));
        if leader == self.leader {
            return Vec::new();
        }
        self.leader = leader;
        vec![if leader.is_some() { Input::LeaderFound } else { Input::LeaderLost }]
    }
}

#[cfg(test)]
mod tests {
    use actix::{Actor, Context, Handler};
    use akrida_core::ids::RunId;
    use akrida_core::wire::ToWorker;

    use super::*;

    struct Sink;

    impl Actor for Sink {
        type Context = Context<Self>;
    }

    impl Handler<Says> for Sink {
        type Result = ();

        fn handle(&mut self, _: Says, _: &mut Self::Context) {}
    }

    fn up(masters: &mut Masters, link: u16) -> Vec<Input> {
        let uplink = Sink.start().recipient();
        masters.hear(Heard { link: LinkId(link), event: LinkEvent::Up { master: "m".into(), uplink } })
    }

    fn hear(masters: &mut Masters, link: u16, event: LinkEvent) -> Vec<Input> {
        masters.hear(Heard { link: LinkId(link), event })
    }

    fn leads(term: u64) -> LinkEvent {
        LinkEvent::Says(Downlink::Leads { term })
    }

    #[actix_rt::test]
    async fn the_master_that_leads_with_the_highest_term_is_the_leader() {
        let mut masters = Masters::new(3);
        assert_eq!((up(&mut masters, 0), up(&mut masters, 1)), (vec![], vec![]));
        assert_eq!(hear(&mut masters, 0, leads(4)), [Input::LeaderFound]);
        assert_eq!(hear(&mut masters, 1, leads(5)), [Input::LeaderFound], "a later one");
        assert_eq!(hear(&mut masters, 0, leads(4)), [], "an old one that does not know yet");
        assert_eq!(hear(&mut masters, 1, leads(6)), [Input::LeaderFound], "the same in a later term");
        assert_eq!(hear(&mut masters, 1, LinkEvent::Down), [Input::LeaderFound], "the old one is still there");
        assert_eq!(hear(&mut masters, 0, LinkEvent::Says(Downlink::Follows { term: 7 })), [Input::LeaderLost]);
        assert_eq!(up(&mut masters, 1), []);
        assert_eq!(hear(&mut masters, 1, leads(7)), [Input::LeaderFound]);
    }

    #[actix_rt::test]
    async fn only_the_leader_is_listened_to() {
        let mut masters = Masters::new(2);
        up(&mut masters, 0);
        up(&mut masters, 1);
        hear(&mut masters, 1, leads(1));
        let message = ToWorker::Leave { run: RunId(1) };
        let says = || LinkEvent::Says(Downlink::Message(message.clone()));
        assert_eq!(hear(&mut masters, 0, says()), []);
        assert_eq!(hear(&mut masters, 1, says()), [Input::Message(message.clone())]);
    }

    #[actix_rt::test]
    async fn only_when_every_link_is_given_up_no_master_can_be_reached() {
        let mut masters = Masters::new(2);
        let given_up = || LinkEvent::GivenUp { reason: "refused".into() };
        assert_eq!(hear(&mut masters, 0, given_up()), []);
        up(&mut masters, 1);
        hear(&mut masters, 1, leads(1));
        assert_eq!(
            hear(&mut masters, 1, given_up()),
            [Input::LeaderLost, Input::Unreachable { reason: "refused".into() }]
        );
    }
}
