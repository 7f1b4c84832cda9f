//! The commands `ls`, `versions`, `path` and `stats`: what there is.

use serde_json::{Value as Json, json};
use stillpoint_engine::Instant;
use stillpoint_store::{AsOf, Kind, Store, Symbols, Usage, VersionInfo};

use super::Called;
use super::args::Target;
use super::name::SymbolName;
use crate::failure::{Done, Failure};
use crate::numbers::{bytes, counted, grouped};
use crate::table::{Side, table};

/// `LIBRARY/SYMBOL`
pub(super) fn shown(name: &SymbolName) -> String {
    format!("{}/{}", name.library, name.symbol)
}

/// A table with a header.
pub(super) fn headed<const N: usize>(sides: [Side; N], head: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut all = vec![head.map(str::to_owned).to_vec()];
    all.extend(rows.into_iter().map(|row| row.to_vec()));
    table(2, &sides, &all)
}

fn instants(span: Option<(Instant, Instant)>) -> (String, String) {
    span.map_or_else(|| ("-".to_owned(), "-".to_owned()), |(first, last)| (first.to_string(), last.to_string()))
}

/// Whether a library keeps rows.
pub(super) fn has_rows(kind: &Kind) -> bool {
    !matches!(kind, Kind::Document | Kind::Metadata)
}

/// Lists the libraries.
pub(super) fn libraries(called: &Called<'_>) -> Result<Done, Failure> {
    let store = called.open()?;
    let (mut rows, mut objects) = (Vec::new(), Vec::new());
    for library in store.list()? {
        let found = if has_rows(&library.kind) {
            let rows = store.rows(&library.name)?;
            Some((rows.list_symbols(&Symbols::default())?.len(), rows.stored_bytes()?))
        } else {
            None
        };
        let (symbols, held) = found.map_or(("-".to_owned(), "-".to_owned()), |(symbols, held)| (grouped(symbols as u64), bytes(held)));
        let quota = if library.quota == 0 { "none".to_owned() } else { bytes(library.quota) };
        rows.push([library.name.clone(), library.kind.to_string(), symbols, held, quota, library.created.to_string()]);
        objects.push(json!({
            "library": library.name, "kind": library.kind.to_string(), "symbols": found.map(|found| found.0), "bytes": found.map(|found| found.1),
            "quota": library.quota, "created": library.created.to_string(),
        }));
    }
    let text = || {
        let title = format!("{}: {}\n", called.place, libraries_of(rows.len()));
        let sides = [Side::Left, Side::Left, Side::Right, Side::Right, Side::Right, Side::Left];
        if rows.is_empty() { title } else { title + &headed(sides, ["library", "kind", "symbols", "size", "quota", "created"], rows) }
    };
    called.say(text, || json!({ "store": called.place.to_string(), "libraries": objects }))
}

fn libraries_of(count: usize) -> String {
    if count == 1 { "1 library".to_owned() } else { format!("{} libraries", grouped(count as u64)) }
}

/// Lists the symbols of a library.
pub(super) fn symbols(called: &Called<'_>, name: &str) -> Result<Done, Failure> {
    let store = called.open()?;
    let library = store.rows(name)?;
    let (mut rows, mut objects) = (Vec::new(), Vec::new());
    for symbol in library.list_symbols(&Symbols::default())? {
        let info = library.info(&symbol, &AsOf::Latest)?;
        let (first, last) = instants(info.span);
        rows.push([symbol.clone(), info.number.to_string(), grouped(info.rows), first, last]);
        objects.push(with_symbol(&symbol, &info));
    }
    let text = || {
        let title = format!("{name}: {}\n", counted(rows.len(), "symbol"));
        let sides = [Side::Left, Side::Right, Side::Right, Side::Left, Side::Left];
        if rows.is_empty() { title } else { title + &headed(sides, ["symbol", "version", "rows", "first", "last"], rows) }
    };
    called.say(text, || json!({ "library": name, "symbols": objects }))
}

fn with_symbol(symbol: &str, info: &VersionInfo) -> Json {
    let mut object = version_json(info);
    object["symbol"] = json!(symbol);
    object
}

fn version_json(info: &VersionInfo) -> Json {
    let columns: Vec<Json> = info.columns.iter().map(|(name, kind)| json!({ "name": name, "type": kind })).collect();
    json!({
        "version": info.number, "at": info.at.to_string(), "rows": info.rows,
        "first": info.span.map(|span| span.0.to_string()), "last": info.span.map(|span| span.1.to_string()),
        "columns": columns, "metadata": info.metadata, "snapshots": info.snapshots,
    })
}

/// Lists the versions of a symbol.
pub(super) fn versions(called: &Called<'_>, name: &SymbolName) -> Result<Done, Failure> {
    name.without_version().map_err(Failure::Input)?;
    let versions = called.open()?.rows(&name.library)?.list_versions(&name.symbol)?;
    let text = || {
        let rows = versions.iter().map(|info| {
            let (first, last) = instants(info.span);
            let metadata = info.metadata.as_ref().map_or(String::new(), Json::to_string);
            [info.number.to_string(), info.at.to_string(), grouped(info.rows), first, last, info.snapshots.join(", "), metadata]
        });
        let sides = [Side::Right, Side::Left, Side::Right, Side::Left, Side::Left, Side::Left, Side::Left];
        let head = ["version", "made", "rows", "first", "last", "snapshots", "metadata"];
        format!("{}: {}\n{}", shown(name), counted(versions.len(), "version"), headed(sides, head, rows.collect()))
    };
    called.say(text, || json!({ "symbol": shown(name), "versions": versions.iter().map(version_json).collect::<Vec<_>>() }))
}

/// Lists the files of a version. Rows that came in small appends lie in commits, which no other program reads.
pub(super) fn path(called: &Called<'_>, name: &SymbolName) -> Result<Done, Failure> {
    let library = called.open()?.rows(&name.library)?;
    let files = library.files(&name.symbol, &name.as_of)?;
    if files.iter().any(|file| !file.ends_with(".parquet")) {
        let name = shown(name);
        return Err(Failure::Work(format!(
            "some rows of {name} lie in the log, where small appends go, and in no Parquet file: run `stillpoint store compact {name}` first"
        )));
    }
    let text = || files.iter().map(|file| format!("{file}\n")).collect();
    called.say(text, || json!({ "symbol": shown(name), "files": files }))
}

/// Tells what symbols take.
pub(super) fn stats(called: &Called<'_>, target: Option<&Target>) -> Result<Done, Failure> {
    let store = called.open()?;
    let mut lines: Vec<(String, Usage)> = Vec::new();
    for (library, symbol) in meant(&store, target)? {
        lines.push((format!("{library}/{symbol}"), store.rows(&library)?.usage(&symbol)?));
    }
    let cache = store.cache_stats();
    let text = || {
        let sides = [Side::Left, Side::Right, Side::Right, Side::Right, Side::Right, Side::Right, Side::Right];
        let head = ["symbol", "rows", "size", "bytes a row", "pieces", "versions", "size of all"];
        let cells = |name: &str, usage: &Usage| {
            let (rows, pieces, versions) = (grouped(usage.rows), grouped(usage.pieces), grouped(usage.versions));
            [name.to_owned(), rows, bytes(usage.bytes), bytes_a_row(usage), pieces, versions, bytes(usage.stored_bytes)]
        };
        let mut rows: Vec<_> = lines.iter().map(|(name, usage)| cells(name, usage)).collect();
        if lines.len() > 1 {
            rows.push(cells("all", &total(&lines)));
        }
        let cached = format!(
            "cache: {} of {}, {} hits, {} misses\n",
            bytes(cache.bytes),
            bytes(cache.room),
            grouped(cache.hits),
            grouped(cache.misses)
        );
        format!("{}: {}\n{}{cached}", called.place, counted(lines.len(), "symbol"), headed(sides, head, rows))
    };
    let object = |name: &str, usage: &Usage| {
        let each = if usage.rows == 0 { Json::Null } else { json!(usage.bytes as f64 / usage.rows as f64) };
        json!({
            "symbol": name, "rows": usage.rows, "bytes": usage.bytes, "bytes_a_row": each, "pieces": usage.pieces, "versions": usage.versions,
            "stored_bytes": usage.stored_bytes,
        })
    };
    called.say(text, || {
        let symbols: Vec<Json> = lines.iter().map(|(name, usage)| object(name, usage)).collect();
        let cache = json!({ "bytes": cache.bytes, "room": cache.room, "hits": cache.hits, "misses": cache.misses });
        json!({ "store": called.place.to_string(), "symbols": symbols, "cache": cache })
    })
}

fn bytes_a_row(usage: &Usage) -> String {
    if usage.rows == 0 { "-".to_owned() } else { format!("{:.2}", usage.bytes as f64 / usage.rows as f64) }
}

fn total(lines: &[(String, Usage)]) -> Usage {
    lines.iter().fold(Usage::default(), |all, (_, one)| Usage {
        versions: all.versions + one.versions,
        rows: all.rows + one.rows,
        bytes: all.bytes + one.bytes,
        pieces: all.pieces + one.pieces,
        stored_bytes: all.stored_bytes + one.stored_bytes,
    })
}

/// The symbols that a target means.
pub(super) fn meant(store: &Store, target: Option<&Target>) -> Result<Vec<(String, String)>, Failure> {
    let libraries = match target {
        Some(target) => vec![target.library.clone()],
        None => store.list()?.into_iter().filter(|library| has_rows(&library.kind)).map(|library| library.name).collect(),
    };
    let mut meant = Vec::new();
    for name in libraries {
        let symbols = match target.and_then(|target| target.symbol.clone()) {
            Some(symbol) => vec![symbol],
            None => store.rows(&name)?.list_symbols(&Symbols::default())?,
        };
        meant.extend(symbols.into_iter().map(|symbol| (name.clone(), symbol)));
    }
    Ok(meant)
}
