//! What a type of parameters is made of, found out by deserializing it from nothing.
//!
//! A type that derives `Deserialize` tells its deserializer which fields it has and asks, for each value, for the type it wants. Neither
//! needs a value: the deserializer here takes notes and refuses.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::erased::{self, Sown};

/// The names of a struct's fields in the order of its definition; none for what is no struct.
pub(crate) type Fields = &'static [&'static str];

/// What a struct is made of.
pub(crate) struct Found {
    pub(crate) names: Fields,
    pub(crate) fields: Vec<Field>,
}

/// A field of a struct, with the type that its value has in RON, and the fields of the struct that the value is, or is a list of.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) of: String,
    pub(crate) inner: Fields,
}

/// The fields of a struct.
pub(crate) fn fields_of<'de, P: Deserialize<'de>>() -> Found {
    fields(|asked| erased::read::<P, _>(|seed| asked.ask(seed)).map(drop))
}

/// The same by a function that lets the type ask for its value.
fn fields(ask: fn(Asked) -> Result<(), Note>) -> Found {
    let names = match ask(Asked::Whole) {
        Err(Note::Fields(names)) => names,
        _ => &[],
    };
    let field = |name: &'static str| {
        let (of, inner): (String, Fields) = match ask(Asked::Field(name)) {
            Err(Note::Type(name)) => (name, &[]),
            Err(Note::Fields(fields)) => (format!("({})", fields.join(", ")), fields),
            Err(Note::List(fields)) => (format!("list of ({})", fields.join(", ")), fields),
            _ => ("any".to_owned(), &[]),
        };
        Field { name, of, inner }
    };
    Found { names, fields: names.iter().map(|name| field(name)).collect() }
}

/// The type, in RON, of the value to which a path of fields leads; elements of lists are no step of it. `None` where a path leads nowhere, or
/// through a variant.
pub(crate) fn type_at<'de, P: Deserialize<'de>>(path: &[String]) -> Option<Wanted> {
    match erased::read::<P, _>(|seed| seed.deserialize(Way(path)).map(drop)).err()? {
        Note::Type(name) => (name != "any").then_some(Wanted::Type(name)),
        Note::Fields(fields) => Some(Wanted::Fields(fields)),
        Note::List(_) | Note::Other => None,
    }
}

/// What belongs in a place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A value of this type; the variants of an enum stand between bars.
    Type(String),
    /// A struct of these fields.
    Fields(Fields),
}

/// What a type is asked about.
#[derive(Clone, Copy)]
enum Asked {
    Whole,
    Field(&'static str),
}

impl Asked {
    fn ask(self, seed: Sown<'_, '_>) -> Result<(), Note> {
        match self {
            Self::Whole => seed.deserialize(Probe),
            Self::Field(field) => seed.deserialize(One(field)),
        }
    }
}

/// What was found out; to serde, an error.
#[derive(Debug)]
enum Note {
    Fields(Fields),
    /// A list of structs.
    List(Fields),
    Type(String),
    Other,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a probe has no values")
    }
}

impl std::error::Error for Note {}

impl de::Error for Note {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }
}

/// Notes what is asked of it.
struct Probe;

macro_rules! note {
    ($($method:ident: $name:literal),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Note> {
            Err(Note::Type($name.to_owned()))
        })*
    };
}

impl<'de> Deserializer<'de> for Probe {
    type Error = Note;

    note! {
        deserialize_any: "any", deserialize_bool: "true or false",
        deserialize_i8: "whole number", deserialize_i16: "whole number", deserialize_i32: "whole number", deserialize_i64: "whole number",
        deserialize_i128: "whole number", deserialize_u8: "whole number", deserialize_u16: "whole number", deserialize_u32: "whole number",
        deserialize_u64: "whole number", deserialize_u128: "whole number", deserialize_f32: "number", deserialize_f64: "number",
        deserialize_char: "character", deserialize_string: "text", deserialize_bytes: "bytes",
        deserialize_byte_buf: "bytes", deserialize_unit: "()", deserialize_map: "map", deserialize_identifier: "name",
        deserialize_ignored_any: "any",
    }

    /// A text that stands for something else says what by what it expects.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Note> {
        let expected = format!("{}", &visitor as &dyn Expected);
        Err(Note::Type(if expected.contains("string") { "text".to_owned() } else { expected }))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Note> {
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, _: V) -> Result<V::Value, Note> {
        Err(Note::Fields(&[]))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Note> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Note> {
        match visitor.visit_seq(Element) {
            Err(Note::Type(name)) => Err(Note::Type(format!("list of {name}"))),
            Err(Note::Fields(fields)) => Err(Note::List(fields)),
            _ => Err(Note::Type("list".to_owned())),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, _: V) -> Result<V::Value, Note> {
        Err(Note::Type(format!("tuple of {len}")))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, _: V) -> Result<V::Value, Note> {
        Err(Note::Type(format!("tuple of {len}")))
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, fields: &'static [&'static str], _: V) -> Result<V::Value, Note> {
        Err(Note::Fields(fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, variants: &'static [&'static str], _: V) -> Result<V::Value, Note> {
        Err(Note::Type(variants.join(" | ")))
    }
}

/// The one element of a list.
struct Element;

impl<'de> SeqAccess<'de> for Element {
    type Error = Note;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Note> {
        seed.deserialize(Probe).map(Some)
    }
}

/// A struct that has one field, whose value is a probe.
struct One(&'static str);

impl<'de> Deserializer<'de> for One {
    type Error = Note;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Note> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for One {
    type Error = Note;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Note> {
        let key: StrDeserializer<'_, Note> = self.0.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Note> {
        seed.deserialize(Probe)
    }
}

/// The value to which a path leads, which has a step or more: structs on the way have one field, and lists one element.
#[derive(Clone, Copy)]
struct Way<'p>(&'p [String]);

impl<'de> Deserializer<'de> for Way<'_> {
    type Error = Note;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Note> {
        visitor.visit_map(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Note> {
        visitor.visit_seq(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Note> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Note> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], _: V) -> Result<V::Value, Note> {
        Err(Note::Other)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct
        identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Way<'_> {
    type Error = Note;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Note> {
        let key: StrDeserializer<'_, Note> = self.0[0].as_str().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Note> {
        if self.0.len() == 1 { seed.deserialize(Probe) } else { seed.deserialize(Way(&self.0[1..])) }
    }
}

impl<'de> SeqAccess<'de> for Way<'_> {
    type Error = Note;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Note> {
        seed.deserialize(*self).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Duration;
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its fields are looked at")]
    struct Inner {
        a: u8,
    }

    #[derive(Deserialize)]
    enum Choice {
        Left,
        Right,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its fields are looked at")]
    struct Params {
        fast: u32,
        weight: Option<f64>,
        #[serde(default)]
        names: Vec<String>,
        delay: Duration,
        inner: Inner,
        choice: Choice,
        many: Vec<Inner>,
    }

    #[test]
    fn fields_and_types_are_found() {
        let found: Vec<_> = fields_of::<Params>().fields.into_iter().map(|field| (field.name, field.of)).collect();
        let expected = [
            ("fast", "whole number"),
            ("weight", "number"),
            ("names", "list of text"),
            ("delay", "duration"),
            ("inner", "(a)"),
            ("choice", "Left | Right"),
            ("many", "list of (a)"),
        ];
        assert_eq!(found, expected.map(|(name, of)| (name, of.to_owned())));
        assert!(fields_of::<()>().fields.is_empty(), "no fields");
    }

    #[test]
    fn a_path_leads_through_structs_lists_and_options() {
        let at = |path: &[&str]| type_at::<Params>(&path.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
        let of = |name: &str| Some(Wanted::Type(name.to_owned()));
        assert_eq!(at(&["weight"]), of("number"));
        assert_eq!(at(&["many", "a"]), of("whole number"));
        assert_eq!(at(&["choice"]), of("Left | Right"));
        assert_eq!(at(&["inner"]), Some(Wanted::Fields(&["a"])));
        assert_eq!((at(&["none"]), at(&["choice", "a"])), (None, None));
    }
}
