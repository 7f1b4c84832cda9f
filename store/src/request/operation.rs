//! What requests do. Invariant: whether an operation modifies, and what it concerns, is known before it runs.

use std::error::Error;
use std::fmt;

use super::queue::{Kind, Scope};

/// What operations are run on: a library, or a store of them.
pub trait Named {
    /// Its name. Within a pool, targets of one name count as one library.
    fn name(&self) -> &str;
}

/// Something to be done to a target `L`: plain data until it runs, so it can wait, or be sent.
///
/// By implementing this you promise that `run` touches nothing of the library beyond `scope`, and changes nothing if `kind` is
/// [`Kind::Read`]: the pool runs operations at the same time, trusting that.
///
/// ```
/// use std::convert::Infallible;
/// use stillpoint_store::request::{Kind, Named, Operation, Scope};
///
/// struct Toy(Vec<&'static str>);
/// impl Named for Toy {
///     fn name(&self) -> &str {
///         "toy"
///     }
/// }
///
/// struct HasSymbol(String);
/// impl Operation<Toy> for HasSymbol {
///     type Output = bool;
///     type Error = Infallible;
///     fn name(&self) -> &str {
///         "has_symbol"
///     }
///     fn kind(&self) -> Kind {
///         Kind::Read
///     }
///     fn scope(&self) -> Scope {
///         Scope::symbol(&self.0)
///     }
///     fn run(self, toy: &Toy) -> Result<bool, Infallible> {
///         Ok(toy.0.contains(&self.0.as_str()))
///     }
/// }
/// assert_eq!(HasSymbol("AAPL".to_owned()).run(&Toy(vec!["AAPL"])), Ok(true));
/// ```
pub trait Operation<L: Named>: Send + 'static {
    /// What it gives.
    type Output: Send + Sync + 'static;
    /// How it fails.
    type Error: Error + Send + Sync + 'static;

    /// Its name, such as `read`.
    fn name(&self) -> &str;

    /// Whether it modifies.
    fn kind(&self) -> Kind;

    /// What it concerns.
    fn scope(&self) -> Scope;

    /// The library that it concerns: the target, unless that is a store of several.
    fn library(&self, target: &L) -> String {
        target.name().to_owned()
    }

    /// Does it.
    ///
    /// # Errors
    /// The operation's own; they are kept on the request.
    fn run(self, target: &L) -> Result<Self::Output, Self::Error>;
}

/// An operation made of a closure.
///
/// ```
/// use stillpoint_store::request::{Call, Kind, Scope};
/// let grow = Call::modify("grow", Scope::symbol("A"), |rows: &parking_lot::Mutex<u32>| { *rows.lock() += 1; Ok::<_, std::fmt::Error>(()) });
/// assert_eq!(format!("{grow:?}"), r#"Call { name: "grow", kind: Modify, scope: Symbols({"A"}), .. }"#);
/// ```
pub struct Call<F> {
    name: String,
    kind: Kind,
    scope: Scope,
    run: F,
}

impl<F> Call<F> {
    /// An operation of the given kind.
    pub fn new(name: impl Into<String>, kind: Kind, scope: Scope, run: F) -> Self {
        Self { name: name.into(), kind, scope, run }
    }

    /// An operation that reads.
    pub fn read(name: impl Into<String>, scope: Scope, run: F) -> Self {
        Self::new(name, Kind::Read, scope, run)
    }

    /// An operation that modifies.
    pub fn modify(name: impl Into<String>, scope: Scope, run: F) -> Self {
        Self::new(name, Kind::Modify, scope, run)
    }
}

impl<F> fmt::Debug for Call<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Call");
        shown.field("name", &self.name).field("kind", &self.kind).field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl<L, F, T, E> Operation<L> for Call<F>
where
    L: Named,
    F: FnOnce(&L) -> Result<T, E> + Send + 'static,
    T: Send + Sync + 'static,
    E: Error + Send + Sync + 'static,
{
    type Output = T;
    type Error = E;

    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn scope(&self) -> Scope {
        self.scope.clone()
    }

    fn run(self, target: &L) -> Result<T, E> {
        (self.run)(target)
    }
}
