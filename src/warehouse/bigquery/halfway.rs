//! What runs that ended on the way have left: found by whoever plans next, put right by whoever applies.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Relation, Result};
use super::Shared;
use super::api::Stop;
use super::error::ApiError;
use super::governance::{Governed, Guard, lost, told};
use super::job::Done;
use super::layout::{self, Description};
use super::leftover::{self, Leftover};
use super::store::{self, Entry, Pending};
use super::{locked, now_ms};
use crate::googlesql::names::Ident;
use crate::state::{Object, State};

/// What runs that ended on the way have left.
#[derive(Default)]
pub(super) struct Halfway {
    /// What was published, and nobody could write down that it is.
    settled: Vec<Pending>,
    /// Jobs that were about to be asked for, and are not there.
    unasked: Vec<String>,
    /// What governed tables that were taken away, and nothing was put in their place.
    pub(super) taken_away: BTreeMap<Relation, Governed>,
    /// Builds that nobody will publish any more.
    leftovers: Vec<Leftover>,
}

/// How a job ended that was about to publish something.
type End = std::result::Result<Done, ApiError>;

impl Halfway {
    /// Whether something is to be put right though nothing else is to be done.
    pub(super) fn is_something(&self) -> bool {
        !self.settled.is_empty() || !self.leftovers.is_empty()
    }

    /// Tables that will have their names back before any step runs, with the names that they have until then.
    pub(super) fn renamed(&self) -> Vec<(Relation, Relation)> {
        let back = |left: &Leftover| Some((left.belongs_to.clone()?, left.at.clone()));
        self.leftovers.iter().filter_map(back).collect()
    }

    /// What of that which was about to be published is, and what is left aside of the tables of a pipeline. What is
    /// remembered and what is there are told apart from it: builds bear the marks of the tables that they were to be.
    ///
    /// # Errors
    /// That it cannot be known of something whether it is published.
    pub(super) fn find(
        pending: Vec<Pending>,
        ends: Vec<End>,
        own: &BTreeSet<Relation>,
        state: &mut State,
        objects: &mut BTreeMap<String, Object>,
    ) -> Result<Self> {
        let mut halfway = Self::default();
        for (mut pending, ended) in pending.into_iter().zip(ends) {
            let relation = Relation::parse(&pending.state.relation);
            let is_replaced = leftover::is_replaced(objects, &relation);
            let object = objects.get_mut(&pending.state.relation);
            let is_done = match ended {
                // A run that took the name may have ended on the way as well.
                Ok(done) => !done.is_claim(),
                Err(error) if error.is_missing() => {
                    halfway.unasked.push(pending.job.clone());
                    false
                }
                // One that failed did nothing, unless it failed to drop what it had taken the place of.
                Err(error) if error.is_of_job() => is_replaced,
                // Not everybody may ask for another's job. A table is described by what was to be published.
                Err(error) if error.is_denied() => {
                    object.as_ref().is_some_and(|object| object.comment.as_ref() == Some(&pending.comment))
                }
                // It may have been published: that is not guessed at.
                Err(error) => return Err(error.into()),
            };
            if is_done {
                if let Some(object) = object {
                    object.comment = Some(pending.comment.clone());
                }
                state.nodes.insert(pending.address.clone(), pending.state.clone());
                halfway.settled.push(pending);
            } else if let (None, Some(governed)) = (object, pending.governed.take()) {
                halfway.taken_away.insert(relation, governed);
            }
        }
        halfway.leftovers = leftover::among(objects, own);
        for Leftover { at, belongs_to, .. } in &halfway.leftovers {
            let object = objects.remove(&at.to_string());
            // What will have its name back before any step is there under that name.
            if let (Some(object), Some(table)) = (object, belongs_to) {
                objects.insert(table.to_string(), object);
            }
        }
        Ok(halfway)
    }
}

impl Shared {
    /// How the jobs ended that were about to publish something; those that go on are waited for.
    pub(super) fn ends_of(&self, pending: &[Pending]) -> Vec<End> {
        let stop = Stop::default();
        let ended = |pending: &Pending| {
            let found = self.jobs.look(&stop, &pending.job);
            found.and_then(|job| self.jobs.finished(&stop, &pending.job, job))
        };
        pending.iter().map(ended).collect()
    }

    /// Brings to its end what an earlier run has left halfway. Its serial is this run's by now.
    pub(super) fn put_right(&self, serial: u64) -> Result<()> {
        let stop = Stop::default();
        let Halfway { settled, unasked, leftovers, taken_away } = std::mem::take(&mut *locked(&self.halfway));
        // What governed tables that are gone is for whoever publishes them.
        locked(&self.halfway).taken_away = taken_away;
        // A request that is still on its way would publish what this run has not planned with.
        for job in unasked {
            if !self.jobs.claim(&job, &self.labels())? {
                return Err(store::overtaken());
            }
        }
        for mut pending in settled {
            let description = Description {
                layout: pending.state.layout.clone(),
                properties: pending.state.properties.clone(),
                ..Description::of(pending.comment)
            };
            let relation = Relation::parse(&pending.state.relation);
            let governed = pending.governed.unwrap_or_default();
            // It may be gone since: then it is planned anew.
            let found = self.table(&stop, &relation)?;
            let said = found.as_ref().map(|found| description.patch(found, &governed.foreign, now_ms()));
            // What is refused now would be refused again: it is told, and does not stand in the way for good.
            let (table, refused) = match said.map(|said| self.patch(&stop, &relation, &said)) {
                Some(Ok(table)) => (Some(table), None),
                Some(Err(error)) if error.is_transient() => return Err(error.into()),
                Some(Err(error)) => (found, Some(error)),
                None => (None, None),
            };
            pending.state.observed = table.as_ref().map(layout::observed);
            let guard = Guard { shared: self, stop: &stop };
            let after = table.map(|table| guard.settle(&relation, &table, &governed.before)).transpose()?;
            let entry = Entry { address: pending.address, state: Some(pending.state) };
            self.store().add(&entry, self.next_entry(), None, serial)?;
            if let Some(error) = refused {
                return Err(error.into());
            }
            let gone =
                after.map(|after| lost(&governed.before, &governed.foreign, &after)).unwrap_or_default();
            if !gone.is_empty() {
                return Err(told(&relation, &gone).into());
            }
        }
        for Leftover { at, kind, belongs_to } in leftovers {
            match belongs_to {
                // The one that was to take its place never came.
                Some(table) => {
                    let name = Ident(&table.table);
                    let sql = format!("ALTER TABLE {} RENAME TO {name}", self.place.path(&at));
                    self.jobs.execute(&stop, &self.labels(), &sql)?;
                }
                None => self.discard(&stop, &self.labels(), &at, kind)?,
            }
        }
        Ok(())
    }
}
