//! As much of Cloud Storage as is read: files are listed in short pages, and given in the parts that are asked for.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Answer, Request};

/// How many files are told of at a time.
const PAGE: usize = 2;

/// Status, headers and body.
type Told = (u16, Vec<(String, String)>, Vec<u8>);

/// Buckets with their files.
#[derive(Default)]
pub(super) struct Buckets {
    /// By `bucket/name`: content and version.
    files: BTreeMap<String, (Vec<u8>, u64)>,
    versions: u64,
}

impl Buckets {
    pub(super) fn put(&mut self, name: &str, content: &[u8]) {
        self.versions += 1;
        self.files.insert(name.to_owned(), (content.to_vec(), self.versions));
    }

    /// What load jobs read at an address.
    pub(super) fn at(&self, address: &str) -> Option<&[u8]> {
        let name = address.strip_prefix("gs://")?;
        self.files.get(name).map(|(content, _)| content.as_slice())
    }

    pub(super) fn answer(&self, request: &Request) -> Told {
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        match parts.as_slice() {
            ["storage", "v1", "b", bucket, "o"] => self.list(bucket, request),
            ["storage", "v1", "b", bucket, "o", name] => {
                self.part(&format!("{bucket}/{}", decoded(name)), request)
            }
            _ => refused(404, "notFound", &format!("nothing is known of {}", request.line())),
        }
    }

    fn list(&self, bucket: &str, request: &Request) -> Told {
        let start = format!("{bucket}/");
        if !self.files.keys().any(|name| name.starts_with(&start)) {
            return refused(404, "notFound", "The specified bucket does not exist.");
        }
        let asked = |key: &str| request.query.get(key).map(|value| decoded(value)).unwrap_or_default();
        let prefix = format!("{start}{}", asked("prefix"));
        let delimiter = asked("delimiter");
        // What lies behind a delimiter is told of as a folder only.
        let is_entered = |rest: &str| !delimiter.is_empty() && rest.contains(delimiter.as_str());
        let is_listed = |name: &str| name.strip_prefix(&prefix).is_some_and(|rest| !is_entered(rest));
        let found: Vec<_> = self.files.iter().filter(|(name, _)| is_listed(name)).collect();
        let from: usize = asked("pageToken").parse().unwrap_or(0);
        let items = found.iter().skip(from).take(PAGE).map(|(name, (content, version))| {
            json!({
                "name": name[start.len()..],
                "size": content.len().to_string(),
                "generation": version.to_string(),
                "updated": "2024-01-01T00:00:00.000Z",
            })
        });
        let mut page = json!({ "items": items.collect::<Vec<_>>() });
        if from + PAGE < found.len() {
            page["nextPageToken"] = json!((from + PAGE).to_string());
        }
        (200, Vec::new(), page.to_string().into_bytes())
    }

    fn part(&self, name: &str, request: &Request) -> Told {
        let Some((content, _)) = self.files.get(name) else {
            return refused(404, "notFound", &format!("No such object: {name}"));
        };
        let range = request.headers.get("range").and_then(|range| range.strip_prefix("bytes="));
        let Some((from, to)) = range.and_then(|range| range.split_once('-')) else {
            return (200, Vec::new(), content.clone());
        };
        let (from, to): (usize, usize) = (from.parse().expect("a number"), to.parse().expect("a number"));
        if from >= content.len() {
            return refused(416, "requestedRangeNotSatisfiable", "The requested range cannot be satisfied.");
        }
        (206, Vec::new(), content[from..content.len().min(to + 1)].to_vec())
    }
}

fn refused(status: u16, reason: &str, message: &str) -> Told {
    match Answer::refused(status, reason, message) {
        Answer::Given { status, headers, body } => (status, headers, body.into_bytes()),
        _ => unreachable!("a refusal is given"),
    }
}

/// A part of an address as it was before it was quoted.
fn decoded(quoted: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = quoted.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%');
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).expect("text")
}
