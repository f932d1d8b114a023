//! Diagnostics for people (miette) and for machines (JSON).

use std::fmt;
use std::sync::Arc;

use miette::{LabeledSpan, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use serde_json::{Value, json};

use super::{Diagnostic, Diagnostics, Label, Severity, SourceFile};

/// How the graphical report looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Colours and styles by ANSI escapes.
    pub color: bool,
    /// Box-drawing characters instead of ASCII.
    pub unicode: bool,
    /// Columns to wrap at.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, unicode: true, width: 100 }
    }
}

/// All diagnostics in order, as people read them, each followed by an empty line.
pub fn graphical(diagnostics: &Diagnostics, style: Style) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.sorted() {
        let mut report = String::new();
        // Writing to a string cannot fail; a renderer that refuses is replaced by the bare message.
        let drawn = can_be_drawn(diagnostic)
            && handler(diagnostic, style)
                .render_report(&mut report, &Report(diagnostic, style.width))
                .is_ok();
        if !drawn {
            report = in_words(diagnostic);
        }
        // The renderer indents the first line for an icon; a word at the margin is found faster.
        out.push_str(report.trim_start_matches(' '));
        for place in elsewhere(diagnostic) {
            out.push_str(&format!("  also: {place}\n"));
        }
        out.push('\n');
    }
    out
}

/// So far into a line the renderer can point: it counts columns in 16 bits, and panics beyond.
const FARTHEST: usize = 30_000;

fn can_be_drawn(diagnostic: &Diagnostic) -> bool {
    diagnostic.primary.iter().chain(&diagnostic.secondary).all(|label| {
        let file = &label.span.file;
        // A character may be two columns wide, or drawn as several.
        file.position(label.span.range.end).1 <= FARTHEST
    })
}

/// A diagnostic without a picture of its place.
fn in_words(diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut out = format!("{severity}[{}]: {}\n", diagnostic.code, diagnostic.message);
    if let Some(label) = &diagnostic.primary {
        let (line, column) = label.span.position();
        out.push_str(&format!("  at {}:{line}:{column}\n", label.span.file.name));
    }
    if let Some(help) = &diagnostic.help {
        out.push_str(&format!("  help: {help}\n"));
    }
    out
}

/// Draws one diagnostic: `error[PW0102]: message` first, then the place, then the advice.
fn handler(diagnostic: &Diagnostic, style: Style) -> miette::GraphicalReportHandler {
    let mut theme =
        if style.unicode { miette::GraphicalTheme::unicode() } else { miette::GraphicalTheme::ascii() };
    theme.styles = if style.color { miette::ThemeStyles::ansi() } else { miette::ThemeStyles::none() };
    theme.characters.error = format!("error[{}]:", diagnostic.code);
    theme.characters.warning = format!("warning[{}]:", diagnostic.code);
    miette::GraphicalReportHandler::new_themed(theme)
        .with_width(style.width)
        .with_links(false)
        // Its own wrapping breaks names at slashes and hyphens.
        .with_wrap_lines(false)
        .with_context_lines(1)
}

/// The further places that stand in other files than the first one, as people read them.
fn elsewhere(diagnostic: &Diagnostic) -> Vec<String> {
    let first = diagnostic.primary.as_ref().map(|label| &label.span.file);
    let others =
        diagnostic.secondary.iter().filter(|label| first.is_none_or(|f| !Arc::ptr_eq(f, &label.span.file)));
    others
        .map(|label| {
            let (line, column) = label.span.position();
            let separator = if label.text.is_empty() { "" } else { ": " };
            format!("{}{separator}{}:{line}:{column}", label.text, label.span.file.name)
        })
        .collect()
}

/// A text broken at spaces so that no line is longer than a width; words stay whole. The first line has less room.
fn wrapped(text: &str, width: usize, taken: usize) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut column = taken;
    for (index, word) in text.split(' ').enumerate() {
        let length = unicode_width::UnicodeWidthStr::width(word);
        if index > 0 && column + 1 + length > width {
            out.push('\n');
            column = 8;
        } else if index > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

/// All diagnostics in order, as data: code, severity, message, file, line, column, further places, help, subject.
pub fn json(diagnostics: &Diagnostics) -> Value {
    diagnostics.sorted().into_iter().map(one_json).collect()
}

fn one_json(diagnostic: &Diagnostic) -> Value {
    let place = |label: &Label| {
        let (line, column) = label.span.position();
        let (end_line, end_column) = label.span.file.position(label.span.range.end);
        json!({
            "file": label.span.file.name,
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
            "text": label.text,
        })
    };
    json!({
        "code": diagnostic.code.id(),
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "subject": diagnostic.subject,
        "place": diagnostic.primary.as_ref().map(place),
        "also": diagnostic.secondary.iter().map(place).collect::<Vec<_>>(),
        "help": diagnostic.help,
    })
}

/// A diagnostic in miette's eyes.
#[derive(Debug)]
struct Report<'a>(&'a Diagnostic, usize);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.0.subject.iter().map(|subject| format!("{subject}: "));
        let text: String = subject.chain([self.0.message.clone()]).collect();
        f.write_str(&wrapped(&text, self.1, "warning[PW0000]: ".len()))
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.0.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.0.help.as_ref()?;
        Some(Box::new(wrapped(help, self.1, "  help: ".len())))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.primary.as_ref().map(|label| &*label.span.file as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let primary = self.0.primary.as_ref()?;
        let here = self.0.secondary.iter().filter(|label| Arc::ptr_eq(&label.span.file, &primary.span.file));
        Some(Box::new(std::iter::once(primary).chain(here).map(|label| {
            let range = &label.span.range;
            let text = (!label.text.is_empty()).then(|| label.text.clone());
            let span = SourceSpan::from((range.start, range.end - range.start));
            // The place in the heading is the primary label's, wherever the others stand.
            if std::ptr::eq(label, primary) {
                LabeledSpan::new_primary_with_span(text, span)
            } else {
                LabeledSpan::new_with_span(text, span)
            }
        })))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        None
    }
}

impl SourceCode for SourceFile {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, miette::MietteError> {
        let contents = self.text.read_span(span, context_lines_before, context_lines_after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            contents.data(),
            *contents.span(),
            contents.line(),
            // Columns count characters, as everywhere else.
            self.position(contents.span().offset()).1 - 1,
            contents.line_count(),
        )))
    }
}
