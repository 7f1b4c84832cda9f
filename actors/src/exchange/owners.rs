//! Who has orders at an exchange. Invariant: an owner keeps its number, and owners are numbered as their first requests arrive.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Instant, Recipient, digest_of};

use super::core::OwnerId;
use crate::order::OrderEvent;

/// An owner of orders: where its answers go, and how far what it sent and what it was sent have come.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) recipient: Recipient<OrderEvent>,
    /// When its latest request arrives.
    pub(super) entered: Instant,
    /// When its latest answer arrives.
    pub(super) answered: Instant,
}

/// All owners.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Owners {
    all: Vec<Owner>,
    /// By the digest of the recipient, which two could share.
    index: BTreeMap<u64, Vec<OwnerId>>,
}

impl Owners {
    pub(super) fn number(&mut self, recipient: Recipient<OrderEvent>) -> OwnerId {
        let known = self.index.entry(digest_of(&recipient)).or_default();
        if let Some(owner) = known.iter().find(|owner| self.all[owner.0 as usize].recipient == recipient) {
            return *owner;
        }
        let owner = OwnerId(u32::try_from(self.all.len()).expect("fewer than 2^32 owners"));
        known.push(owner);
        self.all.push(Owner { recipient, entered: Instant::MIN, answered: Instant::MIN });
        owner
    }

    pub(super) fn get_mut(&mut self, owner: OwnerId) -> &mut Owner {
        &mut self.all[owner.0 as usize]
    }
}
