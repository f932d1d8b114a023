//! A file as a stream of UTF-8: decompressed, without byte order mark, transcoded.

use std::io::{self, Read};
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use flate2::read::MultiGzDecoder;

use super::error::SourceError;
use super::files::{Content, InputFile};

/// Stands before each undecodable byte (as two hexadecimal digits) in a transcoded stream. No UTF-8 text
/// contains it, so that the record is seen to be undecodable and the byte can still be shown.
pub(super) const UNDECODABLE: u8 = 0xFF;

/// An opened input.
pub(super) struct Input {
    /// The bytes. In a stream that was UTF-8 from the start they are not validated.
    pub(super) bytes: Box<dyn Read + Send>,
    /// The encoding it is read in, the byte order mark considered.
    pub(super) encoding: &'static Encoding,
    /// Whether it has no byte order mark, and is compressed if its name says so and not otherwise.
    pub(super) is_plain: bool,
}

/// Opens a file. It is decompressed when its name ends in `.gz` or its first bytes are gzip's.
pub(super) fn open(file: &InputFile, encoding: &'static Encoding) -> Result<Input, SourceError> {
    let fail = |source| SourceError::Read { file: file.name.clone(), source };
    let (opened, name): (Box<dyn Read + Send>, _) = match &file.content {
        Content::Here(path) => (Box::new(fs_err::File::open(path).map_err(fail)?), path.as_path()),
        Content::Elsewhere(remote) => (remote.open().map_err(fail)?, Path::new(&file.name)),
    };
    let named_gzip = name.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    prepare(opened, named_gzip, encoding).map_err(fail)
}

/// Prepares any stream of bytes; gzip is recognised by its first bytes too.
pub(super) fn prepare(
    bytes: Box<dyn Read + Send>,
    named_gzip: bool,
    encoding: &'static Encoding,
) -> io::Result<Input> {
    let (magic, bytes) = peek::<2>(bytes)?;
    // An empty file named `.gz` is left to be reported as empty.
    let has_magic = magic == [0x1F, 0x8B];
    let bytes: Box<dyn Read + Send> = if has_magic || (named_gzip && !magic.is_empty()) {
        Box::new(MultiGzDecoder::new(bytes))
    } else {
        bytes
    };
    let (mark, mut bytes) = peek::<3>(bytes)?;
    let mut is_plain = has_magic == named_gzip;
    let encoding = match Encoding::for_bom(&mark) {
        Some((marked, length)) => {
            is_plain = false;
            bytes.read_exact(&mut vec![0; length])?;
            marked
        }
        None => encoding,
    };
    let bytes = if encoding == UTF_8 { bytes } else { Box::new(Transcoder::new(bytes, encoding)) };
    Ok(Input { bytes, encoding, is_plain })
}

/// Reads up to `COUNT` bytes and gives them back before the rest.
fn peek<const COUNT: usize>(mut bytes: Box<dyn Read + Send>) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut first = Vec::with_capacity(COUNT);
    bytes.by_ref().take(COUNT as u64).read_to_end(&mut first)?;
    Ok((first.clone(), Box::new(io::Cursor::new(first).chain(bytes))))
}

/// Turns another encoding into UTF-8. Unlike `encoding_rs_io`, which puts U+FFFD for what cannot be decoded,
/// it keeps such bytes visible (see [`UNDECODABLE`]).
struct Transcoder {
    inner: Box<dyn Read + Send>,
    decoder: Decoder,
    /// The last [`KEPT`] bytes decoded before, then what is read and not yet decoded.
    input: Vec<u8>,
    at: usize,
    end: usize,
    last: bool,
    done: bool,
    /// Output that found no room.
    pending: Vec<u8>,
}

/// A malformed sequence reaches at most 6 bytes back (see [`DecoderResult::Malformed`]).
const KEPT: usize = 8;

/// The decoder needs room for one character to make progress.
const SMALLEST_OUTPUT: usize = 16;

impl Transcoder {
    fn new(inner: Box<dyn Read + Send>, encoding: &'static Encoding) -> Self {
        Self {
            inner,
            decoder: encoding.new_decoder_without_bom_handling(),
            input: vec![0; KEPT + 64 * 1024],
            at: KEPT,
            end: KEPT,
            last: false,
            done: false,
            pending: Vec::new(),
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.input.copy_within(self.end - KEPT..self.end, 0);
        (self.at, self.end) = (KEPT, KEPT);
        let count = self.inner.read(&mut self.input[KEPT..])?;
        self.end += count;
        self.last = count == 0;
        Ok(())
    }

    /// Decodes into `output`, at least [`SMALLEST_OUTPUT`] bytes long; returns the bytes written.
    fn decode(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        while !self.done && self.pending.is_empty() && output.len() - written >= SMALLEST_OUTPUT {
            if self.at == self.end && !self.last {
                self.refill()?;
            }
            let (result, read, count) = self.decoder.decode_to_utf8_without_replacement(
                &self.input[self.at..self.end],
                &mut output[written..],
                self.last,
            );
            self.at += read;
            written += count;
            match result {
                DecoderResult::InputEmpty => self.done = self.last,
                DecoderResult::OutputFull => break,
                DecoderResult::Malformed(length, after) => {
                    let end = self.at.saturating_sub(usize::from(after));
                    for &byte in &self.input[end.saturating_sub(usize::from(length))..end] {
                        self.pending.push(UNDECODABLE);
                        self.pending.extend_from_slice(format!("{byte:02X}").as_bytes());
                    }
                }
            }
        }
        Ok(written)
    }
}

impl Read for Transcoder {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        let mut written = 0;
        if self.pending.is_empty() {
            if output.len() >= SMALLEST_OUTPUT {
                written = self.decode(output)?;
            } else {
                let mut small = [0; SMALLEST_OUTPUT];
                let count = self.decode(&mut small)?;
                // Decoded text comes before the marks that the same call may have left.
                self.pending.splice(0..0, small[..count].iter().copied());
            }
        }
        let count = self.pending.len().min(output.len() - written);
        output[written..written + count].copy_from_slice(&self.pending[..count]);
        self.pending.drain(..count);
        Ok(written + count)
    }
}
