//! One faulty pattern a line. Behind each stands the lint that the list makes of it, or `escapes` and what finds it then.
#![allow(unused)]

use std::hash::BuildHasher;

pub fn patterns(text: &str, x: f64, y: f32) {
    let _ = std::collections::HashMap::<u64, u64>::new(); // disallowed_types
    let _ = std::collections::HashSet::<u64>::new(); // disallowed_types
    let _ = std::hash::RandomState::new(); // disallowed_types
    let _ = std::hash::DefaultHasher::new(); // disallowed_types
    let _ = std::time::Instant::now(); // disallowed_types disallowed_methods
    let _ = std::time::SystemTime::now(); // disallowed_types disallowed_methods
    let _ = std::time::UNIX_EPOCH.elapsed(); // disallowed_methods
    std::thread::sleep(std::time::Duration::ZERO); // disallowed_methods
    std::thread::park_timeout(std::time::Duration::ZERO); // disallowed_methods
    let _ = std::thread::spawn(|| 1); // disallowed_methods
    let _ = std::thread::Builder::new().spawn(|| 1); // disallowed_methods
    std::thread::scope(|_| ()); // disallowed_methods
    let _ = std::thread::current(); // disallowed_methods
    let _ = std::thread::available_parallelism(); // disallowed_methods
    let _ = std::process::id(); // disallowed_methods
    let _ = std::process::Command::new("date"); // disallowed_methods
    let _ = std::env::var("TZ"); // disallowed_methods
    let _ = std::env::var_os("TZ"); // disallowed_methods
    let _ = std::env::vars(); // disallowed_methods
    let _ = std::env::args(); // disallowed_methods
    let _ = std::env::current_dir(); // disallowed_methods
    let _ = std::env::temp_dir(); // disallowed_methods
    let _ = std::net::TcpStream::connect("localhost:1"); // disallowed_methods
    let _ = std::net::UdpSocket::bind("localhost:1"); // disallowed_methods
    let _ = rand::random(); // disallowed_methods
    let _ = rand::rng(); // disallowed_methods
    drop(tokio::time::sleep()); // disallowed_methods
    tokio::spawn(async {}); // disallowed_methods
    tokio::select!(1, 2); // disallowed_macros
    let _ = x.sin() + x.cos() + x.tan(); // disallowed_methods disallowed_methods disallowed_methods
    let _ = x.exp(); // disallowed_methods
    let _ = x.ln(); // disallowed_methods
    let _ = x.powf(0.5); // disallowed_methods
    let _ = x.powi(3); // disallowed_methods
    let _ = x.tanh(); // disallowed_methods
    let _ = f64::hypot(x, x); // disallowed_methods
    let _ = y.exp(); // disallowed_methods
    let _ = std::sync::Mutex::new(0.0); // disallowed_types
    let _ = std::sync::RwLock::new(0.0); // disallowed_types
    let _ = format!("{text:p}"); // pointer_format
    let _ = std::ptr::addr_eq(text, text); // disallowed_methods
    let _ = std::ptr::from_ref(text).addr(); // escapes: an address as a number
    let _ = text.as_ptr() as usize; // escapes: a pointer cast to a number
    let _ = std::fs::read_dir("."); // escapes: the order of a folder's entries
    let _ = std::fs::metadata(".").map(|file| file.modified()); // escapes: the times of files
    let _ = [0.1, 0.2].iter().sum::<f64>(); // escapes: floats added up in an order that others decide
}

static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0); // disallowed_types disallowed_types
static TABLE: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| 1); // disallowed_types disallowed_types
static ONCE: std::sync::OnceLock<u64> = std::sync::OnceLock::new(); // disallowed_types disallowed_types
std::thread_local!(static STATE: u64 = const { 1 }); // disallowed_macros

pub fn through_generics<S: Default + IntoIterator>() -> S::IntoIter {
    S::default().into_iter() // escapes: a map that comes in through a type parameter
}

pub fn through_another_crate(hasher: impl BuildHasher) -> u64 {
    hasher.hash_one(1) // escapes: what another crate does
}
