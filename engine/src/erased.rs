//! Reading values through one deserializer. Invariant: what is read, and what is wrong, is the same as if the type were read from the format itself.
//!
//! serde makes the code that reads a type anew for each deserializer the type may be read from, and in RON that is half a dozen. Here it is made
//! for [`Erased`] alone, which says through trait objects what a type asks for: what has many kinds of actors and messages is built sooner.

mod origin;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use ron::Options;
use ron::error::SpannedError;
use ron::value::RawValue;
use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

pub(crate) use origin::Sown;

/// What the code of a type is told when something is wrong: RON's, for that is what nearly all is read from.
type Error = ron::Error;

/// Reads a value: `sow` has a deserializer read the seed.
pub(crate) fn read<'de, T: Deserialize<'de>, E>(sow: impl FnOnce(Sown<'_, 'de>) -> Result<(), E>) -> Result<T, E> {
    let mut bare = Bare(None);
    sow(Sown(&mut bare))?;
    Ok(bare.grown())
}

/// Reads a text in RON.
pub(crate) fn from_ron<'de, T: Deserialize<'de>>(options: &Options, text: &'de str) -> Result<T, SpannedError> {
    read(|seed| sow(options, text, seed))
}

/// Reads a value in RON as a snapshot has it.
pub(crate) fn from_raw<'de, T: Deserialize<'de>>(text: &'de RawValue) -> Result<T, SpannedError> {
    from_ron(&Options::default(), text.get_ron())
}

fn sow<'de>(options: &Options, text: &'de str, seed: Sown<'_, 'de>) -> Result<(), SpannedError> {
    options.from_str_seed(text, seed)
}

/// Writes a value in RON as a snapshot has it.
pub(crate) fn to_raw(value: &dyn erased_serde::Serialize) -> Result<Box<RawValue>, Error> {
    RawValue::from_rust(&value)
}

/// What a type asks its deserializer for: a method of [`Deserializer`] each.
#[derive(Clone, Copy)]
enum Ask {
    Any,
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    Str,
    String,
    Bytes,
    ByteBuf,
    Option,
    Unit,
    UnitStruct(&'static str),
    NewtypeStruct(&'static str),
    Seq,
    Tuple(usize),
    TupleStruct(&'static str, usize),
    Map,
    Struct(&'static str, &'static [&'static str]),
    Identifier,
    Enum(&'static str, &'static [&'static str]),
    IgnoredAny,
}

/// What the deserializer has found: the methods of [`Visitor`], without those that differ in width or ownership alone.
enum Found<'f, 'de> {
    Bool(bool),
    Signed(i64),
    Signed128(i128),
    Unsigned(u64),
    Unsigned128(u128),
    Float(f64),
    Char(char),
    Str(&'f str),
    BorrowedStr(&'de str),
    Bytes(&'f [u8]),
    BorrowedBytes(&'de [u8]),
    None,
    Some(&'f mut dyn Source<'de>),
    Unit,
    Newtype(&'f mut dyn Source<'de>),
    Seq(&'f mut dyn Elements<'de>),
    Map(&'f mut dyn Entries<'de>),
    Enum(&'f mut dyn Choice<'de>),
}

/// Where one value comes from.
trait Source<'de> {
    /// Tells the sink what is found. Called once.
    fn read(&mut self, ask: Ask, sink: &mut dyn Sink<'de>) -> Result<(), Error>;
}

/// Who is told what was found.
trait Sink<'de> {
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Called once.
    fn take(&mut self, found: Found<'_, 'de>) -> Result<(), Error>;
}

/// What grows into a value from a source.
trait Seed<'de> {
    /// Called once.
    fn sow(&mut self, source: &mut dyn Source<'de>) -> Result<(), Error>;
}

/// The elements of a list, in turn.
trait Elements<'de> {
    /// Leaves the seed alone at the end.
    fn next(&mut self, seed: &mut dyn Seed<'de>) -> Result<(), Error>;

    fn size_hint(&self) -> Option<usize>;
}

/// The names and values of a struct or a map, in turn.
trait Entries<'de> {
    /// Leaves the seed alone at the end.
    fn key(&mut self, seed: &mut dyn Seed<'de>) -> Result<(), Error>;

    fn value(&mut self, seed: &mut dyn Seed<'de>) -> Result<(), Error>;

    fn size_hint(&self) -> Option<usize>;
}

/// A variant, and then what is in it: a source that is asked for a tuple or a struct, unless one of these is called.
trait Choice<'de>: Source<'de> {
    fn variant(&mut self, seed: &mut dyn Seed<'de>) -> Result<(), Error>;

    fn unit(&mut self) -> Result<(), Error>;

    fn newtype(&mut self, seed: &mut dyn Seed<'de>) -> Result<(), Error>;
}

impl Found<'_, '_> {
    /// The error of a visitor that cannot do with it.
    fn refused(&self, expected: &dyn Expected) -> Error {
        let unexpected = match *self {
            Self::Bool(value) => Unexpected::Bool(value),
            Self::Signed(value) => Unexpected::Signed(value),
            Self::Unsigned(value) => Unexpected::Unsigned(value),
            Self::Signed128(value) => return Error::invalid_type(Unexpected::Other(&format!("integer `{value}` as i128")), expected),
            Self::Unsigned128(value) => return Error::invalid_type(Unexpected::Other(&format!("integer `{value}` as u128")), expected),
            Self::Float(value) => Unexpected::Float(value),
            Self::Char(value) => Unexpected::Char(value),
            Self::Str(value) | Self::BorrowedStr(value) => Unexpected::Str(value),
            Self::Bytes(value) | Self::BorrowedBytes(value) => Unexpected::Bytes(value),
            Self::None | Self::Some(_) => Unexpected::Option,
            Self::Unit => Unexpected::Unit,
            Self::Newtype(_) => Unexpected::NewtypeStruct,
            Self::Seq(_) => Unexpected::Seq,
            Self::Map(_) => Unexpected::Map,
            Self::Enum(_) => Unexpected::Enum,
        };
        Error::invalid_type(unexpected, expected)
    }
}

/// What a visitor of one type makes of what is found.
type Take<'de, V> = fn(V, Found<'_, 'de>) -> Result<<V as Visitor<'de>>::Value, Error>;

/// A visitor, and later its value.
struct Visiting<'de, V: Visitor<'de>> {
    visitor: Option<V>,
    take: Take<'de, V>,
    value: Option<V::Value>,
}

impl<'de, V: Visitor<'de>> Sink<'de> for Visiting<'de, V> {
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.visitor {
            Some(visitor) => visitor.expecting(f),
            None => Ok(()),
        }
    }

    fn take(&mut self, found: Found<'_, 'de>) -> Result<(), Error> {
        let visitor = self.visitor.take().expect("a visitor sees one value");
        self.value = Some((self.take)(visitor, found)?);
        Ok(())
    }
}

fn visit<'de, V: Visitor<'de>>(source: &mut dyn Source<'de>, ask: Ask, visitor: V, take: Take<'de, V>) -> Result<V::Value, Error> {
    let mut visiting = Visiting { visitor: Some(visitor), take, value: None };
    source.read(ask, &mut visiting)?;
    Ok(visiting.value.expect("a visitor sees a value, or there is an error"))
}

/// Reads a text, of which there are many: names of fields and variants above all.
fn read_text<'de>(source: &mut dyn Source<'de>, ask: Ask, expected: &dyn Expected) -> Result<Cow<'de, str>, Error> {
    let mut reading = Reading { expected, text: Cow::Borrowed("") };
    source.read(ask, &mut reading)?;
    Ok(reading.text)
}

/// A text that is being read.
struct Reading<'e, 'de> {
    expected: &'e dyn Expected,
    text: Cow<'de, str>,
}

impl<'de> Sink<'de> for Reading<'_, 'de> {
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expected.fmt(f)
    }

    fn take(&mut self, found: Found<'_, 'de>) -> Result<(), Error> {
        self.text = match found {
            Found::Str(text) => Cow::Owned(text.to_owned()),
            Found::BorrowedStr(text) => Cow::Borrowed(text),
            other => return Err(other.refused(self.expected)),
        };
        Ok(())
    }
}

/// A seed, and later its value.
struct Planted<S, T> {
    seed: Option<S>,
    value: Option<T>,
}

impl<'de, S: DeserializeSeed<'de>> Planted<S, S::Value> {
    fn new(seed: S) -> Self {
        Self { seed: Some(seed), value: None }
    }
}

impl<S, T> Planted<S, T> {
    fn grown(self) -> T {
        self.value.expect("a seed is sown, or there is an error")
    }
}

impl<'de, S: DeserializeSeed<'de>> Seed<'de> for Planted<S, S::Value> {
    fn sow(&mut self, source: &mut dyn Source<'de>) -> Result<(), Error> {
        let seed = self.seed.take().expect("a seed is sown once");
        self.value = Some(seed.deserialize(Erased(source))?);
        Ok(())
    }
}

/// Where a value of a type grows: as if its seed were planted, which needs no place.
struct Bare<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Seed<'de> for Bare<T> {
    fn sow(&mut self, source: &mut dyn Source<'de>) -> Result<(), Error> {
        self.0 = Some(T::deserialize(Erased(source))?);
        Ok(())
    }
}

impl<T> Bare<T> {
    fn grown(self) -> T {
        self.0.expect("a seed is sown, or there is an error")
    }
}

/// The deserializer that types see.
struct Erased<'s, 'de>(&'s mut (dyn Source<'de> + 's));

macro_rules! ask {
    ($($method:ident: $ask:ident, $take:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visit(self.0, Ask::$ask, visitor, $take)
        })*
    };
}

impl<'de> Deserializer<'de> for Erased<'_, 'de> {
    type Error = Error;

    ask! {
        deserialize_any: Any, any;
        deserialize_bool: Bool, any;
        deserialize_i8: I8, number;
        deserialize_i16: I16, number;
        deserialize_i32: I32, number;
        deserialize_i64: I64, number;
        deserialize_i128: I128, number;
        deserialize_u8: U8, number;
        deserialize_u16: U16, number;
        deserialize_u32: U32, number;
        deserialize_u64: U64, number;
        deserialize_u128: U128, number;
        deserialize_f32: F32, number;
        deserialize_f64: F64, number;
        deserialize_char: Char, any;
        deserialize_bytes: Bytes, any;
        deserialize_byte_buf: ByteBuf, any;
        deserialize_option: Option, option;
        deserialize_unit: Unit, any;
        deserialize_seq: Seq, seq;
        deserialize_map: Map, map;
        deserialize_ignored_any: IgnoredAny, any;
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        shown(read_text(self.0, Ask::Str, &visitor)?, visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        shown(read_text(self.0, Ask::String, &visitor)?, visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let name = read_text(self.0, Ask::Identifier, &visitor)?;
        visitor.visit_str(&name)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        visit(self.0, Ask::UnitStruct(name), visitor, unit)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        visit(self.0, Ask::NewtypeStruct(name), visitor, newtype)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        visit(self.0, Ask::Tuple(len), visitor, seq)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, name: &'static str, len: usize, visitor: V) -> Result<V::Value, Error> {
        visit(self.0, Ask::TupleStruct(name, len), visitor, seq)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visit(self.0, Ask::Struct(name, fields), visitor, map)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visit(self.0, Ask::Enum(name, variants), visitor, choice)
    }
}

fn any<'de, V: Visitor<'de>>(visitor: V, found: Found<'_, 'de>) -> Result<V::Value, Error> {
    match found {
        Found::Bool(value) => visitor.visit_bool(value),
        Found::Signed(value) => visitor.visit_i64(value),
        Found::Signed128(value) => visitor.visit_i128(value),
        Found::Unsigned(value) => visitor.visit_u64(value),
        Found::Unsigned128(value) => visitor.visit_u128(value),
        Found::Float(value) => visitor.visit_f64(value),
        Found::Char(value) => visitor.visit_char(value),
        Found::Str(value) => visitor.visit_str(value),
        Found::BorrowedStr(value) => visitor.visit_borrowed_str(value),
        Found::Bytes(value) => visitor.visit_bytes(value),
        Found::BorrowedBytes(value) => visitor.visit_borrowed_bytes(value),
        Found::None => visitor.visit_none(),
        Found::Some(source) => visitor.visit_some(Erased(source)),
        Found::Unit => visitor.visit_unit(),
        Found::Newtype(source) => visitor.visit_newtype_struct(Erased(source)),
        Found::Seq(elements) => visitor.visit_seq(Seq(elements)),
        Found::Map(entries) => visitor.visit_map(Map(entries)),
        Found::Enum(choice) => visitor.visit_enum(Enum(choice)),
    }
}

// What a type can do with, of the answers that there are to what it asks for: code that is made for each type should be short.

fn number<'de, V: Visitor<'de>>(visitor: V, found: Found<'_, 'de>) -> Result<V::Value, Error> {
    match found {
        Found::Signed(value) => visitor.visit_i64(value),
        Found::Signed128(value) => visitor.visit_i128(value),
        Found::Unsigned(value) => visitor.visit_u64(value),
        Found::Unsigned128(value) => visitor.visit_u128(value),
        Found::Float(value) => visitor.visit_f64(value),
        other => Err(other.refused(&visitor)),
    }
}

fn option<'de, V: Visitor<'de>>(visitor: V, found: Found<'_, 'de>) -> Result<V::Value, Error> {
    match found {
        Found::None => visitor.visit_none(),
        Found::Some(source) => visitor.visit_some(Erased(source)),
        other => Err(other.refused(&visitor)),
    }
}

fn unit<'de, V: Visitor<'de>>(visitor: V, found: Found<'_, 'de>) -> Result<V::Value, Error> {
    match found {
        Found::Unit => visitor.visit_unit(),
        other => Err(other.refused(&visitor)),
    }
}

fn shown<'de, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value, Error> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

/// Also a raw value, which asks for a newtype of a name that says so, and gets a text.
fn newtype<'de, V: Visitor<'de>>(visitor: V, found: Found<'_, 'de>) -> Result<V::Value, Error> {
    match found {
        Found::Newtype(source) => visitor.visit_newtype_struct(Erased(source)),
        Found::Str(text) => visitor.visit_str(text),
        Found::BorrowedStr(text) => visitor.visit_borrowed_str(text),
        other => Err(other.refused(&visitor)),
    }
}

fn seq<'de, V: Visitor<'de>>(visitor: V, found: Found<'_, 'de>) -> Result<V::Value, Error> {
    match found {
        Found::Seq(elements) => visitor.visit_seq(Seq(elements)),
        other => Err(other.refused(&visitor)),
    }
}

fn map<'de, V: Visitor<'de>>(visitor: V, found: Found<'_, 'de>) -> Result<V::Value, Error> {
    match found {
        Found::Map(entries) => visitor.visit_map(Map(entries)),
        other => Err(other.refused(&visitor)),
    }
}

fn choice<'de, V: Visitor<'de>>(visitor: V, found: Found<'_, 'de>) -> Result<V::Value, Error> {
    match found {
        Found::Enum(choice) => visitor.visit_enum(Enum(choice)),
        other => Err(other.refused(&visitor)),
    }
}

struct Seq<'s, 'de>(&'s mut (dyn Elements<'de> + 's));

impl<'de> SeqAccess<'de> for Seq<'_, 'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let mut planted = Planted::new(seed);
        self.0.next(&mut planted)?;
        Ok(planted.value)
    }

    fn next_element<T: Deserialize<'de>>(&mut self) -> Result<Option<T>, Error> {
        let mut bare = Bare(None);
        self.0.next(&mut bare)?;
        Ok(bare.0)
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

struct Map<'s, 'de>(&'s mut (dyn Entries<'de> + 's));

impl<'de> MapAccess<'de> for Map<'_, 'de> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let mut planted = Planted::new(seed);
        self.0.key(&mut planted)?;
        Ok(planted.value)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let mut planted = Planted::new(seed);
        self.0.value(&mut planted)?;
        Ok(planted.grown())
    }

    fn next_key<T: Deserialize<'de>>(&mut self) -> Result<Option<T>, Error> {
        let mut bare = Bare(None);
        self.0.key(&mut bare)?;
        Ok(bare.0)
    }

    fn next_value<T: Deserialize<'de>>(&mut self) -> Result<T, Error> {
        let mut bare = Bare(None);
        self.0.value(&mut bare)?;
        Ok(bare.grown())
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

struct Enum<'s, 'de>(&'s mut (dyn Choice<'de> + 's));

impl<'de> EnumAccess<'de> for Enum<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let mut planted = Planted::new(seed);
        self.0.variant(&mut planted)?;
        Ok((planted.grown(), self))
    }

    fn variant<T: Deserialize<'de>>(self) -> Result<(T, Self), Error> {
        let mut bare = Bare(None);
        self.0.variant(&mut bare)?;
        Ok((bare.grown(), self))
    }
}

impl<'de> VariantAccess<'de> for Enum<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        self.0.unit()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        let mut planted = Planted::new(seed);
        self.0.newtype(&mut planted)?;
        Ok(planted.grown())
    }

    fn newtype_variant<T: Deserialize<'de>>(self) -> Result<T, Error> {
        let mut bare = Bare(None);
        self.0.newtype(&mut bare)?;
        Ok(bare.grown())
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        visit(self.0, Ask::Tuple(len), visitor, seq)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        visit(self.0, Ask::Struct("", fields), visitor, map)
    }
}
