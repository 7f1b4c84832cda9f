//! The accounts of portfolios on the page.

use super::super::glossary::{ACCOUNTS, Entry, of_accounts};
use super::{DRAWN, Draw, Series, Shape, escaped};

/// What is drawn of an account: the name of the chart, its height, and the figures in it.
const CHARTS: [(&str, u32, &[&str]); 3] = [("equity", 200, &["equity"]), ("margin", 150, &["margin", "free"]), ("fees", 110, &["fees"])];

impl Draw<'_> {
    /// Of each portfolio what each of its currencies has come to, and the way there.
    pub(super) fn accounts(&self) -> String {
        let (mut rows, mut results, mut charts, mut is_told) = (String::new(), String::new(), String::new(), true);
        let accounts = self.list("/portfolios").iter().enumerate().flat_map(|(portfolio, of)| {
            let accounts = of["accounts"].as_array().into_iter().flatten().enumerate();
            accounts.map(move |(account, of_it)| (format!("/portfolios/{portfolio}/accounts/{account}"), &of["name"], &of_it["currency"]))
        });
        for (number, (path, name, currency)) in accounts.enumerate() {
            let title = format!("{} · {}", name.as_str().unwrap_or_default(), currency.as_str().unwrap_or_default());
            let row = |entries: &mut dyn Iterator<Item = &Entry>| {
                let cells: String = entries.map(|entry| self.figure("td", &format!("{path}/{}", entry.key), entry.unit)).collect();
                format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", escaped(&title))
            };
            rows.push_str(&row(&mut ACCOUNTS.iter()));
            results.push_str(&row(&mut of_accounts()));
            if self.list(&format!("{path}/over_time/at_ns")).len() < 2 {
                is_told = false;
            } else if number < DRAWN {
                charts.push_str(&self.account(number, &title, &path));
            }
        }
        if rows.is_empty() {
            return rows;
        }
        if !is_told {
            charts.push_str("<p class=\"soft\">What an account has is drawn over time, and measured for risk, if its portfolio writes it down: give the kind <code>portfolio</code> such as <code>statements: \"1s\"</code>.</p>");
        }
        let table = |entries: &mut dyn Iterator<Item = &Entry>, rows: &str| {
            let heads: String =
                entries.map(|entry| format!("<th scope=\"col\" title=\"{}\">{}</th>", escaped(entry.formula), entry.name)).collect();
            format!("<div class=\"scroll\"><table><thead><tr><th></th>{heads}</tr></thead><tbody>\n{rows}</tbody></table></div>\n")
        };
        format!("{charts}{}{}", table(&mut of_accounts(), &results), table(&mut ACCOUNTS.iter(), &rows))
    }

    fn account(&self, number: usize, title: &str, path: &str) -> String {
        let times = self.numbers(&format!("{path}/over_time/at_ns"));
        let currency = self.text(&format!("{path}/currency"));
        let chart = |(what, height, keys): &(&str, u32, &[&str])| {
            let figures = ACCOUNTS.iter().filter(|entry| keys.contains(&entry.key));
            let series: Vec<Series> = figures
                .enumerate()
                .map(|(colour, entry)| {
                    let values = self.numbers(&format!("{path}/over_time/{}", entry.key));
                    let points = times.iter().zip(values).filter_map(|(at, value)| Some(((*at)?, value?))).collect();
                    Series { name: entry.name.to_lowercase(), shape: Shape::Step, colour, points }
                })
                .collect();
            let names: Vec<&str> = series.iter().map(|series| series.name.as_str()).collect();
            self.chart(&format!("account-{number}-{what}"), format!("{title}: {}", names.join(", ")), currency, *height, series)
        };
        CHARTS.iter().map(chart).collect()
    }
}
