//! What is read here is what RON's own deserializer reads, and what is refused is refused with the same error at the same place.

use std::collections::BTreeMap;
use std::fmt::Debug;

use ron::Options;
use ron::extensions::Extensions;
use ron::value::RawValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{from_raw, from_ron, to_raw};
use crate::time::{Duration, Instant};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(i32);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u8, String);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Choice {
    Bare,
    Holds(i8),
    Two(u16, char),
    Named { a: u32, b: Option<bool> },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    numbers: (i64, u64, i128, u128, f32, f64),
    text: String,
    #[serde(default)]
    names: Vec<String>,
    choices: BTreeMap<Choice, Option<Newtype>>,
    pair: Pair,
    unit: (Unit, ()),
    at: Instant,
    span: Duration,
}

/// Holds what is here against RON itself.
fn check<T: DeserializeOwned + Debug + PartialEq>(text: &str) {
    let plain = Options::default();
    let scenario = Options::default().with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES);
    for options in [plain, scenario] {
        assert_eq!(from_ron::<T>(&options, text), options.from_str::<T>(text), "{text}");
    }
}

const WHOLE: &str = r#"(
    numbers: (-1, 0xff, -170141183460469231731687303715884105728, 340282366920938463463374607431768211455, 1.5, -inf), // all widths
    text: r"raw \ text",
    names: ["a", "tab\t", "ü",],
    choices: {Bare: None, Holds(-8): Some(Newtype(5)), Two(2, 'x'): None, Named(a: 1, b: Some(true)): None},
    pair: Pair(7, "seven"),
    unit: (Unit, ()),
    at: "2025-03-25T22:07:00Z",
    span: "1m30s",
)"#;

#[test]
fn values_are_those_of_the_format() {
    check::<Whole>(WHOLE);
    check::<Choice>("Named(a: 1, b: None)");
    check::<Choice>("Named(a: 1, b: true)");
    check::<Vec<Newtype>>("[1, (2), Newtype(3)]");
    check::<Option<Option<bool>>>("Some(None)");
    check::<(f64, f32)>("(1, 1e300)");
    assert_eq!(from_ron::<&str>(&Options::default(), "\"borrowed\""), Ok("borrowed"));
    let raw: &RawValue = from_ron(&Options::default(), "[ 1, (a: x) ]").expect("a list");
    assert_eq!(raw.get_ron(), "[ 1, (a: x) ]");
}

/// Each place of a good text is cut there, or its letter changed: whatever is wrong then, both find it where it is.
#[test]
fn errors_are_those_of_the_format_at_its_places() {
    let places = WHOLE.char_indices().map(|(at, letter)| (at, letter.len_utf8()));
    for (at, len) in places {
        check::<Whole>(&WHOLE[..at]);
        for other in ["", "x", "9", ",", "("] {
            check::<Whole>(&format!("{}{other}{}", &WHOLE[..at], &WHOLE[at + len..]));
        }
    }
}

#[test]
fn errors_tell_names_and_expectations() {
    check::<Whole>("(numbrs: 1)");
    check::<Whole>("(text: \"a\", text: \"b\")");
    check::<Choice>("Barr");
    check::<Choice>("Named(a: 300000000000)");
    check::<Choice>("Two(1)");
    check::<Vec<Choice>>("[Holds(1), Holds(999)]");
    check::<Vec<Duration>>("[\"1s\", \"soon\"]");
    check::<(u8, u8)>("(1, 2, 3)");
    check::<bool>("1");
    check::<char>("\"a\"");
    check::<String>("'a'");
    check::<[u8; 3]>("(1, 2)");
}

#[test]
fn a_state_comes_back_from_its_text() {
    let whole: Whole = ron::from_str(WHOLE).expect("a whole");
    let raw = to_raw(&whole).expect("a text");
    assert_eq!(raw.get_ron(), ron::to_string(&whole).expect("a text"));
    assert_eq!(from_raw(&raw), Ok(whole));
}
