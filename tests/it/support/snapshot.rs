//! Snapshots that stay the same from run to run and from machine to machine.

use super::Project;

/// What changes between runs, and what stands for it in a snapshot. The first ones come first: a run's name holds a time.
const CHANGING: [(&str, &str); 7] = [
    (r"\b\d{8}T\d{6}Z?-[0-9a-f]{4,}\b", "[RUN]"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[RUN]"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?UTC|Z|[+-]\d\d:?\d\d)", "[TIME]"),
    (r"\b\d+m \d+(\.\d+)?s\b|\b\d+(\.\d+)? ?(ns|µs|us|ms|s)\b", "[DURATION]"),
    (r#""milliseconds": \d+"#, "\"milliseconds\": [DURATION]"),
    (r#" time="\d+\.\d{3}""#, " time=\"[DURATION]\""),
    (r"\bpipewright \d+\.\d+\.\d+\b", "pipewright [VERSION]"),
];

/// Settings to make a snapshot under: `snapshot_settings(&project).bind(|| insta::assert_snapshot!(outcome))`.
///
/// The project's folder, names of runs, times with a zone, durations and the program's version give way to words.
/// Times without a zone stay: they are data.
pub fn snapshot_settings(project: &Project) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    let folder = project.path();
    // Where the temporary folder is a link, programs may print either path; the longer one first.
    let real = folder.canonicalize().expect("the project's folder");
    for path in [real.as_path(), folder] {
        settings.add_filter(&regex::escape(&path.display().to_string()), "[PROJECT]");
    }
    for (pattern, word) in CHANGING {
        settings.add_filter(pattern, word);
    }
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    settings
}

#[test]
fn what_changes_gives_way_and_data_stays() {
    let project = Project::empty();
    let folder = project.path().display().to_string();
    let text = format!(
        "pipewright 1.22.333 read {folder}/a.csv in 12ms, 1.5 s and 2m 3s\n\
         run 20250131T060000Z-1a2b3c4d at 2025-01-31T06:00:00.123Z, 2025-01-31 06:00:00 UTC, 2025-01-31T06:00:00-03:00\n\
         run 0f8fad5b-d9cb-469f-a165-70867728950e\n\
         data 2017-10-02 10:56:33, 5 rows, v2, b2d3a"
    );
    snapshot_settings(&project).bind(|| {
        insta::assert_snapshot!(text, @r"
        pipewright [VERSION] read [PROJECT]/a.csv in [DURATION], [DURATION] and [DURATION]
        run [RUN] at [TIME], [TIME], [TIME]
        run [RUN]
        data 2017-10-02 10:56:33, 5 rows, v2, b2d3a
        ");
    });
}
