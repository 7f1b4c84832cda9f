//! The files of a report: its folder, and its tables as CSV and Parquet. Invariant: what an older report left under these names is replaced or
//! removed, and nothing else in the folder is touched.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use stillpoint_actors::{ContractKind, Money, Position, Quantity, Side};
use stillpoint_engine::Instant;

use super::capture::Kept;
use crate::failure::Failure;
use crate::numbers::tidy;

const TABLES: [&str; 4] = ["fills", "orders", "positions", "equity"];

/// A table with an instant for each row.
pub(super) struct Table {
    /// The file's name, without its ending.
    pub(super) name: &'static str,
    pub(super) times: Vec<Instant>,
    pub(super) columns: Vec<(&'static str, Column)>,
}

/// The values of a column, one a row.
pub(super) enum Column {
    Text(Vec<String>),
    Whole(Vec<Option<i64>>),
    Instant(Vec<Option<Instant>>),
    /// To 15 digits.
    Float(Vec<Option<f64>>),
    /// Whole numbers and how many decimals they have: exact in CSV, floats in Parquet.
    Decimal(Vec<Option<(i128, u32)>>),
}

/// Makes the folder, and looks that nothing stands where its files go.
pub(super) fn prepare(folder: &Path) -> Result<(), Failure> {
    let at = folder.display();
    if folder.exists() && !folder.is_dir() {
        return Err(Failure::Input(format!("--report: `{at}` is a file, not a folder; name another place, or remove it")));
    }
    fs::create_dir_all(folder)
        .map_err(|error| Failure::Input(format!("--report: cannot create the folder `{at}`: {error}; name another place")))?;
    let blocked = names().find(|name| folder.join(name).is_dir());
    blocked.map_or(Ok(()), |name| {
        let path = folder.join(name);
        Err(Failure::Input(format!(
            "--report: `{}` is a folder where a file of the report goes; remove it, or name another place",
            path.display()
        )))
    })
}

fn names() -> impl Iterator<Item = String> {
    let tables = TABLES.iter().flat_map(|table| ["csv", "parquet"].map(|ending| format!("{table}.{ending}")));
    ["report.html", "report.json"].map(str::to_owned).into_iter().chain(tables)
}

/// Writes all files.
pub(super) fn write(folder: &Path, html: &str, json: &str, tables: &[Table]) -> Result<(), Failure> {
    let failed = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::Work(format!("cannot write {}: {error}; make room, or have the report elsewhere", path.display()))
    };
    for path in names().map(|name| folder.join(name)) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&path, &error)),
            _ => {}
        }
    }
    let texts = [("report.html".to_owned(), html.to_owned()), ("report.json".to_owned(), json.to_owned())];
    for (name, text) in texts.into_iter().chain(tables.iter().map(|table| (format!("{}.csv", table.name), table.csv()))) {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| failed(&path, &error))?;
    }
    #[cfg(feature = "store")]
    for table in tables {
        let path = folder.join(format!("{}.parquet", table.name));
        table.parquet(&path).map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

impl Table {
    fn csv(&self) -> String {
        let mut text = String::from("time");
        for (name, _) in &self.columns {
            text.push(',');
            text.push_str(name);
        }
        text.push('\n');
        for (row, at) in self.times.iter().enumerate() {
            text.push_str(&at.to_string());
            for (_, column) in &self.columns {
                text.push(',');
                text.push_str(&column.csv(row));
            }
            text.push('\n');
        }
        text
    }

    #[cfg(feature = "store")]
    fn parquet(&self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        use stillpoint_store::files::{FileFormat, FileWriter};

        let mut table = stillpoint_store::Table::at(self.times.iter().copied());
        for (name, column) in &self.columns {
            table = match column {
                Column::Text(values) => table.column(name, values.clone()),
                Column::Whole(values) => table.column(name, values.clone()),
                Column::Instant(values) => table.column(name, values.iter().map(|at| at.map(Instant::as_nanos)).collect::<Vec<_>>()),
                Column::Float(values) => table.column(name, values.iter().map(|value| value.map(tidy)).collect::<Vec<_>>()),
                Column::Decimal(values) => {
                    let float = |(value, decimals): (i128, u32)| value as f64 / 10i128.pow(decimals) as f64;
                    table.column(name, values.iter().map(|value| value.map(float)).collect::<Vec<_>>())
                }
            };
        }
        let table = table.finish()?;
        let mut file = FileWriter::create(path, Some(FileFormat::Parquet), table.schema())?;
        for batch in table.batches() {
            file.write(batch)?;
        }
        file.finish()?;
        Ok(())
    }
}

impl Column {
    fn csv(&self, row: usize) -> String {
        let shown = |value: Option<String>| value.unwrap_or_default();
        match self {
            Self::Text(values) => quoted(&values[row]),
            Self::Whole(values) => shown(values[row].map(|value| value.to_string())),
            Self::Instant(values) => shown(values[row].map(|value| value.to_string())),
            Self::Float(values) => shown(values[row].map(|value| tidy(value).to_string())),
            Self::Decimal(values) => shown(values[row].map(|(value, decimals)| decimal(value, decimals))),
        }
    }
}

/// A text as a cell of CSV.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// A whole number with its point.
fn decimal(value: i128, decimals: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (size, one) = (value.unsigned_abs(), 10u128.pow(decimals));
    if decimals == 0 { format!("{sign}{size}") } else { format!("{sign}{}.{:0width$}", size / one, size % one, width = decimals as usize) }
}

/// A side as tables call it.
pub(super) fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

/// All tables of a run.
pub(super) fn tables(kept: &Kept, capital: f64) -> [Table; 4] {
    [fills(kept), orders(kept), positions(kept), equity(kept, capital)]
}

/// The decimals of an account's prices, quantities and money.
fn decimals(kept: &Kept, account: usize) -> (u32, u32, u32) {
    let instrument = &kept.markets[kept.accounts[account].market].instrument;
    let (price, quantity) = (u32::from(instrument.price_decimals.count()), u32::from(instrument.quantity_decimals.count()));
    (price, quantity, instrument.money_decimals())
}

fn owners(kept: &Kept, accounts: impl Iterator<Item = usize> + Clone) -> [(&'static str, Column); 2] {
    let strategies = accounts.clone().map(|account| kept.owner(account).to_owned()).collect();
    let symbols = accounts.map(|account| kept.markets[kept.accounts[account].market].instrument.symbol.clone()).collect();
    [("strategy", Column::Text(strategies)), ("instrument", Column::Text(symbols))]
}

fn fills(kept: &Kept) -> Table {
    let all = &kept.fills;
    let [strategy, instrument] = owners(kept, all.iter().map(|fill| fill.account));
    let price = |fill: &super::capture::Fill| Some((i128::from(fill.price.0), decimals(kept, fill.account).0));
    let quantity = |fill: &super::capture::Fill| Some((i128::from(fill.quantity.0), decimals(kept, fill.account).1));
    let fee = |fill: &super::capture::Fill| Some((fill.fee, decimals(kept, fill.account).2));
    Table {
        name: "fills",
        times: all.iter().map(|fill| fill.at).collect(),
        columns: vec![
            strategy,
            instrument,
            ("order", Column::Whole(all.iter().map(|fill| i64::try_from(fill.order.0).ok()).collect())),
            ("side", Column::Text(all.iter().map(|fill| side(fill.side).to_owned()).collect())),
            ("quantity", Column::Decimal(all.iter().map(quantity).collect())),
            ("price", Column::Decimal(all.iter().map(price).collect())),
            ("liquidity", Column::Text(all.iter().map(|fill| fill.liquidity.to_owned()).collect())),
            ("fee", Column::Decimal(all.iter().map(fee).collect())),
        ],
    }
}

fn orders(kept: &Kept) -> Table {
    let all = &kept.orders;
    let [strategy, instrument] = owners(kept, all.iter().map(|order| order.account));
    let text = |of: fn(&super::orders::OrderRow) -> String| Column::Text(all.iter().map(of).collect());
    let instants = |of: fn(&super::orders::OrderRow) -> Option<Instant>| Column::Instant(all.iter().map(of).collect());
    let terms =
        |order: &super::orders::OrderRow, of: fn(&super::words::Sent) -> Option<i64>| order.terms.as_ref().and_then(of).map(i128::from);
    let price = |of: fn(&super::words::Sent) -> Option<i64>| {
        Column::Decimal(all.iter().map(|order| Some((terms(order, of)?, decimals(kept, order.account).0))).collect())
    };
    let quantity = all.iter().map(|order| Some((terms(order, |sent| Some(sent.quantity.0))?, decimals(kept, order.account).1)));
    let filled = all.iter().map(|order| Some((order.filled, decimals(kept, order.account).1)));
    let average = all.iter().map(|order| {
        let one = kept.markets[kept.accounts[order.account].market].instrument.price_decimals.one() as f64;
        (order.filled > 0).then(|| order.value as f64 / order.filled as f64 / one)
    });
    let fee = all.iter().map(|order| Some((order.fee, decimals(kept, order.account).2)));
    Table {
        name: "orders",
        times: all.iter().map(|order| order.arrived.or(order.answered).unwrap_or(Instant::EPOCH)).collect(),
        columns: vec![
            strategy,
            instrument,
            ("order", Column::Whole(all.iter().map(|order| i64::try_from(order.id.0).ok()).collect())),
            ("side", text(|order| side(order.side).to_owned())),
            ("kind", text(|order| order.terms.as_ref().map(|sent| sent.kind.clone()).unwrap_or_default())),
            ("time_in_force", text(|order| order.terms.as_ref().map(|sent| sent.time_in_force.clone()).unwrap_or_default())),
            ("quantity", Column::Decimal(quantity.collect())),
            ("limit", price(|sent| sent.limit.map(|price| price.0))),
            ("trigger", price(|sent| sent.trigger.map(|price| price.0))),
            ("sent", instants(|order| order.sent)),
            ("first_answer", instants(|order| order.answered)),
            ("first_fill", instants(|order| order.first_fill)),
            ("ended", instants(|order| order.ended)),
            ("end", text(|order| order.end.to_owned())),
            ("reason", text(|order| order.why.clone())),
            ("filled", Column::Decimal(filled.collect())),
            ("average_price", Column::Float(average.collect())),
            ("fee", Column::Decimal(fee.collect())),
            ("changes", Column::Whole(all.iter().map(|order| i64::try_from(order.changes).ok()).collect())),
        ],
    }
}

/// A position after each fill.
fn positions(kept: &Kept) -> Table {
    let all = &kept.fills;
    let [strategy, instrument] = owners(kept, all.iter().map(|fill| fill.account));
    let mut books: BTreeMap<usize, (Position, i128)> = BTreeMap::new();
    let [mut held, mut realised, mut fees] = [const { Vec::new() }; 3];
    let mut average = Vec::new();
    for fill in all {
        let (_, quantity, money) = decimals(kept, fill.account);
        let traded = &kept.markets[kept.accounts[fill.account].market].instrument;
        let (position, paid) = books.entry(fill.account).or_default();
        position.book(traded, fill.side, fill.quantity, fill.price);
        *paid += fill.fee;
        held.push(Some((i128::from(position.quantity()), quantity)));
        realised.push(Some((position.realised().0, money)));
        fees.push(Some((*paid, money)));
        average.push(average_price(position, traded));
    }
    Table {
        name: "positions",
        times: all.iter().map(|fill| fill.at).collect(),
        columns: vec![
            strategy,
            instrument,
            ("position", Column::Decimal(held)),
            ("average_price", Column::Float(average)),
            ("realised", Column::Decimal(realised)),
            ("fees", Column::Decimal(fees)),
        ],
    }
}

fn average_price(position: &Position, instrument: &stillpoint_actors::Instrument) -> Option<f64> {
    let quantity = Quantity(position.quantity()).to_f64(instrument.quantity_decimals) * instrument.multiplier as f64;
    let cost = Money(position.cost().0).to_f64(instrument);
    (quantity != 0.0).then(|| match instrument.contract {
        ContractKind::Linear => cost / quantity,
        ContractKind::Inverse => -quantity / cost,
    })
}

/// At each sample the profit of each strategy in each instrument, the price it is valued at, and the equity of the strategy in all its instruments.
fn equity(kept: &Kept, capital: f64) -> Table {
    let accounts = kept.accounts.len();
    let cells = || (0..kept.sampled).flat_map(move |sample| (0..accounts).map(move |account| (sample, account)));
    let [strategy, instrument] = owners(kept, cells().map(|(_, account)| account));
    let mark = |sample: usize, account: usize| {
        let mark = kept.markets[kept.accounts[account].market].marks[sample];
        (!mark.is_nan()).then_some(mark)
    };
    let strategies: Vec<Option<Vec<usize>>> = (0..accounts).map(|account| whole(kept, account)).collect();
    let worth = |sample: usize, account: usize| {
        let profits = strategies[account].as_ref()?.iter().map(|account| kept.accounts[*account].profits[sample]);
        Some(capital + profits.sum::<f64>())
    };
    Table {
        name: "equity",
        times: cells().map(|(sample, _)| kept.sampled_at(sample)).collect(),
        columns: vec![
            strategy,
            instrument,
            ("profit", Column::Float(cells().map(|(sample, account)| Some(kept.accounts[account].profits[sample])).collect())),
            ("price", Column::Float(cells().map(|(sample, account)| mark(sample, account)).collect())),
            ("equity", Column::Float(cells().map(|(sample, account)| worth(sample, account)).collect())),
        ],
    }
}

/// All accounts of the strategy that has this one; `None` if their money is in several currencies.
fn whole(kept: &Kept, account: usize) -> Option<Vec<usize>> {
    let all: Vec<usize> = (0..kept.accounts.len()).filter(|other| kept.owner(*other) == kept.owner(account)).collect();
    let currency = |account: usize| &kept.markets[kept.accounts[account].market].instrument.quote_currency;
    all.iter().all(|other| currency(*other) == currency(account)).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!((quoted("a b"), quoted("a,b"), quoted("a\"b")), ("a b".into(), "\"a,b\"".into(), "\"a\"\"b\"".into()));
        assert_eq!((decimal(-5, 2), decimal(12_345, 2), decimal(7, 0)), ("-0.05".into(), "123.45".into(), "7".into()));
        assert_eq!(decimal(1, 1), "0.1");
    }
}
