//! The strict mode: without the standard library the worst patterns do not compile. Behind each line that must not stands `error`.
#![no_std]

extern crate alloc;

use alloc::collections::BTreeMap;
use alloc::string::String;

/// What a strategy needs is there.
pub fn needed(prices: &mut BTreeMap<u32, i64>, name: &str) -> String {
    prices.insert(1, 100);
    alloc::format!("{name} {}", prices.len())
}

pub fn banned(x: f64) {
    let _ = std::collections::HashMap::<u64, u64>::new(); // error
    let _ = std::time::Instant::now(); // error
    let _ = std::thread::current(); // error
    let _ = std::env::var("TZ"); // error
    let _ = std::process::id(); // error
    let _ = std::fs::read("x"); // error
    let _ = std::net::TcpStream::connect("localhost:1"); // error
    let _ = std::sync::Mutex::new(1); // error
    println!("{x}"); // error
    let _ = x.sin(); // error
    let _ = x.powf(0.5); // error
}
