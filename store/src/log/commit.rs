//! One commit as bytes: a header of operations as JSON, the rows that came with them, and a checksum over all. Invariant: a commit names the
//! digest of the one before it, so nothing can be put into another's place, not even a commit that was once here.

use bytes::{BufMut, Bytes, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stillpoint_engine::Instant;
use twox_hash::XxHash3_128;

use crate::error::StoreError;

const MAGIC: &[u8; 8] = b"SPcommit";
/// The latest format that this program reads, and the one that it writes.
const FORMAT: u32 = 1;
/// Magic, format, length of the header.
const BEFORE_HEADER: usize = 8 + 4 + 4;
const DIGEST: usize = 16;

/// The folder of a log's commits.
pub(super) fn folder(log: &str) -> String {
    format!("{log}/commit")
}

/// The object of a commit. Numbers have twelve digits, so that names are in the order of numbers; a folder has at most 1,000, since
/// opening looks at all that are in the folder of the latest checkpoint's commit.
pub(crate) fn commit_name(log: &str, number: u64) -> String {
    format!("{log}/commit/{:08}/{number:012}", number / 1_000)
}

/// Which commit an object is.
pub(crate) fn commit_number(name: &str) -> Option<u64> {
    name.rsplit('/').next()?.parse().ok()
}

/// The checksum that stands for everything in a store.
pub(crate) fn digest(bytes: &[u8]) -> u128 {
    XxHash3_128::oneshot(bytes)
}

/// Digests as text of 32 hex digits: JSON has no numbers of that size.
pub(crate) mod hex128 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:032x}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

/// Bytes inside a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlobRef {
    /// The commit.
    pub(crate) commit: u64,
    /// Where they begin in it.
    pub(crate) offset: u64,
    /// How many they are.
    pub(crate) len: u64,
    /// Their checksum.
    #[serde(with = "hex128")]
    pub(crate) digest: u128,
}

/// One operation of a commit, and the bytes that belong to it.
#[derive(Clone, Debug)]
pub(crate) struct Entry<Op> {
    /// The operation.
    pub(crate) op: Op,
    /// Its bytes.
    pub(crate) blob: Option<Bytes>,
}

/// A commit that was read.
#[derive(Debug)]
pub(crate) struct Commit<Op> {
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) before: u128,
    pub(super) digest: u128,
    pub(super) ops: Vec<(Op, Option<BlobRef>)>,
}

#[derive(Serialize)]
struct HeaderOut<'a, Op> {
    number: u64,
    at: i64,
    #[serde(with = "hex128")]
    before: u128,
    /// Two writers never write the same bytes, so whoever finds his own bytes knows that he wrote them.
    writer: u64,
    ops: Vec<OpOut<'a, Op>>,
}

#[derive(Serialize)]
struct OpOut<'a, Op> {
    op: &'a Op,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<BlobPlace>,
}

#[derive(Deserialize)]
#[serde(bound = "Op: DeserializeOwned")]
struct HeaderIn<Op> {
    number: u64,
    at: i64,
    #[serde(with = "hex128")]
    before: u128,
    ops: Vec<OpIn<Op>>,
}

#[derive(Deserialize)]
struct OpIn<Op> {
    op: Op,
    #[serde(default)]
    blob: Option<BlobPlace>,
}

/// Where a blob lies among the blobs: a header does not know its own length.
#[derive(Serialize, Deserialize)]
struct BlobPlace {
    offset: u64,
    len: u64,
    #[serde(with = "hex128")]
    digest: u128,
}

/// The pieces of a commit's bytes, in order, and the digest at their end.
pub(super) struct Encoded {
    pub(super) pieces: Vec<Bytes>,
    pub(super) digest: u128,
    pub(super) blobs: Vec<Option<BlobRef>>,
    pub(super) bytes: u64,
}

pub(super) fn encode<Op: Serialize>(
    number: u64,
    at: Instant,
    before: u128,
    writer: u64,
    entries: &[Entry<Op>],
) -> Result<Encoded, StoreError> {
    let mut offset = 0;
    let ops = entries.iter().map(|entry| {
        let blob = entry.blob.as_ref().map(|blob| {
            let place = BlobPlace { offset, len: blob.len() as u64, digest: digest(blob) };
            offset += place.len;
            place
        });
        OpOut { op: &entry.op, blob }
    });
    let header = HeaderOut { number, at: at.as_nanos(), before, writer, ops: ops.collect() };
    let json = serde_json::to_vec(&header).map_err(StoreError::other)?;
    let length = u32::try_from(json.len())
        .map_err(|_| StoreError::invalid("a commit", "its operations take over 4 GiB as text: commit fewer at once"))?;

    let mut front = BytesMut::with_capacity(BEFORE_HEADER + json.len());
    front.put_slice(MAGIC);
    front.put_u32_le(FORMAT);
    front.put_u32_le(length);
    front.put_slice(&json);
    let start = front.len() as u64;
    let blobs = header.ops.iter().map(|op| {
        op.blob.as_ref().map(|place| BlobRef { commit: number, offset: start + place.offset, len: place.len, digest: place.digest })
    });
    let blobs: Vec<_> = blobs.collect();

    let mut pieces = vec![front.freeze()];
    pieces.extend(entries.iter().filter_map(|entry| entry.blob.clone()));
    let mut hasher = XxHash3_128::new();
    for piece in &pieces {
        hasher.write(piece);
    }
    let digest = hasher.finish_128();
    pieces.push(Bytes::copy_from_slice(&digest.to_le_bytes()));
    let bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
    Ok(Encoded { pieces, digest, blobs, bytes })
}

impl<Op: DeserializeOwned> Commit<Op> {
    /// Reads a commit. `place` says where it lies, for errors.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Newer`].
    pub(crate) fn decode(bytes: &Bytes, place: impl Fn() -> String) -> Result<Self, StoreError> {
        let (body, digest) = checked(bytes, MAGIC, FORMAT, &place)?;
        let length = u32::from_le_bytes([body[12], body[13], body[14], body[15]]) as usize;
        let Some(json) = body.get(BEFORE_HEADER..BEFORE_HEADER + length) else {
            return Err(StoreError::damaged(place(), "its header is longer than itself"));
        };
        let header: HeaderIn<Op> = serde_json::from_slice(json).map_err(|error| {
            StoreError::damaged(place(), format!("its operations cannot be read ({error}); a newer program may have written it"))
        })?;
        let start = (BEFORE_HEADER + length) as u64;
        let ops = header.ops.into_iter().map(|OpIn { op, blob }| {
            let blob =
                blob.map(|place| BlobRef { commit: header.number, offset: start + place.offset, len: place.len, digest: place.digest });
            (op, blob)
        });
        Ok(Self { number: header.number, at: Instant::from_nanos(header.at), before: header.before, digest, ops: ops.collect() })
    }
}

/// The header of a commit, or all of a checkpoint, whatever operations it has; and its digest.
pub(crate) fn header(bytes: &Bytes, place: impl Fn() -> String) -> Result<(serde_json::Value, u128), StoreError> {
    let magic = if bytes.starts_with(MAGIC) { MAGIC } else { b"SPcheckp" };
    let (body, digest) = checked(bytes, magic, FORMAT, &place)?;
    let length = u32::from_le_bytes([body[12], body[13], body[14], body[15]]) as usize;
    let json = if length == 0 { &body[BEFORE_HEADER..] } else { body.get(BEFORE_HEADER..BEFORE_HEADER + length).unwrap_or_default() };
    let value = serde_json::from_slice(json).map_err(|error| StoreError::damaged(place(), format!("it cannot be read ({error})")))?;
    Ok((value, digest))
}

/// What precedes the checksum of an object of ours, and the checksum, which was found right.
pub(super) fn checked<'a>(
    bytes: &'a Bytes,
    magic: &[u8; 8],
    format: u32,
    place: &impl Fn() -> String,
) -> Result<(&'a [u8], u128), StoreError> {
    let damaged = |what: &str| Err(StoreError::damaged(place(), what));
    let Some((body, tail)) = bytes.len().checked_sub(DIGEST).map(|middle| bytes.split_at(middle)) else {
        return damaged("it is too short to be whole");
    };
    if body.len() < BEFORE_HEADER {
        return damaged("it is too short to be whole");
    }
    let mut stored = [0; DIGEST];
    stored.copy_from_slice(tail);
    let stored = u128::from_le_bytes(stored);
    if digest(body) != stored {
        return damaged("its checksum does not fit its bytes");
    }
    if &body[..8] != magic {
        return damaged("it is a file of another kind");
    }
    let found = u32::from_le_bytes([body[8], body[9], body[10], body[11]]);
    if found > format {
        return Err(StoreError::Newer { file: place(), format: found, known: format });
    }
    Ok((body, stored))
}
