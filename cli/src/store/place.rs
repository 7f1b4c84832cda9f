//! Where a store is. Invariant: what is only to be looked at is not made.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use stillpoint_store::{Bucket, Objects, Store, StoreError, StoreOptions};
use url::Url;

use crate::failure::Failure;

/// A folder, or the URL of another place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Folder(PathBuf),
    Url(String),
}

impl FromStr for Place {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if !text.contains("://") {
            return Ok(Self::Folder(text.into()));
        }
        let folder = Url::parse(text).ok().filter(|url| url.scheme() == "file").and_then(|url| url.to_file_path().ok());
        Ok(folder.map_or_else(|| Self::Url(text.to_owned()), Self::Folder))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Url(url) => f.write_str(url),
        }
    }
}

impl Place {
    /// The store that is there.
    pub(super) fn open(&self) -> Result<Store, Failure> {
        let missing = || Failure::Input(format!("there is no store at `{self}`: name its place with --store, or import something first"));
        match self {
            Self::Folder(folder) if folder.join("store").is_dir() => Ok(Store::folder(folder)?),
            Self::Folder(_) => Err(missing()),
            Self::Url(url) => {
                let bucket = bucket(url)?;
                if bucket.list("store")?.is_empty() { Err(missing()) } else { Ok(over(bucket)?) }
            }
        }
    }

    pub(super) fn open_or_make(&self) -> Result<Store, Failure> {
        match self {
            Self::Folder(folder) => Ok(Store::folder(Path::new(folder))?),
            Self::Url(url) => Ok(over(bucket(url)?)?),
        }
    }
}

fn over(bucket: Bucket) -> Result<Store, StoreError> {
    Store::open(Arc::new(bucket), StoreOptions::default())
}

/// Ways in which the environment can give a bucket's credentials; without any, the client would look for a machine of Amazon around it, for minutes.
const CREDENTIALS: [&str; 6] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_METADATA_ENDPOINT",
    "AWS_SKIP_SIGNATURE",
];

/// Credentials, region and endpoint are told by the environment, under the names that other programs know.
#[expect(clippy::disallowed_methods, reason = "secrets do not belong on a command line")]
fn bucket(url: &str) -> Result<Bucket, Failure> {
    let told = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let told: Vec<(String, String)> = told.filter(|(name, _)| name.starts_with("AWS_")).collect();
    let has_credentials = told.iter().any(|(name, _)| CREDENTIALS.contains(&name.as_str()));
    if cfg!(feature = "s3") && url.starts_with("s3://") && !has_credentials {
        let why = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or what else gives them";
        return Err(Failure::Input(format!("the environment has no credentials for `{url}`: {why}")));
    }
    Ok(Bucket::url(url, told)?)
}
