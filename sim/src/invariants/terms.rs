//! C: one master acts as leader in a term, and only as long as it was not told that it is none.

use std::collections::{BTreeMap, BTreeSet};

use super::{Invariant, Oracle};

/// Who acted as leader.
#[derive(Debug, Default)]
pub(crate) struct TermWatch {
    /// By term.
    leaders: BTreeMap<u64, usize>,
    /// Masters that were told that they do not lead.
    deposed: BTreeSet<usize>,
}

impl TermWatch {
    /// A master leads in a term.
    pub(crate) fn leads(&mut self, at: usize, term: u64) -> Result<(), (Invariant, String)> {
        let leader = *self.leaders.entry(term).or_insert(at);
        if leader == at {
            Ok(())
        } else {
            Err((Invariant::C, format!("masters {leader} and {at} lead in term {term}")))
        }
    }

    fn acts(&mut self, at: usize, term: u64) -> Result<(), (Invariant, String)> {
        self.leads(at, term)?;
        if self.deposed.contains(&at) {
            return Err((Invariant::C, format!("master {at} acts as leader, and was told that it is none")));
        }
        Ok(())
    }

    /// A coordinator is told whether it leads.
    pub(crate) fn told(&mut self, at: usize, leads: bool) {
        if leads {
            self.deposed.remove(&at)
        } else {
            self.deposed.insert(at)
        };
    }
}

impl Oracle {
    /// A coordinator acts as leader.
    pub(crate) fn acted(&mut self, at: usize, term: u64, now_us: u64) {
        self.at_us(now_us);
        let outcome = self.terms.acts(at, term);
        self.check(outcome);
    }
}
