//! `load`: a rate of arrivals, or stages of users, and the warm-up.

use std::time::Duration;

use super::Decoder;
use super::cursor::{Cursor, Object};
use super::keys::{LOAD, RATE_STAGE, USER_STAGE};
use crate::document::closest;
use crate::document::problem::shown;
use crate::limits::{
    ARRIVAL_PLAN_MAX, ARRIVAL_RATE_MAX_PER_S, ARRIVAL_USERS_MAX_DEFAULT, LOAD_STAGES_MAX, SPAWN_RATE_MAX_PER_S,
    USERS_MAX,
};
use crate::plan::arrivals::{ArrivalPlan, ArrivalRate, Distribution, LatePolicy, RateStage};
use crate::plan::rate::SpawnRate;
use crate::scenario::model::{Load, LoadModel, UserStage};

const RATE: &str = "a rate such as `100/s` or `90/m`";
const RATES: &str = "a rate such as `100/s`, or a ramp such as `10/s..100/s`";
const LENGTH: &str = "a time such as `30s` or `5m`";

impl<'n> Decoder<'n> {
    /// The value of `load`.
    pub(super) fn load(&mut self, cursor: &Cursor<'n>) -> Option<Load> {
        let object = self.object(cursor, &LOAD)?;
        let warm_up = self.optional(&object, "warm_up", |decoder, at| decoder.duration(at, LENGTH, ARRIVAL_PLAN_MAX));
        let model = match (object.get("arrival_rate"), object.get("users")) {
            (Some(rate), None) => self.arrivals(&object, &rate),
            (None, users) => self.user_stages(&object, users),
            (Some(_), Some(users)) => {
                self.problem(&users, "either `arrival_rate` or `users`: a load is open or closed, not both");
                None
            }
        };
        let load = Load { model: model?, warm_up: warm_up?.unwrap_or_default() };
        if load.length().is_some_and(|length| load.warm_up >= length) {
            self.problem(cursor, "the warm-up is as long as the load or longer, so that nothing would count");
            return None;
        }
        Some(load)
    }

    fn arrivals(&mut self, object: &Object<'n>, rate: &Cursor<'n>) -> Option<LoadModel> {
        let distribution = self.optional(object, "distribution", Self::distribution);
        let late = self.optional(object, "late_arrivals", Self::late_policy);
        let users_max = self.optional(object, "max_users", |decoder, at| decoder.whole(at, 1, USERS_MAX));
        let stages = self.rate_stages(rate)?;
        let (distribution, late) = (distribution?.unwrap_or_default(), late?.unwrap_or_default());
        let users_max = users_max?.unwrap_or(ARRIVAL_USERS_MAX_DEFAULT);
        let plan = ArrivalPlan::new(stages, distribution, users_max, late);
        if plan.is_none() {
            let message = format!(
                "every stage but the last needs `for`, a ramp needs it too, and all together last at most \
                 {ARRIVAL_PLAN_MAX:?}"
            );
            self.problem(rate, message);
        }
        plan.map(LoadModel::Arrivals)
    }

    fn rate_stages(&mut self, cursor: &Cursor<'n>) -> Option<Vec<RateStage>> {
        let Some(items) = cursor.items() else {
            let (from, to) = self.rates(cursor)?;
            return Some(vec![RateStage { from, to, length_us: None }]);
        };
        self.few(cursor, items.len())?;
        self.all(items, |decoder, item| {
            let stage = decoder.object(&item, &RATE_STAGE)?;
            let length_us = decoder.stage_length(&stage);
            let Some(rate) = stage.get("rate") else {
                decoder.problem(&item, "expected the key `rate`");
                return None;
            };
            let (from, to) = decoder.rates(&rate)?;
            Some(RateStage { from, to, length_us: length_us?.map(|length| length.as_micros() as u64) })
        })
    }

    /// Stages of users, or none when the command line says how many there are.
    fn user_stages(&mut self, object: &Object<'n>, users: Option<Cursor<'n>>) -> Option<LoadModel> {
        for key in ["distribution", "late_arrivals", "max_users"] {
            if let Some(cursor) = object.get(key) {
                self.problem(&cursor, format!("`{key}` has a meaning only with `arrival_rate`"));
                return None;
            }
        }
        let Some(users) = users else { return Some(LoadModel::CommandLine) };
        let Some(items) = users.items() else {
            self.wrong_kind(&users, "a list of stages such as `{ users: 100, spawn_rate: 10/s, for: 5m }`");
            return None;
        };
        self.few(&users, items.len())?;
        let stages = self.all(items, Self::user_stage)?;
        let open_ended = stages.iter().rev().skip(1).any(|stage| stage.length.is_none());
        if stages.is_empty() || open_ended {
            self.problem(&users, "expected at least one stage, and `for` in every one but the last");
            return None;
        }
        Some(LoadModel::Users(stages))
    }

    fn user_stage(&mut self, item: Cursor<'n>) -> Option<UserStage> {
        let stage = self.object(&item, &USER_STAGE)?;
        let length = self.stage_length(&stage);
        let spawn_rate = self.optional(&stage, "spawn_rate", Self::spawn_rate);
        let Some(users) = stage.get("users") else {
            self.problem(&item, "expected the key `users`");
            return None;
        };
        let users = self.whole(&users, 0, USERS_MAX)?;
        Some(UserStage { users, spawn_rate: spawn_rate?.unwrap_or(SpawnRate::ONE_PER_SECOND), length: length? })
    }

    fn stage_length(&mut self, stage: &Object<'n>) -> Option<Option<Duration>> {
        self.optional(stage, "for", |decoder, at| {
            let length = decoder.duration(at, LENGTH, ARRIVAL_PLAN_MAX)?;
            if length.is_zero() {
                decoder.problem(at, "a stage is longer than nothing");
                return None;
            }
            Some(length)
        })
    }

    fn few(&mut self, cursor: &Cursor<'n>, stages: usize) -> Option<()> {
        if (1..=LOAD_STAGES_MAX).contains(&stages) {
            return Some(());
        }
        self.problem(cursor, format!("found {stages} stages, expected 1 to {LOAD_STAGES_MAX}"));
        None
    }

    fn spawn_rate(&mut self, cursor: &Cursor<'n>) -> Option<SpawnRate> {
        let text = self.text(cursor, RATE)?;
        let rate = rate_per_s(text).and_then(SpawnRate::per_second);
        if rate.is_none() {
            let message =
                format!("{:?} is no rate above 0 and up to {SPAWN_RATE_MAX_PER_S}/s, expected {RATE}", shown(text));
            self.problem(cursor, message);
        }
        rate
    }

    fn rates(&mut self, cursor: &Cursor<'n>) -> Option<(ArrivalRate, ArrivalRate)> {
        let text = self.text(cursor, RATES)?;
        let rate = |text| rate_per_s(text).and_then(ArrivalRate::per_second);
        let rates = match text.split_once("..") {
            None => rate(text).map(|rate| (rate, rate)),
            Some((from, to)) => rate(from).zip(rate(to)),
        };
        if rates.is_none() {
            let message = format!("{:?} is no rate up to {ARRIVAL_RATE_MAX_PER_S}/s, expected {RATES}", shown(text));
            self.problem(cursor, message);
        }
        rates
    }

    fn distribution(&mut self, cursor: &Cursor<'n>) -> Option<Distribution> {
        self.one_of(cursor, &[("uniform", Distribution::Uniform), ("poisson", Distribution::Poisson)])
    }

    fn late_policy(&mut self, cursor: &Cursor<'n>) -> Option<LatePolicy> {
        self.one_of(cursor, &[("queue", LatePolicy::Queue), ("drop", LatePolicy::Drop)])
    }

    /// One of a few words.
    fn one_of<T: Copy>(&mut self, cursor: &Cursor<'n>, words: &[(&str, T)]) -> Option<T> {
        let allowed = words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
        let text = self.text(cursor, &allowed)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let meant = closest(text, words.iter().map(|(word, _)| *word));
            let meant = meant.map(|word| format!(", did you mean `{word}`?")).unwrap_or_default();
            self.problem(cursor, format!("found {:?}, expected {allowed}{meant}", shown(text)));
        }
        found
    }
}

/// The number of a rate such as `100/s`, `90/m`, `5/h` or `100`, per second.
fn rate_per_s(text: &str) -> Option<f64> {
    let (count, unit_s) = match text.trim().split_once('/') {
        None => (text, 1.0),
        Some((count, unit)) => match unit.trim() {
            "s" => (count, 1.0),
            "m" => (count, 60.0),
            "h" => (count, 3_600.0),
            _ => return None,
        },
    };
    count.trim().parse::<f64>().ok().filter(|count| count.is_finite()).map(|count| count / unit_s)
}
