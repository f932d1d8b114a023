//! Where a record ends and where its fields are: a pure function over bytes.
//!
//! RFC 4180 with the line ends that BigQuery takes (LF, CRLF, lone CR). Quotes are strict, where csv readers are
//! mostly lenient and thereby load a shifted row without a word: a quote inside an unquoted field and text after
//! a closing quote are faults (rule 5 of the RFC; BigQuery says "Data between close double quote (") and field
//! separator"). A fault does not end the scan: the record's end is still looked for, so that reading goes on.
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc4180#section-2>

use memchr::memchr;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const LINE_FEEDS: u64 = ONES * b'\n' as u64;
const RETURNS: u64 = ONES * b'\r' as u64;

/// Delimiter and quote, and the same repeated in each byte of a word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    delimiter: u8,
    pub(super) quote: Option<u8>,
    delimiters: u64,
    quotes: u64,
}

/// Where a field's content lies in its record, quotes taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether the content has doubled quotes that stand for one.
    pub(super) doubled: bool,
}

/// What is wrong with a record's quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuoteFault {
    /// The file ends within quotes.
    Unclosed,
    /// Something other than a delimiter or an end of line follows a closing quote.
    TextAfterQuote,
    /// A field that does not begin with a quote has one further on.
    InsideUnquoted,
}

/// A fault and the field it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: QuoteFault,
    pub(super) field: usize,
}

/// A record found at the start of the scanned bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Bytes of the record without its line end.
    pub(super) length: usize,
    /// The byte that ended it; `None` at the end of the file. The LF of a CRLF is left for the caller.
    pub(super) terminator: Option<u8>,
    /// Whether any field is quoted: only then can the record hold line breaks.
    pub(super) quoted: bool,
    /// The first fault.
    pub(super) fault: Option<Fault>,
    /// Offset of the last fault; 0 without one.
    pub(super) last_fault: usize,
}

/// What a scan came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A whole record.
    Found(Found),
    /// The bytes end before the record does.
    Partial {
        /// Whether they end within quotes.
        in_quotes: bool,
    },
}

impl Dialect {
    pub(super) fn new(delimiter: u8, quote: Option<u8>) -> Self {
        Self {
            delimiter,
            quote,
            delimiters: ONES * u64::from(delimiter),
            // Without a quote the delimiter is looked for twice, which finds nothing more.
            quotes: ONES * u64::from(quote.unwrap_or(delimiter)),
        }
    }

    /// Scans the record that begins at the first byte of `data`. With `last`, nothing follows the data.
    #[inline]
    pub(super) fn scan(self, data: &[u8], last: bool, fields: &mut Vec<Field>) -> Outcome {
        fields.clear();
        let mut found =
            Found { length: data.len(), terminator: None, quoted: false, fault: None, last_fault: 0 };
        let mut at = 0;
        loop {
            // Beginning of a field, at the end of the data too: after the last delimiter one more follows.
            let end = if self.quote.is_some() && data.get(at).copied() == self.quote {
                found.quoted = true;
                match self.quoted(data, at, last, fields, &mut found) {
                    Ok(end) => end,
                    Err(outcome) => return outcome,
                }
            } else {
                let end = self.unquoted(data, at, fields.len(), &mut found);
                fields.push(Field { start: at, end, doubled: false });
                end
            };
            match data.get(end).copied() {
                None if last => return Outcome::Found(found),
                None => return Outcome::Partial { in_quotes: false },
                Some(byte) if byte == self.delimiter => at = end + 1,
                Some(byte) => {
                    found.length = end;
                    found.terminator = Some(byte);
                    return Outcome::Found(found);
                }
            }
        }
    }

    /// Reads the quoted field at `open` and returns the offset of the delimiter or line end after it.
    #[inline]
    fn quoted(
        self,
        data: &[u8],
        open: usize,
        last: bool,
        fields: &mut Vec<Field>,
        found: &mut Found,
    ) -> Result<usize, Outcome> {
        let quote = self.quote.unwrap_or_default();
        let start = open + 1;
        let mut doubled = false;
        let mut at = start;
        let close = loop {
            let Some(offset) = memchr(quote, &data[at..]) else {
                fields.push(Field { start, end: data.len(), doubled });
                if !last {
                    return Err(Outcome::Partial { in_quotes: true });
                }
                mark(found, QuoteFault::Unclosed, fields.len() - 1, data.len());
                return Err(Outcome::Found(*found));
            };
            let close = at + offset;
            match data.get(close + 1) {
                Some(&next) if next == quote => {
                    doubled = true;
                    at = close + 2;
                }
                None if !last => {
                    fields.push(Field { start, end: close, doubled });
                    return Err(Outcome::Partial { in_quotes: true });
                }
                _ => break close,
            }
        };
        fields.push(Field { start, end: close, doubled });
        let after = close + 1;
        match data.get(after).copied() {
            None | Some(b'\n' | b'\r') => Ok(after),
            Some(byte) if byte == self.delimiter => Ok(after),
            Some(_) => {
                let field = fields.len() - 1;
                mark(found, QuoteFault::TextAfterQuote, field, after);
                // What follows is read as unquoted text, so that the damage stays within its line.
                let end = self.unquoted(data, after, field, found);
                fields[field] = Field { start: open, end, doubled: false };
                Ok(end)
            }
        }
    }

    /// The offset of the delimiter or line end from `at` on; quotes on the way are marked as faults.
    #[inline]
    fn unquoted(self, data: &[u8], mut at: usize, field: usize, found: &mut Found) -> usize {
        loop {
            at = self.special(data, at);
            match data.get(at).copied() {
                Some(byte) if Some(byte) == self.quote => {
                    mark(found, QuoteFault::InsideUnquoted, field, at);
                    at += 1;
                }
                _ => return at,
            }
        }
    }

    /// The offset of the next delimiter, quote or line end from `at` on; the length of the data without one.
    ///
    /// Eight bytes at a time: `(x - 0x01…) & !x & 0x80…` marks the zero bytes of a word, exactly so for the
    /// lowest one, <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>.
    #[inline]
    fn special(self, data: &[u8], mut at: usize) -> usize {
        while let Some(chunk) = data.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*chunk);
            let marks = zeros(word ^ self.delimiters)
                | zeros(word ^ self.quotes)
                | zeros(word ^ LINE_FEEDS)
                | zeros(word ^ RETURNS);
            if marks != 0 {
                return at + (marks.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        let tail = data.get(at..).unwrap_or_default();
        let is_special =
            |&byte: &u8| byte == self.delimiter || Some(byte) == self.quote || byte == b'\n' || byte == b'\r';
        at + tail.iter().position(is_special).unwrap_or(tail.len())
    }
}

#[inline]
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

#[cold]
fn mark(found: &mut Found, kind: QuoteFault, field: usize, offset: usize) {
    found.fault.get_or_insert(Fault { kind, field });
    found.last_fault = offset;
}

/// Number of line breaks in `data`: CRLF counts once.
pub(super) fn line_breaks(data: &[u8]) -> u64 {
    let mut count = memchr::memchr_iter(b'\n', data).count();
    for at in memchr::memchr_iter(b'\r', data) {
        count += usize::from(data.get(at + 1) != Some(&b'\n'));
    }
    count as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scan(text: &str, last: bool) -> (Outcome, Vec<&str>) {
        let mut fields = Vec::new();
        let outcome = Dialect::new(b',', Some(b'"')).scan(text.as_bytes(), last, &mut fields);
        (outcome, fields.iter().map(|field| &text[field.start..field.end]).collect())
    }

    fn fault(text: &str) -> Option<(QuoteFault, usize)> {
        match scan(text, true).0 {
            Outcome::Found(found) => found.fault.map(|fault| (fault.kind, fault.field)),
            Outcome::Partial { .. } => panic!("no end in {text:?}"),
        }
    }

    #[test]
    fn fields_and_ends() {
        for (text, fields, length) in [
            ("a,b\nc", vec!["a", "b"], 3),
            ("a,b\r\nc", vec!["a", "b"], 3),
            ("a,b\rc", vec!["a", "b"], 3),
            ("a,", vec!["a", ""], 2),
            (",\n", vec!["", ""], 1),
            ("\"a,\nb\",\"\",\"c\"\"d\"\n", vec!["a,\nb", "", "c\"\"d"], 16),
            (
                "longer than eight bytes,and more of it,x\n",
                vec!["longer than eight bytes", "and more of it", "x"],
                40,
            ),
        ] {
            let (outcome, found) = scan(text, true);
            assert_eq!(found, fields, "{text:?}");
            assert!(
                matches!(outcome, Outcome::Found(f) if f.length == length && f.fault.is_none()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn stray_quotes_are_faults_and_stay_on_their_line() {
        assert_eq!(fault("a,\"b\"c,d\n"), Some((QuoteFault::TextAfterQuote, 1)));
        assert_eq!(fault("a,\"b\" \n"), Some((QuoteFault::TextAfterQuote, 1)));
        assert_eq!(fault("5\" pipe,x\n"), Some((QuoteFault::InsideUnquoted, 0)));
        assert_eq!(fault("a, \"b\"\n"), Some((QuoteFault::InsideUnquoted, 1)));
        assert_eq!(fault("a,\"b\nc\n"), Some((QuoteFault::Unclosed, 1)));
        assert_eq!(fault("a,\"b\"\"\n"), Some((QuoteFault::Unclosed, 1)));
        assert_eq!(fault("a,\"\"\"b\"\"\"\n"), None);
        let (outcome, fields) = scan("\"He said \"no\", then\",x\nnext\n", true);
        assert_eq!(fields, ["\"He said \"no\"", " then\"", "x"]);
        assert!(matches!(outcome, Outcome::Found(found) if found.length == 22));
    }

    #[test]
    fn without_a_quote_it_is_a_character() {
        let mut fields = Vec::new();
        let outcome = Dialect::new(b'\t', None).scan(b"a\"b\t\"c\n", true, &mut fields);
        assert!(matches!(outcome, Outcome::Found(found) if found.fault.is_none()));
        assert_eq!(fields.len(), 2);
    }

    #[test]
    fn partial_records_say_so() {
        assert_eq!(scan("a,b", false).0, Outcome::Partial { in_quotes: false });
        assert_eq!(scan("a,\"b\n", false).0, Outcome::Partial { in_quotes: true });
        // The next byte decides between a closing quote and a doubled one.
        assert_eq!(scan("a,\"b\"", false).0, Outcome::Partial { in_quotes: true });
    }

    #[test]
    fn line_breaks_of_all_kinds() {
        for (text, count) in
            [("", 0), ("a\nb", 1), ("a\r\nb", 1), ("a\rb", 1), ("\r\n\r\n", 2), ("\n\r", 2), ("\r\r", 2)]
        {
            assert_eq!(line_breaks(text.as_bytes()), count, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_word_search_finds_what_a_byte_search_finds(data in prop::collection::vec(any::<u8>(), 0..40)) {
            let dialect = Dialect::new(b',', Some(b'"'));
            let expected = data.iter().position(|byte| b",\"\r\n".contains(byte)).unwrap_or(data.len());
            prop_assert_eq!(dialect.special(&data, 0), expected);
        }

        #[test]
        fn more_data_never_changes_a_found_record(text in "[ab,\"\r\n]{0,24}", more in "[ab,\"\r\n]{0,8}") {
            let (outcome, fields) = scan(&text, false);
            if let Outcome::Found(found) = outcome {
                let longer = format!("{text}{more}");
                let (again, fields_again) = scan(&longer, true);
                prop_assert_eq!(Outcome::Found(found), again);
                prop_assert_eq!(fields, fields_again);
            }
        }
    }
}
