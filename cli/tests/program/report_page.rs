//! The page of a report in a browser: Chromium without a window, on what the page says of itself. Skipped where there is none.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::place::{Place, repository};

/// Goes before all other scripts of the page.
const WATCH: &str = "<script>window.faults = []; for (const of of ['error', 'securitypolicyviolation']) addEventListener(of, (event) => faults.push(String(event.message || event.violatedDirective)));</script>";

/// Goes to the page's end: uses it, and tells the page around it what it saw.
const PROBE: &str = r#"<script>
const charts = [...document.querySelectorAll("figure.chart[data-chart]")].map((figure) => {
  const svg = figure.querySelector("svg.plot");
  const drawn = [...svg.querySelectorAll("path.line")].map((path) => path.getAttribute("d").length);
  const box = svg.getBoundingClientRect();
  return { id: figure.dataset.chart, drawn, marks: svg.querySelectorAll("use").length, bars: svg.querySelectorAll("rect.bar").length,
    width: box.width, label: svg.getAttribute("aria-label"), role: svg.getAttribute("role"), text: parseFloat(getComputedStyle(svg.querySelector("text")).fontSize) };
});
const first = document.querySelector("figure.chart svg.plot");
const box = first.getBoundingClientRect();
const tip = document.getElementById("tip");
first.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + box.width - 1, clientY: box.top + 5, bubbles: true }));
const hovered = tip.hidden ? null : tip.innerText;
first.dispatchEvent(new PointerEvent("pointerleave"));
first.dispatchEvent(new KeyboardEvent("keydown", { key: "Home" }));
const keyed = tip.hidden ? null : tip.innerText;
first.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
const background = () => getComputedStyle(document.body).backgroundColor;
const before = background();
document.getElementById("theme").click();
const after = background();
const cells = [...document.querySelectorAll("[data-path]")].map((cell) => [cell.dataset.path, cell.dataset.unit || "text", cell.textContent]);
const lines = [...document.querySelectorAll(".tile > *")].map((part) => Math.round(part.getBoundingClientRect().height / parseFloat(getComputedStyle(part).lineHeight)));
const statistics = document.querySelector("section[id=statistics] .scroll");
const hidden_by = statistics.scrollWidth - statistics.clientWidth;
parent.postMessage({ lines, hidden_by, faults, charts, hovered, keyed, hidden: tip.hidden, before, after, cells, wide: document.documentElement.scrollWidth, inner: innerWidth }, "*");
</script>"#;

fn chromium() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    })
}

/// What the page of the report in `out` says of itself in a frame of this width.
fn look(place: &Place, browser: &str, width: u32, is_dark: bool) -> Json {
    let page = fs::read_to_string(place.path("out/report.html")).expect("a page");
    let page = page.replace("<head>", &format!("<head>{WATCH}")).replace("</body>", &format!("{PROBE}</body>"));
    fs::write(place.path("probed.html"), page).expect("a file");
    let frame = format!(
        r#"<!doctype html><meta name="color-scheme" content="light dark"><pre id="seen"></pre><script>addEventListener("message", (event) => document.getElementById("seen").textContent = JSON.stringify(event.data));</script><iframe src="probed.html" style="width:{width}px;height:844px;border:0"></iframe>"#
    );
    fs::write(place.path("frame.html"), frame).expect("a file");
    let profile = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]);
    command.args([
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--window-size=1300,900",
    ]);
    command.args(["--enable-logging=stderr", "--virtual-time-budget=10000", "--dump-dom"]);
    command.arg(format!("--blink-settings=preferredColorScheme={}", if is_dark { 0 } else { 1 }));
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(format!("file://{}", place.path("frame.html").display()));
    let output = command.output().expect("the browser starts");
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let said: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(said.is_empty(), "the console has {said:?}");
    let seen = dom.split("<pre id=\"seen\">").nth(1).and_then(|rest| rest.split("</pre>").next()).expect("a frame");
    let seen = seen.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u{a0}").replace("&amp;", "&");
    serde_json::from_str(&seen).unwrap_or_else(|error| panic!("{error}: {seen:?}\n{log}"))
}

/// The number that a cell shows, and by how much it may be off.
fn number(text: &str, unit: &str) -> (f64, f64) {
    let (digits, suffix) = text.split_once(' ').unwrap_or((text, ""));
    let factor = match (unit, suffix) {
        ("fraction", "%") => 0.01,
        ("span", suffix) => {
            let units = [("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("min", 6e10), ("h", 3.6e12), ("d", 8.64e13)];
            units.iter().find(|(name, _)| *name == suffix).expect("a unit of time").1
        }
        _ => 1.0,
    };
    let plain = digits.replace(',', "");
    let value: f64 = plain.parse().unwrap_or_else(|_| panic!("`{text}` is no number"));
    let last = match plain.split_once('e') {
        Some(_) => value.abs() * 0.01,
        None if unit == "span" => 0.01,
        None => plain.split_once('.').map_or(1.0, |(_, decimals)| format!("1e-{}", decimals.len()).parse().expect("a number")),
    };
    (value * factor, last * factor * 0.500_001)
}

fn check_cells(report: &Json, seen: &Json) {
    let cells = seen["cells"].as_array().expect("a list");
    assert!(cells.len() > 50, "{} cells", cells.len());
    for cell in cells {
        let [path, unit, text] = [0, 1, 2].map(|part| cell[part].as_str().expect("a text"));
        let value = report.pointer(path).unwrap_or_else(|| panic!("{path} is not in report.json"));
        match value {
            Json::Null => assert_eq!(text, "–", "{path}"),
            Json::String(expected) => assert_eq!(text, expected, "{path}"),
            value => {
                let ((shown, off), expected) = (number(text, unit), value.as_f64().expect("a number"));
                assert!((shown - expected).abs() <= off, "{path} is {expected} and shown as {text}");
            }
        }
    }
}

fn check(scenario: &str, charts: &[&str]) {
    let Some(browser) = chromium() else {
        println!("skipped: no chromium to look at the page of a report with");
        return;
    };
    let place = Place::new(&[]);
    let ran = place.run(&["run", scenario, "--report", "out"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let report: Json = serde_json::from_str(&fs::read_to_string(place.path("out/report.json")).expect("a report")).expect("JSON");
    let mut backgrounds = Vec::new();
    for (width, is_dark) in [(1200, false), (1200, true), (390, false)] {
        let seen = look(&place, browser, width, is_dark);
        assert_eq!(seen["faults"].as_array().map(Vec::len), Some(0), "{}", seen["faults"]);
        assert_eq!(
            (seen["inner"].as_u64(), seen["wide"].as_u64()),
            (Some(width.into()), Some(width.into())),
            "nothing is wider than the page"
        );
        let is_one_line = |lines: &Json| lines.as_u64() == Some(1);
        assert!(seen["lines"].as_array().is_some_and(|lines| lines.len() == 18 && lines.iter().all(is_one_line)), "{}", seen["lines"]);
        // Many columns are moved under the names of their rows; one has room on a phone.
        let is_one = report["strategies"].as_array().is_some_and(|strategies| strategies.len() == 1);
        assert!(!is_one || seen["hidden_by"] == 0, "{} of the statistics at {width}", seen["hidden_by"]);
        for id in charts {
            let chart = seen["charts"].as_array().and_then(|all| all.iter().find(|chart| chart["id"] == **id));
            let chart = chart.unwrap_or_else(|| panic!("no chart `{id}`"));
            let drawn =
                chart["drawn"].as_array().is_some_and(|paths| paths.iter().all(|length| length.as_u64() > Some(10)) && !paths.is_empty());
            assert!(drawn || chart["bars"].as_u64() > Some(0), "{chart}");
            assert!(chart["role"] == "img" && chart["label"].as_str().is_some_and(|label| label.contains("values from")), "{chart}");
            assert!(chart["width"].as_f64() > Some(f64::from(width) * 0.3) && chart["text"].as_f64() >= Some(12.0), "{chart}");
        }
        // The end of the equity is under the pointer at the right edge, its beginning at the key Home.
        let shown = |text: &Json| text.as_str().unwrap_or_default().lines().find_map(|line| line.replace(',', "").parse::<f64>().ok());
        let equity = report["total"]["equity"].as_array().expect("a list");
        for (text, expected) in [(&seen["hovered"], equity.last()), (&seen["keyed"], equity.first())] {
            let expected = expected.and_then(Json::as_f64).expect("a number");
            assert!(shown(text).is_some_and(|shown| (shown - expected).abs() < 0.06), "{text} is not {expected}");
        }
        assert_eq!(seen["hidden"], true, "Escape hides what is shown");
        check_cells(&report, &seen);
        backgrounds.push((seen["before"].clone(), seen["after"].clone()));
    }
    let (light, dark) = backgrounds[0].clone();
    assert_ne!(light, dark, "the button switches");
    assert_eq!(backgrounds[1..], [(dark.clone(), light.clone()), (light, dark)]);
}

#[test]
fn the_page_of_the_quickstart() {
    let scenario = repository("examples/scenarios/quickstart.ron");
    check(
        &scenario.display().to_string(),
        &["equity", "drawdown", "profits", "price-0", "price-2", "position-0", "answer_latency-0", "rates"],
    );
}

#[test]
fn the_page_of_the_portfolio() {
    let scenario = repository("examples/scenarios/portfolio.ron");
    check(&scenario.display().to_string(), &["equity", "account-0-equity", "account-0-margin", "account-0-fees", "price-0", "position-0"]);
}

#[test]
fn the_page_of_the_market_maker() {
    let scenario = repository("examples/scenarios/market-maker.ron");
    check(&scenario.display().to_string(), &["equity", "drawdown", "price-0", "position-0", "answer_latency-0", "fill_latency-0", "rates"]);
}
