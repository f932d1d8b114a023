//! Marks in a template's text, by which what it renders leads back to its place.
//!
//! Before rendering, invisible marks are put into the template's own text: one before each line's first word and one
//! before each `{{ … }}`. They come out with the rendered SQL, tell where each part came from, and are taken out again.
//! What a macro renders belongs to the `{{ … }}` that called it.

use std::ops::Range;

use crate::diag::{MappedText, SourceFile};

const MARK: char = '\u{F0000}';
const MARK_END: char = '\u{F0001}';

/// A template with marks in its text.
pub(super) struct Marked {
    pub(super) text: String,
    /// Offsets in `text` and the offsets of the template that they stand for.
    places: Vec<(usize, usize)>,
}

impl Marked {
    pub(super) fn new(template: &str) -> Self {
        let mut marked = Self { text: String::with_capacity(template.len() * 2), places: Vec::new() };
        let mut at = 0;
        while at < template.len() {
            let tag = ["{{", "{%", "{#"].iter().filter_map(|open| template[at..].find(open)).min();
            let tag_start = tag.map_or(template.len(), |offset| at + offset);
            let trims = template[tag_start..].get(2..3) == Some("-");
            marked.raw(template, at..tag_start, trims);
            let tag_end = tag_end(template, tag_start);
            if template[tag_start..].starts_with("{{") {
                marked.mark(&format!("{tag_start}:{tag_end}"));
            }
            marked.copy(template, tag_start..tag_end);
            at = tag_end;
        }
        marked
    }

    /// The template's own text: a mark before the first word of each line, so that white space stays what
    /// `{%-` and `-%}` can trim.
    fn raw(&mut self, template: &str, range: Range<usize>, trims: bool) {
        let text = &template[range.clone()];
        let text = if trims { text.trim_end() } else { text };
        let mut at = range.start;
        for line in text.split_inclusive('\n') {
            let word = at + (line.len() - line.trim_start().len());
            self.copy(template, at..word);
            if word < at + line.len() {
                self.mark(&word.to_string());
                self.copy(template, word..at + line.len());
            }
            at += line.len();
        }
    }

    fn mark(&mut self, content: &str) {
        self.text.push(MARK);
        self.text.push_str(content);
        self.text.push(MARK_END);
    }

    fn copy(&mut self, template: &str, range: Range<usize>) {
        self.places.push((self.text.len(), range.start));
        self.text.push_str(&template[range]);
    }

    pub(super) fn original(&self, offset: usize) -> usize {
        let after = self.places.partition_point(|(start, _)| *start <= offset);
        self.places
            .get(after.saturating_sub(1))
            .map_or(0, |(start, original)| original + (offset - start.min(&offset)))
    }
}

/// The end of the tag that starts at an offset; of the whole block for `{% raw %}`.
pub(super) fn tag_end(template: &str, start: usize) -> usize {
    let rest = &template[start..];
    let close = match rest.get(..2) {
        Some("{{") => "}}",
        Some("{%") => "%}",
        Some("{#") => return rest.find("#}").map_or(template.len(), |end| start + end + 2),
        _ => return template.len(),
    };
    let mut quote = None;
    let mut previous = ' ';
    for (at, character) in rest.char_indices().skip(2) {
        match quote {
            Some(open) if character == open && previous != '\\' => quote = None,
            Some(_) => {}
            None if character == '\'' || character == '"' => quote = Some(character),
            None if rest[at..].starts_with(close) => {
                let end = start + at + 2;
                let inside = rest[2..at].trim_matches(['-', '+', ' ', '\n', '\t']);
                if close == "%}" && inside == "raw" {
                    return end_of_raw(template, end);
                }
                return end;
            }
            None => {}
        }
        previous = character;
    }
    template.len()
}

fn end_of_raw(template: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(found) = template[at..].find("{%") {
        let start = at + found;
        let end = template[start..].find("%}").map_or(template.len(), |end| start + end + 2);
        if template[start..end].contains("endraw") {
            return end;
        }
        at = end;
    }
    template.len()
}

/// Takes the marks out of rendered text and keeps what they say.
pub(super) fn unmark(rendered: &str, template: &MappedText) -> MappedText {
    let mut out = Pieces { template, mapped: MappedText::new() };
    let mut pieces = rendered.split(MARK);
    out.made(pieces.next().unwrap_or_default(), 0..1);
    for piece in pieces {
        let Some((mark, text)) = piece.split_once(MARK_END) else { continue };
        match mark.split_once(':') {
            Some((start, end)) => out.made(text, start.parse().unwrap_or(0)..end.parse().unwrap_or(1)),
            None => out.own(text, mark.parse().unwrap_or(0)),
        }
    }
    out.mapped
}

struct Pieces<'a> {
    template: &'a MappedText,
    mapped: MappedText,
}

impl Pieces<'_> {
    fn made(&mut self, text: &str, by: Range<usize>) {
        if text.is_empty() {
            return;
        }
        match self.template.span(by) {
            Some(span) => self.mapped.push_made(text, &span),
            None => self.mapped.text.push_str(text),
        }
    }

    /// Text of the template itself: byte for byte, as far as no tag took something out of it.
    fn own(&mut self, text: &str, start: usize) {
        let same = self
            .template
            .text
            .get(start..)
            .map_or(0, |rest| rest.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count());
        let same = (0..=same).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        match self.template.span(start..start + same.max(1)) {
            Some(span) if span.range.len() == same && same > 0 => {
                self.mapped.push_verbatim(&span.file, span.range);
            }
            Some(span) => self.mapped.push_made(&text[..same], &span),
            None => self.mapped.text.push_str(&text[..same]),
        }
        self.made(&text[same..], start..start + same.max(1));
    }
}

/// A text that a template computed, without marks.
pub(super) fn plain(text: &str) -> String {
    if text.contains(MARK) {
        let file = SourceFile::new("", "");
        return unmark(text, &MappedText::file(&file)).text;
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use minijinja::Environment;

    use super::*;

    fn mapped(text: &str) -> MappedText {
        MappedText::file(&SourceFile::new("m.sql", text))
    }

    fn render(text: &str) -> MappedText {
        let template = mapped(text);
        let marked = Marked::new(&template.text);
        let mut environment = Environment::new();
        environment.add_function("ref", |name: String| format!("`d.{}`", plain(&name)));
        unmark(&environment.render_named_str("m.sql", &marked.text, ()).unwrap(), &template)
    }

    /// What renders with marks is what renders without, and each word leads back to its own place.
    fn same(text: &str, places: &[(&str, (usize, usize))]) {
        let mut environment = Environment::new();
        environment.add_function("ref", |name: String| format!("`d.{name}`"));
        let rendered = render(text);
        assert_eq!(rendered.text, environment.render_named_str("m.sql", text, ()).unwrap());
        for (word, position) in places {
            let at = rendered.text.find(word).unwrap();
            assert_eq!(rendered.span(at..at + word.len()).unwrap().position(), *position, "{word}");
        }
    }

    #[test]
    fn places_survive_rendering() {
        same(
            "SELECT a\nFROM {{ ref('t') }} AS t\nWHERE  x",
            &[
                ("SELECT", (1, 1)),
                ("a", (1, 8)),
                ("d.t", (2, 6)),
                ("AS", (2, 21)),
                ("WHERE", (3, 1)),
                ("x", (3, 8)),
            ],
        );
        same(
            "{# note\n #}SELECT\n{%- if true %}\n  ção\n{% endif -%}\n\n  b",
            &[("ção", (4, 3)), ("b", (7, 3))],
        );
        same(
            "{% for n in ['x', 'y'] %}\n  {{ n }}_col,\n{% endfor %}z",
            &[("x", (2, 3)), ("_col", (2, 10)), ("z", (3, 13))],
        );
        same(
            "a {{- 'b' -}}  c\n{% raw %}{{ d }}{% endraw %} e",
            &[("b", (1, 3)), ("c", (1, 16)), ("e", (2, 30))],
        );
        same(
            "{% set t %}na{{ 'me' }}{% endset %}{{ ref(t) }} '{{ '}}' }}' tail",
            &[("d.name", (1, 36)), ("tail", (1, 62))],
        );
        same("", &[]);
    }

    proptest::proptest! {
        #[test]
        fn text_without_tags_is_itself(text in "[a-zé \n,'().{}%#]{0,80}") {
            proptest::prop_assume!(["{{", "{%", "{#"].iter().all(|open| !text.contains(open)));
            let rendered = render(&text);
            // The template language drops one final line break.
            proptest::prop_assert_eq!(&rendered.text, text.strip_suffix('\n').unwrap_or(&text));
            for (at, character) in rendered.text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
                let range = rendered.span(at..at + character.len_utf8()).unwrap().range;
                proptest::prop_assert_eq!(range.start, at);
            }
        }
    }
}
