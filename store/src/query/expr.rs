//! Expressions over the columns of a row. Invariant: an expression is a value: it can be compared, hashed, printed, and sent.

use std::collections::BTreeSet;
use std::fmt;
use std::ops;

use serde::{Deserialize, Serialize};
use stillpoint_engine::Instant;

use super::Literal;

/// Something to compute from a row.
///
/// Built from [`col`] and [`lit`] by methods and Rust's operators (`&`, `|` and `!` for and, or and not):
///
/// ```
/// use stillpoint_store::query::{col, lit};
/// let large = (col("price") * col("size")).gt(10_000) & !col("venue").is_in(["XOFF", "XTEST"]);
/// assert_eq!(large.to_string(), r#"((price * size) > 10000) and (not (venue in ["XOFF", "XTEST"]))"#);
/// assert_eq!((lit(1) - col("discount")).columns().into_iter().collect::<Vec<_>>(), ["discount"]);
/// ```
///
/// What types mix and what happens at the edges is in the [module's documentation](super).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Expr {
    /// A column by its name.
    Column(String),
    /// The same value in every row.
    Literal(Literal),
    /// One operand.
    Unary(Unary, Box<Expr>),
    /// Two operands.
    Binary(Binary, Box<Expr>, Box<Expr>),
    /// Whether a value equals one of these.
    In(Box<Expr>, Vec<Literal>),
    /// A test of a text.
    Text(TextTest, Box<Expr>, String),
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Unary {
    /// True for false, and the other way round.
    Not,
    /// True if there is no value; never null itself.
    IsNull,
    /// The number with the other sign.
    Neg,
    /// The number without its sign.
    Abs,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Binary {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Both true.
    And,
    /// At least one true.
    Or,
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient, a float.
    Div,
    /// Remainder with the sign of the left operand.
    Rem,
    /// The lesser of two numbers or instants.
    Min,
    /// The greater of two numbers or instants.
    Max,
}

impl Binary {
    /// Whether it compares.
    pub(super) fn is_comparison(self) -> bool {
        matches!(self, Self::Eq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge)
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::And => "and",
            Self::Or => "or",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

/// What a text is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TextTest {
    /// Whether it begins so.
    StartsWith,
    /// Whether it ends so.
    EndsWith,
    /// Whether it has that inside.
    Contains,
    /// Whether a regular expression (of the `regex` crate) matches anywhere in it.
    Matches,
}

impl TextTest {
    fn word(self) -> &'static str {
        match self {
            Self::StartsWith => "starts with",
            Self::EndsWith => "ends with",
            Self::Contains => "contains",
            Self::Matches => "matches",
        }
    }
}

/// A column.
pub fn col(name: impl Into<String>) -> Expr {
    Expr::Column(name.into())
}

/// A value that is the same in every row.
pub fn lit(value: impl Into<Literal>) -> Expr {
    Expr::Literal(value.into())
}

macro_rules! expr_from {
    ($($type:ty),* $(,)?) => {$(
        impl From<$type> for Expr {
            /// A value, never a column: `col("side").eq("buy")` compares with the text.
            fn from(value: $type) -> Self {
                Self::Literal(value.into())
            }
        }
    )*};
}

expr_from! { Literal, bool, i32, u8, u32, i64, u64, f64, &str, String, Instant }

macro_rules! binary_methods {
    ($($(#[$doc:meta])* $name:ident => $operator:ident),* $(,)?) => {
        impl Expr {$(
            $(#[$doc])*
            pub fn $name(self, other: impl Into<Expr>) -> Expr {
                Expr::Binary(Binary::$operator, Box::new(self), Box::new(other.into()))
            }
        )*}
    };
}

binary_methods! {
    /// `self == other`.
    eq => Eq,
    /// `self != other`.
    ne => Ne,
    /// `self < other`.
    lt => Lt,
    /// `self <= other`.
    le => Le,
    /// `self > other`.
    gt => Gt,
    /// `self >= other`.
    ge => Ge,
    /// The lesser of the two.
    min => Min,
    /// The greater of the two.
    max => Max,
}

macro_rules! operators {
    ($($trait:ident $method:ident $operator:ident),* $(,)?) => {$(
        impl<T: Into<Expr>> ops::$trait<T> for Expr {
            type Output = Expr;
            fn $method(self, other: T) -> Expr {
                Expr::Binary(Binary::$operator, Box::new(self), Box::new(other.into()))
            }
        }
    )*};
}

operators! { Add add Add, Sub sub Sub, Mul mul Mul, Div div Div, Rem rem Rem, BitAnd bitand And, BitOr bitor Or }

impl ops::Not for Expr {
    type Output = Expr;
    fn not(self) -> Expr {
        Expr::Unary(Unary::Not, Box::new(self))
    }
}

impl ops::Neg for Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        Expr::Unary(Unary::Neg, Box::new(self))
    }
}

impl Expr {
    /// Whether there is no value.
    pub fn is_null(self) -> Expr {
        Expr::Unary(Unary::IsNull, Box::new(self))
    }

    /// The number without its sign.
    pub fn abs(self) -> Expr {
        Expr::Unary(Unary::Abs, Box::new(self))
    }

    /// Whether the value equals one of these. In none it is false, or unknown for a null.
    pub fn is_in<T: Into<Literal>>(self, values: impl IntoIterator<Item = T>) -> Expr {
        Expr::In(Box::new(self), values.into_iter().map(Into::into).collect())
    }

    /// `low <= self and self <= high`.
    pub fn between(self, low: impl Into<Expr>, high: impl Into<Expr>) -> Expr {
        self.clone().ge(low) & self.le(high)
    }

    /// Whether the text begins so.
    pub fn starts_with(self, prefix: impl Into<String>) -> Expr {
        Expr::Text(TextTest::StartsWith, Box::new(self), prefix.into())
    }

    /// Whether the text ends so.
    pub fn ends_with(self, suffix: impl Into<String>) -> Expr {
        Expr::Text(TextTest::EndsWith, Box::new(self), suffix.into())
    }

    /// Whether the text has that inside.
    pub fn contains(self, part: impl Into<String>) -> Expr {
        Expr::Text(TextTest::Contains, Box::new(self), part.into())
    }

    /// Whether the regular expression matches anywhere in the text.
    pub fn matches(self, pattern: impl Into<String>) -> Expr {
        Expr::Text(TextTest::Matches, Box::new(self), pattern.into())
    }

    /// The columns it needs.
    pub fn columns(&self) -> BTreeSet<String> {
        let mut columns = BTreeSet::new();
        self.visit(&mut |expr| {
            if let Self::Column(name) = expr {
                columns.insert(name.clone());
            }
        });
        columns
    }

    /// The parts that must all be true where it is true: the operands of its outermost `and`s.
    pub fn conjuncts(self) -> Vec<Expr> {
        match self {
            Self::Binary(Binary::And, left, right) => [left.conjuncts(), right.conjuncts()].concat(),
            other => vec![other],
        }
    }

    /// Calls `see` with it and all that it is made of.
    pub(super) fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Expr)) {
        see(self);
        match self {
            Self::Column(_) | Self::Literal(_) => {}
            Self::Unary(_, inner) | Self::In(inner, _) | Self::Text(_, inner, _) => inner.visit(see),
            Self::Binary(_, left, right) => {
                left.visit(see);
                right.visit(see);
            }
        }
    }

    fn fmt_operand(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(_)
            | Self::Literal(_)
            | Self::Binary(Binary::Min | Binary::Max, ..)
            | Self::Unary(Unary::Abs | Unary::IsNull, _) => {
                write!(f, "{self}")
            }
            _ => write!(f, "({self})"),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name) => f.write_str(name),
            Self::Literal(value) => write!(f, "{value}"),
            Self::Unary(Unary::IsNull, inner) => write!(f, "is_null({inner})"),
            Self::Unary(Unary::Abs, inner) => write!(f, "abs({inner})"),
            Self::Unary(operator, inner) => {
                f.write_str(if *operator == Unary::Not { "not " } else { "-" })?;
                inner.fmt_operand(f)
            }
            Self::Binary(operator @ (Binary::Min | Binary::Max), left, right) => write!(f, "{}({left}, {right})", operator.symbol()),
            Self::Binary(operator, left, right) => {
                left.fmt_operand(f)?;
                write!(f, " {} ", operator.symbol())?;
                right.fmt_operand(f)
            }
            Self::In(inner, values) => {
                inner.fmt_operand(f)?;
                let values: Vec<String> = values.iter().map(Literal::to_string).collect();
                write!(f, " in [{}]", values.join(", "))
            }
            Self::Text(test, inner, text) => {
                inner.fmt_operand(f)?;
                write!(f, " {} {text:?}", test.word())
            }
        }
    }
}
