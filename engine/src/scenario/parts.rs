//! What the structs in parameters are made of, documented once for all kinds that take them. Invariant: a struct's documented fields are those of
//! its type.

use super::probe::{Fields, fields_of};
use super::registry::{KindDoc, Registry};
use serde::de::DeserializeOwned;

/// A struct that stands in parameters, such as an instrument, for people to read.
#[derive(Clone, Debug)]
pub struct PartDoc {
    /// What people call it.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Its fields, in the order of their definition.
    pub fields: Vec<FieldDoc>,
    /// Their names, which tell it from other structs.
    names: Fields,
}

/// One field of such a struct.
#[derive(Clone, Debug)]
pub struct FieldDoc {
    /// Its name.
    pub name: &'static str,
    /// The type of its value in RON.
    pub of: String,
    /// What it is if it is not given; `None` if it must be.
    pub default: Option<&'static str>,
    /// What it means, with its unit.
    pub doc: &'static str,
    /// The fields of the struct in its value, if there is one.
    inner: Fields,
}

/// A struct that has just been added, to be documented.
pub struct PartKind<'r>(&'r mut PartDoc);

impl PartKind<'_> {
    /// Says what a field means that must be given. Panics if there is none of that name.
    pub fn field(self, name: &str, doc: &'static str) -> Self {
        self.document(name, None, doc)
    }

    /// Says what a field means, and what it is if it is left out. Panics if there is none of that name.
    pub fn optional(self, name: &str, default: &'static str, doc: &'static str) -> Self {
        self.document(name, Some(default), doc)
    }

    fn document(self, name: &str, default: Option<&'static str>, doc: &'static str) -> Self {
        let part = self.0.name;
        let field = self.0.fields.iter_mut().find(|field| field.name == name);
        let field = field.unwrap_or_else(|| panic!("a part `{part}` has no field `{name}` to document"));
        (field.default, field.doc) = (default, doc);
        self
    }
}

impl Registry {
    /// Adds what a struct is made of that stands in parameters, for all kinds that take it. It is known by the names of its fields. Panics if there
    /// is another of these: a mistake in the program, not in a scenario.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use stillpoint_engine::scenario::Registry;
    ///
    /// #[derive(Deserialize)]
    /// struct Window {
    ///     from: u32,
    ///     #[serde(default)]
    ///     step: u32,
    /// }
    ///
    /// let mut registry = Registry::new();
    /// let part = registry.part::<Window>("window", "Where to look.").field("from", "the first row, from 0");
    /// part.optional("step", "0", "rows from one to the next");
    /// ```
    pub fn part<T: DeserializeOwned>(&mut self, name: &'static str, doc: &'static str) -> PartKind<'_> {
        let found = fields_of::<T>();
        let names = found.names;
        assert!(self.part_of(names).is_none(), "there are two parts with the fields of `{name}`");
        let fields = found.fields.into_iter().map(|field| {
            let (name, of, inner) = (field.name, field.of, field.inner);
            FieldDoc { name, of, default: None, doc: "", inner }
        });
        let part = PartDoc { name, doc, fields: fields.collect(), names };
        self.parts.push(part);
        PartKind(self.parts.last_mut().expect("it was just added"))
    }

    /// The documented structs in a kind's parameters, and those in these, each once, in the order in which they are met.
    pub fn parts_of(&self, kind: &KindDoc) -> Vec<&PartDoc> {
        let mut met: Vec<&PartDoc> = Vec::new();
        let mut ahead: Vec<Fields> = kind.params.iter().rev().map(|param| param.inner).collect();
        while let Some(names) = ahead.pop() {
            if let Some(part) = self.part_of(names)
                && !met.iter().any(|before| before.names == names)
            {
                met.push(part);
                ahead.extend(part.fields.iter().rev().map(|field| field.inner));
            }
        }
        met
    }

    fn part_of(&self, names: Fields) -> Option<&PartDoc> {
        self.parts.iter().find(|part| !names.is_empty() && part.names == names)
    }
}

impl PartDoc {
    /// A type with this struct called by its name, not by its fields.
    pub fn named_in(&self, of: &str) -> String {
        of.replace(&format!("({})", self.names.join(", ")), self.name)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::scenario::StreamScene;
    use crate::stream::Stream;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its fields are looked at")]
    struct Inner {
        depth: u8,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its fields are looked at")]
    struct Outer {
        inner: Option<Inner>,
        name: String,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its fields are looked at")]
    struct Params {
        all: Vec<Outer>,
        one: Inner,
    }

    #[test]
    fn structs_in_parameters_are_found_with_those_in_them() {
        let mut registry = Registry::new();
        registry.part::<Inner>("inner", "The inner one.").optional("depth", "3", "how deep, in rows");
        registry.part::<Outer>("outer", "The outer one.");
        let make = |_: Params, _: &mut StreamScene<'_>| Ok(Stream::<i64>::from_vec(Vec::new()));
        registry.stream::<Params, i64>("nested", "Has structs.", make);
        let kind = registry.stream_kinds().find(|kind| kind.name == "nested").expect("the kind");
        let parts = registry.parts_of(kind);
        assert_eq!(parts.iter().map(|part| part.name).collect::<Vec<_>>(), ["outer", "inner"]);
        assert_eq!((parts[1].fields[0].default, parts[1].fields[0].doc), (Some("3"), "how deep, in rows"));
        assert_eq!(parts[0].named_in(&kind.params[0].of), "list of outer");
        let script = registry.stream_kinds().find(|kind| kind.name == "script").expect("the kind");
        assert!(registry.parts_of(script).is_empty());
    }
}
