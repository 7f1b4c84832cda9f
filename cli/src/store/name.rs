//! How libraries, symbols and versions are written on the command line. Invariant: the library ends at the first `/`, the version begins after
//! the last `@`.

use std::str::FromStr;

use stillpoint_engine::Instant;
use stillpoint_store::AsOf;

/// `LIBRARY`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LibraryName(pub(crate) String);

impl FromStr for LibraryName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_suffix('/').unwrap_or(text) {
            "" => Err("a library has a name".to_owned()),
            name if name.contains('/') => Err("the name of a library has no `/`; only the library is meant here".to_owned()),
            name => Ok(Self(name.to_owned())),
        }
    }
}

/// `LIBRARY/SYMBOL`, `LIBRARY/SYMBOL@12` for version 12, `LIBRARY/SYMBOL@2024-01-31T00:00:00Z` for the latest version of then, or
/// `LIBRARY/SYMBOL@NAME` for the version that a snapshot shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SymbolName {
    pub(crate) library: String,
    pub(crate) symbol: String,
    pub(crate) as_of: AsOf,
}

impl FromStr for SymbolName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (library, rest) = text.split_once('/').ok_or_else(|| format!("write LIBRARY/SYMBOL, such as prices/{text}"))?;
        let (symbol, as_of) = versioned(rest)?;
        if library.is_empty() || symbol.is_empty() {
            return Err("write LIBRARY/SYMBOL, both with a name".to_owned());
        }
        Ok(Self { library: library.to_owned(), symbol, as_of })
    }
}

impl SymbolName {
    /// For what happens to a symbol, not to one of its versions.
    pub(crate) fn without_version(&self) -> Result<(), String> {
        match self.as_of {
            AsOf::Latest => Ok(()),
            _ => Err(format!("no version can be chosen here: write {}/{}", self.library, self.symbol)),
        }
    }
}

/// `SYMBOL@VERSION`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotPin(pub(crate) String, pub(crate) AsOf);

impl FromStr for SnapshotPin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match versioned(text)? {
            (symbol, as_of) if !symbol.is_empty() && as_of != AsOf::Latest => Ok(Self(symbol, as_of)),
            _ => Err("write SYMBOL@VERSION; of other symbols the latest versions are taken".to_owned()),
        }
    }
}

fn versioned(text: &str) -> Result<(String, AsOf), String> {
    let Some((symbol, version)) = text.rsplit_once('@') else { return Ok((text.to_owned(), AsOf::Latest)) };
    let as_of = match (version.parse::<u64>(), version.parse::<Instant>()) {
        (Ok(number), _) => AsOf::Version(number),
        (_, Ok(at)) => AsOf::At(at),
        _ if version.is_empty() => return Err("after `@` comes a version, a snapshot, or an instant".to_owned()),
        _ => AsOf::Snapshot(version.to_owned()),
    };
    Ok((symbol.to_owned(), as_of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_library_symbol_and_version() {
        let name = |text: &str| text.parse::<SymbolName>().map(|name| (name.library, name.symbol, name.as_of));
        let of = |symbol: &str, as_of| Ok(("fx".to_owned(), symbol.to_owned(), as_of));
        assert_eq!(name("fx/EURUSD"), of("EURUSD", AsOf::Latest));
        assert_eq!(name("fx/EURUSD@12"), of("EURUSD", AsOf::Version(12)));
        assert_eq!(name("fx/eur/usd@end-of-year"), of("eur/usd", AsOf::Snapshot("end-of-year".to_owned())));
        assert_eq!(name("fx/a@b@1970-01-01T00:00:01Z"), of("a@b", AsOf::At(Instant::from_nanos(1_000_000_000))));
        for wrong in ["EURUSD", "/EURUSD", "fx/", "fx/@1", "fx/EURUSD@"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
        assert!("EURUSD".parse::<SnapshotPin>().is_err() && "EURUSD@2".parse::<SnapshotPin>().is_ok());
    }
}
