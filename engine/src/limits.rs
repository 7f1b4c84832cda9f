//! What a run may do at most, and what a panic leads to.

/// Bounds whose violation is an error at its key (rules R3 and R8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The step of one round that is not run any more.
    pub max_steps: u32,
    /// How many deliveries one actor may get in one step. `None`: no bound.
    pub max_mailbox: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_steps: 1_000_000, max_mailbox: None }
    }
}

/// What happens when a handler or a task panics (rule R9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnPanic {
    /// The run ends with an error at the end of that step.
    #[default]
    Stop,
    /// The actor stops at the end of that step; the others go on.
    Poison,
}
