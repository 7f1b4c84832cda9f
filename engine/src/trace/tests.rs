//! What a trace file promises: it gives back what was written, notices every change of a byte, says where it was cut, and two of them
//! differ first where they differ first.

use std::io::{self, Cursor, Write};

use proptest::prelude::*;

use super::*;
use crate::path::{Name, Path, Rank};
use crate::time::Instant;

/// A record before it has names and numbers.
#[derive(Clone, Debug, PartialEq)]
struct Plain {
    at: i64,
    round: u32,
    step: u32,
    receiver: u32,
    count: Option<u64>,
    sender: u32,
    sender_count: u64,
    kind: &'static str,
    digest: u64,
    text: Option<String>,
}

const NAMES: u32 = 6;

fn path(name: u32) -> Path {
    let root = Path::root(Name::new(["a", "b", "a-b"][name as usize % 3]).expect("a name"));
    if name < 3 { root } else { root.child(name) }
}

/// Tells an observer of all records; names are announced before their first use, under numbers that `number` gives.
fn tell(observer: &mut impl Observer, records: &[Plain], number: impl Fn(u32) -> u32) -> io::Result<()> {
    let mut known = [false; NAMES as usize];
    for plain in records {
        for name in [plain.receiver, plain.sender] {
            if !std::mem::replace(&mut known[name as usize], true) {
                observer.name(number(name), &path(name), Rank(name as i32 - 2));
            }
        }
        let wanted = observer.wording().is_some();
        observer.record(&TraceRecord {
            at: Instant::from_nanos(plain.at),
            round: plain.round,
            step: plain.step,
            receiver: number(plain.receiver),
            count: plain.count,
            sender: number(plain.sender),
            sender_count: plain.sender_count,
            kind: plain.kind,
            digest: plain.digest,
            text: plain.text.as_deref().filter(|_| wanted),
        })?;
    }
    Ok(())
}

fn expected(plain: &Plain, text: Text) -> Record {
    Record {
        at: Instant::from_nanos(plain.at),
        round: plain.round,
        step: plain.step,
        receiver: path(plain.receiver),
        count: plain.count,
        sender: path(plain.sender),
        sender_count: plain.sender_count,
        kind: plain.kind.into(),
        digest: plain.digest,
        text: plain.text.clone().filter(|_| text == Text::Keep),
    }
}

const HASH: TraceHash = TraceHash(0x1234_5678_9abc_def0_0fed_cba9_8765_4321);

fn file_of(records: &[Plain], text: Text) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, "memory", text).expect("room");
    tell(&mut writer, records, |name| name).and_then(|()| writer.end(HASH)).expect("room");
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<Record>, FileError> {
    Reader::new(Cursor::new(bytes), "memory")?.records().collect()
}

fn compared(a: &[u8], b: &[u8]) -> Comparison {
    let open = |bytes, name: &str| Reader::new_cut(Cursor::new(bytes), name).expect("a trace");
    diff::compare(&mut open(a, "a.trace"), &mut open(b, "b.trace")).expect("a trace")
}

fn plain() -> impl Strategy<Value = Plain> {
    let at = prop_oneof![4 => 0i64..4, 1 => any::<i64>(), 1 => Just(i64::MIN), 1 => Just(i64::MAX)];
    let small = || prop_oneof![4 => 0u32..3, 1 => any::<u32>()];
    let count = prop_oneof![1 => Just(None), 8 => (1u64..5).prop_map(Some), 1 => (1..=u64::MAX).prop_map(Some)];
    let sender_count = prop_oneof![4 => 0u64..5, 1 => any::<u64>()];
    let kind = prop::sample::select(vec!["start", "quote", ""]);
    let digest = prop_oneof![Just(7u64), any::<u64>()];
    let text = prop::option::of("[a-zé…]{0,5}");
    ((at, small(), small(), 0..NAMES, count), (0..NAMES, sender_count, kind, digest, text)).prop_map(
        |((at, round, step, receiver, count), (sender, sender_count, kind, digest, text))| Plain {
            at,
            round,
            step,
            receiver,
            count,
            sender,
            sender_count,
            kind,
            digest,
            text,
        },
    )
}

/// A stream `a` of ticks to `b` and `a-b`, in turn; `b` answers each with an order to `a/3` in the next step.
fn market(items: u64) -> Vec<Plain> {
    let tick =
        Plain { at: 0, round: 0, step: 0, receiver: 1, count: None, sender: 0, sender_count: 0, kind: "tick", digest: 0, text: None };
    let mut records = Vec::new();
    for item in 0..items {
        let at = 1_700_000_000_000_000_000 + item as i64 * 250_000;
        let digest = item.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5555;
        let count = Some(item + 1);
        records.push(Plain { at, count, sender_count: item, digest, ..tick.clone() });
        records.push(Plain { at, count, sender_count: item, digest, receiver: 2, ..tick.clone() });
        let order = Plain {
            at,
            step: 1,
            receiver: 3,
            count,
            sender: 1,
            sender_count: item + 1,
            kind: "order",
            digest: !digest,
            text: None,
            round: 0,
        };
        records.push(order);
    }
    records
}

/// What led to a record, nearest first, by the text of the rules: each time the last delivery before it that its sender had with that count.
fn chain(records: &[Plain], effect: usize) -> Vec<&Plain> {
    let wanted = (records[effect].sender, Some(records[effect].sender_count).filter(|count| *count > 0));
    let cause = wanted.1.and_then(|_| records[..effect].iter().rposition(|plain| (plain.receiver, plain.count) == wanted));
    cause.map_or(Vec::new(), |cause| [vec![&records[cause]], chain(records, cause)].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_is_written_is_read(records in prop::collection::vec(plain(), 0..200), keep in any::<bool>()) {
        let text = if keep { Text::Keep } else { Text::Omit };
        let bytes = file_of(&records, text);
        let mut reader = Reader::new(Cursor::new(&bytes), "memory").expect("a trace");
        prop_assert_eq!(reader.hash(), Some(HASH));
        prop_assert_eq!(reader.len(), records.len() as u64);
        let read = reader.records().collect::<Result<Vec<_>, _>>().expect("a trace");
        prop_assert_eq!(read, records.iter().map(|plain| expected(plain, text)).collect::<Vec<_>>());
    }

    #[test]
    fn a_planted_change_is_the_first_difference(
        records in prop::collection::vec(plain(), 1..60),
        place in any::<prop::sample::Index>(),
        other in plain(),
        change in 0..4,
    ) {
        let at = place.index(records.len());
        let mut changed = records.clone();
        match change {
            0 => changed[at] = other,
            1 => _ = changed.remove(at),
            2 => changed.insert(at, other),
            _ => changed.truncate(at),
        }
        let strip = |plain: &Plain| Plain { text: None, ..plain.clone() };
        let first = (0..).find(|at| records.get(*at).map(strip) != changed.get(*at).map(strip) || *at > 100).expect("within the lengths");
        let result = compared(&file_of(&records, Text::Omit), &file_of(&changed, Text::Omit));
        match result.difference {
            None => prop_assert!(first > 100 && result.is_equal()),
            Some(difference) => {
                prop_assert_eq!(difference.equal, first as u64);
                let expect = |plain: Option<&Plain>| plain.map(|plain| expected(plain, Text::Omit));
                for (found, records) in [(difference.a, &records), (difference.b, &changed)] {
                    prop_assert_eq!(found.as_ref().map(|found| found.record.clone()), expect(records.get(first)));
                    if let Some(Found { causes, origin, .. }) = found {
                        let chain = chain(records, first);
                        let shown: Vec<Record> = chain.iter().take(8).map(|plain| expected(plain, Text::Omit)).collect();
                        prop_assert_eq!((causes, origin), (shown, if chain.len() > 8 { Origin::Earlier } else { Origin::Item }));
                    }
                }
            }
        }
    }
}

#[test]
fn a_change_of_any_bit_is_noticed() {
    let bytes = file_of(&market(20), Text::Omit);
    assert_eq!(read(&bytes).expect("a trace").len(), 60);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            match read(&damaged).expect_err("a damaged file") {
                FileError::NotATrace { .. } => assert!(at < 8, "byte {at}"),
                FileError::Corrupt { offset, .. } => assert!(offset as usize <= at, "byte {at} said to be at {offset}"),
                error => panic!("byte {at}: {error}"),
            }
        }
    }
    let longer = [&bytes[..], b"x"].concat();
    assert!(matches!(read(&longer), Err(FileError::Corrupt { offset, .. }) if offset as usize == bytes.len()));
}

#[test]
fn a_file_cut_at_any_length_says_so() {
    let records = market(3000);
    let bytes = file_of(&records, Text::Omit);
    let mut readable = std::collections::BTreeSet::new();
    for len in (0..200).chain((200..bytes.len() - 200).step_by(97)).chain(bytes.len() - 200..bytes.len()) {
        let error = read(&bytes[..len]).expect_err("a file without its end");
        assert!(error.to_string().contains("was cut") && error.to_string().contains("memory"), "{len}: {error}");
        let mut reader = Reader::new_cut(Cursor::new(&bytes[..len]), "memory").expect("a readable part");
        let cut = reader.cut().expect("a cut");
        assert!(cut.offset as usize <= len && reader.hash().is_none());
        let read = reader.records().collect::<Result<Vec<_>, _>>().expect("whole blocks");
        assert_eq!(read.len() as u64, cut.records);
        assert!(read.iter().zip(&records).all(|(read, plain)| *read == expected(plain, Text::Omit)));
        readable.insert(cut.records);
        if len % 97 == 0 {
            let result = compared(&bytes[..len], &bytes);
            assert!(!result.is_equal() && result.difference.is_none());
            assert!(result.to_string().contains(&format!("no difference in the first {} records", cut.records)), "{result}");
        }
    }
    // Whole blocks of 4096: none, one or two, and the last one of 808.
    assert_eq!(readable.into_iter().collect::<Vec<_>>(), [0, 4096, 8192, 9000]);
}

#[test]
fn files_of_others_are_refused() {
    assert!(matches!(read(b"PAR1 and more of this kind"), Err(FileError::NotATrace { .. })));
    let mut newer = frame::header(0);
    newer[8] = 2;
    let sum = frame::checksum(&newer[..16]).to_le_bytes();
    newer[16..].copy_from_slice(&sum);
    let error = read(&newer).expect_err("a newer version");
    assert!(error.to_string().contains("memory has version 2 of the trace file format, this engine reads version 1"), "{error}");
    let missing = Reader::open("no/such.trace").err().expect("no file");
    assert!(missing.to_string().contains("no/such.trace"), "{missing}");
}

#[test]
fn the_first_difference_comes_with_its_causes() {
    let records = market(5000);
    let mut changed = records.clone();
    changed[3 * 4000 + 2].digest = 1;
    changed[3 * 4500].digest = 2;
    let result = compared(&file_of(&records, Text::Omit), &file_of(&changed, Text::Omit));
    let difference = result.difference.as_ref().expect("a difference");
    assert_eq!(difference.equal, 12_002);
    assert_eq!(difference.when(), (Instant::from_nanos(1_700_000_001_000_000_000), 0, 1));
    let (a, b) = (difference.a.as_ref().expect("a record"), difference.b.as_ref().expect("a record"));
    assert_eq!((a.record.digest, b.record.digest), (!(4000u64.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5555), 1));
    // The order's cause is the 4001st tick of `b`; the stream that sent it received nothing.
    assert_eq!(a.causes, [expected(&records[12_000], Text::Omit)]);
    assert_eq!(a.causes, b.causes);
    assert_eq!((a.origin, b.origin), (Origin::Item, Origin::Item));
    assert_eq!(difference.who(), [&path(3)]);
    assert_eq!(
        explained(&result),
        "first difference at 2023-11-14T22:13:21Z, round 0, step 1, at a/3, after 12002 equal records; not the same: digest
A  2023-11-14T22:13:21Z round 0 step 1: a/3 #4001 `order` from b #4001, digest dd320d9b142d628a
B  2023-11-14T22:13:21Z round 0 step 1: a/3 #4001 `order` from b #4001, digest 0000000000000001
   both because of 2023-11-14T22:13:21Z round 0 step 0: b #4001 `tick` from a #4000, digest 22cdf264ebd29d75
   which is item 4000 of the stream a"
    );
}

/// What a comparison says after its first two lines.
fn explained(comparison: &Comparison) -> String {
    comparison.to_string().lines().skip(2).collect::<Vec<_>>().join("\n")
}

/// A record of step 0.
fn delivery(at: i64, (receiver, count): (u32, u64), (sender, sender_count): (u32, u64), digest: u64) -> Plain {
    Plain { at, round: 0, step: 0, receiver, count: Some(count), sender, sender_count, kind: "note", digest, text: None }
}

#[test]
fn causes_far_back_are_found() {
    // `b/4` gets one note at the beginning and one for each of ten days; between two of them lie thousands of records of others.
    let mut records = vec![delivery(0, (4, 1), (3, 1), 0)];
    for day in 1..=10 {
        let first = 5_000 * (day - 1);
        records.extend((first..first + 5_000).map(|item| delivery(day as i64, (1, item + 1), (0, item), item)));
        records.push(delivery(day as i64, (4, day + 1), (4, day), day));
    }
    let mut changed = records.clone();
    let last = changed.last_mut().expect("a record");
    (last.digest, last.kind) = (99, "word");
    let result = compared(&file_of(&records, Text::Omit), &file_of(&changed, Text::Omit));
    let Some(Difference { equal: 50_010, a: Some(a), b: Some(b) }) = &result.difference else { panic!("{result}") };
    let days: Vec<i64> = a.causes.iter().map(|cause| cause.at.as_nanos()).collect();
    assert_eq!((days, a.origin), ((2..10).rev().collect(), Origin::Earlier));
    assert_eq!((&a.causes, a.origin), (&b.causes, b.origin));
    assert!(
        explained(&result).contains("; not the same: kind, digest\n") && explained(&result).ends_with("\n   and of what has caused that")
    );

    // One that does not happen is missed on the day before, where the other trace goes on with the next day.
    let mut missing = records.clone();
    let missed = 5_001 * 9;
    assert_eq!(missing.remove(missed).at, 9);
    let result = compared(&file_of(&missing, Text::Omit), &file_of(&records, Text::Omit));
    let Some(Difference { a: Some(a), b: Some(b), .. }) = &result.difference else { panic!("{result}") };
    assert_eq!((a.causes.len(), a.origin, b.causes.len(), b.origin), (0, Origin::Item, 8, Origin::Earlier));
    let text = explained(&result);
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("first difference at 1970-01-01T00:00:00.000000009Z, round 0, step 0, at b/4, after 45009 equal"),
        "{text}"
    );
    assert!(lines[0].ends_with(" equal records"), "{text}");
    assert!(lines[1].starts_with("A  nothing there; the next is 1970-01-01T00:00:00.000000010Z round 0 step 0: b #45001"), "{text}");
    assert!(lines[2].starts_with("B  1970-01-01T00:00:00.000000009Z round 0 step 0: b/4 #10 `note` from b/4 #9"), "{text}");
    assert!(lines[3].starts_with("   because of 1970-01-01T00:00:00.000000008Z round 0 step 0: b/4 #9 `note` from b/4 #8"), "{text}");
}

#[test]
fn causes_end_at_a_start() {
    let told = |digest: u64| {
        let trace = Collect::new("run");
        let mut observer = trace.clone();
        observer.name(0, &Path::time_keeper(), Rank(0));
        observer.name(1, &path(0), Rank(0));
        let mut tell = |at: i64, sender, kind, digest| {
            let (count, at) = (Some(at as u64 + 1), Instant::from_nanos(at));
            let sender_count = at.as_nanos() as u64;
            let record = TraceRecord { at, round: 0, step: 0, receiver: 1, count, sender, sender_count, kind, digest, text: None };
            observer.record(&record).expect("memory");
        };
        tell(0, 0, "start", 0);
        tell(1, 1, "note", 0);
        tell(2, 1, "note", digest);
        trace
    };
    let result = told(5).diff(&told(6));
    let Some(Difference { a: Some(found), .. }) = &result.difference else { panic!("{result}") };
    assert_eq!(found.causes.iter().map(|cause| &*cause.kind).collect::<Vec<_>>(), ["note", "start"]);
    assert_eq!(found.origin, Origin::Start);
    assert!(explained(&result).ends_with("`start` from time-keeper #0, digest 0000000000000000"), "{result}");
}

#[test]
fn numbers_of_names_do_not_matter() {
    let records = market(2000);
    let mut other = Vec::new();
    let mut writer = Writer::new(&mut other, "memory", Text::Keep).expect("room");
    writer.name(9, &path(5), Rank(0));
    tell(&mut writer, &records, |name| 8 - name).and_then(|()| writer.end(HASH)).expect("room");
    let result = compared(&file_of(&records, Text::Omit), &other);
    assert!(result.is_equal(), "{result}");
    assert!(result.to_string().ends_with("the traces are equal"));
}

#[test]
fn collected_traces_compare_as_files_do() {
    let (records, mut changed) = (market(2000), market(2000));
    changed[5000].count = None;
    let collect = |label, records: &[Plain]| {
        let trace = Collect::new(label);
        let mut observer = trace.clone();
        tell(&mut observer, records, |name| name).and_then(|()| observer.end(HASH)).expect("memory");
        trace
    };
    let (a, b) = (collect("a.trace", &records), collect("b.trace", &changed));
    assert_eq!(a.records(), records.iter().map(|plain| expected(plain, Text::Keep)).collect::<Vec<_>>());
    assert!(a.diff(&collect("again", &records)).is_equal());
    assert!(a.diff(&a.clone()).is_equal(), "a trace and its clone share what they keep");
    let result = a.diff(&b);
    assert_eq!(result, compared(&file_of(&records, Text::Omit), &file_of(&changed, Text::Omit)));
    assert_eq!(result.difference.map(|difference| difference.equal), Some(5000));
}

#[test]
fn long_texts_are_cut_with_a_mark() {
    let mut records = market(1);
    records[0].text = Some("é".repeat(3000));
    let read = read(&file_of(&records, Text::Keep)).expect("a trace");
    let text = read[0].text.as_ref().expect("a text");
    assert!(text.starts_with("éé") && text.ends_with("é… (1904 bytes more)"), "{text}");
    assert_eq!(read[1].text, None);
}

/// A disk with room for so many bytes.
struct Disk(usize);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.min(bytes.len()) {
            0 => Err(io::ErrorKind::StorageFull.into()),
            len => {
                self.0 -= len;
                Ok(len)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_at_every_call_from_then_on() {
    let records = market(5000);
    let whole = file_of(&records, Text::Omit).len();
    let mut writer = Writer::new(Disk(whole * 2 / 3), "runs/big.trace", Text::Omit).expect("room for the header");
    let error = tell(&mut writer, &records, |name| name).expect_err("a full disk");
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(error.to_string().contains("runs/big.trace") && error.to_string().contains("the first 8192 records"), "{error}");
    let end = writer.end(HASH).expect_err("still full");
    assert_eq!(end.to_string(), error.to_string());

    let mut writer = Writer::new(Disk(whole - 1), "runs/big.trace", Text::Omit).expect("room for the header");
    tell(&mut writer, &records, |name| name).expect("room for the whole blocks");
    assert!(writer.end(HASH).expect_err("no room for the end").to_string().contains("the first 15000 records"));
}

/// A disk whose write number `fails_at` fails; there is room again afterwards.
struct Hiccup<'a> {
    fails_at: u32,
    writes: u32,
    bytes: &'a mut Vec<u8>,
}

impl Write for Hiccup<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        if self.writes == self.fails_at {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_follows_a_gap() {
    let mut bytes = Vec::new();
    // Written are the header, the names, and blocks; the second block fails.
    let mut writer = Writer::new(Hiccup { fails_at: 4, writes: 0, bytes: &mut bytes }, "memory", Text::Omit).expect("room");
    let records = market(5000);
    tell(&mut writer, &records, |name| name).expect_err("a failed write");
    assert!(writer.end(HASH).expect_err("a gap in the file").to_string().contains("the first 4096 records"));
    let mut reader = Reader::new_cut(Cursor::new(&bytes), "memory").expect("a readable part");
    assert_eq!(reader.records().filter_map(Result::ok).count(), 4096);
    assert_eq!(reader.cut(), Some(Cut { offset: bytes.len() as u64, records: 4096 }));
}

#[cfg(target_os = "linux")]
#[test]
fn the_full_device_is_named() {
    let error = Writer::create("/dev/full", Text::Omit).err().expect("a full device");
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(error.to_string().contains("/dev/full"), "{error}");
}

#[test]
fn a_market_replay_takes_twelve_bytes_a_record() {
    let bytes = file_of(&market(100_000), Text::Omit).len();
    assert!(bytes <= 12 * 300_000, "{} bytes a record", bytes as f64 / 300_000.0);
}
