//! Diagnostics for people (miette) and for machines (JSON).

use std::fmt;
use std::sync::Arc;

use miette::{LabeledSpan, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use serde_json::{Value, json};

use super::{Diagnostic, Diagnostics, Severity, SourceFile};

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
        if handler(diagnostic, style).render_report(&mut report, &Report(diagnostic)).is_err() {
            report = format!("{}\n", diagnostic.message);
        }
        // The renderer indents the first line for an icon; a word at the margin is found faster.
        out.push_str(report.trim_start_matches(' '));
        out.push('\n');
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
        .with_context_lines(1)
}

/// All diagnostics in order, as data: code, severity, message, file, line, column, help, subject.
pub fn json(diagnostics: &Diagnostics) -> Value {
    diagnostics.sorted().into_iter().map(one_json).collect()
}

fn one_json(diagnostic: &Diagnostic) -> Value {
    let place = diagnostic.primary.as_ref().map(|label| {
        let (line, column) = label.span.position();
        let (end_line, end_column) = label.span.file.position(label.span.range.end);
        json!({
            "file": label.span.file.name,
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
        })
    });
    json!({
        "code": diagnostic.code.id(),
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "subject": diagnostic.subject,
        "place": place,
        "help": diagnostic.help,
    })
}

/// A diagnostic in miette's eyes.
#[derive(Debug)]
struct Report<'a>(&'a Diagnostic);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(subject) = &self.0.subject {
            write!(f, "{subject}: ")?;
        }
        f.write_str(&self.0.message)
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
        self.0.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
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
            LabeledSpan::new(text, range.start, range.end - range.start)
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
            contents.column(),
            contents.line_count(),
        )))
    }
}
