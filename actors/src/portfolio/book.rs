//! The portfolio: what may happen to it, and what it then has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::contract::{Contract, Scaled, countable};
use super::currency::{Currency, CurrencyId, Parts};
use super::error::PortfolioError;
use super::figures::Figures;
use super::holding::Holding;
use super::margin::{Liquidation, MarginMode};
use crate::by_instrument::ByInstrument;
use crate::decimal::{Decimals, Price, Quantity};
use crate::event::Side;
use crate::instrument::InstrumentId;

/// How many positions there may be of one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Keeping {
    /// One: a sale reduces a long position, and may turn it.
    #[default]
    Netting,
    /// A long one and a short one beside each other.
    Hedging,
}

/// Which position of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Leg {
    /// The only one, of a portfolio that nets.
    #[default]
    Net,
    /// The long one: buying opens, selling closes.
    Long,
    /// The short one: selling opens, buying closes.
    Short,
}

impl Leg {
    /// In their order, so that `ALL[leg as usize]` is `leg`.
    pub(super) const ALL: [Self; 3] = [Self::Net, Self::Long, Self::Short];
}

/// A fill of an order, as far as money is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fill {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Of which of its positions.
    pub leg: Leg,
    /// Bought or sold.
    pub side: Side,
    /// How much: positive.
    pub quantity: Quantity,
    /// At what price.
    pub price: Price,
    /// What was paid for it besides, in which currency; negative for a rebate.
    pub fee: (CurrencyId, i128),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Account {
    currency: Currency,
    figures: Figures,
    /// What one of this currency is worth in others.
    rates: BTreeMap<CurrencyId, (Price, Decimals)>,
}

impl Account {
    /// Puts a position in the place of what was there, in the sums too.
    fn put(&mut self, scaled: &Scaled, leg: &mut Option<Holding>, after: Holding) {
        let before = leg.replace(after).map_or(Figures::default(), |before| before.figures(scaled));
        self.figures.replace(&before, &after.figures(scaled));
    }
}

/// An instrument: its terms, and its positions by [`Leg`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Listing {
    scaled: Scaled,
    legs: [Option<Holding>; 3],
}

/// Accounts in several currencies, and positions. See the [module](super).
///
/// A call that fails changes nothing. Booking costs the same for any number of positions but for finding the one; so does asking for the
/// figures of a currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portfolio {
    keeping: Keeping,
    accounts: BTreeMap<CurrencyId, Account>,
    listings: ByInstrument<Listing>,
}

impl Portfolio {
    /// A portfolio without a currency or a contract.
    pub fn new(keeping: Keeping) -> Self {
        Self { keeping, ..Self::default() }
    }

    /// Opens an account in a currency.
    ///
    /// # Errors
    /// [`PortfolioError::AddedTwice`].
    pub fn add_currency(&mut self, id: CurrencyId, currency: Currency) -> Result<(), PortfolioError> {
        if self.accounts.contains_key(&id) {
            return Err(PortfolioError::AddedTwice);
        }
        self.accounts.insert(id, Account { currency, figures: Figures::default(), rates: BTreeMap::new() });
        Ok(())
    }

    /// Says what an instrument is worth. Its settlement currency must have been added.
    ///
    /// # Errors
    /// [`PortfolioError`] if the currency is unknown or has too few decimals, or the terms make no contract, or it was added before.
    pub fn add_contract(&mut self, instrument: InstrumentId, contract: Contract) -> Result<(), PortfolioError> {
        if self.listings.get(instrument).is_some() {
            return Err(PortfolioError::AddedTwice);
        }
        let scaled = contract.clone().scaled(&self.account(contract.settlement)?.currency)?;
        self.listings.insert(instrument, Listing { scaled, legs: [None; 3] });
        Ok(())
    }

    /// Pays in an amount, or out if it is negative.
    ///
    /// # Errors
    /// [`PortfolioError::UnknownCurrency`], [`PortfolioError::TooLarge`].
    pub fn pay_in(&mut self, currency: CurrencyId, amount: i128) -> Result<(), PortfolioError> {
        account_mut(&mut self.accounts, currency)?.figures.paid_in += countable(amount)?;
        Ok(())
    }

    /// Books a fill, and its fee. The position is valued at the fill's price until another is heard.
    ///
    /// # Errors
    /// [`PortfolioError`] if something of the fill is unknown, out of range, or closes more than a leg has.
    pub fn fill(&mut self, fill: &Fill) -> Result<(), PortfolioError> {
        let (fee_currency, fee) = fill.fee;
        self.account(fee_currency)?;
        countable(fee)?;
        if fill.quantity.0 <= 0 {
            return Err(PortfolioError::BadQuantity);
        }
        let Listing { scaled, legs } = self.listings.get_mut(fill.instrument).ok_or(PortfolioError::UnknownInstrument(fill.instrument))?;
        let leg = &mut legs[fill.leg as usize];
        let before = leg.unwrap_or(Holding::nothing(fill.price));
        match (self.keeping, fill.leg, fill.side) {
            (Keeping::Netting, Leg::Net, _) | (Keeping::Hedging, Leg::Long, Side::Buy) | (Keeping::Hedging, Leg::Short, Side::Sell) => {}
            (Keeping::Hedging, Leg::Long, Side::Sell) | (Keeping::Hedging, Leg::Short, Side::Buy) => {
                let held = before.quantity().abs();
                if fill.quantity.0 > held {
                    return Err(PortfolioError::MoreThanHeld { held });
                }
            }
            (keeping, leg, _) => return Err(PortfolioError::WrongLeg { leg, keeping }),
        }
        let after = before.filled(scaled, fill.side.sign() * fill.quantity.0, fill.price)?;
        account_mut(&mut self.accounts, scaled.contract.settlement)?.put(scaled, leg, after);
        account_mut(&mut self.accounts, fee_currency)?.figures.fees += fee;
        Ok(())
    }

    /// Values the positions of an instrument at a price.
    ///
    /// # Errors
    /// [`PortfolioError`] if the instrument is unknown, or worth nothing that can be counted at that price.
    pub fn mark(&mut self, instrument: InstrumentId, price: Price) -> Result<(), PortfolioError> {
        self.each_leg(instrument, |scaled, holding| Ok((holding.marked(scaled, price)?, 0)))
    }

    /// Values the long position of an instrument at the bid and the short one at the ask: at what closing it would bring.
    ///
    /// # Errors
    /// As those of [`mark`](Self::mark).
    pub fn mark_at_quote(&mut self, instrument: InstrumentId, bid: Price, ask: Price) -> Result<(), PortfolioError> {
        self.each_leg(instrument, |scaled, holding| Ok((holding.marked(scaled, if holding.quantity() < 0 { ask } else { bid })?, 0)))
    }

    /// Pays funding on the positions of an instrument, by their value at the last price: with a positive rate who is long pays, and who is
    /// short receives. Payments are rounded toward zero. An isolated position pays from, and receives into, what is set aside for it.
    ///
    /// # Errors
    /// [`PortfolioError::UnknownInstrument`].
    pub fn pay_funding(&mut self, instrument: InstrumentId, rate: Parts) -> Result<(), PortfolioError> {
        self.each_leg(instrument, |scaled, holding| {
            let payment = -rate.of(holding.value * scaled.sign());
            let isolated = if scaled.contract.mode() == Some(MarginMode::Isolated) { holding.isolated + payment } else { 0 };
            Ok((Holding { isolated, ..holding }, payment))
        })
    }

    /// Closes a position at a price because its margin is used up, at a cost of `fee` in its settlement currency. What an isolated position
    /// loses beyond what was set aside for it, the fee included, is [covered](Figures::covered) by others.
    ///
    /// # Errors
    /// [`PortfolioError`] if there is no such position, or it has no value at that price.
    pub fn liquidate(&mut self, instrument: InstrumentId, leg: Leg, price: Price, fee: i128) -> Result<(), PortfolioError> {
        countable(fee)?;
        let Listing { scaled, legs } = self.listings.get_mut(instrument).ok_or(PortfolioError::UnknownInstrument(instrument))?;
        let held = legs[leg as usize].filter(|holding| holding.quantity() != 0);
        let before = held.ok_or(PortfolioError::MoreThanHeld { held: 0 })?;
        let after = before.filled(scaled, -before.quantity(), price)?;
        let account = account_mut(&mut self.accounts, scaled.contract.settlement)?;
        account.put(scaled, &mut legs[leg as usize], after);
        account.figures.fees += fee;
        if scaled.contract.mode() == Some(MarginMode::Isolated) {
            let loss = fee + before.realised() - after.realised();
            account.figures.covered += (loss - before.isolated).max(0);
        }
        Ok(())
    }

    /// What is to be liquidated now among what the price of an instrument concerns: its isolated positions, and the cross positions of its
    /// settlement currency. To be asked after a price, a payment or a fill.
    ///
    /// # Errors
    /// [`PortfolioError::UnknownInstrument`].
    pub fn due(&self, instrument: InstrumentId) -> Result<Vec<Liquidation>, PortfolioError> {
        let Listing { scaled, legs } = self.listing(instrument)?;
        let settlement = scaled.contract.settlement;
        let mut due = Vec::new();
        if scaled.contract.mode() == Some(MarginMode::Isolated) {
            let fallen = |holding: &Holding| holding.falls(scaled, holding.isolated, holding.price);
            let fallen = Leg::ALL.iter().zip(legs).filter(|(_, holding)| holding.as_ref().is_some_and(fallen));
            due.extend(fallen.map(|(leg, _)| Liquidation::Position(instrument, *leg)));
        }
        if self.account(settlement)?.figures.must_liquidate() {
            due.push(Liquidation::Account(settlement));
        }
        Ok(due)
    }

    /// The price at which a position is to be liquidated, all others being valued at their last prices: the highest such for a long one, the
    /// lowest for a short one. `None` if there is none above zero, or no such position, or one without margin.
    ///
    /// # Errors
    /// [`PortfolioError::UnknownInstrument`].
    pub fn liquidation_price(&self, instrument: InstrumentId, leg: Leg) -> Result<Option<Price>, PortfolioError> {
        let Listing { scaled, legs } = self.listing(instrument)?;
        let Some(holding) = &legs[leg as usize] else { return Ok(None) };
        let backing = match scaled.contract.mode() {
            None => return Ok(None),
            Some(MarginMode::Isolated) => holding.isolated,
            Some(MarginMode::Cross) => {
                let (all, own) = (self.account(scaled.contract.settlement)?.figures, holding.figures(scaled));
                all.cross_equity() - own.unrealised() - (all.maintenance - own.maintenance)
            }
        };
        Ok(holding.liquidation_price(scaled, backing))
    }

    /// What opening so much at a price takes: the initial margin, or all of its value if it is paid in full.
    ///
    /// # Errors
    /// [`PortfolioError`] if the instrument is unknown, or the quantity is worth nothing that can be counted at that price.
    pub fn to_open(&self, instrument: InstrumentId, quantity: Quantity, price: Price) -> Result<i128, PortfolioError> {
        let scaled = &self.listing(instrument)?.scaled;
        let value = scaled.value(quantity.0, price)?.abs();
        Ok(scaled.contract.margin.map_or(value, |margin| margin.initial.of_up(value)))
    }

    /// The state of a currency.
    ///
    /// # Errors
    /// [`PortfolioError::UnknownCurrency`].
    pub fn figures(&self, currency: CurrencyId) -> Result<Figures, PortfolioError> {
        Ok(self.account(currency)?.figures)
    }

    /// Says what one of a currency is worth in another.
    ///
    /// # Errors
    /// [`PortfolioError::UnknownCurrency`].
    pub fn set_rate(&mut self, of: CurrencyId, within: CurrencyId, rate: (Price, Decimals)) -> Result<(), PortfolioError> {
        self.account(within)?;
        account_mut(&mut self.accounts, of)?.rates.insert(within, rate);
        Ok(())
    }

    /// The equity of all currencies in one of them, each converted at its last rate and rounded toward zero. A currency of which nothing is
    /// there needs no rate.
    ///
    /// # Errors
    /// [`PortfolioError::NoRate`], [`PortfolioError::UnknownCurrency`], or [`PortfolioError::TooLarge`].
    pub fn total(&self, within: CurrencyId) -> Result<i128, PortfolioError> {
        let decimals = self.account(within)?.currency.decimals;
        self.accounts.iter().try_fold(0i128, |total, (id, account)| {
            let equity = account.figures.equity();
            let converted = match account.rates.get(&within) {
                _ if *id == within => equity,
                _ if equity == 0 => 0,
                None => return Err(PortfolioError::NoRate(*id)),
                Some(rate) => convert(equity, account.currency.decimals, *rate, decimals).ok_or(PortfolioError::TooLarge)?,
            };
            total.checked_add(converted).ok_or(PortfolioError::TooLarge)
        })
    }

    /// A position, also one that has been closed: it keeps its realised profit.
    pub fn holding(&self, instrument: InstrumentId, leg: Leg) -> Option<&Holding> {
        self.listings.get(instrument)?.legs[leg as usize].as_ref()
    }

    /// All positions, closed ones too, by instrument and leg.
    pub fn holdings(&self) -> impl Iterator<Item = (InstrumentId, Leg, &Holding)> {
        self.listings.iter().flat_map(|(instrument, listing)| {
            Leg::ALL.iter().zip(&listing.legs).filter_map(move |(leg, holding)| Some((instrument, *leg, holding.as_ref()?)))
        })
    }

    /// Whether anything of an instrument is or was held.
    pub fn is_held(&self, instrument: InstrumentId) -> bool {
        self.listings.get(instrument).is_some_and(|listing| listing.legs.iter().any(Option::is_some))
    }

    /// How many positions there may be of one instrument.
    pub fn keeping(&self) -> Keeping {
        self.keeping
    }

    /// The terms of an instrument; `None` if it has not been added.
    pub fn contract(&self, instrument: InstrumentId) -> Option<&Contract> {
        self.listings.get(instrument).map(|listing| &listing.scaled.contract)
    }

    /// The currency in which an instrument pays.
    ///
    /// # Errors
    /// [`PortfolioError::UnknownInstrument`].
    pub fn settlement(&self, instrument: InstrumentId) -> Result<CurrencyId, PortfolioError> {
        Ok(self.listing(instrument)?.scaled.contract.settlement)
    }

    /// A currency.
    ///
    /// # Errors
    /// [`PortfolioError::UnknownCurrency`].
    pub fn currency(&self, id: CurrencyId) -> Result<&Currency, PortfolioError> {
        Ok(&self.account(id)?.currency)
    }

    /// All currencies.
    pub fn currencies(&self) -> impl Iterator<Item = (CurrencyId, &Currency)> {
        self.accounts.iter().map(|(id, account)| (*id, &account.currency))
    }

    fn account(&self, id: CurrencyId) -> Result<&Account, PortfolioError> {
        self.accounts.get(&id).ok_or(PortfolioError::UnknownCurrency(id))
    }

    fn listing(&self, instrument: InstrumentId) -> Result<&Listing, PortfolioError> {
        self.listings.get(instrument).ok_or(PortfolioError::UnknownInstrument(instrument))
    }

    /// Changes all positions of an instrument or none; each also says what it receives as funding.
    fn each_leg(
        &mut self,
        instrument: InstrumentId,
        change: impl Fn(&Scaled, Holding) -> Result<(Holding, i128), PortfolioError>,
    ) -> Result<(), PortfolioError> {
        let Listing { scaled, legs } = self.listings.get_mut(instrument).ok_or(PortfolioError::UnknownInstrument(instrument))?;
        let account = account_mut(&mut self.accounts, scaled.contract.settlement)?;
        let mut changed = [None; 3];
        for (change_of, holding) in changed.iter_mut().zip(&*legs) {
            *change_of = holding.map(|holding| change(scaled, holding)).transpose()?;
        }
        for (leg, change) in legs.iter_mut().zip(changed) {
            if let Some((after, funding)) = change {
                account.put(scaled, leg, after);
                account.figures.funding += funding;
            }
        }
        Ok(())
    }
}

/// A function of the field, so that listings can be held at the same time.
fn account_mut(accounts: &mut BTreeMap<CurrencyId, Account>, id: CurrencyId) -> Result<&mut Account, PortfolioError> {
    accounts.get_mut(&id).ok_or(PortfolioError::UnknownCurrency(id))
}

/// An amount at a rate, toward zero; `None` if it does not fit.
fn convert(amount: i128, from: Decimals, (rate, decimals): (Price, Decimals), to: Decimals) -> Option<i128> {
    let (below, above) = (u32::from(from.count()) + u32::from(decimals.count()), u32::from(to.count()));
    let rate = i128::from(rate.0).checked_mul(10i128.checked_pow(above.saturating_sub(below))?)?;
    let one = 10i128.checked_pow(below.saturating_sub(above))?;
    (amount / one).checked_mul(rate)?.checked_add((amount % one).checked_mul(rate)? / one)
}
