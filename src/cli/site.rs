//! `results --site` and the action `site`: writes the site, and of a site that is there only what has changed.
//!
//! A file in the folder says which pages were written and from what. Nothing else in the folder is touched, and a folder
//! that holds something and was not made by this is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::usage;
use super::workspace::{Workspace, fault};
use crate::compile::CompiledProject;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::expectations::Hidden;
use crate::report::{PastCheck, PastRun, PastStep};
use crate::view::plural;
use crate::view::site::{About, Page, Site, TREND};
use crate::warehouse::Warehouse;

/// The file that says what was written.
const STAMP: &str = ".pipewright-site.json";

/// How many runs are read and written at a time.
const AT_A_TIME: usize = 100;

/// What was written, and what pages of runs were made from beside the runs.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Stamp {
    form: String,
    pipeline: String,
    target: String,
    /// Columns whose values are hidden.
    masked: BTreeSet<String>,
    /// Where each expectation is told.
    links: BTreeMap<String, String>,
    pages: BTreeSet<String>,
}

impl Stamp {
    /// Whether pages of runs that were written under another one would be the same under this one.
    fn agrees_with(&self, earlier: &Self) -> bool {
        let same = |stamp: &Self| {
            (stamp.form.clone(), stamp.pipeline.clone(), stamp.target.clone(), stamp.masked.clone())
        };
        // An expectation that neither the manifest nor any run has is on no page.
        let moved =
            |(address, link): (&String, &String)| self.links.get(address).is_some_and(|now| now != link);
        same(self) == same(earlier) && !earlier.links.iter().any(moved)
    }
}

/// What was done to pages.
#[derive(Default)]
struct Done {
    written: usize,
    kept: usize,
    removed: usize,
}

/// What is not told of each expectation; nothing of projects without personal columns.
pub(super) fn hidden(compiled: &CompiledProject) -> BTreeMap<String, Hidden> {
    let expectations = compiled.project.expectations.iter();
    let expectations = expectations.filter(|_| !compiled.project.masked.is_empty());
    expectations.map(|expectation| (expectation.address(), compiled.hidden(expectation))).collect()
}

/// Writes the site of all results into a folder.
pub(super) fn write(
    workspace: &Workspace<'_>,
    compiled: &CompiledProject,
    warehouse: &dyn Warehouse,
    folder: &Path,
) -> Result<(), Diagnostics> {
    let was_used = warehouse.was_used().map_err(fault)?;
    let addresses: Vec<String> =
        compiled.project.expectations.iter().map(crate::project::Expectation::address).collect();
    let hidden = hidden(compiled);
    let (runs, mut tracks) = if was_used {
        (warehouse.past_runs().map_err(fault)?, warehouse.tracks(TREND).map_err(fault)?)
    } else {
        (Vec::new(), Vec::new())
    };
    for track in &mut tracks {
        hidden.get(&track.expectation).into_iter().for_each(|hidden| track.hide(hidden));
    }
    let about = About { project: &compiled.project, target: &compiled.target, runs: &runs, tracks: &tracks };
    let site = Site::new(about, &addresses)?;
    let mut stamp = Stamp {
        form: Site::form(),
        pipeline: compiled.project.name.clone(),
        target: compiled.target.clone(),
        masked: compiled.project.masked.clone(),
        links: site.links().iter().map(|(address, link)| ((*address).to_owned(), link.clone())).collect(),
        pages: BTreeSet::new(),
    };
    let earlier = earlier(folder)?;
    let same = stamp.agrees_with(&earlier);

    let mut done = Done::default();
    let mut missing: Vec<&PastRun> = Vec::new();
    for run in &runs {
        let path = Site::run_path(&run.run);
        if same && run.is_over() && earlier.pages.contains(&path) && folder.join(&path).is_file() {
            let own = earlier.pages.iter().filter(|path| Site::is_of_run(path, &run.run));
            stamp.pages.extend(own.cloned());
            done.kept += 1;
        } else {
            missing.push(run);
        }
    }
    for some in missing.chunks(AT_A_TIME) {
        let names: Vec<&str> = some.iter().map(|run| run.run.as_str()).collect();
        let mut checks = warehouse.past_checks(&names).map_err(fault)?;
        for check in &mut checks {
            hidden.get(&check.address).into_iter().for_each(|hidden| check.hide(hidden));
        }
        let steps = warehouse.past_steps(&names).map_err(fault)?;
        let written: Vec<Result<Vec<String>, Diagnostics>> = some
            .par_iter()
            .map(|run| {
                let checks = of_run(&checks, &run.run, |check: &PastCheck| &check.run);
                let steps = of_run(&steps, &run.run, |step: &PastStep| &step.run);
                let pages = site.run_pages(run, steps, checks)?;
                pages.iter().try_for_each(|page| put(folder, page)).map_err(|error| unwritten(&error))?;
                Ok(pages.into_iter().map(|page| page.path).collect())
            })
            .collect();
        for pages in written {
            let pages = pages?;
            done.written += pages.len();
            stamp.pages.extend(pages);
        }
    }
    for page in site.pages()? {
        let there = fs_err::read(folder.join(&page.path)).is_ok_and(|text| text == page.text.as_bytes());
        if there {
            done.kept += 1;
        } else {
            put(folder, &page).map_err(|error| unwritten(&error))?;
            done.written += 1;
        }
        stamp.pages.insert(page.path);
    }
    for path in earlier.pages.difference(&stamp.pages).filter(|path| is_below(path)) {
        match fs_err::remove_file(folder.join(path)) {
            Ok(()) => done.removed += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unwritten(&error)),
        }
    }
    put_stamp(folder, &stamp)?;
    let Done { written, kept, removed } = done;
    workspace.printer.note(&format!(
        "{}: {} written, {kept} as they were, {removed} removed",
        folder.join("index.html").display(),
        plural(written, "page", "pages"),
    ));
    Ok(())
}

/// What stands together in a list that has each run's entries together, ordered by the runs' names.
fn of_run<'t, T>(all: &'t [T], run: &str, name: impl Fn(&T) -> &String) -> &'t [T] {
    let start = all.partition_point(|one| name(one).as_str() < run);
    let end = all.partition_point(|one| name(one).as_str() <= run);
    &all[start..end]
}

/// What was written into the folder before; the folder is marked as ours when it is new.
fn earlier(folder: &Path) -> Result<Stamp, Diagnostics> {
    let path = folder.join(STAMP);
    match fs_err::read_to_string(&path) {
        // One that cannot be read is replaced: all pages are written.
        Ok(text) => return Ok(serde_json::from_str(&text).unwrap_or_default()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unwritten(&error)),
    }
    fs_err::create_dir_all(folder).map_err(|error| unwritten(&error))?;
    let mut entries = fs_err::read_dir(folder).map_err(|error| unwritten(&error))?;
    if entries.next().is_some() {
        let message = format!("{} holds other files than a site of results", folder.display());
        return Err(usage(message).help("name an empty folder, or one that does not exist yet").into());
    }
    let nothing = Stamp::default();
    put_stamp(folder, &nothing)?;
    Ok(nothing)
}

fn put_stamp(folder: &Path, stamp: &Stamp) -> Result<(), Diagnostics> {
    let text = serde_json::to_string_pretty(stamp)
        .map_err(|error| Diagnostic::error(Code::Internal, format!("the site's record: {error}")))?;
    put(folder, &Page { path: STAMP.to_owned(), text: format!("{text}\n") })
        .map_err(|error| unwritten(&error))
}

/// Writes a page whole or not at all: one that is there is not written again.
fn put(folder: &Path, page: &Page) -> io::Result<()> {
    let path = folder.join(&page.path);
    if let Some(parent) = path.parent() {
        fs_err::create_dir_all(parent)?;
    }
    let mut aside = path.clone().into_os_string();
    aside.push(".new");
    let aside = PathBuf::from(aside);
    fs_err::write(&aside, &page.text)?;
    fs_err::rename(&aside, &path)
}

/// Whether a path of the record leads nowhere else.
fn is_below(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn unwritten(error: &io::Error) -> Diagnostics {
    Diagnostic::error(Code::Io, format!("the site cannot be written: {error}"))
        .help("name another folder, or make room there")
        .into()
}
