//! Rows of tables as events, whatever kind of file they stand in. Invariant: a number becomes one of the instrument's decimals exactly, or is
//! refused; and a row means the same in every kind of file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use stillpoint_actors::{Bar, DecimalError, Decimals, Instrument, Price, Quantity, Quote, Side, Trade, TradeId, parse_decimal};
use stillpoint_engine::suggest;

/// A field of an event that a file may have a column for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, which is also that of the column unless settings say otherwise.
    pub name: &'static str,
    /// Whether the file must have the column.
    pub required: bool,
}

const fn required(name: &'static str) -> Field {
    Field { name, required: true }
}

const fn optional(name: &'static str) -> Field {
    Field { name, required: false }
}

/// An event that a row of a CSV or Parquet file can become.
///
/// By implementing this you promise that `read` depends on the row and the instrument alone.
pub trait FromRow: Sized + 'static {
    /// The fields. `read` names them by their place here.
    const FIELDS: &'static [Field];

    /// The event.
    ///
    /// # Errors
    /// [`FieldError`] if a field makes no sense.
    fn read(row: &Row<'_>, instrument: &Instrument) -> Result<Self, FieldError>;
}

/// A field that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's place in [`FromRow::FIELDS`].
    pub field: usize,
    /// What is wrong with its text, to follow that text: `is no finite decimal number`.
    pub cause: String,
    /// What to do about it.
    pub help: String,
}

/// What stands in one column of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(not(any(feature = "parquet", test)), expect(dead_code, reason = "a CSV file has nothing but texts"))]
pub(crate) enum Cell<'a> {
    /// Nothing.
    Null,
    Text(&'a [u8]),
    /// A whole number of 10^-scale.
    Decimal(i128, i8),
    /// A float, which stands for the shortest decimal number that is read as it.
    Float(f64),
    Single(f32),
}

impl<'a> Cell<'a> {
    /// What a text file would have here, without blanks around it.
    pub(crate) fn text(self) -> Cow<'a, [u8]> {
        let written = |number: String| Cow::Owned(number.into_bytes());
        match self {
            Self::Null => Cow::Borrowed(b""),
            Self::Text(text) => Cow::Borrowed(text.trim_ascii()),
            Self::Decimal(value, 0) => written(value.to_string()),
            Self::Decimal(value, scale) => written(format!("{value}e{}", -i32::from(scale))),
            Self::Float(value) => written(value.to_string()),
            Self::Single(value) => written(value.to_string()),
        }
    }

    /// The number times 10^`decimals`.
    pub(crate) fn decimal(self, decimals: Decimals) -> Result<i64, DecimalError> {
        match self {
            Self::Decimal(value, scale) => rescaled(value, i32::from(decimals.count()) - i32::from(scale), decimals),
            Self::Float(value) => short(value, decimals).map_or_else(|| parse_decimal(&self.text(), decimals), Ok),
            _ => parse_decimal(&self.text(), decimals),
        }
    }
}

/// `value` times 10^`exponent`, exactly.
pub(crate) fn rescaled(value: i128, exponent: i32, decimals: Decimals) -> Result<i64, DecimalError> {
    let (too_fine, too_large) = (DecimalError::TooFine { decimals }, DecimalError::TooLarge { decimals });
    let power = 10i128.checked_pow(exponent.unsigned_abs());
    let scaled = match (power, exponent < 0) {
        _ if value == 0 => 0,
        (Some(power), false) => value.checked_mul(power).ok_or(too_large)?,
        (Some(power), true) if value % power == 0 => value / power,
        (None, false) => return Err(too_large),
        (_, true) => return Err(too_fine),
    };
    i64::try_from(scaled).map_err(|_| too_large)
}

/// The quick way for floats that stand for a decimal number of at most 15 digits: only one such number is read as a given float, and it is the
/// shortest one. Powers of ten up to 10^18 are floats, so the quotient is the float that the number is read as.
fn short(value: f64, decimals: Decimals) -> Option<i64> {
    let one = decimals.one() as f64;
    let scaled = (value * one).round();
    (scaled.abs() < 1e15 && scaled / one == value).then_some(scaled as i64)
}

/// The columns of one row.
pub(crate) trait Cells {
    /// What stands in a column; the column is one of the file.
    fn cell(&self, column: usize) -> Cell<'_>;
}

/// One row, seen through the fields of an event.
pub struct Row<'a> {
    pub(crate) cells: &'a dyn Cells,
    pub(crate) columns: &'a [Option<usize>],
}

impl<'a> Row<'a> {
    fn cell(&self, field: usize) -> Option<Cell<'a>> {
        Some(self.cells.cell(self.columns[field]?))
    }

    /// The text of a field without blanks around it; `None` if the file has no such column. A number that the file holds as such is written out.
    pub fn text(&self, field: usize) -> Option<Cow<'a, [u8]>> {
        self.cell(field).map(Cell::text)
    }

    /// A number of a field; `None` if the file has no such column.
    ///
    /// # Errors
    /// [`FieldError`] if it is no finite number, or does not fit with these decimals.
    pub fn decimal(&self, field: usize, decimals: Decimals) -> Result<Option<i64>, FieldError> {
        let number = self.cell(field).map(|cell| cell.decimal(decimals)).transpose();
        number.map_err(|error| FieldError { field, cause: error.to_string(), help: error.help().into() })
    }

    fn price(&self, field: usize, instrument: &Instrument) -> Result<Price, FieldError> {
        Ok(Price(self.decimal(field, instrument.price_decimals)?.unwrap_or(0)))
    }

    fn quantity(&self, field: usize, instrument: &Instrument, absent: i64) -> Result<Quantity, FieldError> {
        Ok(Quantity(self.decimal(field, instrument.quantity_decimals)?.unwrap_or(absent)))
    }

    /// What to say of a field, and what to do.
    pub(crate) fn fault(&self, error: FieldError, header: &[String]) -> (String, String) {
        let name = self.columns[error.field].and_then(|at| header.get(at)).map_or("", String::as_str);
        let text = self.text(error.field).unwrap_or_default();
        (format!("column `{name}`: `{}` {}", String::from_utf8_lossy(&text), error.cause), error.help)
    }
}

/// Fields `bid`, `ask`, and if the file has them `bid_quantity`, `ask_quantity`; a file without quantities displays the greatest there is.
impl FromRow for Quote {
    const FIELDS: &'static [Field] = &[required("bid"), required("ask"), optional("bid_quantity"), optional("ask_quantity")];

    fn read(row: &Row<'_>, instrument: &Instrument) -> Result<Self, FieldError> {
        Ok(Self {
            instrument: instrument.id,
            bid: row.price(0, instrument)?,
            ask: row.price(1, instrument)?,
            bid_quantity: row.quantity(2, instrument, i64::MAX)?,
            ask_quantity: row.quantity(3, instrument, i64::MAX)?,
        })
    }
}

/// Fields `price`, `quantity`, and if the file has them `side` (`buy` or `sell`, or their first letters) and `id` (a whole number).
impl FromRow for Trade {
    const FIELDS: &'static [Field] = &[required("price"), required("quantity"), optional("side"), optional("id")];

    fn read(row: &Row<'_>, instrument: &Instrument) -> Result<Self, FieldError> {
        let fault = |field, cause: &str, help: &str| FieldError { field, cause: cause.into(), help: help.into() };
        let side = match row.text(2) {
            None => None,
            Some(text) if text.eq_ignore_ascii_case(b"buy") || text.eq_ignore_ascii_case(b"b") => Some(Side::Buy),
            Some(text) if text.eq_ignore_ascii_case(b"sell") || text.eq_ignore_ascii_case(b"s") => Some(Side::Sell),
            Some(_) => return Err(fault(2, "is no side", "write buy or sell")),
        };
        let id = match row.text(3) {
            None => 0,
            Some(text) => std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
                fault(3, "is no whole number of 64 bits", "leave the column `id` unmapped if the file has no such numbers")
            })?,
        };
        Ok(Self {
            instrument: instrument.id,
            side,
            price: row.price(0, instrument)?,
            quantity: row.quantity(1, instrument, 0)?,
            id: TradeId(id),
        })
    }
}

/// Fields `open`, `high`, `low`, `close`, and if the file has it `volume`.
impl FromRow for Bar {
    const FIELDS: &'static [Field] = &[required("open"), required("high"), required("low"), required("close"), optional("volume")];

    fn read(row: &Row<'_>, instrument: &Instrument) -> Result<Self, FieldError> {
        Ok(Self {
            instrument: instrument.id,
            open: row.price(0, instrument)?,
            high: row.price(1, instrument)?,
            low: row.price(2, instrument)?,
            close: row.price(3, instrument)?,
            volume: row.quantity(4, instrument, 0)?,
        })
    }
}

/// Where the column called `name` is; else what is wrong and what to do.
pub(crate) fn column(header: &[String], name: &str) -> Result<usize, (String, String)> {
    header.iter().position(|column| column == name).ok_or_else(|| {
        let names = header.iter().map(String::as_str);
        let help = match suggest::nearest(name, names.clone()) {
            Some(near) => format!("did you mean `{near}`? The columns are {}", listed(names)),
            None => format!("the columns are {}", listed(names)),
        };
        (format!("there is no column `{name}`"), help)
    })
}

/// A column that is given for no field of the event; else `None`. What is wrong, and what to do.
pub(crate) fn misnamed<M: FromRow>(columns: &BTreeMap<String, String>) -> Option<(String, String)> {
    let field = columns.keys().find(|field| !M::FIELDS.iter().any(|known| known.name == *field))?;
    let cause = format!("a column is given for `{field}`, which is no field of this event");
    Some((cause, format!("the fields are {}", listed(M::FIELDS.iter().map(|known| known.name)))))
}

/// The column of each field of the event.
pub(crate) fn columns_of<M: FromRow>(
    header: &[String],
    columns: &BTreeMap<String, String>,
) -> Result<Vec<Option<usize>>, (String, String)> {
    let find = |field: &Field| match columns.get(field.name) {
        Some(name) => column(header, name).map(Some),
        None if field.required => column(header, field.name).map(Some),
        None => Ok(header.iter().position(|name| name == field.name)),
    };
    M::FIELDS.iter().map(find).collect()
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimals(count: u8) -> Decimals {
        Decimals::new(count).expect("at most 18")
    }

    #[test]
    fn numbers_of_every_kind() {
        let (fine, large) = (Err(DecimalError::TooFine { decimals: decimals(2) }), Err(DecimalError::TooLarge { decimals: decimals(2) }));
        for (cell, expected) in [
            (Cell::Decimal(5, 0), Ok(500)),
            (Cell::Decimal(-12_345, 3), fine),
            (Cell::Decimal(-12_340, 3), Ok(-1_234)),
            (Cell::Decimal(7, -1), Ok(7_000)),
            (Cell::Decimal(1, 38), fine),
            (Cell::Decimal(0, 38), Ok(0)),
            (Cell::Decimal(1, -38), large),
            (Cell::Decimal(i128::from(i64::MAX), 0), large),
            (Cell::Decimal(i128::from(i64::MIN), 2), Ok(i64::MIN)),
            (Cell::Float(87_232.01), Ok(8_723_201)),
            (Cell::Float(-0.07), Ok(-7)),
            (Cell::Float(0.1 + 0.2), fine), // 0.30000000000000004
            (Cell::Float(1e15), Ok(100_000_000_000_000_000)),
            (Cell::Float(1e17), large),
            (Cell::Float(f64::NAN), Err(DecimalError::NotANumber)),
            (Cell::Float(f64::INFINITY), Err(DecimalError::NotANumber)),
            (Cell::Single(87_232.01), Ok(8_723_201)), // as an `f64` it is 87232.0078125
            (Cell::Text(b" 1.5 "), Ok(150)),
            (Cell::Null, Err(DecimalError::Empty)),
        ] {
            assert_eq!(cell.decimal(decimals(2)), expected, "{cell:?}");
        }
        assert_eq!(Cell::Decimal(-12_345, 3).text().as_ref(), b"-12345e-3");
    }

    proptest::proptest! {
        /// A float means what its shortest text means, however it is read.
        #[test]
        fn the_quick_way_for_floats_agrees_with_their_text(mantissa in -10_000_000_000_000_000i64..10_000_000_000_000_000, digits in 0i32..12, places in 0u8..13) {
            let value: f64 = format!("{mantissa}e-{digits}").parse().expect("a float");
            if let Some(quick) = short(value, decimals(places)) {
                proptest::prop_assert_eq!(parse_decimal(value.to_string().as_bytes(), decimals(places)), Ok(quick), "{}", value);
            }
        }
    }
}
