//! The state after a commit, as an object, so that opening is fast. Invariant: a log opens to the same state with and without it.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use stillpoint_engine::Instant;

use super::State;
use super::commit::{checked, digest, hex128};
use super::head::Head;
use crate::error::StoreError;

const MAGIC: &[u8; 8] = b"SPcheckp";
const FORMAT: u32 = 1;

pub(super) fn folder(log: &str) -> String {
    format!("{log}/checkpoint")
}

pub(super) fn name(log: &str, number: u64) -> String {
    format!("{log}/checkpoint/{number:012}")
}

pub(super) fn number(name: &str) -> Option<u64> {
    name.rsplit('/').next()?.parse().ok()
}

#[derive(Serialize)]
struct Out<'a, S> {
    number: u64,
    at: i64,
    #[serde(with = "hex128")]
    digest: u128,
    state: &'a S,
}

#[derive(Deserialize)]
struct In<S> {
    number: u64,
    at: i64,
    #[serde(with = "hex128")]
    digest: u128,
    state: S,
}

pub(super) fn encode<S: State>(head: &Head<S>) -> Result<Bytes, StoreError> {
    let out = Out { number: head.number, at: head.at.as_nanos(), digest: head.digest, state: &head.state };
    let json = serde_json::to_vec(&out).map_err(StoreError::other)?;
    let mut bytes = BytesMut::with_capacity(json.len() + 32);
    bytes.put_slice(MAGIC);
    bytes.put_u32_le(FORMAT);
    bytes.put_u32_le(0);
    bytes.put_slice(&json);
    let checksum = digest(&bytes);
    bytes.put_slice(&checksum.to_le_bytes());
    Ok(bytes.freeze())
}

pub(super) fn decode<S: State>(bytes: &Bytes, place: impl Fn() -> String) -> Result<Head<S>, StoreError> {
    let (body, _) = checked(bytes, MAGIC, FORMAT, &place)?;
    let read: In<S> = serde_json::from_slice(&body[16..])
        .map_err(|error| StoreError::damaged(place(), format!("it cannot be read ({error}); a newer program may have written it")))?;
    Ok(Head {
        state: read.state,
        number: read.number,
        at: Instant::from_nanos(read.at),
        digest: read.digest,
        checkpoint: read.number,
        checkpoint_bytes: bytes.len() as u64,
        bytes_since: 0,
    })
}
