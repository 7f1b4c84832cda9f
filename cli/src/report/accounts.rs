//! What the accounts of portfolios come to: their own equity, not a capital that strategies are measured against. Invariant: between two statements
//! the equity is taken to be that of the former, and at the end what the portfolio reports.

use serde_json::{Map, Value as Json, json};
use stillpoint_engine::{Instant, Report, Value};

use super::capture::Kept;
use super::figures::{finite, performance};
use super::glossary::{ACCOUNTS, of_accounts};
use super::statements::{Account, Portfolio, Statement};

/// The accounts of a portfolio: what it reports at the end of the run, what it wrote down on the way there, and what became of its equity.
pub(super) fn accounts(kept: &Kept, portfolio: &Portfolio, report: Option<&Report>, restored: bool) -> Json {
    let of = |account: &Account| {
        let found = |key: &str| match report.and_then(|report| report.get(&format!("{} {key}", account.code()))) {
            Some(Value::Number(amount)) => Some(*amount),
            _ => None,
        };
        let at_end = |key: &str| finite(found(key));
        let mut json = Map::new();
        json.insert("currency".to_owned(), json!(account.code()));
        json.extend(ACCOUNTS.iter().map(|entry| (entry.key.to_owned(), at_end(entry.key))));
        json.extend(of_accounts().map(|entry| (entry.key.to_owned(), Json::Null)));
        let paid_in = || Some(found("balance")? - found("realised")? + found("fees")? - found("funding")? - found("covered")?);
        let first = account.told.first().map(|first| first.equity).or_else(|| paid_in().filter(|_| !restored));
        if let (Some(capital), Some(equity)) = (first, found("equity")) {
            result(kept, account, [capital, equity], &mut json);
        }
        let since = |at: Instant| json!(kept.first.map(|first| at.since(first).as_nanos()));
        let list = |of: &dyn Fn(&Statement) -> Json, last: Json| account.told.iter().map(of).chain([last]).collect::<Json>();
        let over_time = json!({
            "at_ns": list(&|told| since(told.before), kept.last.map_or(Json::Null, since)),
            "equity": list(&|told| json!(told.equity), at_end("equity")),
            "margin": list(&|told| json!(told.margin), at_end("margin")),
            "free": list(&|told| json!(told.free), at_end("free")),
            "fees": list(&|told| json!(told.fees), at_end("fees")),
        });
        json.insert("over_time".to_owned(), over_time);
        Json::Object(json)
    };
    json!({ "name": portfolio.name, "accounts": portfolio.accounts.iter().map(of).collect::<Json>() })
}

/// What an account that had `capital` at first and has `equity` at the end has brought.
fn result(kept: &Kept, account: &Account, [capital, equity]: [f64; 2], json: &mut Map<String, Json>) {
    let mut put = |key: &str, value: Json| json.insert(key.to_owned(), value);
    put("capital", json!(capital));
    put("profit", json!(equity - capital));
    if capital > 0.0 {
        put("total_return", json!(equity / capital - 1.0));
    }
    if !account.told.is_empty() {
        performance(kept, &sampled(kept, account, [capital, equity]), &mut put);
    }
}

/// The equity at each sample of the report.
fn sampled(kept: &Kept, account: &Account, [capital, equity]: [f64; 2]) -> Vec<f64> {
    let mut told = account.told.iter().peekable();
    let mut now = capital;
    let mut at = |sample: usize| {
        while let Some(statement) = told.next_if(|statement| statement.before <= kept.sampled_at(sample)) {
            now = statement.equity;
        }
        now
    };
    let last = kept.sampled.saturating_sub(1);
    (0..last).map(&mut at).chain((kept.sampled > 0).then_some(equity)).collect()
}

/// The currency of the only account of the run; `None` if there is none, or several.
pub(super) fn only_currency(kept: &Kept) -> Option<&str> {
    let mut accounts = kept.portfolios.iter().flat_map(|portfolio| &portfolio.accounts);
    accounts.next().map(Account::code).filter(|_| accounts.next().is_none())
}
