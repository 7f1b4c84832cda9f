//! The page of a report, drawn from its figures. Invariant: each cell names the figure it shows (`data-path`, a JSON pointer into `report.json`).

mod accounts;

use serde_json::Value as Json;
use stillpoint_engine::Instant;

use super::capture::Kept;
use super::figures::SHOWN_FILLS;
use super::glossary::{Entry, GROUPS, LATENCIES, Unit};
use crate::chart::{Axis, Chart, HeatMap, MOST_POINTS, Page, Section, Series, Shape, escaped, number, span, thinned};
use crate::numbers::grouped;

/// More kinds of messages than colours: the rest are one.
const KINDS: usize = 7;
/// At most so many positions and markets are drawn; the tables have all.
const DRAWN: usize = 16;

/// The whole page.
pub(super) fn page(figures: &Json, kept: &Kept) -> Page {
    let draw = Draw { figures, kept, origin: kept.first.unwrap_or(Instant::EPOCH) };
    let sections = [
        ("Equity", draw.equity()),
        ("Statistics", draw.statistics()),
        ("Accounts", draw.accounts()),
        ("Prices and fills", draw.prices()),
        ("Positions", draw.positions()),
        ("Latency", draw.latencies()),
        ("Events", draw.rates()),
        ("Fills", draw.fills()),
        ("Orders", draw.orders()),
        ("Results of actors", draw.actors()),
        ("Glossary", draw.glossary()),
    ];
    let sections = sections.into_iter().filter(|(_, body)| !body.is_empty()).map(|(title, body)| Section::new(title, body));
    Page { title: draw.text("/scenario/name").to_owned(), head: draw.head(), sections: sections.collect() }
}

struct Draw<'d> {
    figures: &'d Json,
    kept: &'d Kept,
    origin: Instant,
}

impl<'d> Draw<'d> {
    fn at(&self, path: &str) -> &'d Json {
        self.figures.pointer(path).unwrap_or(&Json::Null)
    }

    fn text(&self, path: &str) -> &'d str {
        self.at(path).as_str().unwrap_or_default()
    }

    fn list(&self, path: &str) -> &'d [Json] {
        self.at(path).as_array().map_or(&[], Vec::as_slice)
    }

    fn numbers(&self, path: &str) -> Vec<Option<f64>> {
        self.list(path).iter().map(Json::as_f64).collect()
    }

    fn axis(&self) -> Axis {
        Axis::Time { origin: self.origin }
    }

    /// A figure that says which one it is.
    fn figure(&self, element: &str, path: &str, unit: Unit) -> String {
        let value = self.at(path);
        let shown = value.as_f64().map_or_else(|| "–".to_owned(), |value| shown(value, unit));
        let class = match (unit, value.as_f64()) {
            (Unit::Money | Unit::Amount | Unit::Fraction, Some(value)) if value < 0.0 => " class=\"bad\"",
            _ => "",
        };
        format!("<{element}{class} data-path=\"{}\" data-unit=\"{}\">{shown}</{element}>", escaped(path), unit.tag())
    }

    fn head(&self) -> String {
        let mut html = String::from("<ul class=\"facts\">");
        let mut fact = |name: &str, value: String| html.push_str(&format!("<li>{name} <b>{value}</b></li>"));
        let (first, last) = (self.text("/observed/first"), self.text("/observed/last"));
        fact("virtual time", format!("{} to {}", escaped(first), escaped(last)));
        fact("seed", self.at("/scenario/seed").to_string());
        for (name, path) in [("events", "/run/events"), ("deliveries", "/run/deliveries"), ("dead letters", "/run/dead_letters")] {
            fact(name, self.figure("span", path, Unit::Count));
        }
        fact("trace hash", format!("<code data-path=\"/run/trace_hash\">{}</code>", self.text("/run/trace_hash")));
        fact("by", escaped(self.text("/program")));
        html.push_str("</ul>\n");
        let mut warn = |text: &str| html.push_str(&format!("<p class=\"warning\">{}</p>\n", escaped(text)));
        match self.text("/run/end") {
            "interrupted" => warn("The run was interrupted: this is what was run so far."),
            "failed" => warn(&format!("The run failed, this is what was run before: {}", self.text("/error"))),
            _ => {}
        }
        if self.at("/restored") == true {
            warn("The run went on from a saved state: what was before is not in this report.");
        }
        self.list("/notes").iter().filter_map(Json::as_str).for_each(warn);
        if !self.at("/total").is_null() {
            html.push_str(&self.tiles());
        }
        html
    }

    /// Where the figures of the only account are, if there is one.
    fn only_account(&self) -> Option<String> {
        let [portfolio] = self.list("/portfolios") else { return None };
        let is_only = portfolio["accounts"].as_array().is_some_and(|accounts| accounts.len() == 1);
        (is_only && portfolio["accounts"][0]["capital"].is_f64()).then(|| "/portfolios/0/accounts/0".to_owned())
    }

    /// What it came to: of the account that the strategies trade in, if there is one, else of the strategies on their capital.
    fn tiles(&self) -> String {
        let account = self.only_account();
        let (of, on) = (account.as_deref().unwrap_or("/total"), if account.is_some() { "account of" } else { "capital of" });
        let currency = match self.text("/currency") {
            "" => String::new(),
            code => format!(", {}", escaped(code)),
        };
        let mut html = String::from("<div class=\"tiles\">");
        for (name, of, key, unit, (below, below_key, below_unit)) in [
            ("Net profit", of, "profit", Unit::Money, ("fees", "fees", Unit::Money)),
            ("Return", of, "total_return", Unit::Fraction, (on, "capital", Unit::Money)),
            ("Sharpe ratio", of, "sharpe", Unit::Ratio, ("Sortino", "sortino", Unit::Ratio)),
            ("Maximum drawdown", of, "max_drawdown", Unit::Fraction, ("for", "max_drawdown_span", Unit::Span)),
            ("Fills", "/total", "fills", Unit::Count, ("orders", "orders", Unit::Count)),
            ("Hit rate", "/total", "hit_rate", Unit::Fraction, ("round trips", "round_trips", Unit::Count)),
        ] {
            let unit_of = if unit == Unit::Money { currency.as_str() } else { "" };
            let (main, more) = (self.figure("b", &format!("{of}/{key}"), unit), self.figure("i", &format!("{of}/{below_key}"), below_unit));
            html.push_str(&format!("<div class=\"tile\"><span>{name}{unit_of}</span>{main}<small>{below} {more}</small></div>"));
        }
        html.push_str("</div>\n");
        html
    }

    /// The samples of a list as points.
    fn samples(&self, path: &str, of: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        let step = self.at("/sampling/step_ns").as_f64().unwrap_or(1.0);
        let end = self.kept.last.map_or(f64::INFINITY, |last| self.since(last));
        let values = self.numbers(path).into_iter().enumerate();
        values.filter_map(|(index, value)| Some(((index as f64 * step).min(end), of(value?)))).collect()
    }

    fn chart(&self, id: &str, title: String, unit: &str, height: u32, series: Vec<Series>) -> String {
        let y = Axis::Number { unit: unit.to_owned(), from_zero: false };
        Chart { title, id: id.to_owned(), x: self.axis(), y, height, series }.figure()
    }

    fn equity(&self) -> String {
        let equity = self.samples("/total/equity", |value| value);
        if equity.is_empty() {
            return String::new();
        }
        let currency = self.text("/currency");
        let series = |name: &str, shape, colour, points| Series { name: name.to_owned(), shape, colour, points };
        let mut peak = f64::NEG_INFINITY;
        let drawdown = equity.iter().map(|(x, value)| {
            peak = peak.max(*value);
            (*x, if peak > 0.0 { (value - peak) / peak * 100.0 } else { 0.0 })
        });
        let drawdown: Vec<(f64, f64)> = drawdown.collect();
        let end = |of: &str| equity.get(usize::try_from(self.at(&format!("/total/deepest/{of}")).as_u64()?).ok()?).copied();
        let ends: Vec<(f64, f64)> = ["peak", "trough"].iter().filter_map(|of| end(of)).collect();
        let mut lines = vec![series("equity", Shape::Line, 0, equity)];
        if !ends.is_empty() {
            lines.push(series("maximum drawdown, from and to", Shape::Dots, 1, ends));
        }
        let mut html = self.chart("equity", "Equity of the strategies, on their capital".to_owned(), currency, 260, lines);
        html.push_str(&self.chart(
            "drawdown",
            "Drawdown".to_owned(),
            "% below the peak",
            130,
            vec![series("drawdown", Shape::Area, 1, drawdown)],
        ));
        let strategies = self.list("/strategies");
        if strategies.len() > 1 {
            let profits = strategies.iter().enumerate().take(DRAWN).map(|(index, strategy)| {
                let capital = strategy["capital"].as_f64().unwrap_or(0.0);
                let points = self.samples(&format!("/strategies/{index}/equity"), |value| value - capital);
                series(strategy["name"].as_str().unwrap_or_default(), Shape::Line, index, points)
            });
            html.push_str(&self.chart("profits", "Profit by strategy".to_owned(), currency, 230, profits.collect()));
        }
        let step = self.at("/sampling/step_ns").as_f64().unwrap_or(0.0);
        html.push_str(&format!(
            "<p class=\"soft\">Sampled every {} of virtual time; a year has {} such steps. What is held is valued at the last mid, else at the last trade, bar or fill.</p>",
            span(step),
            number(self.at("/sampling/samples_a_year").as_f64().unwrap_or(0.0), 0)
        ));
        html
    }

    /// The figures of all strategies, a column for each.
    fn statistics(&self) -> String {
        if self.at("/total").is_null() {
            return String::new();
        }
        let mut columns = vec![("All".to_owned(), "/total".to_owned())];
        let strategies = self.list("/strategies");
        if strategies.len() == 1 {
            columns.clear();
        }
        let named = strategies.iter().enumerate();
        columns.extend(
            named.map(|(index, strategy)| (escaped(strategy["name"].as_str().unwrap_or_default()), format!("/strategies/{index}"))),
        );
        let heads: String = columns.iter().map(|(name, _)| format!("<th scope=\"col\">{name}</th>")).collect();
        let mut html = format!("<div class=\"scroll\"><table><thead><tr><th></th>{heads}</tr></thead><tbody>\n");
        for group in &GROUPS {
            html.push_str(&format!(
                "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"{}\">{}</th></tr>\n",
                columns.len() + 1,
                group.name
            ));
            for Entry { key, name, unit, formula } in group.entries {
                html.push_str(&format!("<tr><th scope=\"row\" title=\"{}\">{}</th>", escaped(formula), escaped(name)));
                columns.iter().for_each(|(_, path)| html.push_str(&self.figure("td", &format!("{path}/{key}"), *unit)));
                html.push_str("</tr>\n");
            }
        }
        html.push_str("</tbody></table></div>\n");
        html.push_str(&self.correlations());
        html
    }

    fn correlations(&self) -> String {
        let names: Vec<String> =
            self.list("/strategies").iter().filter_map(|strategy| strategy["name"].as_str().map(str::to_owned)).collect();
        if names.len() < 2 || names.len() > 40 {
            return String::new();
        }
        let values = (0..names.len()).map(|row| self.numbers(&format!("/correlations/{row}"))).collect();
        let map = HeatMap {
            title: "Correlation of the returns of strategies".to_owned(),
            x_label: "strategy".to_owned(),
            y_label: "strategy".to_owned(),
            x: names.clone(),
            y: names,
            values,
        };
        map.figure()
    }

    fn since(&self, at: Instant) -> f64 {
        at.since(self.origin).as_nanos() as f64
    }

    /// A panel for each instrument that has a price, those that are traded first.
    fn prices(&self) -> String {
        let instruments = self.list("/instruments").iter().enumerate().filter(|(_, instrument)| !instrument["last"].is_null());
        let (traded, others): (Vec<_>, Vec<_>) = instruments
            .partition(|(_, instrument)| !self.fills_of(instrument, true).is_empty() || !self.fills_of(instrument, false).is_empty());
        let all: Vec<_> = traded.into_iter().chain(others).collect();
        let mut html: String = all.iter().take(DRAWN).map(|(index, instrument)| self.price(*index, instrument)).collect();
        if all.len() > DRAWN {
            html.push_str(&format!("<p class=\"soft\">The first {DRAWN} of {} instruments.</p>", all.len()));
        }
        html
    }

    fn fills_of(&self, instrument: &Json, bought: bool) -> Vec<(f64, f64)> {
        let side = if bought { stillpoint_actors::Side::Buy } else { stillpoint_actors::Side::Sell };
        let is_of = |account: usize| json_id(instrument) == Some(self.kept.markets[self.kept.accounts[account].market].instrument.id.0);
        let fills = self.kept.fills.iter().filter(|fill| fill.side == side && is_of(fill.account));
        let decimals = |account: usize| self.kept.markets[self.kept.accounts[account].market].instrument.price_decimals;
        thinned(&fills.map(|fill| (self.since(fill.at), fill.price.to_f64(decimals(fill.account)))).collect::<Vec<_>>(), MOST_POINTS / 2)
    }

    fn price(&self, index: usize, instrument: &Json) -> String {
        let path = format!("/instruments/{index}/prices");
        let step = self.at(&format!("{path}/step_ns")).as_f64().unwrap_or(1.0);
        let [low, high, last] = ["low", "high", "last"].map(|of| self.numbers(&format!("{path}/{of}")));
        let mut line = Vec::new();
        for (place, ((low, high), last)) in low.iter().zip(&high).zip(&last).enumerate() {
            let (Some(low), Some(high), Some(last)) = (low, high, last) else { continue };
            let (first, second) = if last - low > high - last { (*low, *high) } else { (*high, *low) };
            line.push(((place as f64 + 0.25) * step, first));
            if low < high {
                line.push(((place as f64 + 0.75) * step, second));
            }
        }
        let symbol = instrument["symbol"].as_str().unwrap_or_default();
        let of = instrument["price_of"].as_str().unwrap_or_default();
        let mut series = vec![Series { name: of.to_owned(), shape: Shape::Line, colour: 7, points: line }];
        for (name, shape, colour, bought) in [("buys", Shape::Up, 0, true), ("sells", Shape::Down, 1, false)] {
            let points = self.fills_of(instrument, bought);
            if !points.is_empty() {
                series.push(Series { name: name.to_owned(), shape, colour, points });
            }
        }
        let currency = instrument["currency"].as_str().filter(|currency| !currency.is_empty()).unwrap_or(self.text("/currency"));
        self.chart(&format!("price-{index}"), symbol.to_owned(), currency, 260, series)
    }

    fn positions(&self) -> String {
        let kept = self.kept;
        let mut html = String::new();
        let mut held: Vec<usize> = (0..kept.accounts.len()).collect();
        held.retain(|account| kept.fills.iter().any(|fill| fill.account == *account));
        held.sort_by_key(|account| (kept.owner(*account), *account));
        let names: Vec<&Json> = self.list("/strategies").iter().map(|strategy| &strategy["name"]).collect();
        for account in held.into_iter().take(DRAWN) {
            let colour = names.iter().position(|name| **name == kept.owner(account)).unwrap_or(0);
            let instrument = &kept.markets[kept.accounts[account].market].instrument;
            let (mut quantity, mut points) = (0i64, vec![(0.0, 0.0)]);
            for fill in kept.fills.iter().filter(|fill| fill.account == account) {
                quantity += fill.side.sign() * fill.quantity.0;
                points.push((self.since(fill.at), stillpoint_actors::Quantity(quantity).to_f64(instrument.quantity_decimals)));
            }
            let end = points.last().map_or(0.0, |last| last.1);
            points.extend(kept.last.map(|last| (self.since(last), end)));
            let title = format!("{} · {}", kept.owner(account), instrument.symbol);
            let series = vec![Series { name: "position".to_owned(), shape: Shape::Step, colour, points }];
            html.push_str(&self.chart(&format!("position-{account}"), title, "", 150, series));
        }
        if html.is_empty() { html } else { format!("<div class=\"columns\">{html}</div>") }
    }

    fn latencies(&self) -> String {
        let mut rows = String::new();
        let mut charts = String::new();
        for (index, strategy) in self.list("/strategies").iter().enumerate() {
            let name = strategy["name"].as_str().unwrap_or_default();
            for (what, key) in [("sent to first answer", "answer_latency"), ("sent to first fill", "fill_latency")] {
                let path = format!("/strategies/{index}/{key}");
                if self.at(&format!("{path}/count")).as_u64().unwrap_or(0) == 0 {
                    continue;
                }
                let cells: String = LATENCIES.iter().map(|entry| self.figure("td", &format!("{path}/{}", entry.key), entry.unit)).collect();
                rows.push_str(&format!("<tr><th scope=\"row\">{}</th><td class=\"text\">{what}</td>{cells}</tr>\n", escaped(name)));
                if index < DRAWN {
                    charts.push_str(&self.histogram(&format!("{key}-{index}"), format!("{name}: {what}"), &path, index));
                }
            }
        }
        if rows.is_empty() {
            return rows;
        }
        let heads: String =
            LATENCIES.iter().map(|entry| format!("<th scope=\"col\" title=\"{}\">{}</th>", escaped(entry.formula), entry.name)).collect();
        format!(
            "<p class=\"soft\">From the instant in which a strategy sent an order to the instant in which it heard of it, in virtual time.</p><div class=\"columns\">{charts}</div><div class=\"scroll\"><table><thead><tr><th></th><th></th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        )
    }

    fn histogram(&self, id: &str, title: String, path: &str, colour: usize) -> String {
        let bins = self.list(&format!("{path}/histogram"));
        let of = |bin: &Json, key: &str| bin[key].as_f64().unwrap_or(0.0);
        let points = bins.iter().map(|bin| (of(bin, "from_ns"), of(bin, "count"))).collect();
        let ends = bins.iter().map(|bin| of(bin, "to_ns")).collect();
        let y = Axis::Number { unit: "orders".to_owned(), from_zero: true };
        let series = vec![Series { name: "orders".to_owned(), shape: Shape::Bars { ends }, colour, points }];
        Chart { title, id: id.to_owned(), x: Axis::Span, y, height: 150, series }.figure()
    }

    fn rates(&self) -> String {
        let Some(kinds) = self.at("/rates/kinds").as_object() else { return String::new() };
        let step = self.at("/rates/step_ns").as_f64().unwrap_or(1.0);
        let counts =
            |value: &Json| value.as_array().map_or(Vec::new(), |counts| counts.iter().map(|count| count.as_f64().unwrap_or(0.0)).collect());
        let mut all: Vec<(&str, Vec<f64>)> = kinds.iter().map(|(kind, value)| (kind.as_str(), counts(value))).collect();
        all.sort_by(|a, b| b.1.iter().sum::<f64>().total_cmp(&a.1.iter().sum()));
        let rest = all.split_off(all.len().min(KINDS));
        if let Some((_, first)) = rest.first() {
            let sum = |place: usize| rest.iter().map(|(_, counts)| counts[place]).sum();
            all.push(("others", (0..first.len()).map(sum).collect()));
        }
        let series = all.into_iter().enumerate().map(|(colour, (kind, counts))| {
            let points: Vec<(f64, f64)> = counts.iter().enumerate().map(|(place, count)| (place as f64 * step, *count)).collect();
            let ends = points.iter().map(|(x, _)| x + step).collect();
            Series { name: kind.to_owned(), shape: Shape::Bars { ends }, colour, points }
        });
        let y = Axis::Number { unit: format!("deliveries in {}", span(step)), from_zero: true };
        Chart { title: "Deliveries by kind".to_owned(), id: "rates".to_owned(), x: self.axis(), y, height: 220, series: series.collect() }
            .figure()
    }

    fn fills(&self) -> String {
        let rows = self.list("/fills/first");
        let columns = ["at", "strategy", "instrument", "side", "quantity", "price", "liquidity", "fee", "order"];
        let mut html = table(&columns, rows, &["strategy", "instrument", "side", "liquidity"]);
        let count = self.at("/fills/count").as_u64().unwrap_or(0);
        if count > SHOWN_FILLS as u64 {
            html.push_str(&format!(
                "<p class=\"soft\">The first {SHOWN_FILLS} of {} fills; all are in <code>fills.csv</code>.</p>",
                grouped(count)
            ));
        }
        if count == 0 { String::new() } else { html }
    }

    fn orders(&self) -> String {
        let Some(ends) = self.at("/orders/ends").as_object().filter(|ends| !ends.is_empty()) else { return String::new() };
        let row =
            |(end, count): (&String, &Json)| format!("<tr><td>{}</td><td>{}</td></tr>", escaped(end), grouped(count.as_u64().unwrap_or(0)));
        let rows: String = ends.iter().map(row).collect();
        format!(
            "<p class=\"soft\">How orders ended; each of them is in <code>orders.csv</code>, and positions are in <code>positions.csv</code>.</p><div class=\"scroll\"><table><thead><tr><th>End</th><th>Orders</th></tr></thead><tbody>{rows}</tbody></table></div>"
        )
    }

    fn actors(&self) -> String {
        let Some(actors) = self.at("/run/result").as_object() else { return String::new() };
        let mut html = String::new();
        for (path, entries) in actors {
            let entries = entries.as_object().into_iter().flatten();
            let rows: String = entries
                .map(|(name, value)| format!("<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escaped(name), plain(value)))
                .collect();
            html.push_str(&format!(
                "<div><h3>{}</h3><div class=\"scroll\"><table><tbody>{rows}</tbody></table></div></div>",
                escaped(path)
            ));
        }
        if html.is_empty() { html } else { format!("<div class=\"columns\">{html}</div>") }
    }

    fn glossary(&self) -> String {
        let rows: String = self
            .list("/glossary")
            .iter()
            .map(|entry| {
                let text = |key: &str| escaped(entry[key].as_str().unwrap_or_default());
                format!(
                    "<tr><td>{}</td><td class=\"wrap\">{}</td><td class=\"text\">{}</td><td class=\"text\"><code>{}</code></td></tr>\n",
                    text("name"),
                    text("formula"),
                    text("unit"),
                    text("key")
                )
            })
            .collect();
        format!(
            "<div class=\"scroll\"><table><thead><tr><th>Figure</th><th class=\"text\">What it is</th><th class=\"text\">Unit</th><th class=\"text\">In report.json</th></tr></thead><tbody>\n{rows}</tbody></table></div>"
        )
    }
}

fn json_id(instrument: &Json) -> Option<u32> {
    instrument["id"].as_u64().and_then(|id| u32::try_from(id).ok())
}

/// A table of texts and of decimals as texts.
fn table(columns: &[&str], rows: &[Json], texts: &[&str]) -> String {
    let class = |column: &&str| if texts.contains(column) { " class=\"text\"" } else { "" };
    let heads: String = columns.iter().map(|column| format!("<th scope=\"col\"{}>{column}</th>", class(column))).collect();
    let cell = |row: &Json, column: &&str| match (&row[*column], *column) {
        (Json::String(decimal), "quantity" | "price" | "fee") => short(decimal).to_owned(),
        (value, _) => plain(value),
    };
    let row = |row: &Json| columns.iter().map(|column| format!("<td{}>{}</td>", class(column), cell(row, column))).collect::<String>();
    let rows: String = rows.iter().map(|values| format!("<tr>{}</tr>\n", row(values))).collect();
    format!("<div class=\"scroll\"><table><thead><tr>{heads}</tr></thead><tbody>\n{rows}</tbody></table></div>\n")
}

/// A decimal number without the zeros at its end.
fn short(decimal: &str) -> &str {
    if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { decimal }
}

/// A value as it is, long floats to six decimals.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => escaped(text),
        Json::Number(whole) if !whole.is_f64() => whole.to_string(),
        Json::Number(float) => number(float.as_f64().unwrap_or(0.0), 4),
        other => other.to_string(),
    }
}

/// A figure as people read it.
fn shown(value: f64, unit: Unit) -> String {
    let size = value.abs();
    match unit {
        Unit::Count => number(value, 0),
        Unit::Span => span(value),
        Unit::Fraction if size >= 1e7 => format!("{:.2e} %", value * 100.0),
        Unit::Fraction => {
            let decimals = match size {
                ..0.000_001 if value != 0.0 => 8,
                ..0.000_1 if value != 0.0 => 6,
                ..0.01 if value != 0.0 => 4,
                _ => 2,
            };
            format!("{} %", number(value * 100.0, decimals))
        }
        Unit::Money | Unit::Amount | Unit::Ratio if size >= 1e9 => format!("{value:.2e}"),
        Unit::Money | Unit::Amount => number(value, if size >= 10.0 || value == 0.0 { 2 } else { 4 }),
        Unit::Ratio => number(value, if size >= 1_000.0 { 0 } else { 2 }),
    }
}
