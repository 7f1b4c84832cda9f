//! The commands of `stillpoint store` on a bucket, through a server of S3.

use crate::place::{Place, Ran};

#[path = "../../../store/tests/place/s3.rs"]
mod server;
use server::S3;

const BUCKET: &str = "s3://bucket/research";

fn run(place: &Place, s3: &S3, args: &[&str]) -> Ran {
    let mut command = place.command(&[&["store", "--store", BUCKET], args].concat());
    let told = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1"), ("AWS_ALLOW_HTTP", "true")];
    command.envs(told).env("AWS_ENDPOINT_URL", &s3.endpoint);
    Ran::of(&command.output().expect("the program starts"))
}

#[test]
fn a_store_in_a_bucket_is_used_as_one_in_a_folder() {
    let Some(s3) = S3::start(0) else { return };
    let place = Place::new(&[("p.csv", b"time,price\n2020-01-01T00:00:00Z,1.5\n2020-01-02T00:00:00Z,2.5\n")]);
    let well = |args: &[&str]| {
        let ran = run(&place, &s3, args);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{args:?}: {}", ran.out);
        ran.out
    };
    let none = run(&place, &s3, &["ls"]);
    assert_eq!(none.code, Some(2), "{}", none.err);
    assert!(none.err.contains("there is no store at `s3://bucket/research`"), "{}", none.err);

    assert_eq!(well(&["import", "p.csv", "fx/EURUSD"]), "imported p.csv: fx/EURUSD has 2 rows in version 1\n");
    assert_eq!(well(&["read", "fx/EURUSD", "--csv", "--tail", "1"]), "time,price\n2020-01-02T00:00:00Z,2.5\n");
    assert!(well(&["ls"]).starts_with("s3://bucket/research: 1 library\n"));
    assert!(well(&["path", "fx/EURUSD"]).starts_with("s3://bucket/research/library/0000/segment/EURUSD/"));
    assert!(well(&["fsck"]).trim_end().ends_with("all is well"));
    well(&["copy", "fx/EURUSD", "fx/EURUSD", "--to-store", "here"]);
    let here = format!("file://{}", place.path("here").display());
    let read = place.run(&["store", "--store", &here, "read", "fx/EURUSD", "--csv", "--head", "1"]);
    assert_eq!((read.out.as_str(), read.err.as_str()), ("time,price\n2020-01-01T00:00:00Z,1.5\n", ""));
    assert!(!place.path("store").exists(), "nothing lies where it would without --store");
}

#[test]
fn a_bucket_without_credentials_is_not_waited_for() {
    let place = Place::new(&[]);
    let mut command = place.command(&["store", "--store", BUCKET, "ls"]);
    let ran = Ran::of(&command.env_clear().output().expect("the program starts"));
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("no credentials for `s3://bucket/research`: set AWS_ACCESS_KEY_ID"), "{}", ran.err);
}
