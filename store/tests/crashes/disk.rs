//! A disk that loses what was not synced when the power goes. Invariant: what a synced call has acknowledged is never lost.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use parking_lot::Mutex;
use stillpoint_engine::Instant;
use stillpoint_store::{ObjectInfo, Objects, StoreError};

/// A pseudo-random sequence (splitmix64), so that a case can be run again.
#[derive(Clone, Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }
}

#[derive(Clone, Debug)]
enum Change {
    Put(String),
    Delete(String, Bytes),
}

#[derive(Debug)]
struct State {
    objects: BTreeMap<String, Bytes>,
    /// What is not on the platter yet.
    unsynced: Vec<Change>,
    synced: bool,
    /// Calls that change something until the power goes.
    calls: u64,
    off: bool,
    dice: Dice,
    /// No room for further objects.
    full: bool,
}

#[derive(Debug)]
pub(super) struct Disk(Mutex<State>);

impl Disk {
    pub(super) fn new(synced: bool, seed: u64) -> Self {
        let state =
            State { objects: BTreeMap::new(), unsynced: Vec::new(), synced, calls: u64::MAX, off: false, dice: Dice(seed), full: false };
        Self(Mutex::new(state))
    }

    /// The power goes at the call of this number from now on that changes something, before or after its effect.
    pub(super) fn fail_after(&self, calls: u64) {
        self.0.lock().calls = calls;
    }

    pub(super) fn set_full(&self, full: bool) {
        self.0.lock().full = full;
    }

    /// Changes one byte of an object.
    pub(super) fn flip(&self, name: &str, byte: usize) {
        let mut state = self.0.lock();
        let mut bytes = state.objects[name].to_vec();
        bytes[byte] ^= 0x10;
        state.objects.insert(name.to_owned(), bytes.into());
    }

    /// Puts other bytes in an object's place, as a disk would that brings back what was once there.
    pub(super) fn bring_back(&self, name: &str, bytes: Bytes) {
        self.0.lock().objects.insert(name.to_owned(), bytes);
    }

    pub(super) fn names(&self) -> Vec<(String, usize)> {
        self.0.lock().objects.iter().map(|(name, bytes)| (name.clone(), bytes.len())).collect()
    }

    pub(super) fn is_off(&self) -> bool {
        self.0.lock().off
    }

    /// The power comes back: each unsynced change is there, is not, or is there in part.
    pub(super) fn restart(&self) {
        let mut state = self.0.lock();
        let changes = std::mem::take(&mut state.unsynced);
        for change in changes.into_iter().rev() {
            match (change, state.dice.below(3)) {
                (Change::Put(name), 0) => {
                    state.objects.remove(&name);
                }
                (Change::Put(name), 1) => {
                    if let Some(bytes) = state.objects.get(&name).cloned() {
                        let torn = torn(&bytes, &mut state.dice);
                        state.objects.insert(name, torn);
                    }
                }
                (Change::Delete(name, bytes), 0) => {
                    state.objects.entry(name).or_insert(bytes);
                }
                _ => {}
            }
        }
        (state.off, state.calls) = (false, u64::MAX);
    }

    fn change(&self, name: &str, put: Option<Bytes>) -> Result<bool, StoreError> {
        let mut state = self.0.lock();
        let off = || Err(StoreError::Io { what: format!("changing {name}"), why: "the power is off".to_owned() });
        if state.off {
            return off();
        }
        if put.is_some() && state.objects.contains_key(name) {
            return Ok(false);
        }
        if put.is_some() && state.full {
            return Err(StoreError::Io { what: format!("writing {name}"), why: "No space left on device (os error 28)".to_owned() });
        }
        let goes = state.calls == 0;
        state.calls = state.calls.saturating_sub(1);
        let happens = !goes || state.dice.below(2) == 0;
        if happens {
            match put {
                Some(bytes) => {
                    state.objects.insert(name.to_owned(), bytes);
                    if !state.synced {
                        state.unsynced.push(Change::Put(name.to_owned()));
                    }
                }
                None => {
                    if let Some(bytes) = state.objects.remove(name) {
                        // Deletes are never synced: the next sync of the folder takes them along, or nothing does.
                        state.unsynced.push(Change::Delete(name.to_owned(), bytes));
                    }
                }
            }
        }
        if goes {
            state.off = true;
            return off();
        }
        Ok(true)
    }
}

/// Some sectors of 512 bytes are zero, or the end is missing.
fn torn(bytes: &Bytes, dice: &mut Dice) -> Bytes {
    let mut torn = bytes.to_vec();
    if dice.below(2) == 0 {
        torn.truncate(dice.below(bytes.len() as u64 + 1) as usize);
    } else {
        for sector in torn.chunks_mut(512) {
            if dice.below(3) == 0 {
                sector.fill(0);
            }
        }
    }
    torn.into()
}

impl Objects for Disk {
    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        let state = self.0.lock();
        if state.off {
            return Err(StoreError::Io { what: format!("reading {name}"), why: "the power is off".to_owned() });
        }
        Ok(state.objects.get(name).cloned())
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Option<Bytes>, StoreError> {
        let Some(bytes) = self.get(name)? else { return Ok(None) };
        if bytes.len() < range.end as usize {
            return Err(StoreError::Damaged { file: name.to_owned(), what: "it is shorter than what was written".to_owned() });
        }
        Ok(Some(bytes.slice(range.start as usize..range.end as usize)))
    }

    fn put_new(&self, name: &str, pieces: Vec<Bytes>) -> Result<bool, StoreError> {
        self.change(name, Some(pieces.concat().into()))
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.change(name, None).map(|_| ())
    }

    fn list(&self, folder: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        let state = self.0.lock();
        if state.off {
            return Err(StoreError::Io { what: format!("listing {folder}"), why: "the power is off".to_owned() });
        }
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let inside = state.objects.iter().filter(|(name, _)| name.starts_with(&prefix));
        Ok(inside.map(|(name, bytes)| ObjectInfo { name: name.clone(), bytes: bytes.len() as u64, written: Instant::EPOCH }).collect())
    }

    fn place(&self, name: &str) -> String {
        format!("disk/{name}")
    }
}
