//! What one owns and owes, in several currencies. Invariant: in each currency, equity is what was paid in, plus profits, less fees, plus
//! funding, plus what open positions gained; to the last unit, after every call.
//!
//! A [`Portfolio`] books [`Fill`]s, prices and payments as whole numbers. Positions are kept by average cost ([`Position`](crate::Position)),
//! one an instrument ([`Keeping::Netting`]) or a long and a short one beside each other ([`Keeping::Hedging`]). What a quantity is worth at a
//! price is said by its [`Contract`], which may be linear (profit in the quote currency) or inverse (profit in the base currency).
//!
//! The balance of a currency moves with profits when they are realised, not with what is paid for a position. For what is held outright
//! (spot) one thinks of cash instead, from which the price was paid: [`Figures::cash`] is the balance less the cost of the open positions, so that
//! equity is cash plus the value of the positions.
//!
//! ```
//! use stillpoint_actors::portfolio::{Contract, Currency, CurrencyId, Fill, Keeping, Leg, Portfolio};
//! use stillpoint_actors::{Decimals, InstrumentId, Price, Quantity, Side};
//!
//! let cents = Decimals::new(2).expect("at most 18");
//! let none = Decimals::new(0).expect("at most 18");
//! let (dollar, share) = (CurrencyId(0), InstrumentId(0));
//! let mut portfolio = Portfolio::new(Keeping::Netting);
//! portfolio.add_currency(dollar, Currency { code: "USD".into(), decimals: cents })?;
//! portfolio.add_contract(share, Contract::spot(dollar, cents, none))?;
//! portfolio.pay_in(dollar, 100_000)?;
//! portfolio.fill(&Fill { instrument: share, leg: Leg::Net, side: Side::Buy, quantity: Quantity(4), price: Price(10_000), fee: (dollar, 100) })?;
//! portfolio.mark(share, Price(11_000))?;
//! let figures = portfolio.figures(dollar)?;
//! assert_eq!((figures.cash(), figures.value, figures.equity()), (59_900, 44_000, 103_900));
//! # Ok::<(), stillpoint_actors::portfolio::PortfolioError>(())
//! ```

mod actor;
mod book;
mod brokerage;
mod contract;
mod cover;
mod currency;
mod error;
mod figures;
mod holding;
mod kind;
mod margin;
mod trading;

pub use actor::{ConversionRate, EquityPoint, FiguresAre, FiguresOf, Funding, LiquidationDue, PortfolioActor, Statement};
pub use book::{Fill, Keeping, Leg, Portfolio};
pub use brokerage::PortfolioRoute;
pub use contract::Contract;
pub use currency::{Currency, CurrencyId, Parts};
pub use error::PortfolioError;
pub use figures::Figures;
pub use holding::Holding;
pub use kind::Accounts;
pub(crate) use kind::register;
pub use margin::{Liquidation, Margin, MarginMode};
