//! The command line of `stillpoint store`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use stillpoint_engine::Duration;
use stillpoint_store::DateRange;
use stillpoint_store::date::{Unit, Zone};
use stillpoint_store::files::{ColumnType, FileFormat};

use super::name::{LibraryName, SnapshotPin, SymbolName};
use super::place::Place;
use crate::args::whole;

#[derive(Args, Debug)]
pub(crate) struct StoreArgs {
    /// The folder of the store, or its URL: file:///FOLDER, or s3://BUCKET/PREFIX, for which AWS_ACCESS_KEY_ID, AWS_REGION and so on are set.
    #[arg(long, value_name = "FOLDER|URL", default_value = "store", global = true)]
    pub(crate) store: Place,
    /// Print one JSON object instead of tables.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Reads a file of CSV, Parquet or Arrow, or a folder of Parquet files, into a symbol: as one new version, or not at all.
    Import(ImportArgs),
    /// Writes a version of a symbol to a file of CSV, Parquet or Arrow.
    Export(ExportArgs),
    /// Lists the libraries, or the symbols of one.
    Ls {
        /// The library.
        library: Option<LibraryName>,
    },
    /// Lists the versions of a symbol, the latest first.
    Versions {
        /// LIBRARY/SYMBOL
        symbol: SymbolName,
    },
    /// Prints rows.
    Read(ReadArgs),
    /// Lists the Parquet files that a version lies in.
    Path {
        /// LIBRARY/SYMBOL, perhaps with @VERSION or @SNAPSHOT
        symbol: SymbolName,
    },
    /// Copies a version of a symbol to another symbol, library or store, as a new version there.
    Copy {
        /// LIBRARY/SYMBOL, perhaps with @VERSION or @SNAPSHOT
        from: SymbolName,
        /// LIBRARY/SYMBOL; the library is made, of the same kind, if it does not exist.
        to: SymbolName,
        /// The folder or URL of the other store.
        #[arg(long, value_name = "FOLDER|URL")]
        to_store: Option<Place>,
    },
    /// Gives versions of all symbols of a library a name together; without a name, lists the names there are.
    Snapshot {
        /// The library.
        library: LibraryName,
        /// The snapshot.
        name: Option<String>,
        /// Symbols for which the snapshot is to show another version than the latest: SYMBOL@VERSION.
        #[arg(conflicts_with = "delete")]
        versions: Vec<SnapshotPin>,
        /// Delete the snapshot.
        #[arg(long, requires = "name")]
        delete: bool,
    },
    /// Deletes versions that are older than so long, but for the latest ones and those that snapshots show.
    Prune {
        /// LIBRARY, or LIBRARY/SYMBOL
        target: Target,
        /// How old a version may get, such as 30m or 12h; 0s keeps the latest ones only.
        #[arg(long, value_name = "DURATION")]
        keep: Duration,
        /// How long files stay that no version shows any more, for those who may be reading them.
        #[arg(long, value_name = "DURATION", default_value = "1h")]
        grace: Duration,
    },
    /// Deletes a symbol with all its versions, or a library. What a snapshot shows of a symbol stays until the snapshot is deleted.
    Delete {
        /// LIBRARY/SYMBOL, or LIBRARY with --whole-library
        target: Target,
        /// Delete the library with all its symbols and snapshots.
        #[arg(long)]
        whole_library: bool,
    },
    /// Puts small pieces together.
    Compact {
        /// LIBRARY, or LIBRARY/SYMBOL; by default everything.
        target: Option<Target>,
    },
    /// Looks at every byte of the store. Exit code 1 if something is wrong.
    Fsck {
        /// Remove what nothing shows and is older than an hour.
        #[arg(long)]
        repair: bool,
    },
    /// Tells rows, bytes, versions and pieces.
    Stats {
        /// LIBRARY, or LIBRARY/SYMBOL; by default all libraries.
        target: Option<Target>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum KindArg {
    Version,
    Tick,
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// The file, pipe, or folder of Parquet files.
    pub(crate) file: PathBuf,
    /// LIBRARY/SYMBOL
    pub(crate) symbol: SymbolName,
    /// The kind of the library, if it is to be made [default: version]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<KindArg>,
    /// Add the rows after those of the latest version. In a library of ticks that is always so.
    #[arg(long)]
    pub(crate) append: bool,
    /// The format, if the file's name and first bytes do not tell: csv, parquet, ipc, ipc-stream.
    #[arg(long)]
    pub(crate) format: Option<FileFormat>,
    /// The column that has the times; it is called `time` in the store.
    #[arg(long, value_name = "COLUMN", conflicts_with = "no_time")]
    pub(crate) time: Option<String>,
    /// What times that are whole numbers count, since 1970: s, ms, us or ns.
    #[arg(long, value_parser = unit)]
    pub(crate) unit: Option<Unit>,
    /// Where times are local that tell no offset, such as America/New_York.
    #[arg(long, default_value = "UTC")]
    pub(crate) zone: Zone,
    /// Take rows without times.
    #[arg(long)]
    pub(crate) no_time: bool,
    /// The type of a column of a CSV file, where the guess by its first rows is wrong; may be given often.
    #[arg(long = "type", value_name = "COLUMN=TYPE")]
    pub(crate) types: Vec<TypeOf>,
    /// What stands between the values of a CSV file.
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = delimiter)]
    pub(crate) delimiter: u8,
    /// What to say of the version, in JSON.
    #[arg(long, value_name = "JSON", value_parser = json)]
    pub(crate) metadata: Option<serde_json::Value>,
}

#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    /// LIBRARY/SYMBOL, perhaps with @VERSION or @SNAPSHOT
    pub(crate) symbol: SymbolName,
    /// The file. It is there when it is whole; one that is there already is then replaced.
    pub(crate) file: PathBuf,
    /// The format, if the file's name does not tell: csv, parquet, ipc, ipc-stream.
    #[arg(long)]
    pub(crate) format: Option<FileFormat>,
    #[command(flatten)]
    pub(crate) rows: RowsArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RowsArgs {
    /// Only these instants, such as 20240101-20240131 or [2024-01-01T09:30:00Z-2024-01-01T16:00:00Z).
    #[arg(long)]
    pub(crate) range: Option<DateRange>,
    /// Only these columns, separated by commas; the time always comes first.
    #[arg(long, value_delimiter = ',')]
    pub(crate) columns: Option<Vec<String>>,
}

#[derive(Args, Debug)]
pub(crate) struct ReadArgs {
    /// LIBRARY/SYMBOL, perhaps with @VERSION or @SNAPSHOT
    pub(crate) symbol: SymbolName,
    /// The first so many rows. A table shows 10 if nothing is said; CSV and JSON have all.
    #[arg(long, value_name = "ROWS", conflicts_with = "tail", value_parser = whole::<u64>(0, u64::MAX))]
    pub(crate) head: Option<u64>,
    /// The last so many rows.
    #[arg(long, value_name = "ROWS", value_parser = whole::<u64>(0, u64::MAX))]
    pub(crate) tail: Option<u64>,
    #[command(flatten)]
    pub(crate) rows: RowsArgs,
    /// Print CSV.
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

/// A library, or one symbol of it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) library: String,
    pub(crate) symbol: Option<String>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains('/') {
            return text.parse::<LibraryName>().map(|library| Self { library: library.0, symbol: None });
        }
        let name: SymbolName = text.parse()?;
        name.without_version()?;
        Ok(Self { library: name.library, symbol: Some(name.symbol) })
    }
}

/// A column and its type.
#[derive(Clone, Debug)]
pub(crate) struct TypeOf(pub(crate) String, pub(crate) ColumnType);

impl FromStr for TypeOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (column, kind) = text.rsplit_once('=').ok_or("write COLUMN=TYPE, such as price=f64")?;
        Ok(Self(column.to_owned(), kind.parse()?))
    }
}

fn json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))
}

fn unit(text: &str) -> Result<Unit, String> {
    match text {
        "s" => Ok(Unit::Seconds),
        "ms" => Ok(Unit::Millis),
        "us" => Ok(Unit::Micros),
        "ns" => Ok(Unit::Nanos),
        _ => Err("it is one of s, ms, us, ns".to_owned()),
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [one] => Ok(*one),
        b"\\t" | b"tab" => Ok(b'\t'),
        _ => Err("it is one character of ASCII, or tab".to_owned()),
    }
}
