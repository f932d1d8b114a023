//! Templates: minijinja in strict mode, with the place of every part of what it renders.
//!
//! What renders keeps its places: see [`super::marks`].

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use minijinja::value::Value as TemplateValue;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};

use super::marks::{Marked, plain, tag_end, unmark};
use crate::diag::{Code, Diagnostic, MappedText, SourceFile, Span, did_you_mean, nearest, quoted};
use crate::manifest::types::{Scalar, Target};
use crate::project::{Address, NodeKind, Project};

/// Statements that end in `{% end… %}`.
const BLOCKS: [&str; 8] = ["if", "for", "macro", "set", "filter", "call", "with", "raw"];
const STATEMENTS: [&str; 18] = [
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "macro",
    "endmacro",
    "set",
    "endset",
    "filter",
    "endfilter",
    "call",
    "endcall",
    "with",
    "endwith",
    "raw",
    "endraw",
];
const BUILT_IN: [&str; 5] = ["ref", "source", "var", "target", "is_incremental"];

/// A rendered template.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The SQL with the places of its parts.
    pub sql: MappedText,
    /// The nodes that it names with `ref` and `source`.
    pub reads: BTreeSet<Address>,
}

/// Renders the templates of one project for one target. Not for sharing between threads: each takes its own.
pub struct Renderer<'p> {
    environment: Environment<'p>,
    macros: Vec<MacroFile>,
    seen: Arc<Mutex<Seen>>,
    /// Faults of macro files that cannot be parsed.
    broken: Vec<Diagnostic>,
}

/// What the functions of a template saw while it rendered.
#[derive(Debug, Default)]
struct Seen {
    reads: BTreeSet<Address>,
    /// The fault behind an error that a function returned.
    fault: Option<(Code, String, Option<String>)>,
}

#[derive(Debug)]
struct MacroFile {
    file: Arc<SourceFile>,
    names: Vec<String>,
    prelude: String,
}

impl<'p> Renderer<'p> {
    /// A renderer for a project and one of its targets.
    pub fn new(project: &'p Project, target_name: &str, relation: &dyn Fn(&Address) -> String) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_debug(true);
        let tables = Arc::new(Tables::new(project, relation));
        for (function, sources) in [("ref", false), ("source", true)] {
            let (tables, seen) = (Arc::clone(&tables), Arc::clone(&seen));
            environment
                .add_function(function, move |name: String| tables.find(&plain(&name), sources, &seen));
        }
        let vars: IndexMap<String, Scalar> = project.vars.clone();
        let var_seen = Arc::clone(&seen);
        environment.add_function("var", move |name: String| find_var(&vars, &plain(&name), &var_seen));
        let kind = match project.targets.get(target_name) {
            Some(Target::BigQuery(_)) => "bigquery",
            _ => "duckdb",
        };
        environment.add_global("target", TemplateValue::from_pairs([("name", target_name), ("type", kind)]));
        let mut macros: Vec<MacroFile> = project
            .macros
            .iter()
            .map(|file| MacroFile {
                file: Arc::clone(file),
                names: macro_names(&file.text),
                prelude: String::new(),
            })
            .collect();
        let preludes: Vec<String> =
            macros.iter().map(|own| prelude(&macros, &own.file.text, Some(&own.file.name))).collect();
        for (file, prelude) in macros.iter_mut().zip(preludes) {
            file.prelude = prelude;
        }
        let mut renderer = Self { environment, macros, seen, broken: Vec::new() };
        for index in 0..renderer.macros.len() {
            let file = &renderer.macros[index];
            let source = format!("{}{}", file.prelude, file.file.text);
            if let Err(error) = renderer.environment.add_template_owned(file.file.name.clone(), source) {
                let fault = renderer.fault(&error, None);
                renderer.broken.push(fault);
            }
        }
        renderer
    }

    /// Faults of the macro files themselves.
    pub fn check_macros(&self) -> Vec<Diagnostic> {
        let mut faults = self.macros_defined_twice();
        faults.extend(self.broken.clone());
        faults
    }

    fn macros_defined_twice(&self) -> Vec<Diagnostic> {
        let mut first: IndexMap<&str, &MacroFile> = IndexMap::new();
        let mut faults = Vec::new();
        for file in &self.macros {
            for name in &file.names {
                if let Some(other) = first.get(name.as_str()) {
                    faults.push(
                        Diagnostic::error(Code::BadMacro, format!("the macro `{name}` is defined twice"))
                            .maybe_at(definition(file, name), "defined again here")
                            .help(format!("the first stands in {}; rename one of them", other.file.name)),
                    );
                } else {
                    first.insert(name, file);
                }
            }
        }
        faults
    }

    /// Renders the template of a model: for the whole table, or for the new rows of one that is there, `this`.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn render_model(&self, template: &MappedText, this: Option<&str>) -> Result<Rendered, Diagnostic> {
        let incremental = this.is_some();
        let is_incremental = ("is_incremental", TemplateValue::from_function(move || incremental));
        let this = this.map(|this| ("this", TemplateValue::from(this)));
        self.render_with(template, TemplateValue::from_pairs(this.into_iter().chain([is_incremental])))
    }

    /// Renders one template.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn render(&self, template: &MappedText) -> Result<Rendered, Diagnostic> {
        self.render_with(template, TemplateValue::UNDEFINED)
    }

    fn render_with(&self, template: &MappedText, own: TemplateValue) -> Result<Rendered, Diagnostic> {
        let marked = Marked::new(&template.text);
        let prelude = prelude(&self.macros, &template.text, None);
        let source = format!("{prelude}{}", marked.text);
        self.with_seen(|seen| *seen = Seen::default());
        match self.environment.render_named_str("", &source, own) {
            Ok(rendered) => {
                let reads = self.with_seen(|seen| std::mem::take(&mut seen.reads));
                Ok(Rendered { sql: unmark(&rendered, template), reads })
            }
            Err(error) => {
                let at = error.range().map(|range| {
                    let original = |offset: usize| marked.original(offset.saturating_sub(prelude.len()));
                    let start = original(range.start);
                    template.span(start..original(range.end).max(start + 1))
                });
                // A template that uses a broken macro file has no fault of its own.
                let message = error.to_string();
                let broken = self.broken.iter().find(|fault| {
                    fault.primary.as_ref().is_some_and(|label| {
                        message.contains("non-existing") && message.contains(&label.span.file.name)
                    })
                });
                Err(broken.cloned().unwrap_or_else(|| self.fault(&error, at.flatten())))
            }
        }
    }

    fn with_seen<T>(&self, use_it: impl FnOnce(&mut Seen) -> T) -> T {
        use_it(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A template error as a diagnostic; its place is in the template, or in the macro file that failed.
    fn fault(&self, error: &Error, in_template: Option<Span>) -> Diagnostic {
        let mut innermost = error;
        while let Some(inner) =
            std::error::Error::source(innermost).and_then(|inner| inner.downcast_ref::<Error>())
        {
            innermost = inner;
        }
        let in_macro = |error: &Error| {
            let file = self.macros.iter().find(|file| Some(file.file.name.as_str()) == error.name())?;
            let range = error.range()?;
            let shift = |offset: usize| offset.saturating_sub(file.prelude.len());
            Some(Span::new(&file.file, shift(range.start)..shift(range.end)))
        };
        let place = in_macro(innermost).or_else(|| in_macro(error));
        let called_from =
            place.as_ref().and(in_template.clone()).map(|span| self.call_place(innermost, error, span));
        let span = place.or(in_template);
        let word =
            span.as_ref().map(|span| span.file.text[span.range.clone()].to_owned()).unwrap_or_default();
        let diagnostic = match (self.with_seen(|seen| seen.fault.take()), innermost.kind()) {
            (Some((code, message, help)), _) => Diagnostic::error(code, message).maybe_help(help),
            (None, ErrorKind::UndefinedError | ErrorKind::UnknownFunction) => {
                self.unknown_name(&word, innermost)
            }
            (None, ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownMethod) => {
                Diagnostic::error(Code::TemplateUnknownName, message_of(innermost))
            }
            (None, ErrorKind::SyntaxError) => {
                return Self::syntax_fault(innermost, span);
            }
            (None, _) => {
                Diagnostic::error(Code::TemplateFailed, format!("template: {}", message_of(innermost)))
                    .help("templates make text: look at what is given to this expression; what stands in quotes is text, not a number")
            }
        };
        let diagnostic = diagnostic.maybe_at(span, "here");
        match called_from {
            Some(call) => diagnostic.also(call, "called from here"),
            None => diagnostic,
        }
    }

    /// Where a template calls what failed. The template language keeps no place of calls: it is the first mention of
    /// one of the file's macros.
    fn call_place(&self, innermost: &Error, error: &Error, span: Span) -> Span {
        let file = [innermost, error]
            .into_iter()
            .find_map(|error| self.macros.iter().find(|file| Some(file.file.name.as_str()) == error.name()));
        let names = file.map(|file| file.names.as_slice()).unwrap_or_default();
        let text = &span.file.text;
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let first = names
            .iter()
            .flat_map(|name| text.match_indices(name.as_str()).map(move |(at, _)| at..at + name.len()))
            .filter(|at| text[at.end..].starts_with('(') && !text[..at.start].ends_with(is_name))
            .min_by_key(|at| at.start);
        match first {
            Some(range) => Span::new(&span.file, range),
            None => span,
        }
    }

    fn syntax_fault(error: &Error, span: Option<Span>) -> Diagnostic {
        let message = message_of(error);
        if let Some((open, name)) =
            span.as_ref().filter(|_| message.contains("end of input")).and_then(unclosed_block)
        {
            return Diagnostic::error(
                Code::TemplateSyntax,
                format!("template: `{{% {name} … %}}` has no end"),
            )
            .at(open, "opened here")
            .help(format!("add `{{% end{name} %}}`"));
        }
        let fault = Diagnostic::error(Code::TemplateSyntax, format!("template: {message}"));
        let fault = match message.strip_prefix("unknown statement ") {
            Some(word) => fault
                .maybe_help(nearest(word, STATEMENTS).map(|name| format!("did you mean `{{% {name} %}}`?"))),
            None => fault,
        };
        let help = "`{{ … }}` inserts a value, `{% … %}` is a statement, `{# … #}` a comment";
        let fault = if fault.help.is_none() { fault.help(help) } else { fault };
        fault.maybe_at(span, "here")
    }

    fn unknown_name(&self, word: &str, error: &Error) -> Diagnostic {
        let name: String = word.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.is_empty() {
            return Diagnostic::error(Code::TemplateUnknownName, format!("template: {}", message_of(error)));
        }
        if name == "this" {
            return Diagnostic::error(Code::TemplateUnknownName, "there is no `this` yet").help(
                "it is the table of an incremental model, where it is there already: put it inside of \
                 `{% if is_incremental() %} … {% endif %}`",
            );
        }
        let known =
            BUILT_IN.into_iter().chain(self.macros.iter().flat_map(|f| f.names.iter().map(String::as_str)));
        let help =
            did_you_mean(&name, known.clone()).unwrap_or_else(|| format!("templates know {}", quoted(known)));
        Diagnostic::error(Code::TemplateUnknownName, format!("templates have no `{name}`")).help(help)
    }
}

/// The last `{% … %}` of a file that opens a block which nothing closes, and its word.
fn unclosed_block(span: &Span) -> Option<(Span, String)> {
    let text = &span.file.text;
    let mut open: Vec<(Range<usize>, String)> = Vec::new();
    for (at, _) in text.match_indices("{%") {
        let inside = text[at + 2..].trim_start_matches(['-', '+']);
        let word: String = inside.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
        let end = tag_end(text, at);
        let assigns = word == "set" && text[at..end].contains('=');
        match word.strip_prefix("end") {
            Some(closed) => {
                if let Some(last) = open.iter().rposition(|(_, name)| name == closed) {
                    open.truncate(last);
                }
            }
            None if BLOCKS.contains(&word.as_str()) && !assigns => open.push((at..end, word)),
            None => {}
        }
    }
    let (range, word) = open.pop()?;
    Some((Span::new(&span.file, range), word))
}

fn message_of(error: &Error) -> String {
    let kind = error.kind().to_string();
    match error.detail() {
        Some(detail) => detail.to_owned(),
        None => kind,
    }
}

/// Names as templates give them, and what they stand for in SQL.
struct Tables {
    known: IndexMap<String, (Address, String)>,
}

impl Tables {
    fn new(project: &Project, relation: &dyn Fn(&Address) -> String) -> Self {
        let known = project
            .nodes
            .iter()
            .map(|(name, node)| (name.clone(), (node.address.clone(), relation(&node.address))))
            .collect();
        Self { known }
    }

    fn find(&self, name: &str, sources: bool, seen: &Mutex<Seen>) -> Result<TemplateValue, Error> {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let right_kind = |address: &Address| (address.kind == NodeKind::Source) == sources;
        match self.known.get(name) {
            Some((address, relation)) if right_kind(address) => {
                seen.reads.insert(address.clone());
                Ok(TemplateValue::from_safe_string(relation.clone()))
            }
            found => {
                let what = if sources { "source" } else { "model or seed" };
                let help = match found {
                    Some((address, _)) if address.kind == NodeKind::Source => {
                        Some(format!("`{name}` is a source: write `source('{name}')`"))
                    }
                    Some(_) => Some(format!("`{name}` is no source: write `ref('{name}')`")),
                    None => did_you_mean(
                        name,
                        self.known.values().filter(|(a, _)| right_kind(a)).map(|(a, _)| a.name.as_str()),
                    ),
                };
                seen.fault = Some((Code::UnknownReference, format!("there is no {what} `{name}`"), help));
                Err(Error::new(ErrorKind::InvalidOperation, "unknown reference"))
            }
        }
    }
}

fn find_var(vars: &IndexMap<String, Scalar>, name: &str, seen: &Mutex<Seen>) -> Result<TemplateValue, Error> {
    if let Some(value) = vars.get(name) {
        return Ok(match value {
            Scalar::Bool(value) => TemplateValue::from(*value),
            Scalar::Integer(value) => TemplateValue::from(*value),
            Scalar::Float(value) => TemplateValue::from(*value),
            Scalar::Text(value) => TemplateValue::from(value.clone()),
        });
    }
    let help = did_you_mean(name, vars.keys().map(String::as_str))
        .unwrap_or_else(|| "declare it under `vars:` in pipeline.yaml".to_owned());
    seen.lock().unwrap_or_else(PoisonError::into_inner).fault =
        Some((Code::UnknownVar, format!("there is no variable `{name}`"), Some(help)));
    Err(Error::new(ErrorKind::InvalidOperation, "unknown variable"))
}

/// Where a file defines a macro.
fn definition(file: &MacroFile, name: &str) -> Option<Span> {
    let text = &file.file.text;
    let at = text.match_indices("macro").find_map(|(at, word)| {
        let rest = &text[at + word.len()..];
        let start = at + word.len() + (rest.len() - rest.trim_start().len());
        text[start..].starts_with(name).then_some(start)
    })?;
    Some(Span::new(&file.file, at..at + name.len()))
}

/// Names of the macros that a file defines.
fn macro_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices("{%") {
        let mut words = text[at + 2..].trim_start_matches(['-', '+']).split_whitespace();
        if words.next() == Some("macro") {
            let name: String = words
                .next()
                .unwrap_or_default()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if !name.is_empty() {
                names.push(name);
            }
        }
    }
    names
}

/// Whether a text has a name as a word of its own.
fn mentions(text: &str, name: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        !text[..at].ends_with(part_of_name) && !text[at + name.len()..].starts_with(part_of_name)
    })
}

/// Import statements for the macros whose names a text mentions, on one line so that lines keep their numbers.
fn prelude(macros: &[MacroFile], text: &str, own: Option<&str>) -> String {
    let mut out = String::new();
    for file in macros.iter().filter(|file| Some(file.file.name.as_str()) != own) {
        let used: Vec<&str> =
            file.names.iter().map(String::as_str).filter(|name| mentions(text, name)).collect();
        if !used.is_empty() {
            out.push_str(&format!("{{% from \"{}\" import {} %}}", file.file.name, used.join(", ")));
        }
    }
    out
}
