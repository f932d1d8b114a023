//! The text that diagnostics point into.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A file as it was read, kept for as long as something may point into it.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path as people see it: relative to the project, with forward slashes.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl SourceFile {
    /// Keeps a text under its name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into() })
    }

    /// Line and column, both from 1, of a byte offset; columns count characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let offset = floor_char_boundary(&self.text, offset);
        let before = &self.text[..offset];
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
        (line, column)
    }

    /// The byte offset of a line and column as [`SourceFile::position`] counts them, clamped to the text.
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let mut start = 0;
        for _ in 1..line {
            match self.text[start..].find('\n') {
                Some(end) => start += end + 1,
                None => return self.text.len(),
            }
        }
        let rest = &self.text[start..];
        let line_end = rest.find('\n').unwrap_or(rest.len());
        rest[..line_end]
            .char_indices()
            .nth(column.saturating_sub(1))
            .map_or(start + line_end, |(index, _)| start + index)
    }
}

/// A byte range in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The file.
    #[serde(with = "super::table::file")]
    pub file: Arc<SourceFile>,
    /// Bytes of its text; start and end lie on character boundaries.
    pub range: Range<usize>,
}

impl Span {
    /// A range in a file, moved inwards to the text and to character boundaries.
    pub fn new(file: &Arc<SourceFile>, range: Range<usize>) -> Self {
        let start = floor_char_boundary(&file.text, range.start);
        let end = floor_char_boundary(&file.text, range.end).max(start);
        Self { file: Arc::clone(file), range: start..end }
    }

    /// Line and column, from 1, of the start.
    pub fn position(&self) -> (usize, usize) {
        self.file.position(self.range.start)
    }
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_come_back() {
        let file = SourceFile::new("a.sql", "SELECT 'ção'\nFROM t\n");
        let offset = file.text.find('t').unwrap_or_default();
        assert_eq!(file.position(offset), (2, 6));
        assert_eq!(file.offset(2, 6), offset);
        assert_eq!(file.offset(1, 12), file.text.find("'\n").unwrap_or_default());
        assert_eq!(file.offset(99, 1), file.text.len());
    }
}
