//! Queries that BigQuery looks at and does not run: what they would read and give. Nothing is billed for it
//! (<https://cloud.google.com/bigquery/docs/running-queries#dry-run>).

use serde_json::{Value, json};

use super::super::Result;
use super::api::Stop;
use super::error::ApiError;
use super::job::{Jobs, Labels};
use super::{results, several, spot};
use crate::plan::{Accuracy, Answer, Refusal, Scanned};

/// Asks about queries, several at a time; the answers are in their order.
///
/// # Errors
/// What is wrong with more than one query: nobody is reached, the project is not there, or nothing is permitted in it.
pub(super) fn all(jobs: &Jobs, labels: &Labels, queries: &[&str], threads: usize) -> Result<Vec<Answer>> {
    let stop = Stop::default();
    Ok(several::each(threads, queries, |query| one(jobs, &stop, labels, query))?)
}

fn one(jobs: &Jobs, stop: &Stop, labels: &Labels, query: &str) -> std::result::Result<Answer, ApiError> {
    let mut configuration = jobs.statement(query, &[], labels);
    configuration["dryRun"] = json!(true);
    // What has been asked before reads nothing, as long as its tables stay as they are: they will not.
    configuration["query"]["useQueryCache"] = json!(false);
    // It has no name: there is nothing to look up afterwards.
    let reference = json!({ "projectId": jobs.project, "location": jobs.located() });
    let asked = json!({ "jobReference": reference, "configuration": configuration });
    let path = format!("/bigquery/v2/projects/{}/jobs", jobs.project);
    match jobs.api.persist(stop, || jobs.api.post(&path, &asked)) {
        Ok(job) if job["status"]["errorResult"].is_object() => {
            refused(ApiError::of_job(&job), &jobs.project, query)
        }
        Ok(job) => Ok(Ok(scanned(&job["statistics"]))),
        Err(error) => refused(error, &jobs.project, query),
    }
}

/// A fault of the query, or of what it reads, is an answer; any other is none.
fn refused(error: ApiError, project: &str, query: &str) -> std::result::Result<Answer, ApiError> {
    if !error.is_of_one_query(project) {
        return Err(error);
    }
    let help = error.help_of_query().map(str::to_owned);
    let (message, place) = match spot::split(&error.message) {
        Some((message, place)) => (message.to_owned(), Some(place)),
        None => {
            let place = error.named().and_then(|(_, name)| place_of(name, query));
            (error.message, place)
        }
    };
    Ok(Err(Refusal { message, place, help }))
}

/// Where a query first names a table or dataset that a message calls `project:dataset.table`.
fn place_of(name: &str, query: &str) -> Option<(u64, u64)> {
    let (project, rest) = name.rsplit_once(':')?;
    let path = format!("`{project}.{rest}");
    let ends = |at: usize| matches!(query[at + path.len()..].chars().next(), Some('`' | '.'));
    let (at, _) = query.match_indices(&path).find(|(at, _)| ends(*at))?;
    let before = &query[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Some((line as u64, column as u64))
}

fn scanned(statistics: &Value) -> Scanned {
    let number = |value: &Value| value.as_str().and_then(|text| text.parse().ok()).or_else(|| value.as_u64());
    let query = &statistics["query"];
    let bytes = number(&query["totalBytesProcessed"]).or_else(|| number(&statistics["totalBytesProcessed"]));
    let accuracy = match query["totalBytesProcessedAccuracy"].as_str() {
        Some("PRECISE") => Accuracy::Exact,
        Some("LOWER_BOUND") => Accuracy::LowerBound,
        Some("UPPER_BOUND") => Accuracy::UpperBound,
        Some(_) => Accuracy::Unknown,
        // Where it says nothing of it, as it does for what is not clustered, the number is what will be read.
        None if bytes.is_some() => Accuracy::Exact,
        None => Accuracy::Unknown,
    };
    Scanned {
        bytes: bytes.unwrap_or(0),
        tables: query["referencedTables"].as_array().map_or(0, Vec::len) as u64,
        accuracy,
        columns: results::columns(&query["schema"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_a_query_is_an_answer_with_its_place() {
        let error = ApiError::of_answer(
            400,
            r#"{"error": {"message": "No such thing at [1:2]", "errors": [{"reason": "invalidQuery"}]}}"#,
        );
        let answer = refused(error, "p", "SELECT a").unwrap().unwrap_err();
        let expected = Refusal { message: "No such thing".to_owned(), place: Some((1, 2)), help: None };
        assert_eq!(answer, expected);
        let denied = ApiError::of_answer(403, r#"{"error": {"message": "Access Denied"}}"#);
        assert!(refused(denied, "p", "SELECT a").is_err());
    }

    #[test]
    fn what_is_missing_or_closed_is_found_in_the_query_by_its_name() {
        let query = "SELECT *\nFROM `p.d.tt` AS é, `p.d.t`, `p.d.t`";
        assert_eq!(place_of("p:d.t", query), Some((2, 21)));
        assert_eq!(place_of("p:d", query), Some((2, 6)));
        assert_eq!(place_of("p:d.other", query), None);
        assert_eq!(place_of("example.com:p:d.t", "SELECT 1 FROM `example.com:p.d.t`"), Some((1, 15)));
        assert_eq!(place_of("BigQuery", query), None);
        let body = r#"{"error": {"message": "Access Denied: Table p:d.t: no", "errors": [{"reason": "accessDenied"}]}}"#;
        let answer = refused(ApiError::of_answer(403, body), "p", query).unwrap().unwrap_err();
        assert_eq!(answer.place, Some((2, 21)));
        assert!(answer.help.unwrap().contains("BigQuery Data Viewer"));
    }

    #[test]
    fn statistics_tell_bytes_and_how_near_they_are() {
        let told = scanned(&json!({"totalBytesProcessed": "12", "query": {
            "totalBytesProcessed": "12", "totalBytesProcessedAccuracy": "UPPER_BOUND",
            "referencedTables": [{}, {}], "schema": {"fields": [{"name": "a", "type": "INTEGER"}]}}}));
        assert_eq!((told.bytes, told.tables, told.accuracy), (12, 2, Accuracy::UpperBound));
        assert_eq!(told.columns[0].name, "a");
        assert_eq!(scanned(&json!({})).accuracy, Accuracy::Unknown);
    }
}
