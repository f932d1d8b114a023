//! The new rows of an incremental model: their query, and the statements that bring them into its table.
//!
//! The statements are GoogleSQL, so that both targets and unit tests run the same.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::catalog::With;
use super::model::{self, CompiledQuery};
use super::template::{Rendered, Renderer};
use super::{Catalog, CompiledNode, CompiledProject, Dialect, Naming, partition, sql_diagnostic};
use crate::diag::{Code, Diagnostic, Diagnostics, MappedText, did_you_mean, quoted};
use crate::expectations::Audit;
use crate::googlesql::names::Ident;
use crate::googlesql::{Column, Resolved, Type, duckdb, parse};
use crate::manifest::types::Strategy;
use crate::manifest::types::expectation::Scope;
use crate::project::{Address, Detail, Increment, Layout, Model, Node, Partition};

/// The templates of a model, rendered.
#[derive(Debug)]
pub(super) struct RenderedModel {
    /// For the whole table.
    pub(super) whole: Rendered,
    /// For the new rows alone, of an incremental one.
    pub(super) increment: Option<Rendered>,
}

impl RenderedModel {
    /// The nodes that they name.
    pub(super) fn reads(&self) -> BTreeSet<Address> {
        let increment = self.increment.iter().flat_map(|rendered| &rendered.reads);
        self.whole.reads.iter().chain(increment).cloned().collect()
    }
}

/// Renders what a model needs.
///
/// # Errors
/// What is wrong with its template.
pub(super) fn render(
    renderer: &Renderer<'_>,
    model: &Model,
    this: &str,
) -> Result<RenderedModel, Diagnostic> {
    let template = MappedText::file(&model.sql);
    let whole = renderer.render_model(&template, None)?;
    let increment = match model.incremental {
        Some(_) => Some(renderer.render_model(&template, Some(this))?),
        None => None,
    };
    Ok(RenderedModel { whole, increment })
}

/// How new rows come into a table, as SQL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompiledIncrement {
    /// The query of the new rows.
    pub query: CompiledQuery,
    /// What brings them from the table that they are built in into the published one.
    pub statements: Vec<CompiledStatement>,
    /// Counts built rows without a key and keys that several have; nothing where there is no key.
    pub proof: Option<CompiledStatement>,
    /// Whether bringing them in reads all rows of a table that reading is billed for.
    pub reads_whole_table: bool,
}

/// A statement for a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompiledStatement {
    /// In GoogleSQL.
    pub google: String,
    /// In the target's own SQL.
    pub native: String,
}

/// Compiles the increment of a model whose whole query is known to be good.
///
/// # Errors
/// What is wrong with the query of the new rows, or with the columns that tell them apart.
pub(super) fn compile_increment(
    node: &Node,
    settings: &Increment,
    rendered: &Rendered,
    whole: &CompiledNode,
    catalog: &Catalog<'_>,
    naming: &Naming,
) -> Result<CompiledIncrement, Vec<Diagnostic>> {
    let subject = node.address.to_string();
    let columns = &whole.columns;
    let with = With { catalog, name: node.relation(), columns };
    let (analysis, query) = model::bind(rendered, &with, naming).map_err(|faults| {
        faults.into_iter().map(|fault| sql_diagnostic(fault, &rendered.sql, &subject)).collect::<Vec<_>>()
    })?;
    let mut faults = model::undeclared_tables(rendered, &analysis, catalog, &subject);
    let place = || rendered.sql.span(0..rendered.sql.text.trim_end().len().max(1));
    let given: Vec<Column> = analysis.columns.into_iter().map(|output| output.column).collect();
    if given != *columns {
        let message = "the query of new rows gives other columns than that of the whole table";
        faults.push(
            Diagnostic::error(Code::SqlColumnNames, message)
                .maybe_at(place(), "with `is_incremental()`")
                .about(&subject)
                .help(format!("it gives {}, the other {}", described(&given), described(columns))),
        );
    }
    let same = whole.query.as_ref().is_some_and(|whole| whole.hash == query.hash);
    if settings.strategy == Strategy::Append && same {
        faults.push(
            Diagnostic::error(Code::SqlInvalid, "each run would add all rows again")
                .maybe_at(place(), "this query does not ask `is_incremental()`")
                .about(&subject)
                .help(
                    "leave out what is there: `{% if is_incremental() %} WHERE … > (SELECT MAX(…) FROM {{ this }}) \
                     {% endif %}`; or give a `unique_key` to merge by",
                ),
        );
    }
    for (name, span) in &settings.key {
        let names = || columns.iter().map(|column| column.name.as_str());
        match columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)) {
            None => faults.push(
                Diagnostic::error(Code::UnknownDeclaredColumn, format!("the query gives no column `{name}`"))
                    .at(span.clone(), "not a column of the model")
                    .about(&subject)
                    .help(
                        did_you_mean(name, names())
                            .unwrap_or_else(|| format!("it gives {}", quoted(names()))),
                    ),
            ),
            Some(column) if !is_key(&column.data_type) => faults.push(
                Diagnostic::error(Code::SqlTypeMismatch, format!("`{name}` is {}", column.data_type))
                    .at(span.clone(), "cannot tell rows apart")
                    .about(&subject)
                    .help("take columns whose values can be compared exactly"),
            ),
            Some(_) => {}
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let build = naming.relation(&node.dataset, &node.build_name());
    let table = naming.relation(&node.dataset, &naming.merged(node));
    let key: Vec<Ident<'_>> = settings.key.iter().map(|(name, _)| Ident(name)).collect();
    let native =
        |google: String| compile_statement(google, naming).map_err(|fault| vec![fault.about(&subject)]);
    let of_key = partition_in_key(settings, &whole.layout);
    let within = of_key.filter(|_| naming.dialect == Dialect::BigQuery);
    let statements = match settings.strategy {
        Strategy::Append => vec![insert(&table, &build, columns)],
        Strategy::Merge => vec![merge(&table, &build, &key, columns, within)],
        Strategy::InsertOverwrite => {
            vec![delete(&table, &build, &key, of_key, within.is_some()), insert(&table, &build, columns)]
        }
    };
    let proof = (!key.is_empty()).then(|| proof(settings.strategy, &build, &key));
    Ok(CompiledIncrement {
        query,
        statements: statements.into_iter().map(native).collect::<Result<_, _>>()?,
        proof: proof.map(native).transpose()?,
        reads_whole_table: naming.dialect == Dialect::BigQuery
            && settings.strategy != Strategy::Append
            && within.is_none(),
    })
}

/// What can be compared exactly, and put into groups.
fn is_key(data_type: &Type) -> bool {
    !matches!(
        data_type,
        Type::Float64 | Type::Json | Type::Geography | Type::Array(_) | Type::Struct(_) | Type::Interval
    )
}

fn described(columns: &[Column]) -> String {
    let each = columns.iter().map(|column| format!("`{}` {}", column.name, column.data_type));
    each.collect::<Vec<_>>().join(", ")
}

/// The column that parts the table, where rows of the same key are in the same partition: rows that new ones take the
/// place of are then in the partitions of the new ones, and BigQuery need not read any other.
fn partition_in_key<'l>(settings: &Increment, layout: &'l Layout) -> Option<&'l Partition> {
    let partition = layout.partition.as_ref()?;
    let is_key = settings.key.iter().any(|(name, _)| name.eq_ignore_ascii_case(&partition.column));
    is_key.then_some(partition)
}

/// A script that knows the first and the last value of a column that is of interest: a bound that is known before a
/// statement runs is what BigQuery leaves out partitions by
/// (<https://cloud.google.com/bigquery/docs/querying-partitioned-tables#better_performance_with_pseudo-columns>).
fn bounded(build: &str, data_type: &Type, (first, last): (&str, &str), statement: &str) -> String {
    format!(
        "DECLARE pipewright_first {data_type} DEFAULT (SELECT {first} FROM {build}); \
         DECLARE pipewright_last {data_type} DEFAULT (SELECT {last} FROM {build}); {statement}"
    )
}

/// The condition that a column lies within what such a script knows.
fn within_bounds(column: &str) -> String {
    format!("{column} BETWEEN pipewright_first AND pipewright_last")
}

fn names(columns: &[Column], prefix: &str) -> String {
    let each = columns.iter().map(|column| format!("{prefix}{}", Ident(&column.name)));
    each.collect::<Vec<_>>().join(", ")
}

/// What adds the new rows.
fn insert(table: &str, build: &str, columns: &[Column]) -> String {
    let names = names(columns, "");
    format!("INSERT INTO {table} ({names}) SELECT {names} FROM {build}")
}

/// What takes away the rows of those partitions that new rows are in: of those that the table is made of, where their
/// column is the one that tells, and of equal values otherwise.
fn delete(
    table: &str,
    build: &str,
    key: &[Ident<'_>],
    parted: Option<&Partition>,
    is_bounded: bool,
) -> String {
    let by = match parted {
        Some(parted) => partition::common(parted),
        None => key.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let same = format!("{by} IN (SELECT {by} FROM {build})");
    match parted.filter(|_| is_bounded) {
        Some(parted) => {
            let (first, last) = partition::bounds(parted);
            let within = within_bounds(&Ident(&parted.column).to_string());
            let delete = format!("DELETE FROM {table} WHERE {within} AND {same}");
            bounded(build, &parted.data_type, (&first, &last), &delete)
        }
        None => format!("DELETE FROM {table} WHERE {same}"),
    }
}

/// What lets new rows take the place of those of the same key, and adds the others.
fn merge(
    table: &str,
    build: &str,
    key: &[Ident<'_>],
    columns: &[Column],
    within: Option<&Partition>,
) -> String {
    let same = |name: &Ident<'_>| format!("present.{name} = incoming.{name}");
    let on = key.iter().map(same).collect::<Vec<_>>().join(" AND ");
    let others: Vec<String> = columns
        .iter()
        .filter(|column| !key.iter().any(|key| key.0.eq_ignore_ascii_case(&column.name)))
        .map(|column| format!("{0} = incoming.{0}", Ident(&column.name)))
        .collect();
    let update = match others.as_slice() {
        [] => String::new(),
        others => format!(" WHEN MATCHED THEN UPDATE SET {}", others.join(", ")),
    };
    let merge = |on: &str| {
        format!(
            "MERGE INTO {table} AS present USING {build} AS incoming ON {on}{update} \
             WHEN NOT MATCHED THEN INSERT ({}) VALUES ({})",
            names(columns, ""),
            names(columns, "incoming.")
        )
    };
    match within {
        Some(part) => {
            let column = Ident(&part.column);
            let bounds = (format!("MIN({column})"), format!("MAX({column})"));
            let within = within_bounds(&format!("present.{column}"));
            bounded(build, &part.data_type, (&bounds.0, &bounds.1), &merge(&format!("{within} AND {on}")))
        }
        None => merge(&on),
    }
}

/// Two counts about the rows that were built: those that lack a value of the key, and keys that several have.
fn proof(strategy: Strategy, build: &str, key: &[Ident<'_>]) -> String {
    let lacking = key.iter().map(|name| format!("{name} IS NULL")).collect::<Vec<_>>().join(" OR ");
    let by = key.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let repeated = match strategy {
        Strategy::Merge => {
            format!("(SELECT COUNT(*) FROM (SELECT 1 AS one FROM {build} GROUP BY {by} HAVING COUNT(*) > 1))")
        }
        Strategy::Append | Strategy::InsertOverwrite => "0".to_owned(),
    };
    format!("SELECT COUNTIF({lacking}) AS lacking, {repeated} AS repeated FROM {build}")
}

/// A statement that Pipewright wrote, for a target.
///
/// # Errors
/// That it has no translation: a fault of Pipewright.
fn compile_statement(google: String, naming: &Naming) -> Result<CompiledStatement, Diagnostic> {
    if naming.dialect == Dialect::BigQuery {
        return Ok(CompiledStatement { native: google.clone(), google });
    }
    let translated = parse::script(&google).map_err(|fault| vec![fault]).and_then(|statements| {
        let translate = |statement| {
            let (names, parameters) = (duckdb::DatasetNames, duckdb::Parameters::default());
            duckdb::translate_statement(statement, &names, &parameters, &Resolved::default())
        };
        statements.iter().map(translate).collect::<Result<Vec<_>, _>>()
    });
    match translated {
        Ok(native) => Ok(CompiledStatement { native: native.join("; "), google }),
        Err(faults) => {
            let why = faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; ");
            Err(Diagnostic::error(Code::Internal, format!("no translation for {google}: {why}")))
        }
    }
}

impl CompiledProject {
    /// The statement that gives a published table further columns: BigQuery takes few changes of a table at a time.
    ///
    /// # Errors
    /// SQL without a translation: a fault of Pipewright.
    pub fn adding(&self, node: &Node, columns: &[Column]) -> Result<String, Diagnostic> {
        let table = self.naming.relation(&node.dataset, &self.naming.merged(node));
        let add = |column: &Column| format!("ADD COLUMN {} {}", Ident(&column.name), column.data_type);
        let changes: Vec<String> = columns.iter().map(add).collect();
        let google = format!("ALTER TABLE {table} {}", changes.join(", "));
        compile_statement(google, &self.naming).map(|statement| statement.native)
    }

    /// The audits of an increment: of the new rows where they are built, and of the table with them in it.
    ///
    /// # Errors
    /// As [`Self::audit_of_published`].
    pub fn audits_of_increment(&self, address: &Address) -> Result<(Audit, Audit), Diagnostics> {
        let (new_rows, table) = self.by_scope(address);
        let node = self.node(address);
        let build_name = node.map(Node::build_name).unwrap_or_default();
        let merged = node.map(|node| self.naming.merged(node)).unwrap_or_default();
        Ok((self.audit_as(address, &build_name, &new_rows)?, self.audit_as(address, &merged, &table)?))
    }

    /// The audit of an incremental table as it is published: nobody can tell new rows from others any more.
    ///
    /// # Errors
    /// As [`Self::audit_of_published`].
    pub fn audit_of_published_increment(&self, address: &Address) -> Result<Audit, Diagnostics> {
        self.audit_of_some(address, &self.by_scope(address).1)
    }

    /// The places of a node's expectations: of those about new rows, and of those about the table.
    fn by_scope(&self, address: &Address) -> (Vec<usize>, Vec<usize>) {
        let all = self.audits.get(address).map(|audit| audit.expectations.as_slice()).unwrap_or_default();
        all.iter().partition(|index| self.project.expectations[**index].scope == Scope::NewRows)
    }

    /// How new rows come into a node's table; nothing for what is always built as a whole.
    pub fn increment<'c>(&'c self, node: &'c Node) -> Option<(&'c Increment, &'c CompiledIncrement)> {
        match &node.detail {
            Detail::Model(model) => {
                let compiled = self.nodes.get(node.table())?.increment.as_ref()?;
                Some((model.incremental.as_ref()?, compiled))
            }
            Detail::Load(_) => None,
        }
    }
}
