//! The names that the list bans, doing nothing.

pub fn random() -> u64 {
    4
}

pub fn rng() -> u64 {
    4
}
