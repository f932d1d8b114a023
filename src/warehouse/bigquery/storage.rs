//! Files of Cloud Storage: listed, and read in blocks.
//!
//! The interface is that of <https://cloud.google.com/storage/docs/json_api/v1/objects>.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::Arc;

use chrono::DateTime;
use reqwest::header::{ACCEPT_ENCODING, RANGE};
use reqwest::{Method, RequestBuilder, Url};
use serde_json::Value;

use super::super::input::changed_file;
use super::super::{Result, WarehouseError, source_fault};
use super::api::{Api, Stop, answered};
use super::credentials::Service;
use super::error::ApiError;
use crate::diag::{Code, Diagnostic};
use crate::source::{BucketFiles, Content, InputFile, Remote, SourceError, address_of, bucket_and_name};
use crate::state::FileState;

/// Where Cloud Storage is, unless a target says otherwise.
const ENDPOINT: &str = "https://storage.googleapis.com";

/// How much is asked for first: as much as the reader of a header takes, with what stands before it. Each block is four
/// times the one before.
const FIRST: u64 = 257 * 1024;

/// How much is asked for at a time at most: what a slow line brings before a request is given up.
const MOST: u64 = 4 * 1024 * 1024;

/// What the names of listed files begin with.
#[derive(Clone, Copy)]
struct Start<'a> {
    prefix: &'a str,
    /// Whether no folder is entered behind it.
    within_folder: bool,
}

/// Cloud Storage, as one who reads.
#[derive(Clone)]
pub(super) struct Storage {
    api: Arc<Api>,
    endpoint: String,
    /// Whether credentials are sent there.
    is_known: bool,
}

impl Storage {
    /// A way to it. Credentials that nobody named are not sent in the clear.
    pub(super) fn new(api: Arc<Api>, endpoint: Option<String>, has_named_credentials: bool) -> Self {
        let endpoint = endpoint.unwrap_or_else(|| ENDPOINT.to_owned());
        let is_known = has_named_credentials || !endpoint.starts_with("http://");
        Self { api, endpoint, is_known }
    }

    /// The files at addresses, in the order of their names, each once.
    ///
    /// # Errors
    /// An address that names none, and what Cloud Storage says.
    pub(super) fn files(&self, stop: &Stop, addresses: &[String]) -> Result<Vec<FileState>> {
        let mut files = Vec::new();
        for address in addresses {
            let wanted = BucketFiles::parse(address).map_err(source_fault)?;
            let start = Start { prefix: wanted.prefix(), within_folder: wanted.is_within_folder() };
            let mut found = self.list(stop, &wanted.bucket, start, |name| wanted.have(name))?;
            // As of paths: what is there under the name itself is meant alone.
            if found.iter().any(|file| file.path == *address) {
                found.retain(|file| file.path == *address);
            }
            if found.is_empty() {
                let root = format!("gs://{}", wanted.bucket);
                return Err(source_fault(SourceError::NoFiles { pattern: address.clone(), root }));
            }
            files.extend(found);
        }
        files.sort_by(|one: &FileState, two| one.path.cmp(&two.path));
        files.dedup_by(|one, two| one.path == two.path);
        Ok(files)
    }

    /// The first of some files that is not what it was when it was listed.
    ///
    /// # Errors
    /// What Cloud Storage says.
    pub(super) fn changed(&self, stop: &Stop, files: &[FileState]) -> Result<Option<String>> {
        let mut by_bucket: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (bucket, name) in files.iter().filter_map(|file| bucket_and_name(&file.path)) {
            by_bucket.entry(bucket).or_default().push(name);
        }
        let mut found = BTreeMap::new();
        for (bucket, names) in by_bucket {
            let names: BTreeSet<&str> = names.into_iter().collect();
            let start = Start { prefix: shared_start(&names), within_folder: false };
            let now = self.list(stop, bucket, start, |name| names.contains(name))?;
            found.extend(now.into_iter().map(|file| (file.path, file.hash)));
        }
        let changed = files.iter().find(|file| found.get(&file.path) != Some(&file.hash));
        Ok(changed.map(|file| file.path.clone()))
    }

    /// The files of a bucket whose names begin so, as far as they are meant.
    fn list(
        &self,
        stop: &Stop,
        bucket: &str,
        start: Start<'_>,
        is_meant: impl Fn(&str) -> bool,
    ) -> Result<Vec<FileState>> {
        let files = self.pages(stop, bucket, start, is_meant);
        files.map_err(|error| refused(error, bucket))
    }

    fn pages(
        &self,
        stop: &Stop,
        bucket: &str,
        start: Start<'_>,
        is_meant: impl Fn(&str) -> bool,
    ) -> std::result::Result<Vec<FileState>, ApiError> {
        let mut files = Vec::new();
        let mut page = String::new();
        let address = self.address(&[bucket, "o"])?;
        loop {
            let mut query = vec![
                ("prefix", start.prefix),
                ("fields", "items(name,size,md5Hash,generation,updated),nextPageToken"),
                ("pageToken", page.as_str()),
            ];
            if start.within_folder {
                query.push(("delimiter", "/"));
            }
            let told: Value = self.api.persist(stop, || async {
                answered(self.send(self.api.request_to(Method::GET, address.as_str()).query(&query)).await?)
                    .await
            })?;
            let items = told["items"].as_array().into_iter().flatten();
            let meant = items.filter(|item| item["name"].as_str().is_some_and(&is_meant));
            for item in meant {
                files.push(state(bucket, item).ok_or_else(|| ApiError::lacks("size and version of a file"))?);
            }
            match told["nextPageToken"].as_str() {
                Some(next) if !next.is_empty() => next.clone_into(&mut page),
                _ => return Ok(files),
            }
        }
    }

    /// A file that was listed, to be read.
    pub(super) fn file(&self, stop: &Arc<Stop>, file: &FileState) -> InputFile {
        let object = Object { storage: self.clone(), stop: Arc::clone(stop), file: file.clone() };
        InputFile { name: file.path.clone(), content: Content::Elsewhere(Arc::new(object)) }
    }

    /// The bytes of a file from one to before another.
    fn block(&self, stop: &Stop, of: &FileState, from: u64, to: u64) -> Result<Vec<u8>> {
        let (bucket, name) = bucket_and_name(&of.path).ok_or_else(|| ApiError::lacks("name of a file"))?;
        let address = self.address(&[bucket, "o", name])?;
        let block = self.api.persist(stop, || async {
            let request = self
                .api
                .request_to(Method::GET, address.as_str())
                .query(&[("alt", "media")])
                .header(RANGE, format!("bytes={from}-{}", to - 1))
                // As it is stored: what is compressed would be unpacked on the way.
                .header(ACCEPT_ENCODING, "gzip");
            let answer = self.send(request).await?;
            let status = answer.status();
            if !status.is_success() {
                return Err(ApiError::of_answer(status.as_u16(), &answer.text().await?));
            }
            let whole = status.as_u16() == 200;
            let bytes = answer.bytes().await?;
            let (start, end) = if whole { (from, to) } else { (0, to - from) };
            let range =
                usize::try_from(start).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX);
            // A file that has become shorter gives less than it is asked for, or nothing.
            bytes.get(range).map(<[u8]>::to_vec).ok_or_else(|| ApiError::of_answer(416, ""))
        });
        block.map_err(|error| match error.status {
            Some(404 | 416) => changed_file(&of.path),
            _ => refused(error, bucket),
        })
    }

    async fn send(&self, request: RequestBuilder) -> std::result::Result<reqwest::Response, ApiError> {
        if self.is_known {
            self.api.send_to(Service::Storage, request).await
        } else {
            Ok(request.send().await?)
        }
    }

    /// The address of something below all buckets, its parts quoted.
    fn address(&self, parts: &[&str]) -> std::result::Result<Url, ApiError> {
        let wrong = || ApiError::unreachable(&format!("`{}` is not where Cloud Storage is", self.endpoint));
        let mut address = Url::parse(&self.endpoint).map_err(|_| wrong())?;
        address
            .path_segments_mut()
            .map_err(|()| wrong())?
            .pop_if_empty()
            .extend(["storage", "v1", "b"])
            .extend(parts);
        Ok(address)
    }
}

/// What all names begin with.
fn shared_start<'a>(names: &BTreeSet<&'a str>) -> &'a str {
    // They are sorted: what the first and the last share, all do.
    let (Some(first), Some(last)) = (names.first(), names.last()) else { return "" };
    let same = first.char_indices().zip(last.chars()).find(|((_, one), two)| one != two);
    &first[..same.map_or(first.len().min(last.len()), |((at, _), _)| at)]
}

/// A file as it is listed.
///
/// Its content is told apart by the MD5 that Cloud Storage keeps; what was put together from parts has none, and is
/// another with each version.
fn state(bucket: &str, item: &Value) -> Option<FileState> {
    let text = |key: &str| item[key].as_str();
    let hash = match text("md5Hash") {
        Some(hash) => format!("md5 {hash}"),
        None => format!("version {}", text("generation")?),
    };
    let updated = text("updated").and_then(|time| DateTime::parse_from_rfc3339(time).ok());
    Some(FileState {
        path: address_of(bucket, text("name")?),
        bytes: text("size")?.parse().ok()?,
        modified: updated.and_then(|time| time.timestamp_nanos_opt()).unwrap_or_default(),
        hash,
    })
}

/// What Cloud Storage says of a bucket.
fn refused(error: ApiError, bucket: &str) -> WarehouseError {
    match error.status {
        Some(404) => {
            let message = format!("there is no bucket `{bucket}`: {}", error.message);
            Diagnostic::error(Code::NoSourceFile, message).help("check its name").into()
        }
        Some(403) => Diagnostic::error(Code::AccessDenied, error.message)
            .help(format!("the account needs the role Storage Object Viewer on the bucket `{bucket}`"))
            .into(),
        _ => error.into(),
    }
}

/// A file that can be opened.
struct Object {
    storage: Storage,
    stop: Arc<Stop>,
    file: FileState,
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Object").field(&self.file.path).finish()
    }
}

impl Remote for Object {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let Self { storage, stop, file } = self;
        let (storage, stop, file) = (storage.clone(), Arc::clone(stop), file.clone());
        Ok(Box::new(Blocks { storage, stop, file, next: 0, size: FIRST, block: io::Cursor::default() }))
    }
}

/// A file that is read block by block: each is one request, which can be tried again.
struct Blocks {
    storage: Storage,
    stop: Arc<Stop>,
    file: FileState,
    /// The first byte of the block that comes next.
    next: u64,
    /// How long it is at most.
    size: u64,
    block: io::Cursor<Vec<u8>>,
}

impl Read for Blocks {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.block.read(output)?;
        if count > 0 || output.is_empty() || self.next == self.file.bytes {
            return Ok(count);
        }
        let end = self.file.bytes.min(self.next + self.size);
        let block = self.storage.block(&self.stop, &self.file, self.next, end);
        self.block = io::Cursor::new(block.map_err(io::Error::other)?);
        self.next = end;
        self.size = MOST.min(4 * self.size);
        self.block.read(output)
    }
}
