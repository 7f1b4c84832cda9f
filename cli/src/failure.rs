//! How a command ends. Invariant: one place decides the exit code.

use std::fmt;
use std::io::{self, Write};

use stillpoint_engine::RunError;
use stillpoint_engine::scenario::ScenarioError;

/// The exit code for bad arguments, scenarios and data.
pub(crate) const BAD_INPUT: u8 = 2;

/// A command that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Well,
    /// What was checked does not hold: two traces differ, an expectation was not met.
    Unmet,
    /// A run was ended by Ctrl-C.
    Interrupted,
}

impl Done {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Unmet => 1,
            Self::Interrupted => 130,
        }
    }
}

/// A command that could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What the user gave cannot be used.
    Input(String),
    /// The work failed.
    Work(String),
    /// Nobody reads the output any more.
    Closed,
}

impl Failure {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Input(_) => BAD_INPUT,
            Self::Work(_) => 1,
            Self::Closed => 0,
        }
    }

    /// What was asked for is in builds with a feature alone.
    #[cfg(not(all(feature = "report", feature = "store", feature = "sweep")))]
    pub(crate) fn lacking(what: &str, feature: &str) -> Self {
        let help = stillpoint_engine::scenario::build_with(feature);
        Self::Input(format!("this program was built without {what}\nhelp: {help}"))
    }

    /// A failed run: data that cannot be read or is out of order, and a simulation that cannot be built, are bad input.
    pub(crate) fn of_run(error: &RunError, place: Option<String>) -> Self {
        let place = place.map(|place| format!(", at {place}")).unwrap_or_default();
        match error {
            RunError::Source { .. } | RunError::Late { .. } | RunError::Build(_) | RunError::Restore(_) => Self::Input(error.to_string()),
            other => Self::Work(format!("{other}{place}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(text) | Self::Work(text) => f.write_str(text),
            Self::Closed => f.write_str("the output was closed"),
        }
    }
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Work(format!("cannot write the output: {error}")),
        }
    }
}

/// Prints to stdout. A reader who has gone, such as `head`, is no failure; a full disk is.
pub(crate) fn print(text: &str) -> Result<Done, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Done::Well)
}
