//! Files, plain or compressed, read once from front to back. Invariant: memory does not grow with the file.
//!
//! What a file is packed with is told by its first bytes, not by its name: gzip (also several members), zstd (also several frames), or
//! neither.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::error::DataError;

const BUFFER: usize = 1 << 16;

/// The longest line of text that is taken for one.
const LONGEST_LINE: u64 = 1 << 20;

/// A file that cannot be opened.
pub(crate) fn unopened(path: &Path, error: &io::Error) -> DataError {
    if path.is_dir() {
        return DataError::new(path, None, "is a folder, not a file", "name a file in it");
    }
    let help = match error.kind() {
        io::ErrorKind::NotFound => "check the path, which is relative to the scenario file or, without one, to the current folder",
        _ => "check that it is a file that you may read",
    };
    DataError::new(path, None, format!("cannot be opened: {error}"), help)
}

/// The unpacked bytes of a file.
pub(crate) struct Input {
    path: PathBuf,
    length: u64,
    bytes: Bytes,
}

enum Bytes {
    Plain(Counted),
    Gzip(Box<MultiGzDecoder<BufReader<Counted>>>),
    Zstd(Box<ZstdReader<BufReader<Counted>>>),
}

impl Input {
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let fail = |error: io::Error| unopened(path, &error);
        let mut file = File::open(path).map_err(fail)?;
        let length = file.metadata().map_err(fail)?.len();
        let mut start = Vec::with_capacity(4);
        (&mut file).take(4).read_to_end(&mut start).map_err(fail)?;
        let rest = |start| Counted { start, file, read: 0 };
        let bytes = match start[..] {
            [0x1f, 0x8b, ..] => Bytes::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, rest(start))))),
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
                Bytes::Zstd(Box::new(ZstdReader::new(BufReader::with_capacity(BUFFER, rest(start)))))
            }
            _ => Bytes::Plain(rest(start)),
        };
        Ok(Self { path: path.to_owned(), length, bytes })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the file as it lies on the disk: read so far, and all.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let read = match &self.bytes {
            Bytes::Plain(counted) => counted.read,
            Bytes::Gzip(decoder) => decoder.get_ref().get_ref().read,
            Bytes::Zstd(decoder) => decoder.source.get_ref().read,
        };
        (read, self.length.max(read))
    }

    /// What a failed read means, after `lines` whole lines.
    pub(crate) fn fault(&self, error: &io::Error, lines: u64) -> DataError {
        let fault = |cause, help| DataError::new(&self.path, Some(lines + 1), cause, help);
        match &self.bytes {
            Bytes::Plain(_) => fault(format!("cannot be read: {error}"), "check the disk and the file's permissions"),
            packed => {
                let format = if matches!(packed, Bytes::Gzip(_)) { "gzip" } else { "zstd" };
                let (read, length) = self.progress();
                if error.kind() == io::ErrorKind::UnexpectedEof || read == length {
                    fault(
                        format!("the {format} data ends too early or is damaged near its end ({error})"),
                        "the file is cut short: fetch it again",
                    )
                } else {
                    fault(format!("the {format} data is damaged ({error})"), "fetch the file again")
                }
            }
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.bytes {
            Bytes::Plain(bytes) => bytes.read(buffer),
            Bytes::Gzip(bytes) => bytes.read(buffer),
            Bytes::Zstd(bytes) => bytes.read(buffer),
        }
    }
}

/// A file whose first bytes have been looked at, with a count of what was read.
struct Counted {
    start: Vec<u8>,
    file: File,
    read: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = if self.start.is_empty() {
            self.file.read(buffer)?
        } else {
            let count = self.start.len().min(buffer.len());
            buffer[..count].copy_from_slice(&self.start[..count]);
            self.start.drain(..count);
            count
        };
        self.read += count as u64;
        Ok(count)
    }
}

/// All frames of a zstd file, one after the other, with their checksums verified.
struct ZstdReader<R> {
    source: R,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl<R: BufRead> ZstdReader<R> {
    fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), in_frame: false }
    }

    /// Goes to the next frame that has data; false at the end of the file.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.source).take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.in_frame {
                if !self.next_frame()? {
                    return Ok(0);
                }
                self.in_frame = true;
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1)).map_err(io::Error::other)?;
            }
            let count = self.decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let stored = self.decoder.get_checksum_from_data();
            if stored.is_some() && stored != self.decoder.get_calculated_checksum() {
                return Err(io::Error::other("a checksum does not match"));
            }
            self.in_frame = false;
        }
    }
}

/// The lines of a text, without their ends.
pub(crate) struct Lines {
    reader: BufReader<Input>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        Ok(Self { reader: BufReader::with_capacity(BUFFER, Input::open(path)?), line: Vec::new(), number: 0 })
    }

    pub(crate) fn input(&self) -> &Input {
        self.reader.get_ref()
    }

    /// The number of the line that was read last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The line that was read last.
    pub(crate) fn line(&self) -> &[u8] {
        &self.line
    }

    /// Reads the next line; false at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, DataError> {
        self.line.clear();
        let read = (&mut self.reader).take(LONGEST_LINE).read_until(b'\n', &mut self.line);
        let count = read.map_err(|error| self.input().fault(&error, self.number))?;
        if count == 0 {
            return Ok(false);
        }
        self.number += 1;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        } else if count as u64 == LONGEST_LINE {
            let cause = format!("the line is longer than {LONGEST_LINE} bytes");
            return Err(DataError::new(self.input().path(), Some(self.number), cause, "check that this is a file of JSON lines"));
        }
        Ok(true)
    }
}
