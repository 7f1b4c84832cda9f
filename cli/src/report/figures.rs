//! The numbers of a report, as one JSON value. Invariant: tables and charts show what stands in it and compute nothing more.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use stillpoint_actors::statistics::{
    Confidence, Performance, PeriodsPerYear, Relative, RoundTrips, Since, TripFigures, TripFill, drawdowns, max_drawdown, percentile,
    returns, time_weighted_mean, turnover,
};
use stillpoint_actors::{Money, Position, Price};
use stillpoint_engine::Instant;

use super::About;
use super::accounts::{accounts, only_currency};
use super::capture::Kept;
use super::glossary::{ACCOUNTS, GROUPS, LATENCIES};
use crate::numbers::tidy;

/// Of a year of 365 days.
const YEAR_NANOS: f64 = 365.0 * 86_400.0 * 1e9;
/// So many fills stand in the page and in `report.json`; the rest is in `fills.csv`.
pub(super) const SHOWN_FILLS: usize = 100;
const BINS: usize = 24;

/// Who is looked at together: one strategy, or all.
struct Whole<'k> {
    kept: &'k Kept,
    /// The numbers of the accounts.
    accounts: Vec<usize>,
    capital: f64,
}

/// The whole report.
pub(super) fn figures(kept: &Kept, about: &About<'_>) -> Json {
    let strategies = by_owner(kept);
    let whole = |accounts: Vec<usize>, capital| Whole { kept, accounts, capital };
    let total = whole((0..kept.accounts.len()).collect(), about.capital * strategies.len().max(1) as f64);
    let each: Vec<(&str, Whole<'_>)> = strategies.iter().map(|(name, accounts)| (*name, whole(accounts.clone(), about.capital))).collect();
    let mut report = Map::new();
    let mut put = |key: &str, value: Json| report.insert(key.to_owned(), value);
    put("schema", json!(1));
    put("program", json!(concat!("stillpoint ", env!("CARGO_PKG_VERSION"))));
    put("scenario", json!({ "name": about.scenario.name(), "seed": about.scenario.seed() }));
    let mut run = crate::summary::facts(about.outcome);
    // Counted by each shard of a host for itself.
    run.retain(|fact, _| fact != "instants" && fact != "steps");
    put("run", Json::Object(run));
    put("error", json!(about.error));
    put("restored", json!(about.restored));
    put("observed", json!({ "first": instant(kept.first), "last": instant(kept.last) }));
    put("capital", json!(about.capital));
    // What prices are in is said by the instruments; else an account that all is settled in says it.
    let currency = total.currency().map(|currency| if currency.is_empty() { only_currency(kept).unwrap_or_default() } else { currency });
    put("currency", json!(currency));
    put("sampling", sampling(kept));
    put(
        "instruments",
        kept.markets
            .iter()
            .enumerate()
            .filter(|(_, market)| market.mark.is_some() || market.is_known)
            .map(|(index, _)| market(kept, index))
            .collect(),
    );
    put("total", if kept.accounts.is_empty() { Json::Null } else { total.json() });
    put("strategies", each.iter().map(|(name, whole)| strategy(name, whole)).collect());
    put("correlations", correlations(&each));
    put(
        "portfolios",
        kept.portfolios.iter().map(|portfolio| accounts(kept, portfolio, about.outcome.report(&portfolio.name), about.restored)).collect(),
    );
    put("fills", json!({ "count": kept.fills.len(), "unbooked": kept.unbooked, "first": fills(kept) }));
    put("orders", orders(kept));
    put("rates", rates(kept));
    put("notes", notes(kept, &total));
    put("glossary", glossary());
    // What actors report stands there as they report it.
    report.iter_mut().filter(|(key, _)| *key != "run").for_each(|(_, value)| tidied(value));
    Json::Object(report)
}

/// Floats without the noise of their last digit.
fn tidied(value: &mut Json) {
    match value {
        Json::Array(values) => values.iter_mut().for_each(tidied),
        Json::Object(values) => values.values_mut().for_each(tidied),
        Json::Number(number) if number.is_f64() => *value = json!(number.as_f64().map(tidy)),
        _ => {}
    }
}

fn instant(at: Option<Instant>) -> Json {
    json!(at.map(|at| at.to_string()))
}

/// The accounts of each strategy, in the order of names.
fn by_owner(kept: &Kept) -> BTreeMap<&str, Vec<usize>> {
    let mut by_owner: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for account in 0..kept.accounts.len() {
        by_owner.entry(kept.owner(account)).or_default().push(account);
    }
    by_owner
}

fn sampling(kept: &Kept) -> Json {
    let step = step_nanos(kept);
    json!({
        "start": instant(kept.first),
        "end": instant(kept.last),
        "step_ns": step,
        "samples": kept.sampled,
        "samples_a_year": step.map(|step| YEAR_NANOS / step as f64),
    })
}

fn step_nanos(kept: &Kept) -> Option<i64> {
    kept.grid().map(|grid| grid.step().as_nanos())
}

fn market(kept: &Kept, index: usize) -> Json {
    let market = &kept.markets[index];
    let instrument = &market.instrument;
    let rows = &market.prices.rows;
    let column = |of: fn(&super::capture::Span) -> f64| rows.iter().map(|row| row.as_ref().map(of)).collect::<Vec<_>>();
    json!({
        "id": instrument.id.0,
        "symbol": instrument.symbol,
        "price_decimals": instrument.price_decimals.count(),
        "quantity_decimals": instrument.quantity_decimals.count(),
        "currency": instrument.quote_currency,
        "price_of": market.mark.map(|mark| super::words::name_of(mark.of())),
        "last": market.mark_price(),
        "prices": {
            "start": instant(kept.first),
            "step_ns": market.prices.grid.step().as_nanos(),
            "low": column(|span| span.low),
            "high": column(|span| span.high),
            "last": column(|span| span.last),
        },
    })
}

fn strategy(name: &str, whole: &Whole<'_>) -> Json {
    let mut json = whole.json();
    json["name"] = json!(name);
    let symbols = whole.accounts.iter().map(|account| whole.kept.markets[whole.kept.accounts[*account].market].instrument.symbol.as_str());
    json["instruments"] = symbols.collect();
    json["answer_latency"] = latency(whole, |order| order.answered);
    json["fill_latency"] = latency(whole, |order| order.first_fill);
    json
}

impl Whole<'_> {
    /// The one currency of all of it; `None` if there are several, whose amounts cannot be added.
    fn currency(&self) -> Option<&str> {
        let mut currencies = self.accounts.iter().map(|account| self.market_of(*account).instrument.quote_currency.as_str());
        let first = currencies.next().unwrap_or_default();
        currencies.all(|other| other == first).then_some(first)
    }

    fn market_of(&self, account: usize) -> &super::capture::Market {
        &self.kept.markets[self.kept.accounts[account].market]
    }

    /// The equity at each sample.
    fn equity(&self) -> Vec<f64> {
        (0..self.kept.sampled).map(|sample| self.capital + self.profit(sample)).collect()
    }

    fn profit(&self, sample: usize) -> f64 {
        self.accounts.iter().map(|account| self.kept.accounts[*account].profits[sample]).sum()
    }

    fn json(&self) -> Json {
        let mut json = Map::new();
        for entry in GROUPS.iter().flat_map(|group| group.entries) {
            json.insert(entry.key.to_owned(), Json::Null);
        }
        let mut put = |key: &str, value: Json| json.insert(key.to_owned(), value);
        let orders = self.kept.orders.iter().filter(|order| self.accounts.contains(&order.account)).count();
        let trades = self.trades();
        put("orders", json!(orders));
        put("fills", json!(trades.fills));
        put("round_trips", json!(trades.profits.len()));
        put("exposure", json!(trades.exposure));
        if self.currency().is_none() {
            return Json::Object(json);
        }
        let equity = self.equity();
        put("capital", json!(self.capital));
        put("profit", json!(self.kept.sampled.checked_sub(1).map(|last| self.profit(last))));
        put("fees", json!(trades.fees));
        put("turnover", json!(turnover(&[trades.traded], &equity)));
        let trips = TripFigures::of(&trades.profits);
        put("hit_rate", json!(trips.hit_rate()));
        put("profit_factor", json!(trips.profit_factor()));
        put("expectancy", json!(trips.expectancy()));
        put("average_gain", json!(trips.average_gain()));
        put("average_loss", json!(trips.average_loss()));
        put("equity", json!(equity));
        performance(self.kept, &equity, &mut put);
        self.against_benchmark(&equity, &mut put);
        Json::Object(json)
    }

    fn against_benchmark(&self, equity: &[f64], put: &mut impl FnMut(&str, Json) -> Option<Json>) {
        let Some(year) = samples_a_year(self.kept) else { return };
        let Some((from, benchmark)) = self.benchmark() else { return };
        put("benchmark_return", json!(benchmark.last().map(|last| last - 1.0)));
        let pair = returns(&equity[from..]).zip(returns(&benchmark));
        let Some(relative) = pair.and_then(|(own, other)| Relative::of(&own, &other, 0.0, year)) else { return };
        put("beta", finite(relative.beta));
        put("alpha", finite(relative.alpha));
        put("correlation", finite(relative.correlation));
        put("tracking_error", finite(Some(relative.tracking_error)));
        put("information_ratio", finite(relative.information_ratio));
    }

    /// The value of one unit of money put into the instruments in equal parts, from the first sample at which all have a price.
    fn benchmark(&self) -> Option<(usize, Vec<f64>)> {
        let mut markets: Vec<usize> = self.accounts.iter().map(|account| self.kept.accounts[*account].market).collect();
        markets.sort_unstable();
        markets.dedup();
        let marks: Vec<&[f64]> = markets.iter().map(|market| self.kept.markets[*market].marks.as_slice()).collect();
        let from = (0..self.kept.sampled).find(|sample| marks.iter().all(|marks| marks[*sample] > 0.0))?;
        let value = |sample: usize| marks.iter().map(|marks| marks[sample] / marks[from]).sum::<f64>() / marks.len() as f64;
        Some((from, (from..self.kept.sampled).map(value).collect()))
    }

    /// What its fills come to.
    fn trades(&self) -> Trades {
        let mut trades = Trades::default();
        let mut books: BTreeMap<usize, (Position, RoundTrips)> = BTreeMap::new();
        let mut held = 0usize;
        let start = self.kept.first.unwrap_or(Instant::EPOCH);
        let mut exposed = vec![Since { at: start, value: 0.0 }];
        for fill in self.kept.fills.iter().filter(|fill| self.accounts.contains(&fill.account)) {
            let market = self.market_of(fill.account);
            let instrument = &market.instrument;
            let price = fill.price.to_f64(instrument.price_decimals);
            let (position, trips) = books.entry(fill.account).or_default();
            let was_flat = position.quantity() == 0;
            position.book(instrument, fill.side, fill.quantity, fill.price);
            match (was_flat, position.quantity() == 0) {
                (true, false) => held += 1,
                (false, true) => held -= 1,
                _ => {}
            }
            exposed.push(Since { at: fill.at, value: if held > 0 { 1.0 } else { 0.0 } });
            trades.fills += 1;
            trades.fees += market.in_quote(fill.fee, price);
            trades.traded += instrument.notional(fill.price, fill.quantity).map_or(0.0, |value| market.in_quote(value.0, price));
            let (at, side, quantity, fee) = (fill.at, fill.side, fill.quantity, Money(fill.fee));
            for trip in trips.fill(TripFill { at, side, quantity, price: fill.price, fee }) {
                let worth = |price: Price| instrument.worth(price, trip.quantity).map_or(0, |worth| worth.0);
                let profit = (worth(trip.exit) - worth(trip.entry)) * i128::from(trip.side.sign()) - trip.fees.0;
                trades.profits.push(market.in_quote(profit, price));
            }
        }
        trades.exposure = self.kept.last.and_then(|last| time_weighted_mean(&exposed, last));
        trades
    }
}

/// What an equity at each sample comes to.
pub(super) fn performance(kept: &Kept, equity: &[f64], put: &mut impl FnMut(&str, Json) -> Option<Json>) {
    let (Some(step), Some(year)) = (step_nanos(kept), samples_a_year(kept)) else { return };
    let Some(confidence) = Confidence::new(0.95) else { return };
    let Some(found) = Performance::of(equity, 0.0, year, confidence) else { return };
    if found.periods > 0 {
        put("total_return", json!(found.total_return));
    }
    put("annualised_return", finite(found.annualised_return));
    put("volatility", finite(found.volatility));
    put("sharpe", finite(found.sharpe));
    put("sortino", finite(found.sortino));
    put("calmar", finite(found.calmar));
    put("max_drawdown", json!(found.max_drawdown));
    put("value_at_risk", finite(found.value_at_risk));
    put("expected_shortfall", finite(found.expected_shortfall));
    let last = equity.len() - 1;
    put("deepest", json!(max_drawdown(equity).map(|deepest| json!({ "peak": deepest.peak, "trough": deepest.trough }))));
    let span = |periods: usize| json!(periods as i64 * step);
    put("max_drawdown_span", max_drawdown(equity).map_or(json!(0), |deepest| span(deepest.duration(last))));
    put("longest_drawdown_span", span(drawdowns(equity).iter().map(|drawdown| drawdown.duration(last)).max().unwrap_or(0)));
}

fn samples_a_year(kept: &Kept) -> Option<PeriodsPerYear> {
    PeriodsPerYear::new(YEAR_NANOS / step_nanos(kept)? as f64)
}

#[derive(Default)]
struct Trades {
    fills: usize,
    fees: f64,
    traded: f64,
    exposure: Option<f64>,
    /// Of each round trip.
    profits: Vec<f64>,
}

/// JSON has no infinity: what is beyond all numbers has no value.
pub(super) fn finite(value: Option<f64>) -> Json {
    json!(value.filter(|value| value.is_finite()))
}

/// The times from the sending of orders to what came of them.
fn latency(whole: &Whole<'_>, until: fn(&super::orders::OrderRow) -> Option<Instant>) -> Json {
    let orders = whole.kept.orders.iter().filter(|order| whole.accounts.contains(&order.account));
    let spans: Vec<f64> = orders.filter_map(|order| Some(until(order)?.since(order.sent?).as_nanos() as f64)).collect();
    let quantile = |fraction| json!(percentile(&spans, fraction));
    let mut json = Map::new();
    for (entry, value) in
        LATENCIES.iter().zip([json!(spans.len()), quantile(0.0), quantile(0.5), quantile(0.95), quantile(0.99), quantile(1.0)])
    {
        json.insert(entry.key.to_owned(), value);
    }
    json.insert("histogram".to_owned(), histogram(&spans));
    Json::Object(json)
}

/// How many spans lie in each of equal parts of their range by its logarithm.
fn histogram(spans: &[f64]) -> Json {
    let (Some(low), Some(high)) = (percentile(spans, 0.0), percentile(spans, 1.0)) else { return json!([]) };
    let (low, high) = (libm::log10(low.max(1.0)), libm::log10(high.max(1.0)));
    let (low, bins, width) = if high - low < 1e-3 { (low - 0.02, 1, 0.04) } else { (low, BINS, (high - low) / BINS as f64) };
    let mut counts = vec![0u64; bins];
    for span in spans {
        let place = ((libm::log10(span.max(1.0)) - low) / width) as usize;
        counts[place.min(bins - 1)] += 1;
    }
    let edge = |bin: usize| libm::pow(10.0, low + width * bin as f64).round();
    counts.iter().enumerate().map(|(bin, count)| json!({ "from_ns": edge(bin), "to_ns": edge(bin + 1), "count": count })).collect()
}

/// How the returns of strategies go together: a row and a column for each.
fn correlations(strategies: &[(&str, Whole<'_>)]) -> Json {
    if strategies.len() < 2 {
        return json!([]);
    }
    let all: Vec<Option<Vec<f64>>> = strategies.iter().map(|(_, whole)| returns(&whole.equity())).collect();
    let pair = |a: &Option<Vec<f64>>, b: &Option<Vec<f64>>| Relative::of(a.as_ref()?, b.as_ref()?, 0.0, PeriodsPerYear::DAYS)?.correlation;
    all.iter().map(|a| all.iter().map(|b| json!(pair(a, b))).collect::<Json>()).collect()
}

fn fills(kept: &Kept) -> Json {
    let shown = kept.fills.iter().take(SHOWN_FILLS).map(|fill| {
        let instrument = &kept.markets[kept.accounts[fill.account].market].instrument;
        json!({
            "at": fill.at.to_string(),
            "strategy": kept.owner(fill.account),
            "instrument": instrument.symbol,
            "order": fill.order.0,
            "side": super::files::side(fill.side),
            "quantity": fill.quantity.display(instrument.quantity_decimals).to_string(),
            "price": fill.price.display(instrument.price_decimals).to_string(),
            "liquidity": fill.liquidity,
            "fee": Money(fill.fee).display(instrument).to_string(),
        })
    });
    shown.collect()
}

/// How many orders ended how.
fn orders(kept: &Kept) -> Json {
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    for order in &kept.orders {
        let end = if order.why.is_empty() { order.end.to_owned() } else { format!("{}: {}", order.end, order.why) };
        *ends.entry(end).or_default() += 1;
    }
    json!({ "count": kept.orders.len(), "ends": ends })
}

fn rates(kept: &Kept) -> Json {
    let Some(rates) = &kept.rates else { return Json::Null };
    let of = |kind: usize| rates.rows.iter().map(|row| row.get(kind).copied().unwrap_or(0)).collect::<Vec<_>>();
    let kinds: Map<String, Json> = kept.kinds.iter().enumerate().map(|(number, kind)| (kind.clone(), json!(of(number)))).collect();
    json!({ "start": instant(kept.first), "step_ns": rates.grid.step().as_nanos(), "kinds": kinds })
}

/// What a reader must know.
fn notes(kept: &Kept, total: &Whole<'_>) -> Json {
    let mut notes = Vec::new();
    if total.currency().is_none() {
        notes.push("The instruments are priced in several currencies: amounts that cannot be added are left out.".to_owned());
    }
    if let (Some(first), Some(last)) = (kept.first, kept.last)
        && !kept.fills.is_empty()
        && last.since(first).as_nanos() < 30 * 86_400 * 1_000_000_000
    {
        notes.push(format!(
            "The run covers {}: what is put on a year (annualised return, volatility, ratios, alpha) says little.",
            crate::chart::span(last.since(first).as_nanos() as f64)
        ));
    }
    for market in kept.markets.iter().filter(|market| !market.is_known && market.mark.is_some()) {
        notes.push(format!(
            "No kind of the scenario told of {}: 8 decimals are taken for its prices and quantities.",
            market.instrument.symbol
        ));
    }
    if kept.unbooked > 0 {
        notes.push(format!("{} fills could not be counted: their amounts leave 128 bits.", kept.unbooked));
    }
    json!(notes)
}

fn glossary() -> Json {
    let entries = GROUPS.iter().flat_map(|group| group.entries).chain(&LATENCIES).chain(&ACCOUNTS);
    entries.map(|entry| json!({ "key": entry.key, "name": entry.name, "unit": entry.unit.name(), "formula": entry.formula })).collect()
}
