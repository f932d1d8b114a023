//! Records out of a stream of bytes, with their lines, in memory that does not grow with the file.

use std::io::{self, Read};

use memchr::memchr2;

use super::error::SourceError;
use super::format::ReadSpec;
use super::scan::{Dialect, Fault, Field, Found, Outcome, QuoteFault, line_breaks};

const FIRST_BUFFER: usize = 256 * 1024;

/// How many bytes may be scanned in vain before quoted line breaks are no longer believed.
const RESCAN_ALLOWANCE: u64 = 256 * 1024 * 1024;

/// One record and where it stands.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// Its bytes without the line end.
    pub(super) bytes: &'a [u8],
    /// Its fields; only those up to the fault when there is one.
    pub(super) fields: &'a [Field],
    /// What is wrong with its quotes.
    pub(super) fault: Option<Fault>,
    /// Whether the scan ran past this line before the fault was seen: only the first line is the record.
    pub(super) cut: bool,
    /// Physical line where it starts, from 1.
    pub(super) line: u64,
    /// The quote character; of no meaning when there is none.
    pub(super) quote: u8,
}

/// Splits a stream into records.
///
/// An opening quote that was never meant as one would swallow all lines up to the next quote, or the rest of
/// the file. Therefore, when the quotes of a record turn out wrong on a later line than its first, only the
/// first line is given out as the faulty record, and reading goes on with the second: the lines after it are
/// judged on their own, each counted. The lines of a field that really had line breaks are then judged so too;
/// they lack fields, and are refused one by one.
pub(super) struct Records {
    input: Box<dyn Read + Send>,
    dialect: Dialect,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    /// The last record ended with CR: an LF that follows belongs to it.
    after_return: bool,
    line: u64,
    consumed: u64,
    limit: usize,
    file: String,
    fields: Vec<Field>,
    rescanned: u64,
}

/// Where the next record lies in the buffer.
struct Place {
    length: usize,
    terminator: Option<u8>,
    fault: Option<Fault>,
    cut: bool,
    breaks: u64,
}

impl Records {
    pub(super) fn new(file: &str, input: Box<dyn Read + Send>, spec: &ReadSpec) -> Self {
        Self {
            input,
            dialect: Dialect::new(spec.format.delimiter, spec.format.quote),
            buffer: Vec::new(),
            start: 0,
            end: 0,
            at_end: false,
            after_return: false,
            line: 1,
            consumed: 0,
            limit: spec.record_limit.max(1),
            file: file.to_owned(),
            fields: Vec::new(),
            rescanned: 0,
        }
    }

    /// Bytes given out so far, line ends included: after decompression, as UTF-8, without byte order mark.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The next record that is not an empty line; `None` at the end of the file.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, SourceError> {
        if !self.skip_empty_lines()? {
            return Ok(None);
        }
        let place = self.find()?;
        let (start, line) = (self.start, self.line);
        self.advance(place.length);
        if let Some(byte) = place.terminator {
            self.advance(1);
            self.after_return = byte == b'\r';
            self.line += 1;
        }
        self.line += place.breaks;
        Ok(Some(Record {
            bytes: &self.buffer[start..start + place.length],
            fields: &self.fields,
            fault: place.fault,
            cut: place.cut,
            line,
            quote: self.dialect.quote.unwrap_or_default(),
        }))
    }

    #[inline]
    fn skip_empty_lines(&mut self) -> Result<bool, SourceError> {
        loop {
            if self.start == self.end && !self.fill()? {
                return Ok(false);
            }
            match self.buffer[self.start] {
                b'\n' if self.after_return => self.after_return = false,
                byte @ (b'\n' | b'\r') => {
                    self.after_return = byte == b'\r';
                    self.line += 1;
                }
                _ => {
                    self.after_return = false;
                    return Ok(true);
                }
            }
            self.advance(1);
        }
    }

    #[inline]
    fn advance(&mut self, count: usize) {
        self.start += count;
        self.consumed += count as u64;
    }

    #[inline]
    fn find(&mut self) -> Result<Place, SourceError> {
        if self.rescanned > RESCAN_ALLOWANCE + 4 * self.consumed {
            return self.find_line();
        }
        loop {
            let data = &self.buffer[self.start..self.end];
            match self.dialect.scan(data, self.at_end, &mut self.fields) {
                Outcome::Found(found) if found.length <= self.limit => return Ok(self.place(&found)),
                Outcome::Found(_) => return self.over_limit(),
                Outcome::Partial { .. } if data.len() > self.limit => return self.over_limit(),
                Outcome::Partial { .. } => {
                    self.fill()?;
                }
            }
        }
    }

    /// The place of a record whose scan came to an end; the first line alone when a later one has the fault.
    #[inline]
    fn place(&mut self, found: &Found) -> Place {
        let whole = Place {
            length: found.length,
            terminator: found.terminator,
            fault: found.fault,
            cut: false,
            breaks: 0,
        };
        if !found.quoted {
            return whole;
        }
        let data = &self.buffer[self.start..self.start + found.length];
        let Some(first_line) = memchr2(b'\n', b'\r', data) else { return whole };
        match found.fault {
            Some(fault) if found.last_fault > first_line => self.cut(first_line, found.length, fault.kind),
            _ => Place { breaks: line_breaks(data), ..whole },
        }
    }

    /// The first line of the record, ending `length` bytes on, as a record with a fault.
    #[cold]
    fn cut(&mut self, length: usize, scanned: usize, kind: QuoteFault) -> Place {
        self.rescanned += scanned as u64;
        self.fields.retain(|field| field.start <= length);
        let field = self.fields.len().saturating_sub(1);
        let terminator = self.buffer.get(self.start + length).copied();
        Place { length, terminator, fault: Some(Fault { kind, field }), cut: true, breaks: 0 }
    }

    /// A record that passes the limit: within quotes it is a quote that was never closed, else there is no end.
    #[cold]
    fn over_limit(&mut self) -> Result<Place, SourceError> {
        let data = &self.buffer[self.start..self.end];
        match memchr2(b'\n', b'\r', data) {
            Some(first_line) if first_line <= self.limit => {
                let scanned = data.len();
                Ok(self.cut(first_line, scanned, QuoteFault::Unclosed))
            }
            _ => Err(self.too_long()),
        }
    }

    /// The next physical line as a record of its own, whatever its quotes say.
    #[cold]
    fn find_line(&mut self) -> Result<Place, SourceError> {
        loop {
            let data = &self.buffer[self.start..self.end];
            let length = match memchr2(b'\n', b'\r', data) {
                Some(length) => length,
                None if self.at_end => data.len(),
                None if data.len() > self.limit => return Err(self.too_long()),
                None => {
                    self.fill()?;
                    continue;
                }
            };
            if length > self.limit {
                return Err(self.too_long());
            }
            let terminator = data.get(length).copied();
            let outcome = self.dialect.scan(&data[..length], true, &mut self.fields);
            let fault = match outcome {
                Outcome::Found(found) => found.fault,
                Outcome::Partial { .. } => None,
            };
            let cut = matches!(fault, Some(Fault { kind: QuoteFault::Unclosed, .. }));
            return Ok(Place { length, terminator, fault, cut, breaks: 0 });
        }
    }

    fn too_long(&self) -> SourceError {
        SourceError::RecordTooLong { file: self.file.clone(), line: self.line, limit: self.limit }
    }

    /// Reads until the buffer is full, growing it when a single record fills it. False at the end of the file.
    fn fill(&mut self) -> Result<bool, SourceError> {
        if self.at_end {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            let size = (self.buffer.len() * 2).max(FIRST_BUFFER);
            self.buffer.resize(size, 0);
        }
        while self.end < self.buffer.len() {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(SourceError::Read { file: self.file.clone(), source }),
            }
        }
        Ok(self.end > self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: String) -> Records {
        Records::new("x", Box::new(io::Cursor::new(text)), &ReadSpec::new(Vec::new()))
    }

    /// Lines whose quotes open anew what the line before closed: each scan would run to the end of the file.
    #[test]
    fn hostile_quotes_take_bounded_work() {
        let lines = 120_000;
        let mut records = records(format!("\"x,1\n{}", "y\",\"z\n".repeat(lines)));
        let mut count = 0;
        while let Some(record) = records.next().unwrap() {
            assert!(record.fault.is_some());
            count += 1;
        }
        assert_eq!(count, lines + 1);
        let one_scan = records.consumed;
        assert!(records.rescanned <= RESCAN_ALLOWANCE + 5 * one_scan, "{}", records.rescanned);
    }

    #[test]
    fn the_buffer_grows_with_a_record_and_not_with_the_file() {
        let row = "\"some\ntext\",1\r\n";
        let mut small = records(row.repeat(300_000));
        let mut count = 0;
        while small.next().unwrap().is_some() {
            count += 1;
        }
        assert_eq!((count, small.line, small.buffer.len()), (300_000, 600_001, FIRST_BUFFER));

        let mut large = records(format!("\"{}\",1\n", "x\n".repeat(FIRST_BUFFER)));
        assert_eq!(large.next().unwrap().unwrap().fields.len(), 2);
        assert_eq!(large.buffer.len(), 4 * FIRST_BUFFER);
    }
}
