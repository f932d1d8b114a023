//! What a session publishes: each thing by one job, with what governs what it takes the place of.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::{Relation, Result, WarehouseError};
use super::Shared;
use super::api::Stop;
use super::governance::{Governance, Governed, Guard, lost};
use super::job::Jobs;
use super::layout::{self, Description, Foreign};
use super::leftover::{RELAID, REPLACED, to_replace};
use super::now_ms;
use super::place::Place;
use super::session::BigQuerySession;
use crate::diag::{Code, Diagnostic};
use crate::googlesql::names::Ident;
use crate::manifest::types::Materialization;
use crate::project::Properties;
use crate::state::label_of;

/// Something that readers will see.
pub(super) struct Publication {
    pub(super) from: Relation,
    pub(super) to: Relation,
    pub(super) kind: Materialization,
    pub(super) description: Description,
}

/// What stands at the place of a publication.
pub(super) struct Standing {
    table: Value,
    pub(super) governed: Governed,
}

/// What others have said of what stands at a place.
fn foreign(standing: Option<&Standing>) -> Foreign {
    standing.map(|standing| standing.governed.foreign.clone()).unwrap_or_default()
}

/// How a publication takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taking<'a> {
    /// By one job that is done as a whole or not at all.
    AtOnce,
    /// A view that asks the same is there, and stays: one made anew would be another to who was granted its use.
    Stays,
    /// A table of another layout is there, which none replaces in one statement: both are given other names.
    Renames,
    /// Something that goes first, by what BigQuery calls it: of another kind, or a materialized view of another layout.
    Drops(&'a str),
}

impl Taking<'_> {
    /// Whether something may be left on the way: then it is brought to its end, and not tried again by who does not know
    /// what there was.
    fn is_of_several_steps(self) -> bool {
        matches!(self, Self::Renames | Self::Drops(_))
    }
}

/// What a job does that publishes something.
enum Making {
    /// It copies a table over another.
    Copy(Value),
    /// It runs a statement.
    Statement(String),
}

impl Publication {
    /// How it takes the place of what stands there. The build of a view is a plain one, of no layout.
    fn taking<'a>(
        &self,
        standing: Option<&'a Standing>,
        built: &Value,
        query: Option<&String>,
    ) -> Taking<'a> {
        let Some(Standing { table, .. }) = standing else { return Taking::AtOnce };
        let there = table["type"].as_str().unwrap_or_default();
        let is_alike = match self.kind {
            Materialization::Table => layout::alike(table, built),
            Materialization::View => layout::alike(table, &json!(layout::settings(&self.description.layout))),
        };
        match self.kind {
            _ if there != self.type_name() => Taking::Drops(there),
            Materialization::Table if !is_alike => Taking::Renames,
            Materialization::View if !is_alike => Taking::Drops(there),
            Materialization::View if query.is_some_and(|query| asks(table, query)) => Taking::Stays,
            _ => Taking::AtOnce,
        }
    }

    /// The job that publishes it, with the query of a view.
    fn job(&self, place: &Place, query: Option<&String>, taking: Taking<'_>) -> Result<Making> {
        let (from, to) = (place.path(&self.from), place.path(&self.to));
        let create = match taking {
            Taking::Drops(there) => format!("{}; CREATE", drop_of(there, &to)),
            _ => "CREATE OR REPLACE".to_owned(),
        };
        let sql = match (self.kind, query) {
            (Materialization::View, Some(query)) if self.description.layout.materialized_view => {
                let clauses = layout::clauses(&self.description.layout, &Properties::default());
                format!("{create} MATERIALIZED VIEW {to}{clauses} AS {query}")
            }
            (Materialization::View, Some(query)) => format!("{create} VIEW {to} AS {query}"),
            (Materialization::View, None) => {
                let message = format!("nothing is known of the view {}", self.from);
                return Err(Diagnostic::error(Code::Internal, message).into());
            }
            // What may be refused comes first, and the old one goes last: a script that ends on the way has lost nothing,
            // see [`super::leftover`].
            (Materialization::Table, _) if taking == Taking::Renames => {
                let beside = |suffix: &str| self.to.sibling(format!("{}{suffix}", self.to.table));
                let (new, old) = (beside(RELAID), beside(REPLACED));
                let named = |relation: &Relation| Ident(&relation.table).to_string();
                let (new_path, old_path) = (place.path(&new), place.path(&old));
                format!(
                    "DROP TABLE IF EXISTS {new_path}; CREATE TABLE {new_path} COPY {from}; DROP TABLE IF EXISTS {old_path}; \
                     ALTER TABLE {to} RENAME TO {}; ALTER TABLE {new_path} RENAME TO {}; DROP TABLE {old_path}",
                    named(&old),
                    named(&self.to)
                )
            }
            // All rows and columns at once, and without cost.
            (Materialization::Table, _) => {
                let copy = json!({
                    "sourceTable": place.reference(&self.from),
                    "destinationTable": place.reference(&self.to),
                    "writeDisposition": "WRITE_TRUNCATE",
                });
                return Ok(Making::Copy(copy));
            }
        };
        Ok(Making::Statement(sql))
    }

    /// What BigQuery calls a thing of its kind.
    fn type_name(&self) -> &'static str {
        match self.kind {
            Materialization::Table => "TABLE",
            Materialization::View if self.description.layout.materialized_view => "MATERIALIZED_VIEW",
            Materialization::View => "VIEW",
        }
    }
}

/// The statement that drops something of a kind, as BigQuery calls it.
fn drop_of(kind: &str, path: &str) -> String {
    format!("DROP {} IF EXISTS {path}", kind.replace('_', " "))
}

/// A failure after which something may have been published. Another try would begin from what is remembered, and could
/// take new rows in twice: whoever plans next finds out first.
pub(super) fn unsettled(error: impl Into<WarehouseError>) -> WarehouseError {
    let WarehouseError { diagnostic, transient } = error.into();
    // Of a job that nobody can be asked about it is not known either.
    if !transient && diagnostic.code != Code::TargetUnavailable {
        return WarehouseError { diagnostic, transient };
    }
    diagnostic.help("it may have been published; the next run finds out and goes on from there").into()
}

impl BigQuerySession {
    /// What stands at the place of a publication; nothing where there is nothing.
    pub(super) fn look_at(&self, publication: &Publication) -> Result<Option<Standing>> {
        let Some(table) = self.shared.table(&self.stop, &publication.to)? else { return Ok(None) };
        let before = Guard { shared: &self.shared, stop: &self.stop }.read(&publication.to, &table)?;
        let foreign = before.foreign(&publication.description);
        Ok(Some(Standing { table, governed: Governed { before, foreign } }))
    }

    /// Publishes one thing by a job of a name. Says what of its governance was lost.
    pub(super) fn publish_as(
        &mut self,
        publication: &Publication,
        standing: Option<&Standing>,
        job: &str,
    ) -> Result<Vec<String>> {
        let shared = Arc::clone(&self.shared);
        // What is done in several steps is brought to its end.
        let stop = Stop::default();
        let guard = Guard { shared: &shared, stop: &stop };
        let Publication { from, to, description, .. } = publication;
        let foreign = foreign(standing);
        let finished = self.unit.finished.get(from).cloned().unwrap_or_default();
        prepare(&guard, publication, standing, &finished)?;
        shared.hold()?;
        self.take_place(&shared, publication, standing, &finished, job)?;
        let description = description.patch(&finished, &foreign, now_ms());
        let table = shared.patch(&stop, to, &description).map_err(unsettled)?;
        self.unit.observe(to, &table);
        Ok(match standing {
            Some(Standing { governed: Governed { before, foreign }, .. }) => {
                lost(before, foreign, &guard.settle(to, &table, before).map_err(unsettled)?)
            }
            None => Vec::new(),
        })
    }

    /// Lets a publication take its place by a job of a name.
    fn take_place(
        &mut self,
        shared: &Shared,
        publication: &Publication,
        standing: Option<&Standing>,
        finished: &Value,
        job: &str,
    ) -> Result<()> {
        let Publication { from, to, kind, .. } = publication;
        let query = self.unit.aside.get(from).and_then(Option::as_ref);
        let taking = publication.taking(standing, finished, query);
        if taking == Taking::Stays {
            return Ok(());
        }
        let is_of_several_steps = taking.is_of_several_steps();
        let (to_the_end, own) = (Stop::default(), Arc::clone(&self.stop));
        let stop = if is_of_several_steps { &to_the_end } else { own.as_ref() };
        if let (Taking::Drops(there), Materialization::Table) = (taking, kind) {
            // A copy is no statement that could stand behind another.
            shared.jobs.execute(stop, &self.labels, &drop_of(there, &self.path(to)))?;
        }
        let configuration = match publication.job(&shared.place, query, taking)? {
            Making::Copy(copy) => shared.jobs.configuration("copy", &copy, &self.labels),
            Making::Statement(sql) => shared.jobs.statement(&sql, &[], &self.labels),
        };
        match shared.jobs.run_as(stop, job, &Jobs::without_end(configuration)) {
            Ok(_) => Ok(()),
            // What is known to have failed has changed nothing; where something is gone by then, another try would not know
            // what governed it.
            Err(error) if error.is_transient_of_job() && !is_of_several_steps => Err(error.into()),
            Err(error) => {
                // It may be reading what it publishes: whoever plans next finds out, and clears away.
                if !error.is_of_job() {
                    self.unit.aside.remove(from);
                }
                Err(unsettled(error))
            }
        }
    }

    /// Puts on a build what keeps readers from rows and columns of the table whose place it is to take, and what the
    /// manifest says of who may read its columns: it stands in the same dataset while it is audited.
    pub(super) fn shield(&self, build: &Relation, wanted: Option<&Properties>) -> Result<()> {
        let Some(published) = to_replace(build) else { return Ok(()) };
        let said = self.shared.said(&published);
        let description = Description {
            properties: wanted.cloned().unwrap_or_else(|| said.clone()),
            before: said,
            ..Description::default()
        };
        let guard = Guard { shared: &self.shared, stop: &self.stop };
        let before = match self.shared.table(&self.stop, &published)? {
            Some(table) => guard.restrictions(&published, &table)?,
            None => Governance::default(),
        };
        guard.carry_over((build, &published), Materialization::Table, &before)?;
        let foreign = before.foreign(&description);
        if description.has_policy_tags(&foreign) {
            let made = self.shared.table(&self.stop, build)?.unwrap_or_default();
            let fields = description.fields(&made, &foreign);
            self.shared.patch(&self.stop, build, &json!({ "schema": { "fields": fields } }))?;
        }
        Ok(())
    }

    /// Whether a published table keeps some readers from some of its rows or columns.
    pub(super) fn is_governed(&self, relation: &Relation) -> Result<bool> {
        let Some(table) = self.shared.table(&self.stop, relation)? else { return Ok(false) };
        let guard = Guard { shared: &self.shared, stop: &self.stop };
        Ok(guard.read(relation, &table)?.keeps_readers_out())
    }
}

/// Puts on a build what keeps rows and columns from readers before they see it, and what it is described as: whoever may
/// not ask for the job that publishes it knows by that what was published.
fn prepare(
    guard: &Guard<'_>,
    publication: &Publication,
    standing: Option<&Standing>,
    finished: &Value,
) -> Result<()> {
    let Publication { from, to, kind, description } = publication;
    let foreign = foreign(standing);
    if let Some(standing) = standing {
        guard.carry_over((from, to), *kind, &standing.governed.before)?;
    }
    if *kind == Materialization::Table {
        let mut said = json!({ "description": description.comment });
        if let Some(label) = label_of(&description.comment) {
            said["labels"] = json!({ layout::MARK: label });
        }
        if description.has_policy_tags(&foreign) {
            said["schema"] = json!({ "fields": description.fields(finished, &foreign) });
        }
        guard.shared.patch(guard.stop, from, &said)?;
    }
    Ok(())
}

/// Whether what stands at a place is a view of a query.
fn asks(table: &Value, query: &str) -> bool {
    ["view", "materializedView"].iter().any(|kind| table[*kind]["query"] == query)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Layout;

    fn publication(kind: Materialization, layout: Layout) -> Publication {
        let description = Description { layout, ..Description::default() };
        let (from, to) = (Relation::parse("d.t__build"), Relation::parse("d.t"));
        Publication { from, to, kind, description }
    }

    #[test]
    fn each_kind_is_published_by_one_job() {
        let state = "pipewright".to_owned();
        let place = Place { project: "p".to_owned(), prefix: String::new(), state };
        let query = "SELECT 1 AS `a`".to_owned();
        let job = |publication: &Publication, query: Option<&String>, taking: Taking<'_>| {
            publication.job(&place, query, taking).unwrap()
        };
        let sql = |job: &Making| match job {
            Making::Statement(sql) => sql.clone(),
            Making::Copy(copy) => copy.to_string(),
        };
        let table = publication(Materialization::Table, Layout::default());
        let Making::Copy(copy) = job(&table, None, Taking::AtOnce) else { panic!("rows are copied") };
        assert_eq!(copy["writeDisposition"], "WRITE_TRUNCATE");
        assert_eq!(copy["destinationTable"]["tableId"], "t");
        // BigQuery replaces no table by one that is laid out otherwise.
        let replaced = sql(&job(&table, None, Taking::Renames));
        // The copy may be refused, and comes before anything is touched; the old one goes last.
        assert_eq!(
            replaced,
            "DROP TABLE IF EXISTS `p.d.t__pipewright_relaid`; CREATE TABLE `p.d.t__pipewright_relaid` COPY `p.d.t__build`; \
             DROP TABLE IF EXISTS `p.d.t__pipewright_replaced`; ALTER TABLE `p.d.t` RENAME TO `t__pipewright_replaced`; \
             ALTER TABLE `p.d.t__pipewright_relaid` RENAME TO `t`; DROP TABLE `p.d.t__pipewright_replaced`"
        );
        let view = publication(Materialization::View, Layout::default());
        let made = sql(&job(&view, Some(&query), Taking::AtOnce));
        assert_eq!(made, "CREATE OR REPLACE VIEW `p.d.t` AS SELECT 1 AS `a`");
        let other = sql(&job(&view, Some(&query), Taking::Drops("TABLE")));
        assert_eq!(other, "DROP TABLE IF EXISTS `p.d.t`; CREATE VIEW `p.d.t` AS SELECT 1 AS `a`");
        let cluster_by = vec!["a".to_owned()];
        let kept = Layout { materialized_view: true, cluster_by, ..Layout::default() };
        let kept = publication(Materialization::View, kept);
        assert_eq!(kept.type_name(), "MATERIALIZED_VIEW");
        let made = sql(&job(&kept, Some(&query), Taking::AtOnce));
        assert_eq!(made, "CREATE OR REPLACE MATERIALIZED VIEW `p.d.t` CLUSTER BY `a` AS SELECT 1 AS `a`");
        let made = sql(&job(&kept, Some(&query), Taking::Drops("MATERIALIZED_VIEW")));
        assert!(
            made.starts_with("DROP MATERIALIZED VIEW IF EXISTS `p.d.t`; CREATE MATERIALIZED VIEW `p.d.t` ")
        );
        assert!(view.job(&place, None, Taking::AtOnce).is_err());
    }

    #[test]
    fn what_stands_there_says_how_its_place_is_taken() {
        let standing = |table: Value| Some(Standing { table, governed: Governed::default() });
        let (table, view) = (
            publication(Materialization::Table, Layout::default()),
            publication(Materialization::View, Layout::default()),
        );
        let clustered = json!({ "type": "TABLE", "clustering": { "fields": ["a"] } });
        let plain = json!({ "type": "TABLE" });
        let query = "SELECT 1".to_owned();
        let there = standing(json!({ "type": "VIEW", "view": { "query": query } }));
        assert_eq!(table.taking(None, &plain, None), Taking::AtOnce);
        assert_eq!(table.taking(standing(plain.clone()).as_ref(), &plain, None), Taking::AtOnce);
        assert_eq!(table.taking(standing(clustered.clone()).as_ref(), &plain, None), Taking::Renames);
        assert_eq!(table.taking(standing(plain.clone()).as_ref(), &clustered, None), Taking::Renames);
        assert_eq!(table.taking(there.as_ref(), &plain, None), Taking::Drops("VIEW"));
        assert_eq!(view.taking(there.as_ref(), &Value::Null, Some(&query)), Taking::Stays);
        assert_eq!(view.taking(there.as_ref(), &Value::Null, Some(&"SELECT 2".to_owned())), Taking::AtOnce);
        assert_eq!(view.taking(standing(plain).as_ref(), &Value::Null, Some(&query)), Taking::Drops("TABLE"));
        let layout =
            Layout { materialized_view: true, cluster_by: vec!["a".to_owned()], ..Layout::default() };
        let kept = publication(Materialization::View, layout);
        let there = standing(json!({ "type": "MATERIALIZED_VIEW", "materializedView": { "query": query } }));
        // The same query, and another layout.
        let taking = kept.taking(there.as_ref(), &Value::Null, Some(&query));
        assert_eq!(taking, Taking::Drops("MATERIALIZED_VIEW"));
    }
}
