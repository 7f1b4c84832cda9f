//! The page around charts: one HTML file with its own style sheet and script.

use super::escaped;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A part of a page with a heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Section {
    pub(crate) title: String,
    /// HTML.
    pub(crate) body: String,
}

impl Section {
    /// A section of HTML.
    pub(crate) fn new(title: impl Into<String>, body: impl Into<String>) -> Self {
        Self { title: title.into(), body: body.into() }
    }
}

/// A self-contained HTML page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Page {
    pub(crate) title: String,
    /// HTML below the title, before the first section.
    pub(crate) head: String,
    pub(crate) sections: Vec<Section>,
}

impl Page {
    /// The whole file.
    pub(crate) fn html(&self) -> String {
        let title = escaped(&self.title);
        let mut html = format!(
            r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{STYLE}</style>
</head>
<body>
<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs><path id="up" d="M0-5.5L5 4H-5Z"/><path id="down" d="M0 5.5L5-4H-5Z"/><circle id="dot" r="3"/></defs></svg>
<header>
<h1>{title}</h1>
<button id="theme" type="button" aria-label="Switch between light and dark">◐</button>
</header>
<main>
"##
        );
        html.push_str(&self.head);
        html.push_str("<nav aria-label=\"Sections\">");
        for section in &self.sections {
            html.push_str(&format!("<a href=\"#{}\">{}</a>", anchor(&section.title), escaped(&section.title)));
        }
        html.push_str("</nav>\n");
        for section in &self.sections {
            let (anchor, title) = (anchor(&section.title), escaped(&section.title));
            html.push_str(&format!("<section id=\"{anchor}\">\n<h2>{title}</h2>\n{}\n</section>\n", section.body));
        }
        html.push_str(&format!("</main>\n<div id=\"tip\" role=\"status\" hidden></div>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"));
        html
    }
}

/// A title as part of an address: letters and digits in lower case, joined by hyphens.
fn anchor(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_one_file_that_reaches_for_nothing() {
        let section = Section::new("Equity & drawdown", "<p>body</p>");
        let html = Page { title: "a <b>".to_owned(), head: String::new(), sections: vec![section] }.html();
        assert!(html.contains("<title>a &lt;b&gt;</title>") && html.contains("<a href=\"#equity-drawdown\">Equity &amp; drawdown</a>"));
        // The name of SVG is no address that anything is fetched from.
        let html = html.replace("http://www.w3.org/2000/svg", "");
        for outside in ["http://", "https://", "//cdn", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
    }
}
