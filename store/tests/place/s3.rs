//! A server of S3 on loopback, with one bucket, `bucket`. It ends with this process, or when it is dropped.
//!
//! `STILLPOINT_PYTHON` names a Python that has it (the package moto); without one, tests of buckets are skipped.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../store/tests/place/s3.py");

pub(crate) struct S3 {
    server: Child,
    pub(crate) endpoint: String,
}

impl S3 {
    /// Starts it. Of every so many PUTs the answer is lost, though the object is written; 0: of none. `None` without such a Python.
    #[expect(clippy::disallowed_methods, reason = "which Python to use is told to tests by the environment")]
    pub(crate) fn start(lose_every: u64) -> Option<Self> {
        let Some(python) = std::env::var_os("STILLPOINT_PYTHON") else {
            println!("skipped: STILLPOINT_PYTHON names no Python with moto");
            return None;
        };
        let mut command = Command::new(python);
        command.args([SCRIPT, &lose_every.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = command.spawn().expect("Python starts");
        let mut port = String::new();
        BufReader::new(server.stdout.take().expect("it was asked for")).read_line(&mut port).expect("a line");
        assert!(!port.trim().is_empty(), "the server of S3 does not start: does {:?} have moto[server]?", command.get_program());
        Some(Self { server, endpoint: format!("http://127.0.0.1:{}", port.trim()) })
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
