//! What a report keeps of a run while it goes on: an observer of its trace. Invariant: it sees records in file order alone, so that a report
//! is the same wherever the run was.
//!
//! Prices, event rates and samples of profits have bounded memory, whatever the length of the run: see [`Grid`]. Orders and fills are kept, at
//! about 300 bytes an order and 100 a fill.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stillpoint_actors::{ContractKind, Instrument, InstrumentId, Mark, MarkOf, Money, OrderId, Position, Price, Quantity, Side};
use stillpoint_engine::trace::{Observer, TraceHash, TraceRecord, Wording};
use stillpoint_engine::{Duration, Instant, Path, Rank};

use super::books::Books;
use super::grid::{Buckets, Grid};
use super::orders::OrderRow;
use super::statements::Portfolio;
use super::words::{self, Sent, What, Word};

/// At most so many samples of profits, and so many steps of prices and of rates.
const SAMPLES: usize = 4_000;
const PRICES: usize = 1_000;
const RATES: usize = 240;
/// How many instants are remembered of who sends orders, to tell when an order was sent that is under way.
const REMEMBERED: usize = 65_536;

/// A fill, as its owner heard of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fill {
    pub(super) at: Instant,
    /// The number of the account.
    pub(super) account: usize,
    pub(super) order: OrderId,
    pub(super) side: Side,
    pub(super) quantity: Quantity,
    pub(super) price: Price,
    pub(super) liquidity: &'static str,
    pub(super) fee: i128,
}

/// Of one instrument.
#[derive(Clone, Debug)]
pub(super) struct Market {
    pub(super) instrument: Instrument,
    /// Whether a kind told of it; else it was made up of its number.
    pub(super) is_known: bool,
    /// The price that it is valued at.
    pub(super) mark: Option<Mark>,
    pub(super) prices: Buckets<Option<Span>>,
    /// At each sample; `NaN` before the first.
    pub(super) marks: Vec<f64>,
}

/// The prices of a step of time, as floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) last: f64,
}

/// What one strategy holds of one instrument.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// The strategy's number among the names.
    pub(super) owner: usize,
    pub(super) market: usize,
    pub(super) position: Position,
    pub(super) fees: i128,
    /// The profit at each sample, in the quote currency.
    pub(super) profits: Vec<f64>,
}

/// Somebody who sends or receives.
#[derive(Clone, Debug, Default)]
struct Party {
    path: String,
    /// The count of the last delivery of which a price came from it.
    told: u64,
    /// Whether it sends on the orders of others.
    is_between: bool,
    /// When its deliveries were, by the count of the first at each instant; kept of those who may send orders.
    remembered: Option<VecDeque<(u64, Instant)>>,
}

/// Everything that was kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    parties: Vec<Party>,
    /// The names of actors that may send orders.
    traders: BTreeSet<String>,
    /// The names of those among them that send on the orders of others.
    between: BTreeSet<String>,
    pub(super) markets: Vec<Market>,
    market_of: BTreeMap<InstrumentId, usize>,
    pub(super) accounts: Vec<Account>,
    account_of: BTreeMap<(usize, usize), usize>,
    pub(super) fills: Vec<Fill>,
    pub(super) orders: Vec<OrderRow>,
    order_of: BTreeMap<(usize, OrderId), usize>,
    books: Books,
    pub(super) portfolios: Vec<Portfolio>,
    pub(super) kinds: Vec<String>,
    pub(super) rates: Option<Buckets<Vec<u64>>>,
    samples: Option<Grid>,
    pub(super) sampled: usize,
    pub(super) first: Option<Instant>,
    pub(super) last: Option<Instant>,
    /// Fills that could not be counted.
    pub(super) unbooked: u64,
    pub(super) hash: Option<TraceHash>,
}

/// The observer. Clones share what they keep.
#[derive(Clone, Debug, Default)]
pub(super) struct Capture(Arc<Mutex<Kept>>);

impl Capture {
    /// Of a run with these instruments and portfolios, and with orders of these actors, of whom some send on those of others.
    pub(super) fn new(
        instruments: impl IntoIterator<Item = Instrument>,
        traders: BTreeSet<String>,
        between: BTreeSet<String>,
        portfolios: Vec<Portfolio>,
    ) -> Self {
        let mut kept = Kept { traders, between, portfolios, ..Kept::default() };
        for instrument in instruments {
            let market = kept.market(instrument.id);
            kept.markets[market].instrument = instrument;
            kept.markets[market].is_known = true;
        }
        Self(Arc::new(Mutex::new(kept)))
    }

    /// What is kept. A panic elsewhere has left it whole: each record is told by one call.
    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Capture {
    fn name(&mut self, id: u32, path: &Path, _: Rank) {
        let mut kept = self.kept();
        let path = path.to_string();
        let root = path.split('/').next().unwrap_or_default();
        let remembered = kept.traders.contains(root).then(VecDeque::new);
        let is_between = kept.between.contains(root);
        let id = id as usize;
        if kept.parties.len() <= id {
            kept.parties.resize_with(id + 1, Party::default);
        }
        kept.parties[id] = Party { path, told: 0, is_between, remembered };
    }

    fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()> {
        self.kept().record(record);
        Ok(())
    }

    fn end(&mut self, hash: TraceHash) -> io::Result<()> {
        self.kept().hash = Some(hash);
        Ok(())
    }

    fn wording(&self) -> Option<Wording> {
        Some(words::wording())
    }
}

impl Kept {
    fn record(&mut self, record: &TraceRecord<'_>) {
        let at = record.at;
        if self.first.is_none() {
            (self.first, self.samples) = (Some(at), Some(Grid::new(at, SAMPLES)));
            let sum = |all: &mut Vec<u64>, row: &Vec<u64>| {
                all.resize(all.len().max(row.len()), 0);
                all.iter_mut().zip(row).for_each(|(all, more)| *all += more);
            };
            self.rates = Some(Buckets::new(Grid::new(at, RATES), sum));
            self.markets.iter_mut().for_each(|market| market.prices.grid.start = at);
        }
        if self.last.is_some_and(|last| last < at) {
            self.sample_before(at);
        }
        self.last = Some(at);
        let Some(count) = record.count else { return };
        self.count_kind(at, record.kind);
        if let Some(remembered) = &mut self.parties[record.receiver as usize].remembered
            && remembered.back().is_none_or(|(_, last)| *last != at)
        {
            remembered.push_back((count, at));
            if remembered.len() > REMEMBERED {
                remembered.pop_front();
            }
        }
        match record.text.and_then(Word::read) {
            Some(Word::Mark { instrument, of, twice }) => {
                // A price that takes a longer way to some than to others is old when it comes again.
                let sender = &mut self.parties[record.sender as usize];
                if record.sender_count >= sender.told {
                    sender.told = record.sender_count;
                    let market = self.market(instrument);
                    self.markets[market].price(at, of, twice);
                }
            }
            Some(Word::Book { instrument, change }) => {
                if let Some(twice) = self.books.take(record.sender, record.sender_count, instrument, change) {
                    let market = self.market(instrument);
                    self.markets[market].price(at, MarkOf::Quote, twice);
                }
            }
            Some(Word::Sent { .. } | Word::Asked { .. }) if self.parties[record.sender as usize].is_between => {}
            Some(Word::Event { .. }) if self.parties[record.receiver as usize].is_between => {}
            Some(Word::Sent { instrument, orders }) => {
                let sent = self.sent_at(record.sender as usize, record.sender_count);
                let market = self.market(instrument);
                let account = self.account(record.sender as usize, market);
                orders.into_iter().for_each(|order| self.sent(account, order, sent, at));
            }
            Some(Word::Asked { instrument, order, change }) => {
                let account = self.market_of.get(&instrument).and_then(|market| self.account_of.get(&(record.sender as usize, *market)));
                let row = account.and_then(|account| self.order_of.get(&(*account, order)));
                if let Some(row) = row {
                    self.orders[*row].ask(change);
                }
            }
            Some(Word::Event { instrument, order, side, what }) => {
                let market = self.market(instrument);
                let account = self.account(record.receiver as usize, market);
                self.event(at, account, order, side, what);
            }
            Some(Word::Statement { currency, before, amounts }) => {
                let name = &self.parties[record.receiver as usize].path;
                let portfolio = self.portfolios.iter_mut().find(|portfolio| portfolio.name == *name);
                if let Some(account) = portfolio.and_then(|portfolio| portfolio.accounts.get_mut(usize::from(currency))) {
                    account.take(before, amounts);
                }
            }
            None => {}
        }
    }

    fn count_kind(&mut self, at: Instant, kind: &str) {
        let number = self.kinds.iter().position(|known| known == kind).unwrap_or_else(|| {
            self.kinds.push(kind.to_owned());
            self.kinds.len() - 1
        });
        let row = self.rates.as_mut().expect("made with the first record").at(at);
        if row.len() <= number {
            row.resize(number + 1, 0);
        }
        row[number] += 1;
    }

    /// When a delivery was of which somebody has sent something.
    fn sent_at(&self, sender: usize, count: u64) -> Option<Instant> {
        let remembered = self.parties[sender].remembered.as_ref()?;
        let place = remembered.partition_point(|(first, _)| *first <= count);
        place.checked_sub(1).map(|place| remembered[place].1)
    }

    fn market(&mut self, id: InstrumentId) -> usize {
        if let Some(market) = self.market_of.get(&id) {
            return *market;
        }
        let market = self.markets.len();
        self.market_of.insert(id, market);
        let instrument = Instrument::new(id, format!("instrument {}", id.0));
        let prices = Buckets::new(Grid::new(self.first.unwrap_or(Instant::EPOCH), PRICES), Span::merge);
        self.markets.push(Market { instrument, is_known: false, mark: None, prices, marks: vec![f64::NAN; self.sampled] });
        market
    }

    fn account(&mut self, owner: usize, market: usize) -> usize {
        let next = self.accounts.len();
        let account = *self.account_of.entry((owner, market)).or_insert(next);
        if account == next {
            let profits = vec![0.0; self.sampled];
            self.accounts.push(Account { owner, market, position: Position::default(), fees: 0, profits });
        }
        account
    }

    fn sent(&mut self, account: usize, order: Sent, sent: Option<Instant>, at: Instant) {
        let row = self.order(account, order.id, order.side);
        // A number that is used again is refused by the venue; the first order stays the one of that number.
        if row.terms.is_none() {
            (row.terms, row.sent, row.arrived) = (Some(order), sent, Some(at));
        }
    }

    fn order(&mut self, account: usize, id: OrderId, side: Side) -> &mut OrderRow {
        let next = self.orders.len();
        let order = *self.order_of.entry((account, id)).or_insert(next);
        if order == next {
            self.orders.push(OrderRow::new(account, id, side));
        }
        &mut self.orders[order]
    }

    fn event(&mut self, at: Instant, account: usize, id: OrderId, side: Side, what: What) {
        self.order(account, id, side).answer(at, &what);
        let What::Filled { quantity, price, liquidity, fee, .. } = what else { return };
        let booked = &mut self.accounts[account];
        let market = &mut self.markets[booked.market];
        if !booked.position.book(&market.instrument, side, quantity, price) {
            self.unbooked += 1;
            return;
        }
        booked.fees += fee;
        market.price(at, MarkOf::Fill, 2 * i128::from(price.0));
        self.fills.push(Fill { at, account, order: id, side, quantity, price, liquidity, fee });
    }

    /// Takes the samples whose instants lie before `at`.
    fn sample_before(&mut self, at: Instant) {
        let Some(mut grid) = self.samples else { return };
        let before = Instant::from_nanos(at.as_nanos() - 1);
        let factor = grid.fit(before);
        self.samples = Some(grid);
        if factor > 1 {
            let coarser = |values: &mut Vec<f64>| *values = values.iter().copied().step_by(factor).collect();
            self.accounts.iter_mut().for_each(|account| coarser(&mut account.profits));
            self.markets.iter_mut().for_each(|market| coarser(&mut market.marks));
            self.sampled = self.sampled.div_ceil(factor);
        }
        let until = grid.place(before) + 1;
        if until > self.sampled {
            self.sample(until);
        }
    }

    /// Takes samples of what is so now, until there are so many.
    fn sample(&mut self, until: usize) {
        for account in &mut self.accounts {
            let profit = account.profit(&self.markets[account.market]);
            account.profits.resize(until, profit);
        }
        for market in &mut self.markets {
            let mark = market.mark_price().unwrap_or(f64::NAN);
            market.marks.resize(until, mark);
        }
        self.sampled = until;
    }

    /// Takes the last sample, at the end of the run: it may come less than a step after the one before.
    pub(super) fn finish(&mut self) {
        if self.last.is_some() {
            self.sample(self.sampled + 1);
        }
    }

    /// The grid of the samples.
    pub(super) fn grid(&self) -> Option<Grid> {
        self.samples
    }

    /// When a sample was taken: the last one at the end of the run.
    pub(super) fn sampled_at(&self, sample: usize) -> Instant {
        let (Some(grid), Some(last)) = (self.samples, self.last) else { return Instant::EPOCH };
        (grid.start + Duration::nanos(grid.step().as_nanos().saturating_mul(sample as i64))).min(last)
    }

    /// The name of an account's owner.
    pub(super) fn owner(&self, account: usize) -> &str {
        &self.parties[self.accounts[account].owner].path
    }
}

impl Market {
    fn price(&mut self, at: Instant, of: MarkOf, twice: i128) {
        if !Mark::set(&mut self.mark, of, twice) {
            return;
        }
        let Some(price) = self.mark_price() else { return };
        let span = self.prices.at(at).get_or_insert(Span { low: price, high: price, last: price });
        *span = Span { low: span.low.min(price), high: span.high.max(price), last: price };
    }

    /// The price that it is valued at.
    pub(super) fn mark_price(&self) -> Option<f64> {
        self.mark.map(|mark| mark.to_f64(&self.instrument))
    }

    /// An amount of its money, as a float of the quote currency: that of an inverse contract is worth the price.
    pub(super) fn in_quote(&self, amount: i128, price: f64) -> f64 {
        let amount = Money(amount).to_f64(&self.instrument);
        match self.instrument.contract {
            ContractKind::Linear => amount,
            ContractKind::Inverse => amount * price,
        }
    }
}

impl Account {
    /// All profit, realised and not, less fees, at the price that the market is valued at, in the quote currency.
    pub(super) fn profit(&self, market: &Market) -> f64 {
        let Some(mark) = market.mark else { return 0.0 };
        let cash = self.position.realised().0 - self.position.cost().0 - self.fees;
        let instrument = &market.instrument;
        let profit = mark.value(instrument, Quantity(self.position.quantity()), Money(cash));
        match instrument.contract {
            ContractKind::Linear => profit,
            ContractKind::Inverse => profit * mark.to_f64(instrument),
        }
    }
}

impl Span {
    fn merge(all: &mut Option<Self>, row: &Option<Self>) {
        *all = match (*all, *row) {
            (Some(all), Some(row)) => Some(Self { low: all.low.min(row.low), high: all.high.max(row.high), last: row.last }),
            (all, row) => row.or(all),
        };
    }
}
