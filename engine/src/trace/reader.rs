//! Reads trace files. Invariant: nothing is believed that a checksum does not cover; opening reads the whole file once and keeps only an index.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path as FilePath, PathBuf};

use crate::path::{Path, Rank};
use crate::time::Instant;
use crate::trace::blocks::{Block, Blocks, Loaded, Record};
use crate::trace::code::{BLOCK, Memory, take, take_array, take_byte, take_signed, take_text};
use crate::trace::frame::{FRAME_LEN, HEADER_LEN, Head, KIND, MAGIC, NAME, Tag, VERSION, WITH_TEXT, checksum, header};
use crate::trace::record::TraceHash;
use crate::trace::table::{Kinds, Names};

/// Where a trace file without an end stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The byte at which the last whole part ends.
    pub offset: u64,
    /// How many records stand before it.
    pub records: u64,
}

/// A trace file that cannot be read.
#[derive(Debug)]
pub enum FileError {
    /// The file cannot be opened or read.
    Io {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is something else.
    NotATrace {
        /// The file.
        file: PathBuf,
    },
    /// The file was written by another version of the engine.
    Version {
        /// The file.
        file: PathBuf,
        /// Its version; this engine reads another one.
        found: u32,
    },
    /// Bytes have changed since the file was written.
    Corrupt {
        /// The file.
        file: PathBuf,
        /// Where the damaged part begins.
        offset: u64,
        /// Which part that is.
        part: &'static str,
    },
    /// The file has no end: the run that wrote it was cut, or is still going on. [`Reader::open_cut`] reads such files.
    Cut {
        /// The file.
        file: PathBuf,
        /// Where it stops.
        cut: Cut,
    },
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { file, error } => write!(f, "cannot read the trace file {}: {error}", file.display()),
            Self::NotATrace { file } => write!(f, "{} is no trace file; give one that a run has written", file.display()),
            Self::Version { file, found } => {
                write!(f, "{} has version {found} of the trace file format, this engine reads version {VERSION}; ", file.display())?;
                write!(f, "run the scenario again with this engine")
            }
            Self::Corrupt { file, offset, part } => {
                write!(
                    f,
                    "the trace file {} is damaged: {part} at byte {offset} is not what was written; run the scenario again",
                    file.display()
                )
            }
            Self::Cut { file, cut: Cut { offset, records } } => {
                write!(f, "the trace file {} has no end: the run that wrote it was cut, or is going on; ", file.display())?;
                write!(f, "its first {records} records can be read, up to byte {offset}")
            }
        }
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// A trace file, opened and checked. Memory: the names, and 40 bytes for each block of 4,096 records.
///
/// ```
/// use std::io::Cursor;
/// use stillpoint_engine::trace::{Observer, Reader, Text, TraceHash, TraceRecord, Writer};
/// use stillpoint_engine::{Instant, Name, Path, Rank};
///
/// let mut bytes = Vec::new();
/// let mut writer = Writer::new(&mut bytes, "memory", Text::Omit)?;
/// writer.name(0, &Path::root(Name::new("greeter")?), Rank(0));
/// let at = Instant::from_nanos(5);
/// let (round, step, receiver, sender, sender_count) = (0, 0, 0, 0, 0);
/// let (kind, digest, text) = ("hello", 9, None);
/// writer.record(&TraceRecord { at, round, step, receiver, count: Some(1), sender, sender_count, kind, digest, text })?;
/// writer.end(TraceHash(1))?;
///
/// let mut reader = Reader::new(Cursor::new(bytes), "memory")?;
/// let records = reader.records().collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(records.len(), 1);
/// assert_eq!((records[0].at, &*records[0].kind, records[0].digest), (at, "hello", 9));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reader<R> {
    source: R,
    file: PathBuf,
    with_text: bool,
    names: Names,
    kinds: Kinds,
    index: Vec<Block>,
    hash: Option<TraceHash>,
    cut: Option<Cut>,
    memory: Memory,
    buffer: Vec<u8>,
}

impl Reader<File> {
    /// Opens and checks a file.
    ///
    /// # Errors
    /// [`FileError`]; a file without its end is refused, see [`Reader::open_cut`].
    pub fn open(file: impl AsRef<FilePath>) -> Result<Self, FileError> {
        Self::open_cut(file)?.whole()
    }

    /// Opens and checks a file; one without its end is read as far as it goes, and [`Reader::cut`] says where that is.
    ///
    /// # Errors
    /// [`FileError`], but [`FileError::Cut`].
    pub fn open_cut(file: impl AsRef<FilePath>) -> Result<Self, FileError> {
        let file = file.as_ref();
        let source = File::open(file).map_err(|error| FileError::Io { file: file.to_owned(), error })?;
        Self::new_cut(source, file)
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Reads a trace from any source of bytes, which errors call `name`.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn new(source: R, name: impl Into<PathBuf>) -> Result<Self, FileError> {
        Self::new_cut(source, name)?.whole()
    }

    /// [`Reader::new`] for a trace that may have no end.
    ///
    /// # Errors
    /// [`FileError`], but [`FileError::Cut`].
    pub fn new_cut(source: R, name: impl Into<PathBuf>) -> Result<Self, FileError> {
        let mut reader = Self {
            source,
            file: name.into(),
            with_text: false,
            names: Names::default(),
            kinds: Kinds::default(),
            index: Vec::new(),
            hash: None,
            cut: None,
            memory: Memory::default(),
            buffer: Vec::new(),
        };
        let end = reader.scan()?;
        if reader.hash.is_none() {
            reader.cut = Some(Cut { offset: end, records: reader.len() });
        }
        Ok(reader)
    }

    fn whole(self) -> Result<Self, FileError> {
        match self.cut {
            Some(cut) => Err(FileError::Cut { file: self.file, cut }),
            None => Ok(self),
        }
    }

    /// The number of records that can be read.
    pub fn len(&self) -> u64 {
        self.index.last().map_or(0, Block::end)
    }

    /// Whether no record can be read.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The hash of the run; `None` if the file has no end.
    pub fn hash(&self) -> Option<TraceHash> {
        self.hash
    }

    /// Where the file stops, if it has no end.
    pub fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// All who appear in the trace, with their ranks.
    pub fn names(&self) -> impl Iterator<Item = (&Path, Rank)> {
        (0..self.names.len() as u32).map(|id| (self.names.path(id), self.names.rank(id)))
    }

    /// The records in file order. After an error there are no more.
    pub fn records(&mut self) -> impl Iterator<Item = Result<Record, FileError>> + '_ {
        let mut loaded = Loaded::default();
        let mut position = 0;
        let mut failed = false;
        std::iter::from_fn(move || {
            if failed || position == self.len() {
                return None;
            }
            let record = loaded.fetch(self, position);
            position += 1;
            failed = record.is_err();
            Some(record.map(|slot| self.resolve(&loaded, slot)))
        })
    }

    fn io(&self, error: io::Error) -> FileError {
        FileError::Io { file: self.file.clone(), error }
    }

    fn corrupt(&self, offset: u64, part: &'static str) -> FileError {
        FileError::Corrupt { file: self.file.clone(), offset, part }
    }

    /// Checks every byte and fills in the tables; gives the end of the last whole frame.
    fn scan(&mut self) -> Result<u64, FileError> {
        let len = self.source.seek(SeekFrom::End(0)).and_then(|len| self.source.rewind().map(|()| len)).map_err(|error| self.io(error))?;
        if !self.scan_header(len)? {
            return Ok(0);
        }
        let mut offset = HEADER_LEN as u64;
        let mut buffer = std::mem::take(&mut self.buffer);
        for ordinal in 0.. {
            if len - offset < FRAME_LEN as u64 {
                break;
            }
            let mut head = [0; FRAME_LEN];
            self.source.read_exact(&mut head).map_err(|error| self.io(error))?;
            let head = Head::read(&head, ordinal).ok_or_else(|| self.corrupt(offset, "the head of a part"))?;
            let payload = offset + FRAME_LEN as u64;
            if len - payload < u64::from(head.len) {
                break;
            }
            buffer.resize(head.len as usize, 0);
            self.source.read_exact(&mut buffer).map_err(|error| self.io(error))?;
            if checksum(&buffer) != head.sum {
                return Err(self.corrupt(payload, "a part"));
            }
            self.take_frame(head.tag, payload, &buffer).map_err(|part| self.corrupt(payload, part))?;
            offset = payload + u64::from(head.len);
            if self.hash.is_some() {
                if offset < len {
                    return Err(self.corrupt(offset, "what follows the end"));
                }
                break;
            }
        }
        self.buffer = buffer;
        Ok(offset)
    }

    /// Whether the file is long enough to have a header.
    fn scan_header(&mut self, len: u64) -> Result<bool, FileError> {
        let mut bytes = [0; HEADER_LEN];
        let there = usize::try_from(len).map_or(HEADER_LEN, |len| len.min(HEADER_LEN));
        self.source.read_exact(&mut bytes[..there]).map_err(|error| self.io(error))?;
        let magic = there.min(MAGIC.len());
        if bytes[..magic] != MAGIC[..magic] {
            return Err(FileError::NotATrace { file: self.file.clone() });
        }
        if there < HEADER_LEN {
            return Ok(false);
        }
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let (version, flags) = (word(8), word(12));
        if checksum(&bytes[..16]).to_le_bytes() != bytes[16..] {
            return Err(self.corrupt(0, "the header"));
        }
        if version != VERSION {
            return Err(FileError::Version { file: self.file.clone(), found: version });
        }
        if bytes != header(flags & WITH_TEXT) {
            return Err(self.corrupt(12, "a flag of the header"));
        }
        self.with_text = flags & WITH_TEXT != 0;
        Ok(true)
    }

    fn take_frame(&mut self, tag: Tag, offset: u64, mut bytes: &[u8]) -> Result<(), &'static str> {
        match tag {
            Tag::Names => self.take_names(bytes).ok_or("a table of names"),
            Tag::Records => {
                let before = self.len();
                let block = Block::read(&mut bytes, before, offset).ok_or("the beginning of a block")?;
                let last_is_full = self.index.last().is_none_or(|last| last.records == BLOCK);
                if block.records == 0 || block.records > BLOCK || !last_is_full {
                    return Err("the size of a block");
                }
                self.index.push(block);
                Ok(())
            }
            Tag::Footer => {
                let hash = take_array(&mut bytes).map(u128::from_le_bytes).ok_or("the end")?;
                let records = take_array(&mut bytes).map(u64::from_le_bytes).ok_or("the end")?;
                if records != self.len() || !bytes.is_empty() {
                    return Err("the number of records");
                }
                self.hash = Some(TraceHash(hash));
                Ok(())
            }
        }
    }

    fn take_names(&mut self, mut bytes: &[u8]) -> Option<()> {
        while let Some(entry) = take_byte(&mut bytes) {
            match entry {
                NAME => {
                    let rank = Rank(take_signed(&mut bytes)?.try_into().ok()?);
                    self.names.add(Path::parse(take_text(&mut bytes)?)?, rank);
                }
                KIND => _ = self.kinds.add(take_text(&mut bytes)?),
                _ => return None,
            }
        }
        Some(())
    }

    fn decode(&mut self, block: &Block, mut bytes: &[u8], chain: u64, into: &mut Loaded) -> Option<()> {
        self.memory.fit(self.names.len(), self.kinds.len());
        self.memory.begin(block.first);
        let mut chain = chain;
        for _ in 0..block.records {
            let record = self.memory.decode(&mut bytes)?;
            chain = record.chain(chain, &self.names, &self.kinds);
            into.records.push(record);
            if self.with_text {
                into.add_text(take_message(&mut bytes)?);
            }
        }
        (bytes.is_empty() && chain == block.digest).then_some(())
    }
}

/// A text that may be absent: 0, or its length and one, and the text.
fn take_message<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a str>> {
    let Some(len) = usize::try_from(take(bytes)?).ok()?.checked_sub(1) else { return Some(None) };
    let (text, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    std::str::from_utf8(text).ok().map(Some)
}

impl<R: Read + Seek> Blocks for Reader<R> {
    fn label(&self) -> String {
        self.file.display().to_string()
    }

    fn names(&self) -> &Names {
        &self.names
    }

    fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    fn hash(&self) -> Option<TraceHash> {
        self.hash
    }

    fn cut(&self) -> Option<Cut> {
        self.cut
    }

    fn index(&self) -> &[Block] {
        &self.index
    }

    fn with_text(&self) -> bool {
        self.with_text
    }

    fn load(&mut self, number: usize, into: &mut Loaded) -> Result<(), FileError> {
        let block = self.index[number];
        let chain = number.checked_sub(1).map_or(0, |before| self.index[before].digest);
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(block.len, 0);
        let read = self.source.seek(SeekFrom::Start(block.offset)).and_then(|_| self.source.read_exact(&mut buffer));
        let loaded = match read {
            Ok(()) => self.decode(&block, &buffer, chain, into).ok_or_else(|| self.corrupt(block.offset, "a block")),
            Err(error) => Err(self.io(error)),
        };
        self.buffer = buffer;
        loaded
    }
}

impl Block {
    /// Reads the head of a block's payload; `bytes` then holds the records.
    fn read(bytes: &mut &[u8], before: u64, offset: u64) -> Option<Self> {
        let all = bytes.len();
        let records = u32::from_le_bytes(take_array(bytes)?);
        let digest = u64::from_le_bytes(take_array(bytes)?);
        let first = Instant::from_nanos(i64::from_le_bytes(take_array(bytes)?));
        let head = (all - bytes.len()) as u64;
        Some(Self { before, records, first, digest, offset: offset + head, len: bytes.len() })
    }
}
