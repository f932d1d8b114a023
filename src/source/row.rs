//! One record into one row of a batch, or the reason why not.

use std::fmt::Write;

use super::batch::Column;
use super::format::{ColumnSpec, ReadSpec};
use super::header::Header;
use super::input::UNDECODABLE;
use super::record::Record;
use super::scan::{Field, QuoteFault};
use super::value::ValueFault;

/// Characters of an offending value that a report shows.
const SHOWN_VALUE: usize = 200;

/// Why a record is no row.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) column: Option<String>,
    pub(super) value: Option<String>,
    pub(super) reason: String,
    /// See [`super::Reject::torn`].
    pub(super) torn: bool,
}

/// Turns records of one file into rows.
pub(super) struct RowReader {
    columns: Vec<ColumnSpec>,
    /// For each column its field, see [`Header::sources`].
    sources: Vec<Option<usize>>,
    header: Vec<String>,
    /// Whether an empty field is NULL: the usual marker, compared without a loop.
    empty_is_null: bool,
    other_markers: Vec<String>,
    /// Whether the stream was transcoded, so that undecodable bytes are marked.
    transcoded: bool,
    scratch: String,
}

impl RowReader {
    pub(super) fn new(
        spec: &ReadSpec,
        header: Header,
        sources: Vec<Option<usize>>,
        transcoded: bool,
    ) -> Self {
        Self {
            columns: spec.columns.clone(),
            sources,
            header: header.names,
            empty_is_null: spec.format.null_markers.iter().any(String::is_empty),
            other_markers: spec
                .format
                .null_markers
                .iter()
                .filter(|marker| !marker.is_empty())
                .cloned()
                .collect(),
            transcoded,
            scratch: String::new(),
        }
    }

    /// The columns that rows have.
    pub(super) fn columns(&self) -> &[ColumnSpec] {
        &self.columns
    }

    /// Appends the record to all columns. On a refusal some columns may have been appended to.
    #[inline]
    pub(super) fn push(&mut self, record: &Record<'_>, columns: &mut [Column]) -> Result<(), Refusal> {
        if record.fault.is_some() {
            return Err(self.quotes(record));
        }
        let Ok(text) = std::str::from_utf8(record.bytes) else { return Err(self.undecodable(record)) };
        if record.fields.len() != self.header.len() {
            return Err(self.field_count(record.fields.len()));
        }
        // BigQuery: "Bad character (ASCII 0) encountered". Mostly it is UTF-16 under another name.
        if let Some(at) = memchr::memchr(0, record.bytes) {
            return Err(self.at(
                record,
                at,
                "contains the character NUL (ASCII 0), which no column can hold",
            ));
        }
        for ((column, source), spec) in columns.iter_mut().zip(&self.sources).zip(&self.columns) {
            let Some(source) = *source else {
                column.push_null();
                continue;
            };
            let Some(&field) = record.fields.get(source) else { continue };
            // Field borders are ASCII, so they are never within a character.
            let content = text.get(field.start..field.end).unwrap_or_default();
            let content = unescape(content, field.doubled.then_some(record.quote), &mut self.scratch);
            let null = if content.is_empty() {
                self.empty_is_null
            } else {
                // JSON has a word of its own. Lines of JSON, in which rows are sent to BigQuery, have one for both.
                self.other_markers.iter().any(|marker| marker == content) || column.is_json_null(content)
            };
            if null {
                if spec.required {
                    return Err(Refusal {
                        column: Some(spec.name.clone()),
                        value: Some(content.to_owned()),
                        reason: "it is NULL, and the column is required".to_owned(),
                        torn: false,
                    });
                }
                column.push_null();
            } else if let Err(fault) = column.push(content) {
                return Err(value_refusal(spec, content, fault));
            }
        }
        Ok(())
    }

    /// The record's text as it is kept with a reject: lossless, undecodable bytes as `\xHH`.
    pub(super) fn text(&self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        let mut rest = bytes;
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    return text;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                    let (bad, after) = after.split_at(error.error_len().unwrap_or(after.len()));
                    if self.transcoded && bad == [UNDECODABLE] {
                        // The two digits follow by themselves.
                        text.push_str("\\x");
                    } else {
                        for byte in bad {
                            // Writing to a String cannot fail.
                            let _ = write!(text, "\\x{byte:02X}");
                        }
                    }
                    rest = after;
                }
            }
        }
    }

    #[cold]
    fn quotes(&self, record: &Record<'_>) -> Refusal {
        let Some(fault) = record.fault else { return self.field_count(record.fields.len()) };
        let reason = match fault.kind {
            QuoteFault::Unclosed => {
                "a quote is opened here and never closed; reading went on with the next line".to_owned()
            }
            _ if record.cut => {
                "a quote is opened here, and where the next one closes it, on a later line, more text \
                                follows; reading went on with the next line"
                    .to_owned()
            }
            QuoteFault::TextAfterQuote => {
                "text follows the closing quote; a quote inside a quoted field is written twice".to_owned()
            }
            QuoteFault::InsideUnquoted => {
                "a quote stands inside an unquoted field; quote the whole field and write the quote twice"
                    .to_owned()
            }
        };
        let value = record.fields.get(fault.field).map(|field| self.shown(record, *field));
        Refusal { column: self.header.get(fault.field).cloned(), value, reason, torn: true }
    }

    #[cold]
    fn undecodable(&self, record: &Record<'_>) -> Refusal {
        let at = std::str::from_utf8(record.bytes).err().map_or(0, |error| error.valid_up_to());
        self.at(record, at, "has bytes that are not text in the declared encoding")
    }

    /// A refusal because of the byte at an offset.
    #[cold]
    fn at(&self, record: &Record<'_>, offset: usize, reason: &str) -> Refusal {
        let index = record.fields.iter().position(|field| offset < field.end);
        Refusal {
            column: index.and_then(|index| self.header.get(index).cloned()),
            value: index.and_then(|index| record.fields.get(index)).map(|field| self.shown(record, *field)),
            reason: reason.to_owned(),
            torn: record.fields.len() != self.header.len(),
        }
    }

    #[cold]
    fn field_count(&self, found: usize) -> Refusal {
        let fields = |count: usize| if count == 1 { "1 field".to_owned() } else { format!("{count} fields") };
        Refusal {
            column: None,
            value: None,
            reason: format!("the record has {}, the header has {}", fields(found), self.header.len()),
            torn: true,
        }
    }

    fn shown(&self, record: &Record<'_>, field: Field) -> String {
        let end = field.end.min(record.bytes.len());
        shorten(&self.text(record.bytes.get(field.start..end).unwrap_or_default()))
    }
}

#[cold]
fn value_refusal(spec: &ColumnSpec, content: &str, fault: ValueFault) -> Refusal {
    let (column, value) = (Some(spec.name.clone()), Some(shorten(content)));
    Refusal { column, value, reason: fault.to_string(), torn: false }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN_VALUE) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

/// The content of a field with doubled quotes made single; `quote` is given when there are any.
#[inline]
pub(super) fn unescape<'a>(content: &'a str, quote: Option<u8>, scratch: &'a mut String) -> &'a str {
    let Some(quote) = quote else { return content };
    let quote = char::from(quote);
    scratch.clear();
    let mut rest = content;
    while let Some(at) = rest.find(quote) {
        scratch.push_str(&rest[..=at]);
        let after = &rest[at + 1..];
        rest = after.strip_prefix(quote).unwrap_or(after);
    }
    scratch.push_str(rest);
    scratch
}
