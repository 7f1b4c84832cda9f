//! The outer form of a trace file: a header, then frames with checksums, the last one a footer. Invariant: a change of any byte is noticed.
//!
//! All numbers are little-endian. The header is [`MAGIC`], the version and the flags (32 bits each), and the digest of these. A frame is a
//! tag (8 bits), the length of its payload (32 bits), the digest of the payload, the digest of all that and of the frame's ordinal, and
//! the payload.

use std::hash::Hasher;

use crate::digest::Digest;

pub(super) const MAGIC: [u8; 8] = *b"stilltrc";
pub(super) const VERSION: u32 = 1;
/// A flag of the header: records have texts.
pub(super) const WITH_TEXT: u32 = 1;

pub(super) const HEADER_LEN: usize = 24;
pub(super) const FRAME_LEN: usize = 21;
/// The bytes of a block's payload before its first record.
pub(super) const BLOCK_HEAD: usize = 20;
/// Before a name in a frame of names: its rank and its path follow.
pub(super) const NAME: u8 = 0;
/// Before a kind: its text follows.
pub(super) const KIND: u8 = 1;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// Names and kinds that the records after this frame use.
    Names,
    /// A block of records: their number (32 bits), the digest of all records up to its end, its first instant, the records.
    Records,
    /// The hash of the run (128 bits) and the number of records.
    Footer,
}

impl Tag {
    const fn byte(self) -> u8 {
        match self {
            Self::Names => b'N',
            Self::Records => b'R',
            Self::Footer => b'F',
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'N' => Some(Self::Names),
            b'R' => Some(Self::Records),
            b'F' => Some(Self::Footer),
            _ => None,
        }
    }
}

/// The digest of some bytes.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    let mut digest = Digest::new();
    digest.write(bytes);
    digest.finish()
}

/// The first bytes of a file.
pub(super) fn header(flags: u32) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&flags.to_le_bytes());
    let sum = checksum(&bytes[..16]);
    bytes[16..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn frame_sum(ordinal: u64, start: &[u8]) -> u64 {
    let mut digest = Digest::new();
    digest.write_u64(ordinal);
    digest.write(start);
    digest.finish()
}

/// Fills in the first [`FRAME_LEN`] bytes of `frame`, whose payload follows them.
///
/// # Panics
/// If the payload has 2^32 bytes or more, which the bounds on a block and on texts exclude.
pub(super) fn seal(frame: &mut [u8], tag: Tag, ordinal: u64) {
    let (head, payload) = frame.split_at_mut(FRAME_LEN);
    let len = u32::try_from(payload.len()).expect("a payload below 4 GiB");
    head[0] = tag.byte();
    head[1..5].copy_from_slice(&len.to_le_bytes());
    head[5..13].copy_from_slice(&checksum(payload).to_le_bytes());
    let sum = frame_sum(ordinal, &head[..13]);
    head[13..].copy_from_slice(&sum.to_le_bytes());
}

/// What the head of a frame says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) tag: Tag,
    pub(super) len: u32,
    pub(super) sum: u64,
}

impl Head {
    /// `None` if these bytes were not written as the head of this frame.
    pub(super) fn read(bytes: &[u8; FRAME_LEN], ordinal: u64) -> Option<Self> {
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        if word(13) != frame_sum(ordinal, &bytes[..13]) {
            return None;
        }
        let len = u32::from_le_bytes(bytes[1..5].try_into().expect("four bytes"));
        Tag::from_byte(bytes[0]).map(|tag| Self { tag, len, sum: word(5) })
    }
}
