//! One YAML file: its value, and where each part of it stands.
//!
//! Values come from `serde_yaml`; it keeps no positions, so a first pass over `saphyr-parser`'s events records
//! the place of every node by its JSON pointer, and refuses what must not reach a recursive reader: deep
//! nesting, alias bombs, duplicate keys (docs/adr/0001-yaml.md).

use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use saphyr_parser::{Event, Marker, Parser, ScanError};
use serde_json::Value;

use crate::diag::{Code, Diagnostic, Diagnostics, MappedText, SourceFile, Span};

/// How deep mappings and sequences may nest.
const MAX_DEPTH: usize = 64;
/// How many nodes a file may unfold to, aliases included: far more than any manifest, far less than memory.
const MAX_NODES: usize = 2_000_000;

/// A YAML file as a value with places.
#[derive(Debug)]
pub struct Document {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Its value; an empty file is an empty mapping.
    pub value: Value,
    /// JSON pointers of string leaves that held a `${…}`: their values are never shown.
    pub substituted: Vec<String>,
    root: Arc<Node>,
}

/// Places of a node and of what is below it.
#[derive(Debug)]
struct Node {
    value: Range<usize>,
    children: Children,
    /// Nodes in this tree, aliases unfolded.
    size: usize,
}

#[derive(Debug)]
enum Children {
    None,
    /// By key: the key's place and the value.
    Mapping(IndexMap<String, (Range<usize>, Arc<Node>)>),
    Sequence(Vec<Arc<Node>>),
}

impl Document {
    /// Reads a YAML text.
    ///
    /// # Errors
    /// Syntax, duplicate keys, several documents, keys that are no text, nesting and alias bombs.
    pub fn parse(file: &Arc<SourceFile>) -> Result<Self, Diagnostics> {
        let root = Indexer::new(file).run()?;
        let value: Value = match serde_yaml::from_str(&file.text) {
            Ok(Value::Null) => Value::Object(serde_json::Map::new()),
            Ok(value) => value,
            Err(error) => {
                let span = error.location().map(|place| Span::new(file, place.index()..place.index() + 1));
                return Err(Diagnostic::error(
                    Code::YamlSyntax,
                    format!("this YAML cannot be read: {error}"),
                )
                .maybe_at(span, "here")
                .into());
            }
        };
        Ok(Self { file: Arc::clone(file), value, substituted: Vec::new(), root })
    }

    /// Where the value at a JSON pointer stands; of the nearest part that exists, if it does not.
    pub fn value_span(&self, pointer: &str) -> Span {
        let (node, _, _) = self.find(pointer);
        self.trimmed(&node.value)
    }

    /// Where the key of the value at a JSON pointer stands; the value itself where there is no key.
    pub fn key_span(&self, pointer: &str) -> Span {
        let (node, key, _) = self.find(pointer);
        match key {
            Some(key) => Span::new(&self.file, key),
            None => self.trimmed(&node.value),
        }
    }

    /// Whether there is a value at a JSON pointer.
    pub fn has(&self, pointer: &str) -> bool {
        let (_, _, very) = self.find(pointer);
        very
    }

    /// Whether the value at a pointer, or one below it, came from the environment.
    pub fn is_substituted(&self, pointer: &str) -> bool {
        self.substituted.iter().any(|known| known.starts_with(pointer))
    }

    /// A text value with the places of its parts: exact for plain scalars of one line and literal blocks (`|`),
    /// the whole value otherwise.
    pub fn text(&self, pointer: &str, value: &str) -> MappedText {
        let (node, _, _) = self.find(pointer);
        let raw = self.file.text.get(node.value.clone()).unwrap_or_default();
        let mut mapped = MappedText::new();
        if let Some(at) = raw.find(value).filter(|_| !value.contains('\n')) {
            let start = node.value.start + at;
            mapped.push_verbatim(&self.file, start..start + value.len());
            return mapped;
        }
        match self.block_lines(&node.value, value) {
            Some(lines) => lines.into_iter().for_each(|range| mapped.push_verbatim(&self.file, range)),
            None => mapped.push_made(value, &self.value_span(pointer)),
        }
        mapped
    }

    /// The file's ranges of a literal block's lines without their indentation, if together they are the value.
    fn block_lines(&self, range: &Range<usize>, value: &str) -> Option<Vec<Range<usize>>> {
        let text = &self.file.text;
        // The parser lets a block start at its first character; its first line starts before the indentation.
        let mut at = text[..range.start].rfind('\n')? + 1;
        let mut ranges = Vec::new();
        let mut indentation = None;
        for line in value.split_inclusive('\n') {
            let end = text[at..].find('\n').map_or(text.len(), |length| at + length + 1);
            let found = &text[at..end];
            let start = if found.trim().is_empty() {
                at + found.len().saturating_sub(line.len())
            } else {
                let indent = *indentation.get_or_insert(found.len() - found.trim_start_matches(' ').len());
                at + indent.min(found.len())
            };
            let stop = (start + line.len()).min(end);
            if text.get(start..stop)? != line {
                return None;
            }
            ranges.push(start..stop);
            at = end;
        }
        Some(ranges)
    }

    /// The node at a pointer, or the nearest one above it, its key, and whether it is the very one.
    fn find(&self, pointer: &str) -> (&Node, Option<Range<usize>>, bool) {
        let mut node: &Node = &self.root;
        let mut key = None;
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            match &node.children {
                Children::Mapping(entries) => match entries.get(&token) {
                    Some((place, child)) => {
                        key = Some(place.clone());
                        node = child;
                    }
                    None => return (node, key, false),
                },
                Children::Sequence(items) => match token.parse::<usize>().ok().and_then(|i| items.get(i)) {
                    Some(child) => {
                        key = None;
                        node = child;
                    }
                    None => return (node, key, false),
                },
                Children::None => return (node, key, false),
            }
        }
        (node, key, true)
    }

    /// A block's range runs up to the next token; shown is its first line.
    fn trimmed(&self, range: &Range<usize>) -> Span {
        let text = self.file.text.get(range.clone()).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default().trim_end();
        Span::new(&self.file, range.start..range.start + first.len())
    }
}

/// Escapes one part of a JSON pointer.
pub fn escape_pointer(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// The pass over the parser's events that builds [`Node`]s.
struct Indexer<'a> {
    file: &'a Arc<SourceFile>,
    /// Byte offset of each character; none for a text of ASCII only, where they are equal.
    offsets: Option<Vec<usize>>,
    anchors: IndexMap<usize, Arc<Node>>,
    open: Vec<Open>,
    faults: Diagnostics,
    root: Option<Arc<Node>>,
}

/// A mapping or sequence whose end is not reached.
struct Open {
    start: usize,
    anchor: usize,
    kind: OpenKind,
    size: usize,
}

enum OpenKind {
    Mapping { entries: IndexMap<String, (Range<usize>, Arc<Node>)>, key: Option<(String, Range<usize>)> },
    Sequence(Vec<Arc<Node>>),
}

impl<'a> Indexer<'a> {
    fn new(file: &'a Arc<SourceFile>) -> Self {
        // The parser counts characters, spans count bytes.
        let offsets = (!file.text.is_ascii())
            .then(|| file.text.char_indices().map(|(offset, _)| offset).chain([file.text.len()]).collect());
        Self {
            file,
            offsets,
            anchors: IndexMap::new(),
            open: Vec::new(),
            faults: Diagnostics::new(),
            root: None,
        }
    }

    fn run(mut self) -> Result<Arc<Node>, Diagnostics> {
        let file = self.file;
        let mut parser = Parser::new_from_str(&file.text);
        while let Some(next) = parser.next_event() {
            let (event, span) = match next {
                Ok(next) => next,
                Err(error) => {
                    self.faults.push(self.scan_fault(&error));
                    return Err(self.faults);
                }
            };
            let range = self.offset(&span.start)..self.offset(&span.end);
            if let Err(fault) = self.event(event, range) {
                self.faults.push(fault);
                return Err(self.faults);
            }
        }
        let root = self
            .root
            .take()
            .unwrap_or_else(|| Arc::new(Node { value: 0..0, children: Children::None, size: 1 }));
        self.faults.into_result(root)
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) -> Result<(), Diagnostic> {
        match event {
            Event::Scalar(text, _, anchor, _) => self.scalar(text.into_owned(), range, anchor),
            Event::MappingStart(anchor, _) => {
                let kind = OpenKind::Mapping { entries: IndexMap::new(), key: None };
                self.begin(Open { start: range.start, anchor, kind, size: 1 }, range)
            }
            Event::SequenceStart(anchor, _) => {
                let kind = OpenKind::Sequence(Vec::new());
                self.begin(Open { start: range.start, anchor, kind, size: 1 }, range)
            }
            Event::MappingEnd | Event::SequenceEnd => self.end(&range),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => self.place(node, &range),
                None => Err(Diagnostic::error(Code::YamlSyntax, "an alias inside of what it refers to")
                    .at(self.span(range), "this alias contains itself")
                    .help("write the value out")),
            },
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Diagnostic::error(Code::UnsupportedYaml, "a second YAML document in one file")
                    .at(self.span(range), "it starts here")
                    .help("a manifest file holds one document; put the other into a file of its own"))
            }
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: String, range: Range<usize>, anchor: usize) -> Result<(), Diagnostic> {
        if let Some(Open { kind: OpenKind::Mapping { entries, key: key @ None }, .. }) = self.open.last_mut()
        {
            if text == "<<" {
                return Err(Diagnostic::error(Code::UnsupportedYaml, "YAML merge keys are not supported")
                    .at(Span::new(self.file, range), "merge key")
                    .help("write the keys out, or use `defaults`"));
            }
            if let Some((first, _)) = entries.get(&text) {
                self.faults.push(
                    Diagnostic::error(
                        Code::DuplicateKey,
                        format!("`{text}` is given twice in the same mapping"),
                    )
                    .at(Span::new(self.file, range.clone()), "given again here")
                    .also(Span::new(self.file, first.clone()), "first given here")
                    .help("remove one of the two: YAML would keep the last one silently"),
                );
            }
            *key = Some((text, range));
            return Ok(());
        }
        let node = Arc::new(Node { value: range.clone(), children: Children::None, size: 1 });
        self.remember(anchor, &node);
        self.place(node, &range)
    }

    fn begin(&mut self, open: Open, range: Range<usize>) -> Result<(), Diagnostic> {
        if let Some(Open { kind: OpenKind::Mapping { key: None, .. }, .. }) = self.open.last() {
            return Err(Diagnostic::error(Code::UnsupportedYaml, "a mapping key that is not a text")
                .at(self.span(range), "this key is a mapping or a sequence"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Diagnostic::error(
                Code::TooDeep,
                format!("this YAML nests deeper than {MAX_DEPTH} levels"),
            )
            .at(self.span(range), "one level too deep")
            .help("no part of a manifest needs more than ten levels"));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self, range: &Range<usize>) -> Result<(), Diagnostic> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let children = match open.kind {
            OpenKind::Mapping { entries, .. } => Children::Mapping(entries),
            OpenKind::Sequence(items) => Children::Sequence(items),
        };
        let node = Arc::new(Node { value: open.start..range.end.max(open.start), children, size: open.size });
        self.remember(open.anchor, &node);
        self.place(node, range)
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, node: Arc<Node>, range: &Range<usize>) -> Result<(), Diagnostic> {
        let size = node.size;
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(parent) => {
                parent.size += size;
                if parent.size > MAX_NODES {
                    return Err(Diagnostic::error(
                        Code::AliasBomb,
                        format!("the aliases of this file unfold to more than {MAX_NODES} values"),
                    )
                    .at(self.span(range.clone()), "unfolded once too often here")
                    .help("write the values out, or include fewer of them"));
                }
                match &mut parent.kind {
                    OpenKind::Sequence(items) => items.push(node),
                    OpenKind::Mapping { entries, key } => match key.take() {
                        Some((name, place)) => {
                            entries.insert(name, (place, node));
                        }
                        None => {
                            return Err(Diagnostic::error(
                                Code::UnsupportedYaml,
                                "a mapping key that is an alias",
                            )
                            .at(self.span(range.clone()), "write the key out"));
                        }
                    },
                }
            }
        }
        Ok(())
    }

    fn remember(&mut self, anchor: usize, node: &Arc<Node>) {
        if anchor > 0 {
            self.anchors.insert(anchor, Arc::clone(node));
        }
    }

    fn offset(&self, marker: &Marker) -> usize {
        match &self.offsets {
            None => marker.index(),
            Some(offsets) => offsets.get(marker.index()).copied().unwrap_or(self.file.text.len()),
        }
    }

    fn span(&self, range: Range<usize>) -> Span {
        let first_line = self.file.text.get(range.clone()).and_then(|text| text.lines().next());
        Span::new(self.file, range.start..range.start + first_line.map_or(1, str::len))
    }

    fn too_deep(&self, range: Range<usize>) -> Diagnostic {
        Diagnostic::error(Code::TooDeep, format!("this YAML nests deeper than {MAX_DEPTH} levels"))
            .at(self.span(range), "one level too deep")
            .help("no part of a manifest needs more than ten levels")
    }

    fn scan_fault(&self, error: &ScanError) -> Diagnostic {
        let start = self.offset(error.marker());
        if error.info().contains("recursion limit") {
            return self.too_deep(start..start + 1);
        }
        let text = &self.file.text;
        let line_start = text[..start.min(text.len())].rfind('\n').map_or(0, |at| at + 1);
        let indentation = text[line_start..].len() - text[line_start..].trim_start_matches(' ').len();
        let message = format!("this YAML cannot be read: {}", error.info());
        let fault = |at: usize, label: &str, help: &str| {
            Diagnostic::error(Code::YamlSyntax, message.clone())
                .at(Span::new(self.file, at..at + 1), label)
                .help(help)
        };
        if text[line_start + indentation..].starts_with('\t') {
            return fault(line_start + indentation, "a tab", "indent with spaces: YAML allows no tabs there");
        }
        if error.info().contains("quoted scalar") {
            return fault(
                start,
                "this quote",
                "add the closing quote; further lines of a quoted text are indented",
            );
        }
        let help =
            "check the indentation, and quote texts that hold `: `, ` #` or start with a special character";
        fault(start, "the reader stopped here", help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Document, Diagnostics> {
        Document::parse(&SourceFile::new("a.yaml", text))
    }

    fn code(text: &str) -> (Code, (usize, usize)) {
        let faults = parse(text).expect_err("faulty");
        let first = faults.sorted()[0];
        (first.code, first.primary.as_ref().expect("a place").span.position())
    }

    #[test]
    fn every_pointer_has_its_place() {
        let document = parse("name: olist\nmödels:\n  - a: [1, 2]\n    b: &x {c: d}\nagain: *x\n").unwrap();
        assert_eq!(document.value["again"]["c"], "d");
        assert_eq!(document.value_span("/name").position(), (1, 7));
        assert_eq!(document.key_span("/mödels/0/b").position(), (4, 5));
        assert_eq!(document.value_span("/mödels/0/a/1").position(), (3, 12));
        assert_eq!(document.value_span("/again/c").position(), (4, 15));
        assert_eq!(document.value_span("/mödels/0/missing").position(), (3, 5));
    }

    #[test]
    fn texts_lead_back_to_their_lines() {
        let yaml = "a: price > 0\nb: |\n  SELECT x\n\n    FROM t\nc: \"e\\ts\"\n";
        let document = parse(yaml).unwrap();
        for (pointer, piece, position) in
            [("/a", "> 0", (1, 10)), ("/b", "SELECT", (3, 3)), ("/b", "FROM", (5, 5)), ("/c", "s", (6, 4))]
        {
            let value = document.value.pointer(pointer).and_then(Value::as_str).unwrap();
            let mapped = document.text(pointer, value);
            assert_eq!(mapped.text, value);
            let at = value.find(piece).unwrap();
            assert_eq!(mapped.span(at..at + piece.len()).unwrap().position(), position, "{pointer}");
        }
    }

    #[test]
    fn an_empty_file_is_an_empty_mapping() {
        assert_eq!(parse("# nothing\n").unwrap().value, serde_json::json!({}));
    }

    #[test]
    fn duplicates_are_all_told() {
        let faults = parse("a: 1\nb: 2\na: 3\nb: 4\n").expect_err("duplicates");
        assert_eq!(faults.len(), 2);
        assert_eq!(code("a: 1\nb:\n  c: 1\n  c: 2\n"), (Code::DuplicateKey, (4, 3)));
    }

    #[test]
    fn bombs_and_depth_end_in_an_error() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let inner = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
        }
        assert_eq!(code(&bomb).0, Code::AliasBomb);
        assert_eq!(code(&"[".repeat(100_000)).0, Code::TooDeep);
        assert_eq!(code(&format!("{}1", "- ".repeat(1_000))).0, Code::TooDeep);
        assert_eq!(code("a: &a [*a]").0, Code::YamlSyntax);
    }

    #[test]
    fn what_a_manifest_has_no_use_for_is_refused() {
        assert_eq!(code("a: 1\n---\nb: 2\n").0, Code::UnsupportedYaml);
        assert_eq!(code("? [a, b]\n: 1\n").0, Code::UnsupportedYaml);
        assert_eq!(code("a: &x {b: 1}\nc:\n  <<: *x\n"), (Code::UnsupportedYaml, (3, 3)));
        assert_eq!(code("a:\n\t- b\n").0, Code::YamlSyntax);
        assert_eq!(code("a: 'open\n").0, Code::YamlSyntax);
        assert_eq!(code("a: b: c\n").0, Code::YamlSyntax);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn no_yaml_like_text_makes_it_panic(text in "[a-c:\\-\\[\\]{}&*!|>'\"#?%@, \\n\\t]{0,60}") {
            let _ = parse(&text);
        }
    }
}
