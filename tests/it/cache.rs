//! A compiled project that was kept answers as compiling would: it is used where nothing changed, and nowhere else.

use std::time::SystemTime;

use crate::shop::{built, by_hand, shop};
use crate::support::{Outcome, Project};

const KEPT: &str = ".pipewright/cache/local.bin";

fn kept(project: &Project) -> (SystemTime, Vec<u8>) {
    let path = project.path().join(KEPT);
    (fs_err::metadata(&path).unwrap().modified().unwrap(), fs_err::read(path).unwrap())
}

/// What commands say that show most of a compiled project.
fn said(project: &Project, arguments: &[&str]) -> Vec<(String, String)> {
    let commands: [&[&str]; 4] = [&["compile"], &["plan", "--json"], &["ls", "--json"], &["validate"]];
    let say = |command: &&[&str]| {
        let words: Vec<&str> = command.iter().chain(arguments).copied().collect();
        let outcome = project.run(&words);
        (outcome.stdout, outcome.stderr)
    };
    commands.iter().map(say).collect()
}

/// That a project which a cache was kept for says what it says without one.
#[track_caller]
fn told_alike(project: &Project, arguments: &[&str], what: &str) {
    let with = said(project, arguments);
    let again = said(project, arguments);
    let without = said(project, &[arguments, &["--no-cache"]].concat());
    assert_eq!(with, without, "{what}");
    assert_eq!(again, without, "{what}, the second time");
}

#[test]
fn what_did_not_change_is_not_compiled_again() {
    let project = shop();
    let first = project.run(&["plan", "--json"]).succeeds().stdout;
    let before = kept(&project);
    assert_eq!(project.run(&["plan", "--json"]).succeeds().stdout, first);
    assert_eq!(kept(&project), before, "the second command wrote nothing");
    assert_eq!(project.read(".pipewright/.gitignore"), "*\n");
    project.run(&["plan", "--no-cache"]).succeeds();
    assert_eq!(kept(&project), before, "`--no-cache` neither reads nor writes");
}

#[test]
fn whatever_is_edited_is_seen() {
    let project = shop();
    project.write("macros/m.sql", "{% macro one() %}1{% endmacro %}");
    project.replace("models/catalogue.sql", "SELECT product,", "SELECT product, {{ one() }} AS one,");
    project.replace("pipeline.yaml", "name: shop\n", "name: shop\nvars: { limit: 1 }\n");
    project.replace(
        "models/daily_sales.sql",
        "GROUP BY day",
        "WHERE amount > {{ var('limit') }} GROUP BY day",
    );
    told_alike(&project, &[], "as it is");
    // Each text has the length of the one that it replaces: sizes do not tell.
    for (path, from, to) in [
        ("models/daily_sales.sql", "SUM(amount)", "MAX(amount)"),
        ("models/shop.yaml", "One row for each day.", "A row for every day.."),
        ("sources/shop.yaml", "type: DATE", "type: TIME"),
        ("expectations/shop.yaml", "revenue > 0", "revenue > 9"),
        ("macros/m.sql", "%}1{%", "%}2{%"),
        ("pipeline.yaml", "limit: 1", "limit: 2"),
        ("models/catalogue.sql", "product, ", "produkt, "),
        ("models/catalogue.sql", "produkt, ", "product, "),
    ] {
        let before = said(&project, &[]);
        project.replace(path, from, to);
        told_alike(&project, &[], to);
        assert_ne!(said(&project, &[]), before, "{path}: `{to}` is something to tell");
    }
    project.write("models/forgotten.sql", "SELECT 1 AS one\n");
    told_alike(&project, &[], "an SQL file that no model names");
    project.write("models/more.yaml", "models:\n  forgotten: {}\n");
    told_alike(&project, &[], "a new file of models");
    fs_err::remove_file(project.path().join("models/more.yaml")).unwrap();
    told_alike(&project, &[], "a file that is gone");
    fs_err::remove_file(project.path().join("models/catalogue.sql")).unwrap();
    told_alike(&project, &[], "a query that is gone");
}

#[test]
fn variables_targets_and_the_environment_have_answers_of_their_own() {
    let project = shop();
    project.replace("pipeline.yaml", "name: shop\n", "name: shop\nvars: { limit: 1 }\n");
    project.replace(
        "models/daily_sales.sql",
        "GROUP BY day",
        "WHERE amount > {{ var('limit') }} GROUP BY day",
    );
    project.replace("sources/shop.yaml", "data/orders.csv", "${SHOP_DATA:-data}/orders.csv");
    for arguments in [
        &["--var", "limit=5"][..],
        &["--var", "limit=6"],
        &[],
        &["-t", "other"],
        &["-t", "other", "--var", "limit=5"],
    ] {
        told_alike(&project, arguments, &arguments.join(" "));
    }
    project.write("elsewhere/orders.csv", "id,day,product,amount\n");
    let planned = |folder: Option<&str>| {
        let mut command = project.command(&["plan", "--json"]);
        command.envs(folder.map(|folder| ("SHOP_DATA", folder)));
        Outcome::of(&mut command).succeeds().stdout
    };
    let (unset, set) = (planned(None), planned(Some("elsewhere")));
    assert!(set.contains("elsewhere/orders.csv") && !unset.contains("elsewhere/orders.csv"));
    assert_eq!([planned(None), planned(Some("elsewhere"))], [unset, set]);
}

#[test]
fn a_damaged_cache_is_passed_over() {
    let project = shop();
    let told = said(&project, &[]);
    let (_, whole) = kept(&project);
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for (what, bytes) in [
        ("a flipped bit", flipped.as_slice()),
        ("half of it", &whole[..middle]),
        ("nothing in it", &[]),
        ("another file", b"name: shop"),
    ] {
        fs_err::write(project.path().join(KEPT), bytes).unwrap();
        assert_eq!(said(&project, &[]), told, "{what}");
        assert_eq!(kept(&project).1, whole, "{what}: kept anew");
    }
    // Where nothing can be kept, commands work all the same.
    fs_err::remove_dir_all(project.path().join(".pipewright")).unwrap();
    project.write(".pipewright", "a file");
    assert_eq!(said(&project, &[]), told);
}

#[test]
fn warnings_and_places_come_back() {
    let project = built();
    project.write("models/forgotten.sql", "SELECT 1 AS one\n");
    told_alike(&project, &[], "with a warning");
    assert!(project.run(&["validate"]).succeeds().stderr.contains("models/forgotten.sql"));
    by_hand(&project, "DROP TABLE marts.daily_sales; CREATE TABLE marts.daily_sales AS SELECT 1 AS x");
    told_alike(&project, &[], "with a fault of planning");
    assert!(project.run(&["plan"]).ends_with(1).stderr.contains("models/shop.yaml:"));
}

#[test]
fn no_secret_is_kept() {
    let project = shop();
    project.replace(
        "pipeline.yaml",
        "datasets:\n",
        "notifications:\n  team: { events: [failure], send: { type: webhook, url: 'https://example.org/${SHOP_TOKEN}' } }\ndatasets:\n",
    );
    let token = "hunter2-and-more";
    for _ in 0..2 {
        Outcome::of(project.command(&["plan"]).env("SHOP_TOKEN", token)).succeeds();
        let (_, bytes) = kept(&project);
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    }
}
