//! Places by URL. Invariant: a URL names a place that creates an object only if it is absent, or none.

use std::sync::Arc;

use object_store::{ObjectStoreScheme, parse_url_opts};
use url::Url;

use super::bucket::Bucket;
use crate::error::StoreError;

impl Bucket {
    /// The place that a URL names: `file:///a/folder` as [`Bucket::folder`] has it, synced; `memory:///`, each time another one; and, if this
    /// is built with the feature `s3`, `s3://bucket/prefix`.
    ///
    /// `settings` are for buckets: `aws_access_key_id`, `aws_secret_access_key`, `aws_region`, `aws_endpoint`, `aws_allow_http` and what else
    /// the crate `object_store` knows of S3; it passes over others. They come from the caller: nothing here reads the environment. A bucket
    /// must understand `If-None-Match: *` in a PUT, as S3 does.
    ///
    /// ```
    /// use stillpoint_store::{Bucket, Objects};
    ///
    /// let folder = std::env::temp_dir();
    /// let bucket = Bucket::url(&format!("file://{}", folder.display()), [])?;
    /// assert_eq!(bucket.place("a"), folder.join("a").display().to_string());
    /// assert!(Bucket::url("ftp://host/folder", []).is_err());
    /// # Ok::<(), stillpoint_store::StoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if it names no such place, or settings do not fit it; those of [`Bucket::folder`] and [`Bucket::remote`].
    pub fn url(url: &str, settings: impl IntoIterator<Item = (String, String)>) -> Result<Self, StoreError> {
        let wrong = |why: String| StoreError::invalid(format!("the place `{url}`"), why);
        let forms = "a place is file:///FOLDER, memory:/// or s3://BUCKET/PREFIX";
        let parsed = Url::parse(url).map_err(|error| wrong(format!("it is no URL ({error}): {forms}")))?;
        let (scheme, _) = ObjectStoreScheme::parse(&parsed).map_err(|error| wrong(format!("{error}: {forms}")))?;
        match scheme {
            ObjectStoreScheme::Local => {
                let folder = parsed.to_file_path().map_err(|()| wrong(format!("it names no folder: {forms}")))?;
                Self::folder(folder, true)
            }
            ObjectStoreScheme::Memory => Ok(Self::memory()),
            ObjectStoreScheme::AmazonS3 if cfg!(feature = "s3") => {
                let (bucket, prefix) = parse_url_opts(&parsed, settings).map_err(|error| wrong(error.to_string()))?;
                Self::below(Arc::from(bucket), prefix, url.trim_end_matches('/').to_owned())
            }
            ObjectStoreScheme::AmazonS3 => Err(wrong("this program knows no buckets: build it with the feature `s3`".to_owned())),
            _ => Err(wrong(format!("stores are not kept there: {forms}"))),
        }
    }
}
