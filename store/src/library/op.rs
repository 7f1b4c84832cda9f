//! What changes a library of rows. Invariant: what stands in a commit once can be read for ever; new operations are added, none is changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::Schema;
use serde::{Deserialize, Serialize};

use super::state::Place;

/// Columns, by their number in the library if it has them already.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum SchemaOp {
    #[serde(rename = "known")]
    Known(u32),
    #[serde(rename = "new")]
    New(Arc<Schema>),
}

/// Where rows lie.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum PlaceOp {
    /// In this very commit.
    #[serde(rename = "here")]
    Here,
    #[serde(rename = "at")]
    At(Place),
}

/// Some rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PartOp {
    #[serde(default)]
    pub(crate) skip: u64,
    pub(crate) rows: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) span: Option<(i64, i64)>,
    pub(crate) place: PlaceOp,
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Audit {
    pub(crate) at: i64,
    pub(crate) symbol: String,
    pub(crate) version: Option<u64>,
    pub(crate) what: String,
    pub(crate) message: String,
}

/// One operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Op {
    /// A new version with rows of its own.
    Write {
        symbol: String,
        schema: SchemaOp,
        parts: Vec<PartOp>,
        span: Option<(i64, i64)>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metadata: Option<Arc<str>>,
    },
    /// A new version: the latest one and some rows after it.
    Append {
        symbol: String,
        schema: SchemaOp,
        parts: Vec<PartOp>,
        span: Option<(i64, i64)>,
        /// `None`: that of the version before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metadata: Option<Arc<str>>,
        /// The version before goes.
        #[serde(default)]
        replaces: bool,
    },
    /// A new version with the rows of the latest one.
    Describe { symbol: String, metadata: Option<Arc<str>> },
    /// A new version that is as an older one.
    Restore { symbol: String, number: u64 },
    /// Some versions go.
    Drop { symbol: String, versions: Vec<u64> },
    /// All versions go.
    DropSymbol { symbol: String },
    /// A symbol gets another name.
    Rename { symbol: String, to: String },
    /// Versions of several symbols get a name together.
    Snapshot { name: String, pins: BTreeMap<String, u64>, metadata: Option<Arc<str>> },
    /// A snapshot goes, and deleted versions that only it showed.
    DropSnapshot { name: String },
    /// The rows from `from` on of a chain lie elsewhere from now on.
    Compact { symbol: String, chain: u64, from: u64, parts: Vec<PartOp> },
    /// Files that nothing shows any more were removed.
    Swept { segments: Vec<String> },
    /// A line of the audit log.
    Audit { symbol: String, version: Option<u64>, what: String, message: String },
}

/// How a symbol stands after the operations that are planned already.
#[derive(Clone, Debug)]
pub(crate) struct Tip {
    pub(crate) number: u64,
    pub(crate) span: Option<(i64, i64)>,
    pub(crate) rows: u64,
    pub(crate) schema: Arc<Schema>,
    pub(crate) exists: bool,
    /// Bytes that these operations add.
    pub(crate) adds: u64,
}
