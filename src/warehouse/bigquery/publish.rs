//! What a session publishes: each thing by one job, with what governs what it takes the place of.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::aside::Aside;
use super::super::{Relation, Result, UNSETTLED, WarehouseError};
use super::Shared;
use super::api::{Stop, chance};
use super::governance::{Governance, Governed, Guard, lost};
use super::job::Jobs;
use super::layout::{self, Description};
use super::leftover::{RELAID, REPLACED, to_replace};
use super::place::Place;
use super::session::BigQuerySession;
use super::{locked, now_ms, results};
use crate::diag::{Code, Diagnostic};
use crate::googlesql::names::Ident;
use crate::manifest::types::Materialization;
use crate::project::{Layout, Properties};

/// Something that readers will see.
pub(super) struct Publication {
    pub(super) from: Relation,
    pub(super) to: Relation,
    pub(super) kind: Materialization,
    pub(super) description: Description,
}

/// What stands at the place of a publication, or stood there until another that ended on the way took it away.
pub(super) struct Standing {
    /// Nothing where nothing stands there now.
    table: Option<Value>,
    pub(super) governed: Governed,
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
    /// How it takes the place of what stands there.
    fn taking<'a>(&self, there: Option<&'a Value>, built: &Value, query: Option<&String>) -> Taking<'a> {
        let Some(table) = there else { return Taking::AtOnce };
        let kind = table["type"].as_str().unwrap_or_default();
        if kind != self.type_name() {
            return Taking::Drops(kind);
        }
        match self.kind {
            Materialization::Table if layout::alike(table, built) => Taking::AtOnce,
            Materialization::Table => Taking::Renames,
            // The build of a materialized view is a plain one, of no layout.
            Materialization::View if self.description.layout.materialized_view => {
                let wanted = json!(layout::settings(&self.description.layout));
                if layout::alike(table, &wanted) { Taking::AtOnce } else { Taking::Drops(kind) }
            }
            // Its columns are those of when it was made: they may have become others.
            Materialization::View => {
                let columns = |of: &Value| results::columns(&of["schema"]);
                let asks = query.is_some_and(|query| table["view"]["query"] == *query);
                if asks && columns(table) == columns(built) { Taking::Stays } else { Taking::AtOnce }
            }
        }
    }

    /// The job that publishes it, with the query of a view.
    fn job(&self, place: &Place, query: Option<&String>, taking: Taking<'_>) -> Result<Making> {
        let (from, to) = (place.path(&self.from), place.path(&self.to));
        let beside = |suffix: &str| self.to.sibling(format!("{}{suffix}", self.to.table));
        let (new, old) = (beside(RELAID), beside(REPLACED));
        let (new_path, old_path) = (place.path(&new), place.path(&old));
        let create = match taking {
            Taking::Drops(there) => format!("{}; CREATE", drop_of(there, &to)),
            _ => "CREATE OR REPLACE".to_owned(),
        };
        let sql = match (self.kind, query) {
            (Materialization::View, Some(query)) if self.description.layout.materialized_view => {
                let clauses = layout::clauses(&self.description.layout, &Properties::default());
                let tried = match taking {
                    // Much that a view may ask a materialized one may not, and only making one tells.
                    Taking::Drops(_) => {
                        let create =
                            format!("CREATE OR REPLACE MATERIALIZED VIEW {new_path}{clauses} AS {query}");
                        format!("{create}; DROP MATERIALIZED VIEW {new_path}; ")
                    }
                    _ => String::new(),
                };
                format!("{tried}{create} MATERIALIZED VIEW {to}{clauses} AS {query}")
            }
            // Whose it is, is said with it: nothing else tells what a run made that ended before it could say so.
            (Materialization::View, Some(query)) => {
                format!("{create} VIEW {to}{} AS {query}", layout::said(&self.description.comment))
            }
            (Materialization::View, None) => {
                let message = format!("nothing is known of the view {}", self.from);
                return Err(Diagnostic::error(Code::Internal, message).into());
            }
            // What may be refused comes first, and the old one goes last: a script that ends on the way has lost nothing,
            // see [`super::leftover`].
            (Materialization::Table, _) if taking == Taking::Renames => {
                let named = |relation: &Relation| Ident(&relation.table).to_string();
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
    let error = error.into();
    // Of a job that nobody can be asked about it is not known either, nor of one that was not waited for.
    if !error.transient && !matches!(error.diagnostic.code, Code::TargetUnavailable | Code::Interrupted) {
        return error;
    }
    error.diagnostic.help(UNSETTLED).into()
}

impl BigQuerySession {
    /// What stands at the place of a publication; nothing where there is nothing.
    pub(super) fn look_at(&self, publication: &Publication) -> Result<Option<Standing>> {
        let Some(table) = self.shared.table(&self.stop, &publication.to)? else {
            let earlier = locked(&self.shared.halfway).taken_away.get(&publication.to).cloned();
            return Ok(earlier.map(|governed| Standing { table: None, governed }));
        };
        let before = Guard { shared: &self.shared, stop: &self.stop }.read(&publication.to, &table)?;
        let foreign = before.foreign(&publication.description);
        Ok(Some(Standing { table: Some(table), governed: Governed { before, foreign } }))
    }

    /// Publishes one thing. Says what of its governance was lost.
    pub(super) fn publish_one(&mut self, publication: &Publication) -> Result<Vec<String>> {
        let shared = Arc::clone(&self.shared);
        let standing = self.look_at(publication)?;
        // Once something is published all is done that belongs to it.
        let stop = Stop::default();
        let guard = Guard { shared: &shared, stop: &stop };
        let Publication { from, to, description, .. } = publication;
        let governed = standing.as_ref().map(|standing| &standing.governed);
        let foreign = governed.map(|governed| governed.foreign.clone()).unwrap_or_default();
        let finished = self.unit.finished.get(from).cloned().unwrap_or_default();
        let said = description.patch(&finished, &foreign, now_ms());
        if let Some(governed) = governed {
            guard.carry_over((from, to), publication.kind, &governed.before)?;
        }
        // The build first: what is refused is refused before anybody sees it, and whoever may not ask for the job knows by
        // the description what was published.
        let of_build = Description {
            // The build of a materialized view is a plain one, without partitions to say anything of.
            layout: match publication.kind {
                Materialization::Table => description.layout.clone(),
                Materialization::View => Layout::default(),
            },
            // Nothing was said of it before.
            before: Properties::default(),
            ..description.clone()
        };
        let said_of_build = of_build.patch(&finished, &foreign, now_ms());
        shared.patch(&stop, from, &said_of_build)?;
        self.take_place(&shared, publication, standing.as_ref(), &finished)?;
        locked(&shared.halfway).taken_away.remove(to);
        let table = shared.patch(&stop, to, &said).map_err(unsettled)?;
        self.unit.observe(to, &table);
        Ok(match governed {
            Some(Governed { before, foreign }) => {
                lost(before, foreign, &guard.settle(to, &table, before).map_err(unsettled)?)
            }
            None => Vec::new(),
        })
    }

    /// Lets a publication take its place, by a job that is written down before. One that is known to have failed has changed
    /// nothing, and is asked for again under another name.
    fn take_place(
        &mut self,
        shared: &Shared,
        publication: &Publication,
        standing: Option<&Standing>,
        finished: &Value,
    ) -> Result<()> {
        let Publication { from, to, kind, .. } = publication;
        let query = self.unit.aside.get(from).and_then(Option::as_ref);
        let there = standing.and_then(|standing| standing.table.as_ref());
        let mut taking = publication.taking(there, finished, query);
        if taking == Taking::Stays {
            return Ok(());
        }
        let governed = standing.map(|standing| &standing.governed);
        let (to_the_end, own) = (Stop::default(), Arc::clone(&self.stop));
        let (api, mut tries) = (&shared.jobs.api, 1);
        loop {
            // What is done as a whole or not at all can be stopped: the next run finds out which.
            let stop = if taking.is_of_several_steps() { &to_the_end } else { own.as_ref() };
            let job = Jobs::name();
            shared.hold()?;
            self.announce(publication, governed, &job)?;
            if let (Taking::Drops(there), Materialization::Table) = (taking, kind) {
                // A copy is no statement that could stand behind another.
                shared.jobs.execute(stop, &self.labels, &drop_of(there, &self.path(to)))?;
            }
            let configuration = match publication.job(&shared.place, query, taking)? {
                Making::Copy(copy) => shared.jobs.configuration("copy", &copy, &self.labels),
                Making::Statement(sql) => shared.jobs.statement(&sql, &[], &self.labels),
            };
            let Err(error) = shared.jobs.run_as(stop, &job, &Jobs::without_end(configuration)) else {
                return Ok(());
            };
            let has_row_policies = governed.is_some_and(|governed| governed.before.has_row_policies());
            if error.is_of_job()
                && taking == Taking::AtOnce
                && there.is_some()
                && has_row_policies
                && error.is_of_query()
            {
                // Policies of one name may stand in each other's way in a copy over a table, and do not in a new one.
                taking = Taking::Renames;
            } else if error.is_transient_of_job()
                && !taking.is_of_several_steps()
                && tries < api.backoff().tries_after(&error)
            {
                api.pause(stop, api.backoff().wait(tries, chance()))?;
                tries += 1;
            } else {
                // It may be reading what it publishes: whoever plans next finds out, and clears away.
                if !error.is_of_job() {
                    self.unit.aside.remove(from);
                }
                return Err(if error.is_of_job() && !taking.is_of_several_steps() {
                    error.into()
                } else {
                    unsettled(error)
                });
            }
        }
    }

    /// As [`shield`].
    pub(super) fn shield(&self, build: &Relation, wanted: Option<&Properties>) -> Result<()> {
        shield(&self.shared, &self.stop, build, wanted)
    }

    /// Whether a published table keeps some readers from some of its rows or columns.
    pub(super) fn is_governed(&self, relation: &Relation) -> Result<bool> {
        let Some(table) = self.shared.table(&self.stop, relation)? else { return Ok(false) };
        let guard = Guard { shared: &self.shared, stop: &self.stop };
        Ok(guard.read(relation, &table)?.keeps_readers_out())
    }
}

/// Puts on a build what keeps readers from rows and columns of the table whose place it is to take, and what the
/// manifest says of who may read its columns: it stands in the same dataset while it is audited.
pub(super) fn shield(
    shared: &Shared,
    stop: &Stop,
    build: &Relation,
    wanted: Option<&Properties>,
) -> Result<()> {
    let Some(published) = to_replace(build) else { return Ok(()) };
    let said = shared.said(&published);
    let description = Description {
        properties: wanted.cloned().unwrap_or_else(|| said.clone()),
        before: said,
        ..Description::default()
    };
    let guard = Guard { shared, stop };
    let before = match shared.table(stop, &published)? {
        Some(table) => guard.restrictions(&published, &table)?,
        None => Governance::default(),
    };
    guard.carry_over((build, &published), Materialization::Table, &before)?;
    let foreign = before.foreign(&description);
    if description.has_policy_tags(&foreign) {
        let made = shared.table(stop, build)?.unwrap_or_default();
        let fields = description.fields(&made, &foreign);
        shared.patch(stop, build, &json!({ "schema": { "fields": fields } }))?;
    }
    Ok(())
}

/// The refusal of rejected rows of a table that keeps readers out: all could read them beside it.
pub(super) fn rejects_would_show(table: &Relation) -> WarehouseError {
    let message = format!(
        "rows were rejected, and {} would show them to readers whom {table} keeps out",
        Aside::Rejects.of(table)
    );
    let fault = Diagnostic::error(Code::GovernanceLost, message);
    fault.help("nothing was published; mend the files, or set `max_rejects: 0`").into()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(made, "CREATE OR REPLACE VIEW `p.d.t` OPTIONS(description = '') AS SELECT 1 AS `a`");
        let other = sql(&job(&view, Some(&query), Taking::Drops("TABLE")));
        assert_eq!(
            other,
            "DROP TABLE IF EXISTS `p.d.t`; CREATE VIEW `p.d.t` OPTIONS(description = '') AS SELECT 1 AS `a`"
        );
        let cluster_by = vec!["a".to_owned()];
        let kept = Layout { materialized_view: true, cluster_by, ..Layout::default() };
        let kept = publication(Materialization::View, kept);
        assert_eq!(kept.type_name(), "MATERIALIZED_VIEW");
        let made = sql(&job(&kept, Some(&query), Taking::AtOnce));
        assert_eq!(made, "CREATE OR REPLACE MATERIALIZED VIEW `p.d.t` CLUSTER BY `a` AS SELECT 1 AS `a`");
        // What a materialized view may not ask is found out beside.
        let made = sql(&job(&kept, Some(&query), Taking::Drops("MATERIALIZED_VIEW")));
        let new = "MATERIALIZED VIEW `p.d.t__pipewright_relaid` CLUSTER BY `a` AS SELECT 1 AS `a`";
        let beside = "DROP MATERIALIZED VIEW `p.d.t__pipewright_relaid`";
        let own = "CREATE MATERIALIZED VIEW `p.d.t` CLUSTER BY `a` AS SELECT 1 AS `a`";
        let there = "DROP MATERIALIZED VIEW IF EXISTS `p.d.t`";
        assert_eq!(made, format!("CREATE OR REPLACE {new}; {beside}; {there}; {own}"));
        assert!(view.job(&place, None, Taking::AtOnce).is_err());
    }

    #[test]
    fn what_stands_there_says_how_its_place_is_taken() {
        let (table, view) = (
            publication(Materialization::Table, Layout::default()),
            publication(Materialization::View, Layout::default()),
        );
        let clustered = json!({ "type": "TABLE", "clustering": { "fields": ["a"] } });
        let plain = json!({ "type": "TABLE" });
        let (query, other) = ("SELECT 1".to_owned(), "SELECT 2".to_owned());
        let schema = |columns: &[&str]| {
            let each = columns.iter().map(|name| json!({ "name": name, "type": "STRING" }));
            json!({ "fields": each.collect::<Vec<_>>() })
        };
        let of_view = json!({ "type": "VIEW", "view": { "query": query }, "schema": schema(&["a"]) });
        let built = json!({ "type": "VIEW", "schema": schema(&["a"]) });
        assert_eq!(table.taking(None, &plain, None), Taking::AtOnce);
        assert_eq!(table.taking(Some(&plain), &plain, None), Taking::AtOnce);
        assert_eq!(table.taking(Some(&clustered), &plain, None), Taking::Renames);
        assert_eq!(table.taking(Some(&plain), &clustered, None), Taking::Renames);
        assert_eq!(table.taking(Some(&of_view), &plain, None), Taking::Drops("VIEW"));
        assert_eq!(view.taking(Some(&of_view), &built, Some(&query)), Taking::Stays);
        assert_eq!(view.taking(Some(&of_view), &built, Some(&other)), Taking::AtOnce);
        // What it reads has other columns by now.
        let more = json!({ "type": "VIEW", "schema": schema(&["a", "b"]) });
        assert_eq!(view.taking(Some(&of_view), &more, Some(&query)), Taking::AtOnce);
        assert_eq!(view.taking(Some(&plain), &built, Some(&query)), Taking::Drops("TABLE"));
        let kept = |columns: &[&str]| {
            let cluster_by = columns.iter().map(|name| (*name).to_owned()).collect();
            publication(
                Materialization::View,
                Layout { materialized_view: true, cluster_by, ..Layout::default() },
            )
        };
        let there = json!({ "type": "MATERIALIZED_VIEW", "materializedView": { "query": query } });
        // Whether the tables that it keeps the result of are still the same, nobody tells.
        assert_eq!(kept(&[]).taking(Some(&there), &built, Some(&query)), Taking::AtOnce);
        assert_eq!(
            kept(&["a"]).taking(Some(&there), &built, Some(&query)),
            Taking::Drops("MATERIALIZED_VIEW")
        );
    }
}
