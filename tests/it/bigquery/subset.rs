//! The shipped pipeline over real data: the same rows on both engines.

use super::emulator::Emulator;
use super::{assert_same, content, shipped};
use crate::support::{Outcome, shared_dir};

#[test]
fn real_data_gives_the_same_rows_as_on_the_embedded_engine() {
    let Some(shared) = shared_dir() else { return };
    let Some(emulator) = Emulator::start() else { return };
    let data = shared.join("data/olist-subset");
    let project = shipped();
    let here = |arguments: &[&str]| Outcome::of(project.command(arguments).env("OLIST_DATA_DIR", &data));
    let there =
        |arguments: &[&str]| Outcome::of(emulator.command(&project, arguments).env("OLIST_DATA_DIR", &data));
    here(&["apply"]).succeeds();
    there(&["apply"]).succeeds();
    let local = content(&here);
    assert_eq!(local["olist_raw.raw_orders"].len(), 8135);
    assert_same(&local, &content(&there));
    let again = there(&["apply"]).succeeds();
    assert!(again.stdout.contains("Nothing to do"), "{again}");
}
