//! Writes a trace file while the run goes on. Invariant: after an error nothing more is written, and every later call gives that error too.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path as FilePath, PathBuf};

use crate::path::{Path, Rank};
use crate::time::Instant;
use crate::trace::code::{BLOCK, Coded, Memory, put, put_signed, put_text};
use crate::trace::frame::{BLOCK_HEAD, FRAME_LEN, KIND, NAME, Tag, WITH_TEXT, header, seal};
use crate::trace::record::{Observer, TraceHash, TraceRecord, Wording, in_full};
use crate::trace::table::{Kinds, Names};

/// A longer text is cut after this many bytes, with a mark.
const MAX_TEXT: usize = 4096;

/// Whether a trace keeps the text of messages (their `Debug`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Text {
    /// Kind and digest alone: small and fast.
    #[default]
    Omit,
    /// The text too, at most 4,096 bytes a message.
    Keep,
}

/// An observer that keeps the trace in a file, or in anything that takes bytes. Memory: one block of 4,096 records, and the names.
///
/// A file without its end (the run was killed, the disk was full) can still be compared as far as it goes.
///
/// ```
/// use stillpoint_engine::trace::{Observer, Reader, Text, TraceHash, Writer};
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("run.trace");
/// let mut writer = Writer::create(&file, Text::Omit)?;
/// writer.end(TraceHash(7))?;
/// assert_eq!(Reader::open(&file)?.hash(), Some(TraceHash(7)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Writer<W> {
    sink: W,
    name: PathBuf,
    text: Text,
    names: Names,
    kinds: Kinds,
    /// From the engine's numbers to those of the file.
    ids: Vec<u32>,
    memory: Memory,
    /// Room for a frame's head, then names and kinds that are not yet in the file.
    news: Vec<u8>,
    /// Room for a frame's head, then the block under way.
    block: Vec<u8>,
    in_block: u32,
    first: Instant,
    records: u64,
    frames: u64,
    digest: u64,
    failed: Option<(io::ErrorKind, String)>,
}

impl Writer<File> {
    /// Creates the file, or empties it.
    ///
    /// # Errors
    /// When the file cannot be created or written; the error names it.
    pub fn create(file: impl AsRef<FilePath>, text: Text) -> io::Result<Self> {
        let file = file.as_ref();
        let explain = |error: io::Error| io::Error::new(error.kind(), format!("cannot create the trace file {}: {error}", file.display()));
        Self::new(File::create(file).map_err(explain)?, file, text)
    }
}

impl<W: Write> Writer<W> {
    /// Writes to `sink`, which errors call `name`. Writes come in pieces of some 50 kB: the sink needs no buffer.
    ///
    /// # Errors
    /// When the header cannot be written; the error has the name.
    pub fn new(sink: W, name: impl Into<PathBuf>, text: Text) -> io::Result<Self> {
        let room = |len| {
            let mut bytes = Vec::with_capacity(len);
            bytes.resize(FRAME_LEN, 0);
            bytes
        };
        let mut writer = Self {
            sink,
            name: name.into(),
            text,
            names: Names::default(),
            kinds: Kinds::default(),
            ids: Vec::new(),
            memory: Memory::default(),
            news: room(1024),
            block: room(BLOCK as usize * 16),
            in_block: 0,
            first: Instant::EPOCH,
            records: 0,
            frames: 0,
            digest: 0,
            failed: None,
        };
        let flags = if text == Text::Keep { WITH_TEXT } else { 0 };
        writer.keep(|sink| sink.write_all(&header(flags)))?;
        Ok(writer)
    }

    /// Does something with the sink, remembers if it fails.
    fn keep(&mut self, write: impl FnOnce(&mut W) -> io::Result<()>) -> io::Result<()> {
        if self.failed.is_none()
            && let Err(error) = write(&mut self.sink)
        {
            let written = self.records - u64::from(self.in_block);
            let text = format!(
                "cannot write the trace file {}: {error}; it holds the first {written} records and no end; make room or write it elsewhere",
                self.name.display()
            );
            self.failed = Some((error.kind(), text));
        }
        self.failed.as_ref().map_or(Ok(()), |(kind, text)| Err(io::Error::new(*kind, text.clone())))
    }

    fn emit(&mut self, frame: &mut [u8], tag: Tag) -> io::Result<()> {
        seal(frame, tag, self.frames);
        self.frames += 1;
        self.keep(|sink| sink.write_all(frame))
    }

    fn open_block(&mut self, at: Instant) {
        self.first = at;
        self.memory.begin(at);
        self.block.truncate(FRAME_LEN);
        self.block.resize(FRAME_LEN + BLOCK_HEAD, 0);
    }

    /// Writes what is not yet in the file: new names first, then the block under way.
    fn close_block(&mut self) -> io::Result<()> {
        if self.news.len() > FRAME_LEN {
            let mut news = std::mem::take(&mut self.news);
            let done = self.emit(&mut news, Tag::Names);
            news.truncate(FRAME_LEN);
            self.news = news;
            done?;
        }
        if self.in_block > 0 {
            let mut block = std::mem::take(&mut self.block);
            let head = &mut block[FRAME_LEN..FRAME_LEN + BLOCK_HEAD];
            head[..4].copy_from_slice(&self.in_block.to_le_bytes());
            head[4..12].copy_from_slice(&self.digest.to_le_bytes());
            head[12..].copy_from_slice(&self.first.as_nanos().to_le_bytes());
            let done = self.emit(&mut block, Tag::Records);
            self.block = block;
            done?;
            self.in_block = 0;
        }
        Ok(())
    }

    #[inline]
    fn code(&mut self, record: &TraceRecord<'_>) -> Coded {
        let (receiver, sender) = (self.ids[record.receiver as usize], self.ids[record.sender as usize]);
        let (kind, is_new) = self.kinds.intern(record.kind, self.memory.likely_kind(receiver));
        if is_new {
            self.news.push(KIND);
            put_text(&mut self.news, record.kind);
            self.memory.fit(self.names.len(), self.kinds.len());
        }
        Coded {
            at: record.at,
            round: record.round,
            step: record.step,
            receiver,
            count: record.count.unwrap_or(0),
            sender,
            sender_count: record.sender_count,
            kind,
            digest: record.digest,
        }
    }
}

impl<W: Write> Observer for Writer<W> {
    fn name(&mut self, id: u32, path: &Path, rank: Rank) {
        let index = id as usize;
        if self.ids.len() <= index {
            self.ids.resize(index + 1, u32::MAX);
        }
        self.ids[index] = self.names.add(path.clone(), rank);
        self.memory.fit(self.names.len(), self.kinds.len());
        self.news.push(NAME);
        put_signed(&mut self.news, i64::from(rank.0));
        put_text(&mut self.news, &path.to_string());
    }

    #[inline]
    fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()> {
        if self.in_block == 0 {
            self.keep(|_| Ok(()))?;
            self.open_block(record.at);
        }
        let coded = self.code(record);
        self.digest = coded.chain(self.digest, &self.names, &self.kinds);
        self.memory.encode(&coded, &mut self.block);
        if self.text == Text::Keep {
            put_message(&mut self.block, record.text);
        }
        self.records += 1;
        self.in_block += 1;
        if self.in_block == BLOCK { self.close_block() } else { Ok(()) }
    }

    fn end(&mut self, hash: TraceHash) -> io::Result<()> {
        self.close_block()?;
        let mut footer = [0; FRAME_LEN + 24];
        footer[FRAME_LEN..FRAME_LEN + 16].copy_from_slice(&hash.0.to_le_bytes());
        footer[FRAME_LEN + 16..].copy_from_slice(&self.records.to_le_bytes());
        self.emit(&mut footer, Tag::Footer)?;
        self.keep(Write::flush)
    }

    fn wording(&self) -> Option<Wording> {
        (self.text == Text::Keep).then(in_full)
    }
}

/// Appends 0, or the text's length and one, and the text.
fn put_message(out: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else { return out.push(0) };
    let kept = &text[..text.floor_char_boundary(MAX_TEXT)];
    let mark = if kept.len() < text.len() { format!("… ({} bytes more)", text.len() - kept.len()) } else { String::new() };
    put(out, (kept.len() + mark.len() + 1) as u64);
    out.extend_from_slice(kept.as_bytes());
    out.extend_from_slice(mark.as_bytes());
}
