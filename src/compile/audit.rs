//! The audit of each node: its expectations bound to its columns and written as queries in the target's own SQL.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{CompiledNode, CompiledProject, Dialect, Naming, Whole, binding};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::expectations::{
    Audit, AuditQuery, Audited, Check, CheckSql, Counting, Counts, Groups, Hidden, check, groups, pass,
};
use crate::googlesql::names::Ident;
use crate::googlesql::{Column, SqlFault, Type, duckdb, parse};
use crate::manifest::types::Materialization;
use crate::project::{Address, Detail, Expectation, Form, Known, Node, Project};

/// What must hold of one node's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompiledAudit {
    /// The places of its expectations in [`Project::expectations`].
    pub expectations: Vec<usize>,
    /// Their queries about the table under the name that it is built under.
    pub of_build: Audit,
}

impl CompiledProject {
    /// The audit of a node's table as it is published.
    ///
    /// # Errors
    /// SQL that compiling should have refused: a fault of Pipewright.
    pub fn audit_of_published(&self, address: &Address) -> Result<Audit, Diagnostics> {
        let expectations = self.audits.get(address).map(|audit| audit.expectations.as_slice());
        self.audit_of_some(address, expectations.unwrap_or_default())
    }

    /// The same of some of its expectations, by their places in the project.
    ///
    /// # Errors
    /// As [`Self::audit_of_published`].
    pub fn audit_of_some(&self, address: &Address, expectations: &[usize]) -> Result<Audit, Diagnostics> {
        self.audit_as(address, &address.name, expectations)
    }

    /// The query of an expectation alone about the published table, in the target's own SQL: one row of rows looked at,
    /// rows failing and what was observed. In an audit it shares a scan with others where it can. Nothing for what is
    /// known without a query.
    pub fn sql_of(&self, expectation: &Expectation) -> Option<String> {
        let (node, compiled) = (self.node(&expectation.on)?, self.nodes.get(&expectation.on.name)?);
        let whole = self.whole();
        self.auditor(node, compiled, &whole).alone(expectation)
    }

    /// What an expectation does not tell, as values of personal columns are hidden.
    pub fn hidden(&self, expectation: &Expectation) -> Hidden {
        let (node, compiled) = (self.node(&expectation.on), self.nodes.get(&expectation.on.name));
        match node.zip(compiled) {
            Some((_, compiled)) => hidden(&self.project, &compiled.columns, &self.nodes, expectation),
            None => Hidden { columns: self.project.masked.clone(), ..Hidden::default() },
        }
    }

    /// What tables are read by as a whole that must be asked by partitions, as the manifest says.
    pub(crate) fn whole(&self) -> Whole {
        self.whole_of(must_name_partitions)
    }

    /// The same of others.
    pub(crate) fn whole_of(&self, must: impl Fn(&Node) -> bool) -> Whole {
        Whole::new(&self.project, &self.nodes, &self.naming, must)
    }

    fn auditor<'a>(&'a self, node: &'a Node, compiled: &'a CompiledNode, whole: &'a Whole) -> Auditor<'a> {
        let (project, naming, nodes) = (&self.project, &self.naming, &self.nodes);
        Auditor { project, naming, node, columns: &compiled.columns, nodes, whole }
    }

    /// The same of its rows in another table of its dataset.
    pub(super) fn audit_as(
        &self,
        address: &Address,
        table: &str,
        expectations: &[usize],
    ) -> Result<Audit, Diagnostics> {
        let (Some(node), Some(compiled)) = (self.node(address), self.nodes.get(&address.name)) else {
            return Ok(Audit::default());
        };
        let whole = self.whole();
        let auditor = self.auditor(node, compiled, &whole);
        auditor
            .audit(table, expectations)
            .map_err(|faults| faults.into_iter().map(|(_, fault)| fault).collect())
    }
}

/// The audits of all nodes whose columns are known; expectations that do not fit are faults.
pub(super) fn compile_audits(
    project: &Project,
    nodes: &IndexMap<String, CompiledNode>,
    naming: &Naming,
    faults: &mut Diagnostics,
) -> BTreeMap<Address, CompiledAudit> {
    let mut by_table: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, expectation) in project.expectations.iter().enumerate() {
        by_table.entry(&expectation.on.name).or_default().push(index);
    }
    let whole = Whole::new(project, nodes, naming, must_name_partitions);
    // A table whose own query is faulty has no columns to hold expectations against: it is not among the nodes.
    let compiled: Vec<(Address, CompiledAudit, Vec<Fault>)> = nodes
        .values()
        .collect::<Vec<_>>()
        .into_par_iter()
        .filter_map(|compiled| {
            let node = project.nodes.get(&compiled.address.name)?;
            let of_table = by_table.get(node.table()).map(Vec::as_slice).unwrap_or_default();
            let auditor = Auditor { project, naming, node, columns: &compiled.columns, nodes, whole: &whole };
            let (audit, faults) = auditor.compile(of_table);
            Some((node.address.clone(), audit, faults))
        })
        .collect();
    let mut audits = BTreeMap::new();
    let mut found = Vec::new();
    for (address, audit, of_node) in compiled {
        audits.insert(address, audit);
        found.extend(of_node);
    }
    found.sort_by_key(|(index, _)| *index);
    faults.extend(found.into_iter().map(|(_, fault)| fault));
    audits
}

/// Whether the manifest says that a table must be asked by partitions.
fn must_name_partitions(node: &Node) -> bool {
    node.properties.require_partition_filter
}

/// A fault and the place of the expectation that it is about.
type Fault = (usize, Diagnostic);

/// What is computed for each row beforehand: names and expressions.
type Computed = Vec<(String, String)>;

/// What checks of one table share a scan for.
#[derive(Default)]
struct Shared {
    /// Checks that aggregate over the rows, and what each computes beforehand.
    pass: Vec<(Member, Counts, Computed)>,
    /// Checks that look at groups of rows.
    groups: Vec<(Member, Groups)>,
}

/// A check that shares a query.
#[derive(Clone, Copy)]
struct Member {
    /// The place of its expectation in the project.
    index: usize,
    /// Its place in the audit.
    place: usize,
}

/// Writes the audits of one node.
struct Auditor<'a> {
    project: &'a Project,
    naming: &'a Naming,
    node: &'a Node,
    columns: &'a [Column],
    /// All nodes whose columns are known.
    nodes: &'a IndexMap<String, CompiledNode>,
    whole: &'a Whole,
}

impl Auditor<'_> {
    fn compile(&self, of_table: &[usize]) -> (CompiledAudit, Vec<Fault>) {
        let mut faults: Vec<Fault> = Vec::new();
        let mut expectations = Vec::with_capacity(of_table.len());
        for index in of_table {
            let expectation = &self.project.expectations[*index];
            let mut unfit = binding::faults(expectation, self.columns, self.nodes);
            if let Form::Known(Known::Volume { .. }) = expectation.form
                && self.node.materialization() == Materialization::View
            {
                unfit.push(binding::no_volume(expectation));
            }
            if unfit.is_empty() {
                expectations.push(*index);
            }
            faults.extend(unfit.into_iter().map(|fault| (*index, fault)));
        }
        let of_build = self.audit(&self.node.build_name(), &expectations).unwrap_or_else(|found| {
            faults.extend(found);
            Audit::default()
        });
        (CompiledAudit { expectations, of_build }, faults)
    }

    /// The queries of expectations about the node's table under some name.
    fn audit(&self, table: &str, expectations: &[usize]) -> Result<Audit, Vec<Fault>> {
        let table = self.naming.relation(&self.node.dataset, table);
        let relation = |address: &Address| self.naming.relation_of(self.project, address);
        let numbered =
            self.naming.dialect != Dialect::BigQuery && matches!(self.node.detail, Detail::Load(_));
        let audited = Audited { table: &table, columns: self.columns, relation: &relation, numbered };
        let mut audit = Audit { personal: self.project.masked.clone(), ..Audit::default() };
        let mut faults = Vec::new();
        let mut shared = Shared::default();
        for index in expectations {
            let expectation = &self.project.expectations[*index];
            let place = audit.checks.len();
            let member = Member { index: *index, place };
            match check(expectation, place, &audited) {
                Ok(CheckSql { counting, sample, numbered, rule }) => {
                    match counting {
                        Counting::Pass { computed, counts } => {
                            shared.pass.push((member, counts, computed));
                        }
                        Counting::Groups(groups) => shared.groups.push((member, groups)),
                        Counting::Own(sql) => match self.native(sql) {
                            Ok(sql) => {
                                audit.queries.push(AuditQuery { sql, checks: vec![place], sized: false });
                            }
                            Err(fault) => faults.push((*index, untranslated(expectation, fault))),
                        },
                        Counting::Known => {}
                    }
                    let (address, severity) = (expectation.address(), expectation.severity);
                    let hidden = hidden(self.project, self.columns, self.nodes, expectation);
                    let sample = sample.map(|sql| self.whole.within(sql));
                    audit.checks.push(Check { address, severity, rule, sample, numbered, hidden });
                }
                Err(why) => faults.push((*index, binding::bad_value(expectation, &why))),
            }
        }
        if !shared.groups.is_empty() {
            let members: Vec<&Groups> = shared.groups.iter().map(|(_, groups)| groups).collect();
            let places: Vec<Member> = shared.groups.iter().map(|(member, _)| *member).collect();
            self.shared_query(groups(&table, &members), &places, false, &mut audit, &mut faults, &|at| {
                groups(&table, &[members[at]])
            });
        }
        // BigQuery tells the size of a table for nothing, and bills a scan of all columns to whoever counts it.
        let sized =
            self.node.materialization() == Materialization::Table && self.naming.dialect != Dialect::BigQuery;
        if sized || !shared.pass.is_empty() {
            let members: Vec<&Counts> = shared.pass.iter().map(|(_, counts, _)| counts).collect();
            let places: Vec<Member> = shared.pass.iter().map(|(member, ..)| *member).collect();
            let computed: Computed =
                shared.pass.iter().flat_map(|(_, _, computed)| computed.iter().cloned()).collect();
            let size = sized.then(|| format!("COUNT(*) AS n, {} AS b", logical_bytes(self.columns)));
            let sql = pass(&table, &computed, size.as_deref(), &members);
            self.shared_query(sql, &places, sized, &mut audit, &mut faults, &|at| {
                pass(&table, &shared.pass[at].2, None, &[members[at]])
            });
        }
        if faults.is_empty() { Ok(audit) } else { Err(faults) }
    }

    /// The query of an expectation alone; none where it has none, and where it cannot be written, which is a fault when
    /// the project is compiled.
    fn alone(&self, expectation: &Expectation) -> Option<String> {
        let table = self.naming.relation(&self.node.dataset, &self.node.address.name);
        let relation = |address: &Address| self.naming.relation_of(self.project, address);
        let audited = Audited { table: &table, columns: self.columns, relation: &relation, numbered: false };
        let sql = match check(expectation, 0, &audited).ok()?.counting {
            Counting::Pass { computed, counts } => pass(&table, &computed, None, &[&counts]),
            Counting::Groups(of_groups) => groups(&table, &[&of_groups]),
            Counting::Own(sql) => sql,
            Counting::Known => return None,
        };
        self.native(sql).ok()
    }

    /// Adds a query that several checks share, in front of the others; where it has no translation, those of its
    /// checks are told that have none alone.
    fn shared_query(
        &self,
        sql: String,
        members: &[Member],
        sized: bool,
        audit: &mut Audit,
        faults: &mut Vec<Fault>,
        alone: &dyn Fn(usize) -> String,
    ) {
        let fault = match self.native(sql) {
            Ok(sql) => {
                let checks = members.iter().map(|member| member.place).collect();
                audit.queries.insert(0, AuditQuery { sql, checks, sized });
                return;
            }
            Err(fault) => fault,
        };
        let before = faults.len();
        for (at, Member { index, .. }) in members.iter().enumerate() {
            if let Err(fault) = self.native(alone(at)) {
                faults.push((*index, untranslated(&self.project.expectations[*index], fault)));
            }
        }
        if faults.len() == before {
            let fault = Diagnostic::error(Code::Internal, fault.message).about(self.node.address.to_string());
            faults.push((usize::MAX, fault));
        }
    }

    fn native(&self, sql: String) -> Result<String, SqlFault> {
        if self.naming.dialect == Dialect::BigQuery {
            return Ok(self.whole.within(sql));
        }
        let query = parse::query(&sql)?;
        duckdb::translate_query(&query, &duckdb::DatasetNames).map_err(|mut faults| {
            faults.pop().unwrap_or_else(|| {
                let nowhere = sqlparser::tokenizer::Span::empty();
                SqlFault::new(Code::SqlNotTranslated, nowhere, format!("no translation for {sql}"))
            })
        })
    }
}

/// What an expectation about a table of some columns does not tell.
fn hidden(
    project: &Project,
    columns: &[Column],
    nodes: &IndexMap<String, CompiledNode>,
    expectation: &Expectation,
) -> Hidden {
    let read = expectation.reads().into_iter().filter_map(|address| nodes.get(&address.name));
    let tables: Vec<&[Column]> =
        [columns].into_iter().chain(read.map(|node| node.columns.as_slice())).collect();
    Hidden::of(expectation, &project.masked, &tables)
}

fn untranslated(expectation: &Expectation, fault: SqlFault) -> Diagnostic {
    Diagnostic::error(fault.code, fault.message)
        .at(expectation.span.clone(), "this expectation")
        .about(expectation.address())
        .maybe_help(fault.help)
}

/// The bytes of a table as BigQuery counts them, as an aggregate.
///
/// Source: <https://cloud.google.com/bigquery/pricing#data_size_calculation>. NULL counts nothing; types whose
/// size depends on what is in them beside text and bytes count nothing here.
fn logical_bytes(columns: &[Column]) -> String {
    let terms: Vec<String> = columns
        .iter()
        .filter_map(|column| {
            let name = Ident(&column.name);
            Some(match column.data_type {
                Type::Bool => format!("COUNT({name})"),
                Type::Int64 | Type::Float64 | Type::Date | Type::Datetime | Type::Time | Type::Timestamp => {
                    format!("8 * COUNT({name})")
                }
                Type::Numeric | Type::Interval => format!("16 * COUNT({name})"),
                Type::BigNumeric => format!("32 * COUNT({name})"),
                Type::String | Type::Bytes => format!("COALESCE(SUM(2 + BYTE_LENGTH({name})), 0)"),
                _ => return None,
            })
        })
        .collect();
    if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") }
}
