//! The side of the format: any deserializer, and what it gives, as trait objects. Invariant: an error of the format reaches whoever called the
//! format as the same value, and one of the type that is read with all that it tells.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor};

use super::{Ask, Choice, Elements, Entries, Error, Found, Seed, Sink, Source};

/// Keeps an error of the format for [`settle`]; the code of the type, which cannot know its type, is told that there is one.
fn keep<T, E: fmt::Display>(kept: &mut Option<E>, result: Result<T, E>) -> Result<T, Error> {
    result.map_err(|error| {
        let told = Error::Message(error.to_string());
        *kept = Some(error);
        told
    })
}

/// An error that was kept, or one of the type's own, in the format's words.
fn settle<T, E: de::Error>(kept: Option<E>, result: Result<T, Error>) -> Result<T, E> {
    result.map_err(|error| kept.unwrap_or_else(|| worded(&error)))
}

fn worded<E: de::Error>(error: &Error) -> E {
    match error {
        Error::NoSuchStructField { expected, found, .. } => E::unknown_field(found, expected),
        Error::NoSuchEnumVariant { expected, found, .. } => E::unknown_variant(found, expected),
        Error::MissingStructField { field, .. } => E::missing_field(field),
        Error::DuplicateStructField { field, .. } => E::duplicate_field(field),
        Error::InvalidValueForType { expected, found } => E::invalid_value(Unexpected::Other(found), &expected.as_str()),
        Error::ExpectedDifferentLength { expected, found } => E::invalid_length(*found, &expected.as_str()),
        other => E::custom(other),
    }
}

/// A deserializer, until it is asked.
struct Origin<D, E> {
    deserializer: Option<D>,
    error: Option<E>,
}

impl<'de, D: Deserializer<'de>> Origin<D, D::Error> {
    fn new(deserializer: D) -> Self {
        Self { deserializer: Some(deserializer), error: None }
    }
}

impl<'de, D: Deserializer<'de>> Source<'de> for Origin<D, D::Error> {
    fn read(&mut self, ask: Ask, sink: &mut dyn Sink<'de>) -> Result<(), Error> {
        let from = self.deserializer.take().expect("a source is read once");
        let to = Told(sink);
        let read = match ask {
            Ask::Any => from.deserialize_any(to),
            Ask::Bool => from.deserialize_bool(to),
            Ask::I8 => from.deserialize_i8(to),
            Ask::I16 => from.deserialize_i16(to),
            Ask::I32 => from.deserialize_i32(to),
            Ask::I64 => from.deserialize_i64(to),
            Ask::I128 => from.deserialize_i128(to),
            Ask::U8 => from.deserialize_u8(to),
            Ask::U16 => from.deserialize_u16(to),
            Ask::U32 => from.deserialize_u32(to),
            Ask::U64 => from.deserialize_u64(to),
            Ask::U128 => from.deserialize_u128(to),
            Ask::F32 => from.deserialize_f32(to),
            Ask::F64 => from.deserialize_f64(to),
            Ask::Char => from.deserialize_char(to),
            Ask::Str => from.deserialize_str(to),
            Ask::String => from.deserialize_string(to),
            Ask::Bytes => from.deserialize_bytes(to),
            Ask::ByteBuf => from.deserialize_byte_buf(to),
            Ask::Option => from.deserialize_option(to),
            Ask::Unit => from.deserialize_unit(to),
            Ask::UnitStruct(name) => from.deserialize_unit_struct(name, to),
            Ask::NewtypeStruct(name) => from.deserialize_newtype_struct(name, to),
            Ask::Seq => from.deserialize_seq(to),
            Ask::Tuple(len) => from.deserialize_tuple(len, to),
            Ask::TupleStruct(name, len) => from.deserialize_tuple_struct(name, len, to),
            Ask::Map => from.deserialize_map(to),
            Ask::Struct(name, fields) => from.deserialize_struct(name, fields, to),
            Ask::Identifier => from.deserialize_identifier(to),
            Ask::Enum(name, variants) => from.deserialize_enum(name, variants, to),
            Ask::IgnoredAny => from.deserialize_ignored_any(to),
        };
        keep(&mut self.error, read)
    }
}

/// The one seed that formats see.
pub(crate) struct Sown<'s, 'de>(pub(super) &'s mut (dyn Seed<'de> + 's));

impl<'de> DeserializeSeed<'de> for Sown<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut origin = Origin::new(deserializer);
        let sown = self.0.sow(&mut origin);
        settle(origin.error, sown)
    }
}

/// The one visitor that formats see.
struct Told<'s, 'de>(&'s mut (dyn Sink<'de> + 's));

macro_rules! tell {
    ($($method:ident($value:ident: $of:ty) $found:expr;)*) => {
        $(fn $method<E: de::Error>(self, $value: $of) -> Result<(), E> {
            settle(None, self.0.take($found))
        })*
    };
}

impl<'de> Visitor<'de> for Told<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    tell! {
        visit_bool(value: bool) Found::Bool(value);
        visit_i64(value: i64) Found::Signed(value);
        visit_i128(value: i128) Found::Signed128(value);
        visit_u64(value: u64) Found::Unsigned(value);
        visit_u128(value: u128) Found::Unsigned128(value);
        visit_f64(value: f64) Found::Float(value);
        visit_char(value: char) Found::Char(value);
        visit_str(value: &str) Found::Str(value);
        visit_borrowed_str(value: &'de str) Found::BorrowedStr(value);
        visit_bytes(value: &[u8]) Found::Bytes(value);
        visit_borrowed_bytes(value: &'de [u8]) Found::BorrowedBytes(value);
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        settle(None, self.0.take(Found::None))
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        settle(None, self.0.take(Found::Unit))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut origin = Origin::new(deserializer);
        let taken = self.0.take(Found::Some(&mut origin));
        settle(origin.error, taken)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut origin = Origin::new(deserializer);
        let taken = self.0.take(Found::Newtype(&mut origin));
        settle(origin.error, taken)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<(), A::Error> {
        let mut given = Given { access, error: None };
        let taken = self.0.take(Found::Seq(&mut given));
        settle(given.error, taken)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<(), A::Error> {
        let mut given = Given { access, error: None };
        let taken = self.0.take(Found::Map(&mut given));
        settle(given.error, taken)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<(), A::Error> {
        let mut chosen = Chosen { access: Some(access), variant: None, error: None };
        let taken = self.0.take(Found::Enum(&mut chosen));
        settle(chosen.error, taken)
    }
}

/// What a format gives of a list, a struct or a map.
struct Given<A, E> {
    access: A,
    error: Option<E>,
}

impl<'de, A: SeqAccess<'de>> Elements<'de> for Given<A, A::Error> {
    fn next(&mut self, seed: &mut dyn Seed<'de>) -> Result<(), Error> {
        keep(&mut self.error, self.access.next_element_seed(Sown(seed))).map(drop)
    }

    fn size_hint(&self) -> Option<usize> {
        self.access.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> Entries<'de> for Given<A, A::Error> {
    fn key(&mut self, seed: &mut dyn Seed<'de>) -> Result<(), Error> {
        keep(&mut self.error, self.access.next_key_seed(Sown(seed))).map(drop)
    }

    fn value(&mut self, seed: &mut dyn Seed<'de>) -> Result<(), Error> {
        keep(&mut self.error, self.access.next_value_seed(Sown(seed)))
    }

    fn size_hint(&self) -> Option<usize> {
        self.access.size_hint()
    }
}

/// What a format gives of an enum.
struct Chosen<A, V, E> {
    access: Option<A>,
    variant: Option<V>,
    error: Option<E>,
}

impl<A, V, E> Chosen<A, V, E> {
    fn rest(&mut self) -> V {
        self.variant.take().expect("a variant is chosen, and then what is in it is read once")
    }
}

impl<'de, A: EnumAccess<'de>> Choice<'de> for Chosen<A, A::Variant, A::Error> {
    fn variant(&mut self, seed: &mut dyn Seed<'de>) -> Result<(), Error> {
        let access = self.access.take().expect("a variant is chosen once");
        let ((), variant) = keep(&mut self.error, access.variant_seed(Sown(seed)))?;
        self.variant = Some(variant);
        Ok(())
    }

    fn unit(&mut self) -> Result<(), Error> {
        let variant = self.rest();
        keep(&mut self.error, variant.unit_variant())
    }

    fn newtype(&mut self, seed: &mut dyn Seed<'de>) -> Result<(), Error> {
        let variant = self.rest();
        keep(&mut self.error, variant.newtype_variant_seed(Sown(seed)))
    }
}

impl<'de, A: EnumAccess<'de>> Source<'de> for Chosen<A, A::Variant, A::Error> {
    fn read(&mut self, ask: Ask, sink: &mut dyn Sink<'de>) -> Result<(), Error> {
        let variant = self.rest();
        let read = match ask {
            Ask::Struct(_, fields) => variant.struct_variant(fields, Told(sink)),
            Ask::Tuple(len) => variant.tuple_variant(len, Told(sink)),
            _ => Err(A::Error::custom("a variant holds a tuple or a struct")),
        };
        keep(&mut self.error, read)
    }
}
