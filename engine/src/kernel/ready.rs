//! The order in which the actors of a step run. No order can be seen in a trace (rule R3): tests that hold an actor to that shuffle it.

use crate::kernel::entry::Entry;

/// In which order the actors of one step run. A run is the same in any; an actor that shares state with another one is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadyOrder {
    /// By rank and path.
    #[default]
    Sorted,
    /// Against rank and path.
    Reversed,
    /// Anew for each step, from a seed.
    Shuffled(u64),
}

impl ReadyOrder {
    /// Puts the mailboxes of a closed step into this order. Each stays as it is.
    pub(crate) fn apply(&mut self, step: &mut Vec<Entry>) {
        let mut mailboxes: Vec<&[Entry]> = step.chunk_by(|a, b| a.to == b.to).collect();
        match self {
            Self::Sorted => return,
            Self::Reversed => mailboxes.reverse(),
            Self::Shuffled(state) => {
                for last in (1..mailboxes.len()).rev() {
                    mailboxes.swap(last, (next(state) % (last as u64 + 1)) as usize);
                }
            }
        }
        *step = mailboxes.concat();
    }
}

/// Steele, Lea and Flood's SplitMix64 (Fast Splittable Pseudorandom Number Generators, 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
