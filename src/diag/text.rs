//! Text that was made from other text, and where each part of it came from.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{SourceFile, Span};

/// A text whose parts stand somewhere else: SQL inside of a YAML value, or SQL rendered from a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedText {
    /// The text.
    pub text: String,
    /// Where its parts come from, by start; the first starts at 0.
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Segment {
    start: usize,
    #[serde(with = "super::table::file")]
    file: Arc<SourceFile>,
    origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Origin {
    /// Byte for byte the file's text from this offset on.
    Verbatim(usize),
    /// Made by what stands in this range of the file.
    Made(Range<usize>),
}

impl MappedText {
    /// A whole file.
    pub fn file(file: &Arc<SourceFile>) -> Self {
        let mut mapped = Self::new();
        mapped.push_verbatim(file, 0..file.text.len());
        mapped
    }

    /// An empty text, to be built part by part.
    pub fn new() -> Self {
        Self { text: String::new(), segments: Vec::new() }
    }

    /// Appends a range of a file as it stands.
    pub fn push_verbatim(&mut self, file: &Arc<SourceFile>, range: Range<usize>) {
        let start = self.text.len();
        self.text.push_str(&file.text[range.clone()]);
        self.segments.push(Segment { start, file: Arc::clone(file), origin: Origin::Verbatim(range.start) });
    }

    /// Appends a text that was made by a range of a file.
    pub fn push_made(&mut self, text: &str, by: &Span) {
        let start = self.text.len();
        self.text.push_str(text);
        self.segments.push(Segment {
            start,
            file: Arc::clone(&by.file),
            origin: Origin::Made(by.range.clone()),
        });
    }

    /// Where a range of this text comes from; nothing only for a text without any part.
    pub fn span(&self, range: Range<usize>) -> Option<Span> {
        let first = self.segment(range.start)?;
        match &first.origin {
            Origin::Made(by) => Some(Span::new(&first.file, by.clone())),
            Origin::Verbatim(at) => {
                let start = at + (range.start - first.start);
                let last = self.segment(range.end.saturating_sub(1).max(range.start))?;
                let end = match &last.origin {
                    Origin::Verbatim(at) if Arc::ptr_eq(&first.file, &last.file) => {
                        at + (range.end - last.start)
                    }
                    Origin::Made(by) if Arc::ptr_eq(&first.file, &last.file) => by.end,
                    _ => start + 1,
                };
                Some(Span::new(&first.file, start..end.max(start + 1)))
            }
        }
    }

    /// Where a line and column of this text come from, up to another line and column (all from 1).
    pub fn span_between(&self, start: (u64, u64), end: (u64, u64)) -> Option<Span> {
        let from = self.offset(start);
        let to = self.offset(end).max(from + 1).min(self.text.len().max(from + 1));
        self.span(from..to)
    }

    fn offset(&self, (line, column): (u64, u64)) -> usize {
        let skipped: usize = self
            .text
            .split_inclusive('\n')
            .take(usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX))
            .map(str::len)
            .sum();
        let column = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
        let rest = &self.text[skipped..];
        let line_end = rest.find('\n').unwrap_or(rest.len());
        skipped + rest[..line_end].char_indices().nth(column).map_or(line_end, |(at, _)| at)
    }

    fn segment(&self, offset: usize) -> Option<&Segment> {
        let after = self.segments.partition_point(|segment| segment.start <= offset);
        self.segments.get(after.saturating_sub(1))
    }
}

impl Default for MappedText {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lead_back_to_the_file() {
        let file = SourceFile::new("m.sql", "SELECT {{ x }}\n  FROM t");
        let mut mapped = MappedText::new();
        mapped.push_verbatim(&file, 0..7);
        mapped.push_made("a,\nb", &Span::new(&file, 7..14));
        mapped.push_verbatim(&file, 14..23);
        assert_eq!(mapped.text, "SELECT a,\nb\n  FROM t");
        let at = |text: &str| {
            let start = mapped.text.find(text).unwrap();
            mapped.span(start..start + text.len()).unwrap().range
        };
        assert_eq!(at("SELECT"), 0..6);
        assert_eq!(at("b"), 7..14);
        assert_eq!(at("FROM t"), 17..23);
        assert_eq!(mapped.span_between((3, 3), (3, 7)).unwrap().range, 17..21);
        assert_eq!(mapped.span_between((99, 99), (99, 99)).map(|span| span.range.start), Some(23));
        assert_eq!(MappedText::new().span(0..1), None);
    }
}
