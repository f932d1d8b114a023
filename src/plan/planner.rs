//! From a compiled project and a snapshot to a plan.

use std::collections::{BTreeMap, BTreeSet};

use super::diff::Remedy;
use super::prints::Prints;
use super::{
    Action, BuildAction, ColumnChanges, Deferral, Deferred, Drift, Estimate, FAILED_SUFFIX, LoadAction,
    Orphan, Plan, Publish, Reading, Reason, Record, Step, datasets, diff, file, increment, wanted,
};
use crate::compile::{CompiledNode, CompiledProject, Whole};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::expectations::Audit;
use crate::fingerprint::Fingerprint;
use crate::manifest::types::{FailedBuilds, Materialization};
use crate::project::{Address, Detail, Load, Node};
use crate::state::{FileState, NodeState, Object, Snapshot, mark, marked_comment};

/// The files of each source and seed, as they are.
pub type Files = BTreeMap<Address, Vec<FileState>>;

/// What a plan is made from.
pub struct Planning<'a> {
    /// The manifest.
    pub compiled: &'a CompiledProject,
    /// The target as it is.
    pub snapshot: &'a Snapshot,
    /// The files as they are.
    pub files: &'a Files,
    /// The nodes that steps may be about; all of them without a selection.
    pub selected: Option<&'a BTreeSet<Address>>,
    /// Whether what the manifest no longer has is dropped.
    pub prune: bool,
    /// Whether incremental tables are built anew.
    pub full_refresh: bool,
    /// Where is read what is neither in the target nor built.
    pub defer: Option<&'a Deferral>,
}

/// Reasons for which a table is checked again and not built.
const CHECKED_ONLY: [Reason; 2] = [Reason::ExpectationsChanged, Reason::ReferencesChanged];

/// Makes the plan. The same input gives the same bytes.
///
/// # Errors
/// Objects in the way that Pipewright did not make.
pub fn plan(planning: &Planning<'_>) -> Result<Plan, Diagnostics> {
    let mut planner = Planner {
        planning,
        faults: Diagnostics::new(),
        effective: BTreeMap::new(),
        stepping: BTreeSet::new(),
        planned: BTreeSet::new(),
        tiles: tiles_below(planning.compiled),
        still_whole: planning.compiled.whole_of(|node| still_names_partitions(planning.snapshot, node)),
        manifest: Fingerprint::new("manifest"),
        plan: Plan {
            format: file::FORMAT,
            writer: env!("CARGO_PKG_VERSION").to_owned(),
            pipeline: planning.compiled.project.name.clone(),
            target: planning.compiled.target.clone(),
            manifest: String::new(),
            lineage: planning.snapshot.state.lineage.clone(),
            serial: planning.snapshot.state.serial,
            drift: Vec::new(),
            steps: Vec::new(),
            orphans: Vec::new(),
            unchanged: Vec::new(),
            left_out: Vec::new(),
            datasets: BTreeSet::new(),
            dataset_changes: Vec::new(),
            datasets_left_out: Vec::new(),
            deferred: BTreeSet::new(),
            retries: planning.compiled.project.retries.clone(),
            cost: None,
        },
    };
    for address in &planning.compiled.order {
        if let (Some(node), Some(compiled)) =
            (planning.compiled.node(address), planning.compiled.nodes.get(&address.name))
        {
            planner.node(node, compiled);
        }
    }
    planner.removed();
    let Planner { faults, manifest, mut plan, .. } = planner;
    let project = &planning.compiled.project;
    plan.manifest = datasets::with_settings(manifest, project).text(&plan.target).finish();
    (plan.dataset_changes, plan.datasets_left_out) = datasets::changes(planning, &plan.datasets);
    faults.into_result(plan)
}

/// Whether a table must be asked by partitions as it is, which the manifest no longer says.
fn still_names_partitions(snapshot: &Snapshot, node: &Node) -> bool {
    let object = snapshot.objects.get(&node.relation());
    let observed = object.and_then(|object| object.observed.as_ref());
    !node.properties.require_partition_filter
        && observed.is_some_and(|observed| observed.require_partition_filter)
}

/// The work of planning, node by node.
pub(super) struct Planner<'a> {
    pub(super) planning: &'a Planning<'a>,
    faults: Diagnostics,
    /// What each node's rows will be made from once the plan is applied.
    pub(super) effective: BTreeMap<Address, String>,
    /// Nodes whose rows change by a step.
    stepping: BTreeSet<Address>,
    /// Nodes that have a step.
    planned: BTreeSet<Address>,
    /// Tiles that read a node or something below it.
    tiles: BTreeMap<Address, BTreeSet<usize>>,
    /// What tables are checked by that must be asked by partitions, though the manifest no longer says so.
    still_whole: Whole,
    manifest: Fingerprint,
    plan: Plan,
}

impl<'a> Planner<'a> {
    fn node(&mut self, node: &Node, compiled: &CompiledNode) {
        let address = &node.address;
        let audit = self.planning.compiled.audits.get(address).map(|audit| &audit.of_build);
        let prints = self.prints(node, compiled, audit);
        let print = std::mem::replace(&mut self.manifest, Fingerprint::new(""));
        self.manifest =
            print.text(&address.to_string()).text(&prints.own).text(&prints.metadata).text(&prints.audit);
        let state = self.planning.snapshot.state.nodes.get(address);
        let object = self.planning.snapshot.objects.get(&node.relation());
        let (reasons, drift) = self.reasons(node, &prints, state, object);
        if let Some(what) = drift {
            self.plan.drift.push(Drift { address: address.clone(), relation: node.relation(), what });
        }
        let selected = self.planning.selected.is_none_or(|selected| selected.contains(address));
        if reasons.is_empty() || !selected {
            let remembered = match self.planning.defer.filter(|_| object.is_none()) {
                Some(deferral) => deferral.fingerprint(),
                None => state.map(|state| state.data_hash.clone()).unwrap_or_default(),
            };
            self.effective.insert(address.clone(), remembered);
            let list = if reasons.is_empty() { &mut self.plan.unchanged } else { &mut self.plan.left_out };
            list.push(address.clone());
            return;
        }
        // What stands at a place where this node was not built before may be somebody else's.
        let at_home = state.is_some_and(|state| state.relation == node.relation());
        if let Some(object) = object
            && !diff::is_ours(&self.plan.pipeline, address, state.filter(|_| at_home), object)
            // A view holds no rows: one that was replaced is put right, as any other drift.
            && !(at_home && object.materialization == Materialization::View)
        {
            self.faults.push(foreign(node));
            return;
        }
        let is_gathered = self.planning.compiled.increment(node).is_some();
        if is_gathered && reasons.contains(&Reason::Forgotten) && !self.planning.full_refresh {
            self.faults.push(forgotten(node));
            return;
        }
        let missing = self.missing_inputs(node);
        if let (Some(missing), None) = (missing.first(), self.planning.defer) {
            self.faults.push(
                Diagnostic::error(
                    Code::IncompleteSelection,
                    format!("it needs `{}`, which is neither in the target nor selected", missing.address),
                )
                .at(node.span.clone(), "selected")
                .about(address.to_string())
                .help(format!("select what it needs too: `--select +{}`", address.name)),
            );
            // What reads this node lacks nothing of its own.
            self.stepping.insert(address.clone());
            return;
        }
        let rebuilds = reasons.iter().any(|reason| {
            !CHECKED_ONLY.contains(reason) && !matches!(reason, Reason::MetadataChanged | Reason::Redescribed)
        });
        if rebuilds {
            self.stepping.insert(address.clone());
        }
        self.effective.insert(address.clone(), prints.data.clone());
        let record = Record {
            comment: marked_comment(node.description.as_deref(), &self.plan.pipeline, address, &prints.data),
            data_hash: prints.data,
            own_hash: prints.own,
            query_hash: prints.query,
            metadata_hash: prints.metadata,
            audit_hash: prints.audit,
            references_hash: prints.references,
            columns: compiled.columns.clone(),
            layout: wanted::layout(self.planning.compiled, compiled),
            properties: wanted::properties(self.planning.compiled, node),
        };
        let before = state.map(|state| state.columns.as_slice()).unwrap_or_default();
        let mut warnings = Vec::new();
        if let Some(state) = state.filter(|state| is_gathered && state.relation != node.relation()) {
            let old = &state.relation;
            warnings.push(format!(
                "it is built anew at its new place: rows that its query no longer gives are in {old} alone"
            ));
        }
        let mut action = if rebuilds {
            let mut publish = self.publish(node, object, audit.cloned().unwrap_or_default(), record);
            match increment::new_rows(self.planning, node, compiled, &reasons, before) {
                Ok(Some(mut new_rows)) => {
                    // They come into the table as it is laid out, unless that is what is changed.
                    if reasons.contains(&Reason::LayoutChanged) {
                        publish.relaid = wanted::relaid(node, state, object, &publish.record);
                    }
                    warnings.extend(wanted::seldom(&publish, object, false));
                    warnings.extend(new_rows.warning.take());
                    let rows_there = object.and_then(|object| object.rows);
                    Action::Merge(Box::new(new_rows.action(publish, rows_there)))
                }
                Ok(None) => {
                    publish.relaid = wanted::relaid(node, state, object, &publish.record);
                    warnings.extend(wanted::seldom(&publish, object, true));
                    self.rebuild(node, compiled, publish)
                }
                Err(faults) => return self.faults.extend(faults),
            }
        } else if reasons.iter().any(|reason| CHECKED_ONLY.contains(reason)) {
            let audit = match self.planning.compiled.increment(node) {
                Some(_) => self.planning.compiled.audit_of_published_increment(address),
                None => self.planning.compiled.audit_of_published(address),
            };
            match audit {
                Ok(audit) => {
                    let audit = self.still_whole.within_audit(audit);
                    let reading = match &node.detail {
                        Detail::Load(load) => Some(Box::new(self.reading(node, load, compiled))),
                        Detail::Model(_) => None,
                    };
                    Action::Check { audit, reading, record }
                }
                Err(faults) => return self.faults.extend(faults),
            }
        } else {
            Action::Describe { record }
        };
        if let Some(deferral) = self.planning.defer {
            deferral.rewrite(&mut action, &self.planning.compiled.naming, missing.iter().copied());
            let target = &deferral.target;
            let read =
                missing.iter().map(|node| Deferred { address: node.address.clone(), target: target.clone() });
            self.plan.deferred.extend(read);
        }
        let columns = if state.is_some() && rebuilds {
            diff::columns(before, &compiled.columns)
        } else {
            ColumnChanges::default()
        };
        let mut estimate = self.estimate(node, state);
        if matches!(action, Action::Merge(_)) {
            // How many rows are new, their query alone can tell.
            estimate.rows = None;
        }
        self.plan.datasets.insert(node.dataset.clone());
        self.planned.insert(address.clone());
        self.plan.steps.push(Step {
            relation: node.relation(),
            reasons,
            action,
            columns,
            touches: self.touches(address),
            estimate,
            waits_for: self.waits_for(address),
            timeout_ms: self.timeout(node),
            warnings,
            address: address.clone(),
        });
    }

    /// What a node reads and what neither is there nor will be built.
    fn missing_inputs(&self, node: &Node) -> Vec<&'a Node> {
        let planning = self.planning;
        let reads = planning.compiled.waits_for.get(&node.address).into_iter().flatten();
        reads
            .filter(|read| !self.stepping.contains(*read))
            .filter_map(|read| planning.compiled.node(read))
            .filter(|read| !planning.snapshot.objects.contains_key(&read.relation()))
            .collect()
    }

    fn publish(&self, node: &Node, object: Option<&Object>, audit: Audit, record: Record) -> Publish {
        let failed = format!("{}{FAILED_SUFFIX}", node.relation());
        Publish {
            build_name: node.build_name(),
            audit,
            replaces: object.map(|object| object.materialization),
            relaid: Vec::new(),
            failed_before: self.planning.snapshot.objects.contains_key(&failed),
            keep_failed: self.planning.compiled.project.failed_builds == FailedBuilds::Keep,
            max_shrink: node.max_shrink.unwrap_or(self.planning.compiled.project.max_shrink),
            record,
        }
    }

    fn rebuild(&self, node: &Node, compiled: &CompiledNode, publish: Publish) -> Action {
        match (&node.detail, &compiled.query) {
            (Detail::Model(model), query) => Action::Build(Box::new(BuildAction {
                materialization: model.materialization,
                native: query.as_ref().map(|query| query.native.clone()).unwrap_or_default(),
                proof: increment::proof(compiled),
                publish,
            })),
            (Detail::Load(load), _) => Action::Load(Box::new(LoadAction {
                reading: self.reading(node, load, compiled),
                max_rejects: load.max_rejects.clone(),
                publish,
            })),
        }
    }

    fn reading(&self, node: &Node, load: &Load, compiled: &CompiledNode) -> Reading {
        let files = self.planning.files.get(&node.address).cloned().unwrap_or_default();
        Reading::new(load, &compiled.columns, files)
    }

    fn reasons(
        &self,
        node: &Node,
        prints: &Prints,
        state: Option<&NodeState>,
        object: Option<&Object>,
    ) -> (Vec<Reason>, Option<String>) {
        let Some(state) = state else {
            let is_ours = |object| diff::is_ours(&self.plan.pipeline, &node.address, None, object);
            let reason = if object.is_some_and(is_ours) { Reason::Forgotten } else { Reason::New };
            return (vec![reason], None);
        };
        if state.relation != node.relation() {
            return (vec![Reason::ConfigChanged], None);
        }
        let is_gathered = self.planning.compiled.increment(node).is_some();
        let drift = diff::drift(&self.plan.pipeline, &node.address, state, object, is_gathered);
        let mut reasons = BTreeSet::new();
        reasons.extend(drift.as_ref().and_then(|found| found.reason(object.is_some())));
        if state.query_hash != prints.query {
            let load = matches!(node.detail, Detail::Load(_));
            reasons.insert(if load { Reason::ConfigChanged } else { Reason::QueryChanged });
        } else if state.own_hash != prints.own {
            let is_layout = self.own(node, &prints.query, &state.layout) == state.own_hash;
            reasons.insert(if is_layout { Reason::LayoutChanged } else { Reason::ConfigChanged });
        }
        if self.planning.full_refresh && is_gathered {
            reasons.insert(Reason::Requested);
        }
        if let Some(files) = self.planning.files.get(&node.address) {
            let same = files.len() == state.files.len()
                && files.iter().zip(&state.files).all(|(now, before)| now.hash == before.hash);
            if !same {
                reasons.insert(Reason::FileChanged);
            }
        }
        let upstream_steps = self
            .planning
            .compiled
            .graph
            .upstream(&node.address)
            .into_iter()
            .any(|read| self.stepping.contains(read));
        if state.data_hash != prints.data && (reasons.is_empty() || upstream_steps) {
            reasons.insert(Reason::UpstreamChanged);
        }
        if reasons.is_empty() {
            if state.audit_hash != prints.audit {
                reasons.insert(Reason::ExpectationsChanged);
            }
            if state.references_hash != prints.references {
                reasons.insert(Reason::ReferencesChanged);
            }
            if state.metadata_hash != prints.metadata {
                reasons.insert(Reason::MetadataChanged);
            }
            // Whatever is done to it beside says all of it again.
            if reasons.is_empty() && drift.as_ref().is_some_and(|found| found.remedy == Remedy::Describe) {
                reasons.insert(Reason::Redescribed);
            }
        }
        (reasons.into_iter().collect(), drift.map(|found| found.what))
    }

    /// What the manifest no longer has: dropped on request, never touched if it is not Pipewright's any more.
    fn removed(&mut self) {
        let manifest = &self.planning.compiled.project.nodes;
        let gone: Vec<(&Address, &NodeState)> = self
            .planning
            .snapshot
            .state
            .nodes
            .iter()
            .filter(|(address, state)| {
                manifest
                    .get(&address.name)
                    .is_none_or(|node| node.address != **address || node.relation() != state.relation)
            })
            .collect();
        let is_ours = |object: &Object, address: &Address, state: &NodeState| {
            object.mark() == Some(mark(&self.plan.pipeline, address, &state.data_hash).as_str())
        };
        let mut found: Vec<(Materialization, Address, String)> = gone
            .into_iter()
            .filter_map(|(address, state)| {
                let object = self.planning.snapshot.objects.get(&state.relation)?;
                is_ours(object, address, state)
                    .then(|| (object.materialization, address.clone(), state.relation.clone()))
            })
            .collect();
        // A node that moved is remembered at its new place alone; its mark is left at the old one.
        for (relation, object) in &self.planning.snapshot.objects {
            let Some(address) = marked_address(object, &self.plan.pipeline) else { continue };
            let remembered = self.planning.snapshot.state.nodes.get(&address);
            if remembered.is_some_and(|state| state.relation != *relation) {
                found.push((object.materialization, address, relation.clone()));
            }
        }
        let relations: BTreeSet<String> = manifest.values().map(Node::relation).collect();
        found.retain(|(_, _, relation)| !relations.contains(relation));
        // Views first: they read tables.
        found.sort();
        for (materialization, address, relation) in found {
            if self.planning.prune {
                self.plan.steps.push(Step {
                    address,
                    relation,
                    reasons: vec![Reason::Removed],
                    action: Action::Drop { materialization },
                    columns: ColumnChanges::default(),
                    touches: Vec::new(),
                    estimate: Estimate::default(),
                    waits_for: BTreeSet::new(),
                    timeout_ms: None,
                    warnings: Vec::new(),
                });
            } else {
                self.plan.orphans.push(Orphan { address, relation, materialization });
            }
        }
    }

    fn touches(&self, address: &Address) -> Vec<String> {
        let compiled = self.planning.compiled;
        let models = compiled.graph.downstream(address).into_iter().map(ToString::to_string);
        let tiles =
            self.tiles.get(address).into_iter().flatten().map(|tile| compiled.tiles[*tile].address.clone());
        models.chain(tiles).collect()
    }

    fn estimate(&self, node: &Node, state: Option<&NodeState>) -> Estimate {
        match &node.detail {
            Detail::Load(_) => {
                let bytes: u64 = self
                    .planning
                    .files
                    .get(&node.address)
                    .map(|files| files.iter().map(|file| file.bytes).sum())
                    .unwrap_or_default();
                let rows = state.and_then(|state| {
                    let before: u64 = state.files.iter().map(|file| file.bytes).sum();
                    let rows = u128::from(state.rows?) * u128::from(bytes) / u128::from(before.max(1));
                    u64::try_from(rows).ok()
                });
                Estimate { rows, bytes: Some(bytes), cost: None }
            }
            Detail::Model(_) => {
                let read = self.planning.compiled.graph.upstream(&node.address);
                let bytes = read
                    .iter()
                    .map(|address| {
                        self.planning.snapshot.state.nodes.get(*address).and_then(|state| state.bytes)
                    })
                    .sum::<Option<u64>>()
                    .filter(|_| !read.is_empty());
                Estimate { rows: state.and_then(|state| state.rows), bytes, cost: None }
            }
        }
    }

    fn waits_for(&self, address: &Address) -> BTreeSet<Address> {
        self.planning
            .compiled
            .waits_for
            .get(address)
            .into_iter()
            .flatten()
            .filter(|waited| self.planned.contains(*waited))
            .cloned()
            .collect()
    }

    fn timeout(&self, node: &Node) -> Option<u64> {
        let own = match &node.detail {
            Detail::Model(model) => model.timeout,
            Detail::Load(_) => None,
        };
        own.or(self.planning.compiled.project.step_timeout)
            .map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Rows that came one run after the other are not made anew because nobody remembers them.
fn forgotten(node: &Node) -> Diagnostic {
    let message =
        format!("`{}` is there, filled by earlier runs, and nothing is remembered of it", node.relation());
    Diagnostic::error(Code::ForeignObject, message)
        .at(node.span.clone(), "would be built anew")
        .about(node.address.to_string())
        .help(
            "give the target the `state_dataset` or the database that it had; or `pipewright apply --full-refresh` builds it anew, \
             and rows that its query no longer gives are lost",
        )
}

fn foreign(node: &Node) -> Diagnostic {
    Diagnostic::error(Code::ForeignObject, format!("`{}` is in the target already, and Pipewright did not make it", node.relation()))
        .at(node.span.clone(), "would be built there")
        .about(node.address.to_string())
        .help("rename the node, choose another dataset, or drop the object yourself: Pipewright never touches what it did not make")
}

/// Whose mark an object of this pipeline bears.
fn marked_address(object: &Object, pipeline: &str) -> Option<Address> {
    object.mark()?.strip_prefix(pipeline)?.strip_prefix(' ')?.split(' ').next()?.parse().ok()
}

/// For each node the tiles that read it or something below it.
fn tiles_below(compiled: &CompiledProject) -> BTreeMap<Address, BTreeSet<usize>> {
    let mut tiles: BTreeMap<Address, BTreeSet<usize>> = BTreeMap::new();
    for (index, tile) in compiled.tiles.iter().enumerate() {
        for read in &tile.reads {
            tiles.entry(read.clone()).or_default().insert(index);
        }
    }
    for address in compiled.order.iter().rev() {
        let Some(own) = tiles.get(address).cloned() else { continue };
        for read in compiled.graph.upstream(address) {
            tiles.entry(read.clone()).or_default().extend(own.iter().copied());
        }
    }
    tiles
}
