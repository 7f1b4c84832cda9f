//! Records as bytes: what can be guessed from the records before costs a bit, the rest is written out. Invariant: decoding gives back
//! exactly what was encoded, starting at any block.

use crate::digest::{fold, mix};
use crate::time::Instant;
use crate::trace::table::{Kinds, Names};

/// How many records a block has; only the last one may have fewer. Two traces that agree on a prefix have the same blocks there.
pub(super) const BLOCK: u32 = 4096;

/// A record whose names and kind are numbers of its trace's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coded {
    pub(super) at: Instant,
    pub(super) round: u32,
    pub(super) step: u32,
    pub(super) receiver: u32,
    /// 0 for a dead letter.
    pub(super) count: u64,
    pub(super) sender: u32,
    pub(super) sender_count: u64,
    pub(super) kind: u32,
    pub(super) digest: u64,
}

impl Coded {
    /// Chains this record onto the digest of those before it. Numbers of tables do not enter, only what they stand for.
    #[inline]
    pub(super) fn chain(&self, state: u64, names: &Names, kinds: &Kinds) -> u64 {
        let step = u64::from(self.round) << 32 | u64::from(self.step);
        let when = fold(self.at.as_nanos() as u64 ^ 0xa409_3822_299f_31d0, step ^ 0x082e_fa98_ec4e_6c89);
        let whom = fold(names.digest(self.receiver) ^ 0x4528_21e6_38d0_1377, self.count ^ 0xbe54_66cf_34e9_0c6c);
        let from = fold(names.digest(self.sender) ^ 0xc0ac_29b7_c97c_50dd, self.sender_count ^ 0x3f84_d5b5_b547_0917);
        let what = fold(kinds.digest(self.kind) ^ 0x9216_d5d9_8979_fb1b, self.digest ^ 0xd131_0ba6_98df_b5ac);
        mix(state, when ^ whom.rotate_left(16) ^ from.rotate_left(32) ^ what.rotate_left(48))
    }
}

const NEW_INSTANT: u8 = 1;
const NEW_STEP: u8 = 1 << 1;
const RECEIVER: u8 = 1 << 2;
const COUNT: u8 = 1 << 3;
const SENDER_AND_KIND: u8 = 1 << 4;
const SENDER_COUNT: u8 = 0b11 << 5;
const DIGEST: u8 = 1 << 7;

/// How a sender's count relates to what is known of the sender.
const AS_BEFORE: u8 = 1 << 5;
const ONE_MORE: u8 = 2 << 5;
const AS_RECEIVED: u8 = 3 << 5;

/// What is remembered of one name inside a block.
#[derive(Clone, Copy, Default)]
struct Place {
    block: u64,
    /// Who received after this one, the last time.
    next: u32,
    count: u64,
    sender: u32,
    kind: u32,
    /// Its count in the last record that it sent.
    sent: u64,
}

/// What both sides remember while they go through a block.
#[derive(Default)]
pub(super) struct Memory {
    block: u64,
    places: Vec<Place>,
    digests: Vec<(u64, u64)>,
    at: i64,
    round: u32,
    step: u32,
    receiver: u32,
}

impl Memory {
    /// Forgets all: a block that begins at this instant follows.
    pub(super) fn begin(&mut self, at: Instant) {
        self.block += 1;
        (self.at, self.round, self.step, self.receiver) = (at.as_nanos(), 0, 0, 0);
    }

    /// Makes room for tables of these sizes.
    #[inline]
    pub(super) fn fit(&mut self, names: usize, kinds: usize) {
        if self.places.len() < names {
            self.places.resize(names, Place::default());
        }
        if self.digests.len() < kinds {
            self.digests.resize(kinds, (0, 0));
        }
    }

    #[inline]
    fn place(&mut self, id: u32) -> &mut Place {
        let block = self.block;
        let place = &mut self.places[id as usize];
        if place.block != block {
            *place = Place { block, ..Place::default() };
        }
        place
    }

    #[inline]
    fn digest(&mut self, kind: u32) -> &mut u64 {
        let (block, digest) = &mut self.digests[kind as usize];
        if *block != self.block {
            (*block, *digest) = (self.block, 0);
        }
        digest
    }

    /// The kind that this receiver is most likely to receive.
    #[inline]
    pub(super) fn likely_kind(&self, receiver: u32) -> u32 {
        self.places.get(receiver as usize).map_or(0, |place| place.kind)
    }

    #[inline]
    pub(super) fn encode(&mut self, record: &Coded, out: &mut Vec<u8>) {
        let mut flags = 0;
        let mut short = Short { bytes: [0; MOST], len: 1 };
        let at = record.at.as_nanos();
        if at != self.at {
            flags |= NEW_INSTANT;
            short.put(at.wrapping_sub(self.at) as u64);
            (self.at, self.round, self.step) = (at, 0, 0);
        }
        if (record.round, record.step) != (self.round, self.step) {
            flags |= NEW_STEP;
            if record.round == self.round {
                short.put(u64::from(record.step.wrapping_sub(self.step)));
            } else {
                short.put(0);
                short.put(u64::from(record.round));
                short.put(u64::from(record.step));
            }
            (self.round, self.step) = (record.round, record.step);
        }
        let previous = self.receiver;
        let next = &mut self.place(previous).next;
        if *next != record.receiver {
            flags |= RECEIVER;
            *next = record.receiver;
            short.put(u64::from(record.receiver));
        }
        self.receiver = record.receiver;
        let place = self.place(record.receiver);
        if record.count != place.count.wrapping_add(1) {
            flags |= COUNT;
            short.put(record.count);
        }
        if record.count != 0 {
            place.count = record.count;
        }
        if (place.sender, place.kind) != (record.sender, record.kind) {
            flags |= SENDER_AND_KIND;
            (place.sender, place.kind) = (record.sender, record.kind);
            short.put(u64::from(record.sender));
            short.put(u64::from(record.kind));
        }
        let sender = self.place(record.sender);
        if record.sender_count == sender.sent {
            flags |= AS_BEFORE;
        } else if record.sender_count == sender.sent.wrapping_add(1) {
            flags |= ONE_MORE;
        } else if record.sender_count == sender.count {
            flags |= AS_RECEIVED;
        } else {
            short.put(zigzag(record.sender_count.wrapping_sub(sender.sent) as i64));
        }
        sender.sent = record.sender_count;
        let digest = self.digest(record.kind);
        if *digest != record.digest {
            flags |= DIGEST;
            *digest = record.digest;
            short.put_word(record.digest);
        }
        short.bytes[0] = flags;
        out.extend_from_slice(&short.bytes[..short.len]);
    }

    /// `None` if the bytes are no record.
    #[inline]
    pub(super) fn decode(&mut self, bytes: &mut &[u8]) -> Option<Coded> {
        let flags = take_byte(bytes)?;
        if flags & NEW_INSTANT != 0 {
            (self.at, self.round, self.step) = (self.at.wrapping_add(take(bytes)? as i64), 0, 0);
        }
        if flags & NEW_STEP != 0 {
            match take_u32(bytes)? {
                0 => (self.round, self.step) = (take_u32(bytes)?, take_u32(bytes)?),
                more => self.step = self.step.wrapping_add(more),
            }
        }
        let previous = self.receiver;
        if flags & RECEIVER != 0 {
            let receiver = self.take_name(bytes)?;
            self.place(previous).next = receiver;
        }
        let receiver = self.place(previous).next;
        self.receiver = receiver;
        let mut count = self.place(receiver).count.wrapping_add(1);
        if flags & COUNT != 0 {
            count = take(bytes)?;
        }
        if count != 0 {
            self.place(receiver).count = count;
        }
        if flags & SENDER_AND_KIND != 0 {
            let (sender, kind) = (self.take_name(bytes)?, take_u32(bytes)?);
            if kind as usize >= self.digests.len() {
                return None;
            }
            let place = self.place(receiver);
            (place.sender, place.kind) = (sender, kind);
        }
        let Place { sender, kind, .. } = *self.place(receiver);
        let known = self.place(sender);
        let sender_count = match flags & SENDER_COUNT {
            AS_BEFORE => known.sent,
            ONE_MORE => known.sent.wrapping_add(1),
            AS_RECEIVED => known.count,
            _ => known.sent.wrapping_add(unzigzag(take(bytes)?) as u64),
        };
        known.sent = sender_count;
        if kind as usize >= self.digests.len() {
            return None;
        }
        let digest = self.digest(kind);
        if flags & DIGEST != 0 {
            *digest = u64::from_le_bytes(take_array(bytes)?);
        }
        let digest = *digest;
        let at = Instant::from_nanos(self.at);
        Some(Coded { at, round: self.round, step: self.step, receiver, count, sender, sender_count, kind, digest })
    }

    fn take_name(&self, bytes: &mut &[u8]) -> Option<u32> {
        take_u32(bytes).filter(|id| (*id as usize) < self.places.len())
    }
}

/// The most bytes that one record takes: flags, six numbers of 32 bits, three of 64, and a digest.
const MOST: usize = 1 + 6 * 5 + 3 * 10 + 8;

/// A record under way, in place, so that the output grows once a record.
struct Short {
    bytes: [u8; MOST],
    len: usize,
}

impl Short {
    #[inline(always)]
    fn put(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes[self.len] = value as u8 | 0x80;
            self.len += 1;
            value >>= 7;
        }
        self.bytes[self.len] = value as u8;
        self.len += 1;
    }

    #[inline(always)]
    fn put_word(&mut self, word: u64) {
        self.bytes[self.len..self.len + 8].copy_from_slice(&word.to_le_bytes());
        self.len += 8;
    }
}

const fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Appends a number, seven bits a byte, lowest first.
#[inline]
pub(super) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number.
pub(super) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, zigzag(value));
}

/// Appends a text after its length.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

#[inline]
pub(super) fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

/// What [`put`] wrote.
#[inline]
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take_byte(bytes)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// What [`put_signed`] wrote.
pub(super) fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    take(bytes).map(unzigzag)
}

pub(super) fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    take(bytes)?.try_into().ok()
}

pub(super) fn take_array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (array, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*array)
}

/// What [`put_text`] wrote.
pub(super) fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let len = usize::try_from(take(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}
