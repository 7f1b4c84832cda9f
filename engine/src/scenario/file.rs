//! Files of programs that say what they want in RON, as scenarios do: read by the same rules, with errors of the same form. Invariant: an
//! error about a piece names the piece's own place.

use std::path::Path;

use ron::value::RawValue;
use serde::Deserialize;

use super::error::{Place, ScenarioError};
use super::raw::{Dialect, range_of};
use super::text::Text;

/// A file in RON that is no scenario.
///
/// ```
/// use serde::Deserialize;
/// use stillpoint_engine::scenario::{Piece, RonFile};
///
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Meal<'t> {
///     #[serde(borrow)]
///     eggs: Piece<'t>,
/// }
///
/// let file = RonFile::parse("meal.ron", "(\n    eggs: -2,\n)")?;
/// let meal: Meal = file.whole()?;
/// let eggs: i32 = file.get(meal.eggs)?;
/// assert_eq!(eggs, -2);
/// let error = file.error(meal.eggs, "there are no negative eggs", Some("give some".to_owned()));
/// assert_eq!(error.to_string(), "meal.ron:2:11: there are no negative eggs\n  |\n2 |     eggs: -2,\n  |           ^^\nhelp: give some");
/// # Ok::<(), stillpoint_engine::scenario::ScenarioError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RonFile {
    text: Text,
    dialect: Dialect,
}

/// A value of a [`RonFile`] that knows where it stands, still unparsed. It must be given back to the file that it came from.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub struct Piece<'t>(#[serde(borrow)] &'t RawValue);

impl Piece<'_> {
    /// The value as it is written.
    pub fn text(&self) -> &str {
        self.0.trim().get_ron()
    }
}

impl RonFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ScenarioError`] if it cannot be read or does not begin as RON does.
    pub fn read(file: &Path) -> Result<Self, ScenarioError> {
        let name = file.display().to_string();
        let text = read_text(file)?;
        Self::parse(&name, &text)
    }

    /// Takes a text for the file `name`.
    ///
    /// # Errors
    /// As [`RonFile::read`].
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let text = Text::new(name, text);
        let dialect = Dialect::of(&text)?;
        Ok(Self { text, dialect })
    }

    /// The whole file as a value.
    ///
    /// # Errors
    /// [`ScenarioError`] with the place where the text does not fit the type.
    pub fn whole<'t, T: Deserialize<'t>>(&'t self) -> Result<T, ScenarioError> {
        self.dialect.parse(&self.text, &(0..self.text.as_str().len()))
    }

    /// A piece of the file as a value.
    ///
    /// # Errors
    /// As [`RonFile::whole`].
    pub fn get<'t, T: Deserialize<'t>>(&'t self, piece: Piece<'t>) -> Result<T, ScenarioError> {
        self.dialect.parse(&self.text, &range_of(&self.text, piece.0))
    }

    /// An error about a piece: what is wrong, and what to do about it.
    pub fn error(&self, piece: Piece<'_>, cause: impl Into<String>, help: Option<String>) -> ScenarioError {
        self.text.error(range_of(&self.text, piece.0), cause).with_help(help)
    }

    /// An error about the file as a whole.
    pub fn whole_error(&self, cause: impl Into<String>, help: Option<String>) -> ScenarioError {
        let place = match self.text.place(0..0) {
            Place::File { file, .. } => Place::Whole { file },
            other => other,
        };
        ScenarioError { place, cause: cause.into(), help }
    }
}

/// The text of a file that says what to do.
pub(crate) fn read_text(file: &Path) -> Result<String, ScenarioError> {
    std::fs::read_to_string(file).map_err(|error| ScenarioError {
        place: Place::Whole { file: file.display().to_string() },
        cause: if file.is_dir() { "is a folder, not a file".to_owned() } else { format!("cannot be read: {error}") },
        help: file.is_dir().then(|| "name a file in it".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Optional<'t> {
        #[serde(borrow, default)]
        may: Option<Piece<'t>>,
        #[serde(borrow, default)]
        many: Vec<Piece<'t>>,
    }

    #[test]
    fn pieces_may_be_left_out_and_keep_their_text() {
        let file = RonFile::parse("a.ron", "(may: [1, 2], many: [ \"x\" , /* c */ (a: 1)])").expect("RON");
        let found: Optional<'_> = file.whole().expect("a value");
        assert_eq!(found.may.map(|piece| piece.text().to_owned()).as_deref(), Some("[1, 2]"));
        assert_eq!(found.many.iter().map(Piece::text).collect::<Vec<_>>(), ["\"x\"", "(a: 1)"]);
        let nothing = RonFile::parse("a.ron", "()").expect("RON");
        let found: Optional<'_> = nothing.whole().expect("a value");
        assert!(found.may.is_none() && found.many.is_empty());
    }

    #[test]
    fn an_error_inside_a_piece_is_told_with_its_place_in_the_file() {
        let file = RonFile::parse("a.ron", "(\n    may: [1,\n        x],\n)").expect("RON");
        let found: Optional<'_> = file.whole().expect("a value");
        let error = file.get::<Vec<u64>>(found.may.expect("a piece")).expect_err("x is no number");
        assert!(error.to_string().starts_with("a.ron:3:9: "), "{error}");
        assert!(file.whole_error("is empty", None).to_string().starts_with("a.ron: is empty"));
    }
}
