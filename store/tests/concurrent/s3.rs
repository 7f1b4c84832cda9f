//! The same on a bucket, through a server of S3.

use std::sync::Arc;

use stillpoint_engine::{Duration, Instant};
use stillpoint_store::{Bucket, Kind, Objects, ReadOptions, Store, StoreError, StoreOptions, Table, WriteOptions};

#[path = "../place/s3.rs"]
mod server;
use server::S3;

use super::{THREADS, check, child, library, numbers};

/// The place at a URL, for a server at an endpoint.
pub(super) fn bucket(url: &str, endpoint: &str) -> Arc<dyn Objects> {
    let settings =
        [("aws_endpoint", endpoint), ("aws_allow_http", "true"), ("aws_access_key_id", "test"), ("aws_secret_access_key", "test")];
    Arc::new(Bucket::url(url, settings.map(|(key, value)| (key.to_owned(), value.to_owned()))).expect("a bucket"))
}

/// Answers are lost now and then: who asked does not know whether the commit is there, asks again, and is told that there is one.
#[test]
fn two_processes_of_eight_threads_lose_nothing_on_s3() {
    let Some(s3) = S3::start(7) else { return };
    const EACH: u64 = 13;
    let place = format!("s3://bucket/a/store {}", s3.endpoint);
    let mut children = [0, THREADS].map(|writer| child("child_that_appends", &format!("{place}\t{writer}\t{EACH}")));
    let mut versions = Vec::new();
    for child in &mut children {
        versions.extend(numbers(child, "version "));
        assert!(child.wait().expect("it ends").success());
    }
    check(&library(bucket("s3://bucket/a/store", &s3.endpoint)), versions, 2 * THREADS, EACH);
}

/// Rows that lie in segments, of which every second PUT is told to have failed; other stores of the bucket; deletion.
#[test]
fn a_bucket_does_what_a_folder_does() {
    let Some(s3) = S3::start(2) else { return };
    let store = |prefix: &str| {
        let objects = bucket(&format!("s3://bucket/{prefix}"), &s3.endpoint);
        Store::open(objects, StoreOptions { background: None, ..StoreOptions::default() }).expect("a store")
    };
    let (one, other) = (store("a b%20c"), store("a"));
    let (prices, others) = (one.create_versions("prices").expect("made"), other.create_versions("prices").expect("made"));
    let rows = |count: i64| Table::at((0..count).map(Instant::from_nanos)).column("price", (0..count).collect::<Vec<_>>()).finish();
    prices.write("X", &rows(100_000).expect("rows"), &WriteOptions::default()).expect("written");
    others.write("X", &rows(3).expect("rows"), &WriteOptions::default()).expect("written");
    let files = prices.files("X", &stillpoint_store::AsOf::Latest).expect("listed");
    assert!(files.len() == 1 && files[0].starts_with("s3://bucket/a b%20c/library/0000/segment/X/"), "{files:?}");

    let again = store("a b%20c").versions("prices").expect("it is there");
    let read = again.read("X", &ReadOptions::default().rows(99_998, 100_000)).expect("read").table;
    assert_eq!(read.values::<arrow_array::types::Int64Type>("price").expect("numbers"), [99_998, 99_999]);
    assert_eq!(others.read("X", &ReadOptions::default()).expect("read").table.rows(), 3);
    let report = one.fsck(false).expect("looked at");
    assert!(report.findings.is_empty() && report.checked == 3, "{report:?}");

    prices.write("X", &rows(1).expect("rows"), &WriteOptions::default().prune()).expect("written");
    assert_eq!(prices.sweep(Duration::ZERO).expect("swept").segments, 1);
    one.delete("prices").expect("deleted");
    assert!(matches!(one.versions("prices"), Err(StoreError::LibraryNotFound { .. })));
    assert_eq!(other.info("prices").expect("it is there").kind, Kind::Version);
}
