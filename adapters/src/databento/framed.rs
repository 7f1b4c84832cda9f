//! The bytes of a DBN file on their way to its decoder, looked at record by record. Invariant: the decoder is given whole records alone, of lengths
//! that records can have; what follows them is an error, not an end.
//!
//! A decoder of streams takes an end within a record for an end; in a file it means that something is missing.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::path::Path;

use super::dbz;
use crate::error::DataError;
use crate::input::{Input, unopened};

/// What comes before metadata: `DBN`, the version, and the length of the metadata.
const PRELUDE: usize = 8;

/// The longest metadata that is taken for such: that of a million symbols.
const LONGEST_METADATA: u64 = 1 << 28;

/// The length of the header of a record, the least that there is.
const HEADER: usize = 16;

/// What a file begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Metadata of this version.
    Metadata(u8),
    /// The metadata of the format before DBN.
    Dbz,
    /// Something else: records, or what is no file of this kind.
    Records,
}

/// Why a decoder was given no more.
enum Trouble {
    Unreadable(io::Error),
    /// The file ends within a record, or within its metadata.
    Cut,
    /// A record says that it is so many bytes long.
    Length(usize),
}

/// The bytes of a file.
pub(super) struct Framed {
    source: BufReader<Chain<Cursor<Vec<u8>>, Input>>,
    start: Start,
    /// Bytes until the next record begins.
    rest: u64,
    trouble: Option<Trouble>,
}

impl Framed {
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let mut raw = Vec::with_capacity(12);
        let read = File::open(path).and_then(|file| file.take(12).read_to_end(&mut raw));
        read.map_err(|error| unopened(path, &error))?;
        let is_dbz = dbz::is_start(&raw);
        let mut input = Input::open(path)?;
        let mut prelude = Vec::with_capacity(PRELUDE);
        let read = (&mut input).take(PRELUDE as u64).read_to_end(&mut prelude);
        read.map_err(|error| DataError { line: None, ..input.fault(&error, 0) })?;
        let (start, rest) = match prelude[..] {
            _ if is_dbz => (Start::Dbz, 0),
            [b'D', b'B', b'N', version, a, b, c, d] => {
                (Start::Metadata(version), PRELUDE as u64 + u64::from(u32::from_le_bytes([a, b, c, d])))
            }
            _ => (Start::Records, 0),
        };
        if rest > LONGEST_METADATA {
            let cause = format!("says that its metadata has {rest} bytes, which is too much to be true");
            return Err(DataError::new(path, None, cause, "fetch the file again"));
        }
        let source = BufReader::with_capacity(1 << 16, Cursor::new(prelude).chain(input));
        Ok(Self { source, start, rest, trouble: None })
    }

    pub(super) fn start(&self) -> Start {
        self.start
    }

    /// Where the first record begins.
    pub(super) fn first_record(&self) -> u64 {
        self.rest
    }

    pub(super) fn progress(&self) -> (u64, u64) {
        self.source.get_ref().get_ref().1.progress()
    }

    /// Why the decoder got no more, and what to do; `None` if that was not for the bytes.
    pub(super) fn trouble(&mut self) -> Option<(String, String)> {
        let input = self.source.get_ref().get_ref().1;
        Some(match self.trouble.take()? {
            Trouble::Unreadable(error) => {
                let DataError { cause, help, .. } = input.fault(&error, 0);
                (cause, help)
            }
            Trouble::Cut => ("the file ends in the middle of it".into(), "the file is cut short: fetch it again".into()),
            Trouble::Length(bytes) => {
                let cause = format!("says that it is {bytes} bytes long, which no record is");
                (cause, "the file is damaged, or no DBN file: fetch it again".into())
            }
        })
    }

    fn fail(&mut self, trouble: Trouble) -> io::Error {
        self.trouble = Some(trouble);
        io::ErrorKind::InvalidData.into()
    }
}

impl Read for Framed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        // Whatever may fail is done first, so that no record before it is lost.
        while filled < buffer.len() && (filled == 0 || !self.source.buffer().is_empty()) {
            let chunk = match self.source.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) => return Err(self.fail(Trouble::Unreadable(error))),
            };
            if chunk.is_empty() {
                return if self.rest == 0 { Ok(filled) } else { Err(self.fail(Trouble::Cut)) };
            }
            if self.rest == 0 {
                let bytes = usize::from(chunk[0]) * dbn::RecordHeader::LENGTH_MULTIPLIER;
                // Records hold instants, and so have whole multiples of their size.
                if bytes < HEADER || !bytes.is_multiple_of(size_of::<u64>()) {
                    return if filled > 0 { Ok(filled) } else { Err(self.fail(Trouble::Length(bytes))) };
                }
                self.rest = bytes as u64;
            }
            let count = chunk.len().min(buffer.len() - filled).min(usize::try_from(self.rest).unwrap_or(usize::MAX));
            buffer[filled..filled + count].copy_from_slice(&chunk[..count]);
            self.source.consume(count);
            self.rest -= count as u64;
            filled += count;
        }
        Ok(filled)
    }
}
