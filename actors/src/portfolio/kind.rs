//! The kind `portfolio`, which scenarios may name. Invariant: amounts become whole numbers by the decimals of their currency, or an error that
//! names the text.

use std::collections::BTreeMap;

use serde::Deserialize;
use stillpoint_engine::scenario::{Registry, Scene, SceneError};
use stillpoint_engine::{Duration, suggest};

use super::actor::{ConversionRate, Funding, PortfolioActor};
use super::book::{Fill, Keeping, Portfolio};
use super::brokerage::PortfolioRoute;
use super::contract::Contract;
use super::currency::{Currency, CurrencyId, Parts};
use super::error::PortfolioError;
use super::margin::{Margin, MarginMode};
use crate::decimal::{DecimalError, Decimals, Price};
use crate::declared::declare;
use crate::event::Quote;
use crate::exchange::Exchange;
use crate::instrument::Instrument;
use crate::kinds;
use crate::order::{Order, OrderEvent, OrderRequest};
use crate::wiring::{self, Takes};

/// Adds the kind `portfolio`, and scripts of funding and of conversion rates.
pub(crate) fn register(registry: &mut Registry) {
    kinds::script::<Funding>(
        registry,
        ("script_funding", "Plays a script of funding; rates are in billionths."),
        "(steps: [Add(value: (instrument: 0, rate: 100000))])",
    );
    kinds::script::<ConversionRate>(
        registry,
        ("script_rates", "Plays a script of conversion rates; currencies by their places in the portfolio, from 0 on."),
        "(steps: [Add(value: (of: 1, within: 0, rate: 87000, decimals: 0))])",
    );
    registry
        .part::<CurrencyParams>("currency", "An account of a portfolio.")
        .field("code", "the currency, such as \"USD\"")
        .optional(
            "decimals",
            "16",
            "decimals of its amounts, 0 to 18: as many as the money of each contract has, or more: those of its price and quantity together, at least 16 for Inverse",
        )
        .optional("cash", "nothing", "what is paid in at the start, such as \"10000\", with at most 8 decimals");
    registry
        .part::<ContractParams>("contract", "An instrument that a portfolio trades.")
        .field("instrument", "what")
        .field("exchange", "the actor that takes its orders and trades it; with links declared, there must be one each way")
        .optional("settlement", "the quote currency", "the code of the currency in which it is settled")
        .optional("margin", "paid in full", "what must be free to open and to keep a position");
    registry
        .part::<MarginParams>("margin", "What must be free to open and to keep a position.")
        .field("mode", "Cross: the whole account covers it; Isolated: its own margin alone")
        .field("initial", "the part of its value that is needed to open it, 0 to 1: \"0.1\" for a leverage of 10")
        .field("maintenance", "the part of its value below which it is liquidated, 0 to 1, no more than `initial`, such as \"0.005\"");
    registry
        .part::<RateParams>("rate", "What one of a currency is worth in another.")
        .field("of", "the code of the one, such as \"EUR\"")
        .field("within", "the code of the other, such as \"USD\"")
        .field("rate", "how much of it, such as \"1.08\", with at most 8 decimals");
    registry
        .actor("portfolio", "Stands between strategies and exchanges: checks margin, books fills, keeps accounts, liquidates.", portfolio)
        .param("currencies", "its accounts")
        .param(
            "contracts",
            "what it trades, and where",
        )
        .param("keeping", "Netting: one position of an instrument; Hedging: long ones of strategies beside short ones of others; default: Netting")
        .param("within", "the currency in which all equity is counted; default: the first")
        .param("rates", "what one of a currency is worth in another at the start; default: unknown")
        .param("liquidation_fee", "the part of its value that closing a position costs whose margin is used up, such as \"0.005\"; default: nothing")
        .param("statements", "how often it writes down its figures, such as \"1s\", which reports draw; default: never")
        .param("quotes", "streams of quotes to value positions by")
        .param("trades", "streams of trades to value positions by")
        .param("events", "streams of quotes and trades in one")
        .param("quotes_of", "exchanges that publish their best prices, to value positions by; with links declared, there must be one each way")
        .param("funding", "streams of funding")
        .param("conversions", "streams of conversion rates")
        .example(
            r#"(currencies: [(code: "USDT", cash: "10000")], contracts: [(instrument: (id: 0, symbol: "BTCUSDT"), exchange: "exchange", settlement: "USDT", margin: (mode: Cross, initial: "0.1", maintenance: "0.005"))], quotes: ["btc-quotes"])"#,
        )
        .accepts::<OrderRequest>()
        .accepts::<Order>()
        .accepts::<OrderEvent>()
        .accepts::<Fill>();
}

/// What the kind `portfolio` notes of its currencies: the one with number 0 first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts(pub Vec<Currency>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PortfolioParams {
    currencies: Vec<CurrencyParams>,
    contracts: Vec<ContractParams>,
    #[serde(default)]
    keeping: Keeping,
    #[serde(default)]
    within: Option<String>,
    #[serde(default)]
    rates: Vec<RateParams>,
    #[serde(default)]
    liquidation_fee: Option<String>,
    #[serde(default)]
    statements: Option<Duration>,
    #[serde(default)]
    quotes: Vec<String>,
    #[serde(default)]
    trades: Vec<String>,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    quotes_of: Vec<String>,
    #[serde(default)]
    funding: Vec<String>,
    #[serde(default)]
    conversions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CurrencyParams {
    code: String,
    #[serde(default = "sixteen")]
    decimals: Decimals,
    #[serde(default)]
    cash: Option<String>,
}

/// Enough for prices and quantities with 8 decimals each.
fn sixteen() -> Decimals {
    const { Decimals::new(16).unwrap() }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContractParams {
    instrument: Instrument,
    exchange: String,
    #[serde(default)]
    settlement: Option<String>,
    #[serde(default)]
    margin: Option<MarginParams>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MarginParams {
    mode: MarginMode,
    initial: String,
    maintenance: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateParams {
    of: String,
    within: String,
    rate: String,
}

/// The numbers of currencies by their codes.
type Codes = BTreeMap<String, CurrencyId>;

fn portfolio(params: PortfolioParams, scene: &mut Scene<'_, PortfolioActor>) -> Result<PortfolioActor, SceneError> {
    kinds::hear(scene, &params.quotes, &params.trades, &params.events)?;
    kinds::subscribe::<Funding, _>(scene, &params.funding)?;
    kinds::subscribe::<ConversionRate, _>(scene, &params.conversions)?;
    for name in &params.quotes_of {
        let exchange = scene.addr::<Exchange>(name)?;
        scene.linked(name)?;
        scene.subscribe_to::<Quote, _>(exchange);
    }
    let mut portfolio = Portfolio::new(params.keeping);
    let codes = accounts(&mut portfolio, &params.currencies)?;
    scene.note(Accounts(portfolio.currencies().map(|(_, currency)| currency.clone()).collect()));
    let within = match (&params.within, params.currencies.first()) {
        (Some(code), _) => known(&codes, code)?,
        (None, Some(first)) => known(&codes, &first.code)?,
        (None, None) => {
            return Err(SceneError::param("currencies", "names none").with_help("add one, such as (code: \"USD\", cash: \"1000\")"));
        }
    };
    for RateParams { of, within, rate } in &params.rates {
        const EIGHT: Decimals = Decimals::EIGHT;
        let price = Price::parse(rate, EIGHT).map_err(|error| unreadable("rate", rate, error))?;
        let (of, within) = (known(&codes, of)?, known(&codes, within)?);
        portfolio.set_rate(of, within, (price, EIGHT)).map_err(|error| SceneError::value(rate, error.to_string()))?;
    }
    let mut routes = Vec::new();
    for (index, contract) in params.contracts.iter().enumerate() {
        routes.push(listed(&mut portfolio, &codes, (contract, index), scene)?);
    }
    let onward = params.contracts.iter().map(|it| (it.instrument.id, (it.instrument.symbol.clone(), Some(it.exchange.clone()))));
    scene.note(Takes(onward.collect()));
    let fee = params.liquidation_fee.as_ref().map(|fee| parts("liquidation_fee", fee)).transpose()?.unwrap_or_default();
    let fault = |error: PortfolioError| SceneError::param("contracts", format!("cannot be traded: {error}"));
    let actor = PortfolioActor::new(portfolio, within, None).and_then(|actor| actor.trading(routes, fee)).map_err(fault)?;
    match params.statements {
        Some(every) if every.is_positive() => Ok(actor.statements(every)),
        Some(_) => Err(SceneError::param("statements", "must be longer than \"0s\"")),
        None => Ok(actor),
    }
}

/// Opens the accounts, and pays in what there is to begin with.
fn accounts(portfolio: &mut Portfolio, currencies: &[CurrencyParams]) -> Result<Codes, SceneError> {
    let mut codes = Codes::new();
    for (number, CurrencyParams { code, decimals, cash }) in (0..).zip(currencies) {
        let id = CurrencyId(number);
        let fault = |error: PortfolioError| SceneError::value(code, format!("there can be no account in `{code}`: {error}"));
        if codes.insert(code.clone(), id).is_some() {
            return Err(SceneError::value(code, format!("there are two accounts in `{code}`")).with_help("name each currency once"));
        }
        portfolio.add_currency(id, Currency { code: code.clone(), decimals: *decimals }).map_err(fault)?;
        if let Some(cash) = cash {
            let amount = kinds::money("cash", cash, u32::from(decimals.count())).map_err(|_| not_an_amount(cash, *decimals))?;
            if amount.0 < 0 {
                let error = SceneError::param(
                    &format!("currencies.{number}.cash"),
                    format!("is `{cash}`, but no less than nothing can be paid in"),
                );
                return Err(error.with_help("give an amount that is not below zero, such as \"1000\""));
            }
            portfolio.pay_in(id, amount.0).map_err(fault)?;
        }
    }
    Ok(codes)
}

/// Adds a contract, and tells where it is traded.
fn listed(
    portfolio: &mut Portfolio,
    codes: &Codes,
    (contract, index): (&ContractParams, usize),
    scene: &mut Scene<'_, PortfolioActor>,
) -> Result<PortfolioRoute, SceneError> {
    let ContractParams { instrument, exchange, settlement, margin } = contract;
    let fault = |cause: String| SceneError::value(&instrument.symbol, format!("`{}` {cause}", instrument.symbol));
    instrument.check().map_err(fault)?;
    let settlement = known(codes, settlement.as_ref().unwrap_or(&instrument.quote_currency)).map_err(|error| match settlement {
        None if instrument.quote_currency.is_empty() => {
            fault("names no currency in which it is settled".to_owned()).with_help("give its `settlement`, such as \"USD\"")
        }
        _ => error,
    })?;
    let margin = margin.as_ref().map(|MarginParams { mode, initial, maintenance }| {
        Ok::<_, SceneError>(Margin { mode: *mode, initial: parts("initial", initial)?, maintenance: parts("maintenance", maintenance)? })
    });
    let contract = Contract::of(instrument, settlement, margin.transpose()?);
    portfolio.add_contract(instrument.id, contract).map_err(|error| fault(format!("cannot be kept: {error}")))?;
    declare(scene, instrument)?;
    let at = move |field| format!("contracts.{index}.{field}");
    if exchange == scene.name() {
        let error = SceneError::param(&at("exchange"), "names the portfolio itself: orders would never come to an exchange");
        return Err(error.with_help("name an exchange"));
    }
    let venue = wiring::venue::<OrderRequest, _>(scene, exchange)?;
    wiring::taken(scene, exchange, instrument, move |cause| SceneError::param(&at("instrument"), cause));
    wiring::ends(scene, exchange, instrument.id, move |cause| SceneError::param(&at("exchange"), cause));
    Ok(PortfolioRoute { instrument: instrument.clone(), venue })
}

fn known(codes: &Codes, code: &str) -> Result<CurrencyId, SceneError> {
    codes.get(code).copied().ok_or_else(|| {
        let known = codes.keys().map(String::as_str);
        let error = SceneError::value(code, format!("the portfolio has no account in `{code}`"));
        error.with_help(suggest::help(code, known).unwrap_or_else(|| "add it to `currencies`".to_owned()))
    })
}

fn parts(param: &str, text: &str) -> Result<Parts, SceneError> {
    let parts = Parts::parse(text).map_err(|error| unreadable(param, text, error))?;
    if (0..=Parts::WHOLE.0).contains(&parts.0) {
        return Ok(parts);
    }
    Err(SceneError::value(text, format!("`{param}` is `{text}`, which is no part of a whole")).with_help("give 0 to 1, such as \"0.005\""))
}

fn unreadable(param: &str, text: &str, error: DecimalError) -> SceneError {
    SceneError::value(text, format!("`{param}` is `{text}`, which {error}")).with_help(error.help())
}

fn not_an_amount(cash: &str, decimals: Decimals) -> SceneError {
    let most = decimals.count().min(8);
    let help = format!("give an amount with at most {most} decimals, such as \"1000\"");
    SceneError::value(cash, format!("`cash` is `{cash}`, which is no amount")).with_help(help)
}
