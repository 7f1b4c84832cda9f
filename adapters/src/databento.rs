//! Files of DBN, Databento's binary encoding, of versions 1 to 3, plain or packed by gzip or zstd, and of DBZ, the format before it.
//!
//! A file holds records of one schema, and before them metadata that says which number each symbol has in it. The crate `dbn` reads both. A fragment has no
//! metadata; its version and the instrument's number must be given.

mod dbz;
mod event;
mod framed;
mod inspection;
mod members;
mod record;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use dbn::decode::{DbnRecordDecoder, dbn::MetadataDecoder};
use dbn::{Metadata, RecordRef, UNDEF_TIMESTAMP, VersionUpgradePolicy};
use stillpoint_actors::{Bar, BookUpdate, DepthUpdate, Instrument, MarketEvent, Quote, Trade};
use stillpoint_engine::{Duration, Instant, Source, SourceError, Timed};

use crate::binance::TimeOf;
use crate::error::DataError;
use event::Sealed;
use framed::{Framed, Start};
pub(crate) use inspection::inspect;
use members::Members;
use record::{Body, Fault, Scale, span_of};

/// The versions of DBN that can be read. Of later ones records have another header.
const VERSIONS: std::ops::RangeInclusive<u8> = 1..=3;

/// Which records of a file to read, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbnSettings {
    /// The file, plain or packed by gzip or zstd.
    pub path: PathBuf,
    /// The instrument, with the decimals to read its prices and quantities with.
    pub instrument: Instrument,
    /// The file's number of the instrument. `None`: the one that the file's metadata gives the instrument's symbol.
    pub instrument_id: Option<u32>,
    /// The number of the publisher whose records to read. `None`: of all; but of a book, of quotes and of bars there can be one publisher alone.
    pub publisher: Option<u16>,
    /// Which time is the event time: `ts_recv`, by which files are sorted, or `ts_event`.
    pub time: TimeOf,
    /// The version of a fragment. `None` for files with metadata.
    pub version: Option<u8>,
}

impl DbnSettings {
    /// A file with metadata, by receive time.
    pub fn new(path: impl Into<PathBuf>, instrument: Instrument) -> Self {
        Self { path: path.into(), instrument, instrument_id: None, publisher: None, time: TimeOf::Received, version: None }
    }

    /// The same settings for another file.
    #[must_use]
    pub fn at(&self, path: &Path) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }
}

/// What a [`DbnReader`] can make of records: [`Quote`], [`Trade`], [`MarketEvent`] for both, [`DepthUpdate`], [`BookUpdate`], or [`Bar`].
pub trait FromDbn: Sealed {}

impl FromDbn for Quote {}
impl FromDbn for Trade {}
impl FromDbn for MarketEvent {}
impl FromDbn for DepthUpdate {}
impl FromDbn for BookUpdate {}
impl FromDbn for Bar {}

/// Reads the records of one instrument front to back, and keeps the order of the file.
///
/// * A record whose flags say that its receive time is wrong has that of the one before it, if that is later.
/// * A bar comes at its end: the data has its beginning.
/// * What has no price or no orders is a side with the quantity 0.
///
/// ```no_run
/// use stillpoint_actors::{Decimals, Instrument, InstrumentId, Trade};
/// use stillpoint_adapters::{DbnReader, DbnSettings};
/// use stillpoint_engine::Source;
///
/// let whole = Decimals::new(0).expect("at most 18");
/// let future = Instrument::new(InstrumentId(0), "ESH1").with_decimals(Decimals::new(2).expect("at most 18"), whole);
/// let mut reader = DbnReader::<Trade>::open(&DbnSettings::new("glbx-mdp3-20201228.trades.dbn.zst", future))?;
/// while let Some(trade) = reader.next()? {
///     println!("{} {:?}", trade.at, trade.value);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DbnReader<M: FromDbn> {
    records: Records,
    teller: Teller<M>,
}

/// The records of a file, one after the other.
struct Records {
    path: PathBuf,
    decoder: DbnRecordDecoder<Framed>,
    /// The number of the record that was read last, and where the next one begins.
    number: u64,
    offset: u64,
}

/// Makes events of records.
struct Teller<M: FromDbn> {
    scale: Scale,
    members: Members,
    publisher: Option<u16>,
    /// Whether other publishers are left out, not refused.
    is_chosen: bool,
    clock: Clock,
    /// Whether every record should be of a schema that can be read.
    is_uniform: bool,
    /// How long bars are, if the file's schema is one of bars.
    span: Option<Duration>,
    state: M::State,
    waiting: VecDeque<Timed<M>>,
}

/// Tells the event times of records, in their order.
struct Clock {
    time: TimeOf,
    last: Instant,
}

impl<M: FromDbn> DbnReader<M> {
    /// Opens a file and finds the instrument in it.
    ///
    /// # Errors
    /// [`DataError`] if the file cannot be opened, is no DBN file of a known version, does not know the instrument, or has other schemas.
    pub fn open(settings: &DbnSettings) -> Result<Self, DataError> {
        let path = &settings.path;
        let fault = |(cause, help): Fault| DataError::new(path, None, cause, help);
        let (records, metadata) = Records::open(path, settings.version)?;
        if let Some(schema) = metadata.as_ref().and_then(|metadata| metadata.schema)
            && !M::SCHEMAS.contains(&schema.as_str())
        {
            return Err(fault((format!("holds records of the schema {schema}"), read_by::<M>())));
        }
        let members = match (settings.instrument_id, &metadata) {
            (Some(number), _) => Members::always(number),
            (None, Some(metadata)) => Members::of(&settings.instrument.symbol, metadata).map_err(fault)?,
            (None, None) => {
                return Err(fault(("has no metadata".into(), "give the file's number of the instrument as `instrument_id`".into())));
            }
        };
        let teller = Teller {
            scale: Scale { instrument: settings.instrument.clone() },
            members,
            publisher: settings.publisher,
            is_chosen: settings.publisher.is_some(),
            clock: Clock::new(settings.time),
            is_uniform: metadata.as_ref().is_none_or(|metadata| metadata.schema.is_some()),
            span: metadata.and_then(|metadata| metadata.schema).and_then(span_of),
            state: M::State::default(),
            waiting: VecDeque::new(),
        };
        Ok(Self { records, teller })
    }

    /// Goes on with another file, with the book as it stands.
    ///
    /// # Errors
    /// As [`DbnReader::open`].
    pub fn go_on(self, settings: &DbnSettings) -> Result<Self, DataError> {
        let next = Self::open(settings)?;
        let Teller { publisher, clock: Clock { last, .. }, state, .. } = self.teller;
        let clock = Clock { last, ..next.teller.clock };
        Ok(Self { teller: Teller { publisher, clock, state, ..next.teller }, ..next })
    }

    fn next_item(&mut self) -> Result<Option<Timed<M>>, DataError> {
        let Self { records, teller } = self;
        while teller.waiting.is_empty() {
            if records.next(|record| teller.take(record))?.is_none() {
                return Ok(None);
            }
        }
        Ok(teller.waiting.pop_front())
    }
}

/// Which schemas to ask for instead.
fn read_by<M: FromDbn>() -> String {
    format!("this stream can be made of {}; read the file with another kind, or get one of these schemas", M::SCHEMAS.join(", "))
}

/// A file whose metadata makes no sense.
fn unread(path: &Path, error: &dbn::Error) -> DataError {
    DataError::new(path, None, format!("its metadata cannot be read ({error})"), "fetch the file again")
}

impl Records {
    /// The records of a file, and its metadata if it has any. `version` is that of a fragment.
    fn open(path: &Path, version: Option<u8>) -> Result<(Self, Option<Metadata>), DataError> {
        let framed = Framed::open(path)?;
        let offset = framed.first_record();
        let (decoder, metadata) = decoder(path, version, framed)?;
        Ok((Self { path: path.to_owned(), decoder, number: 0, offset }, metadata))
    }

    /// Hands the next record to `take`; `None` at the end. What is wrong with a record is told with its place.
    fn next<T>(&mut self, take: impl FnOnce(RecordRef<'_>) -> Result<T, Fault>) -> Result<Option<T>, DataError> {
        self.number += 1;
        let place =
            |(cause, help): Fault| DataError::new(&self.path, None, format!("record {}, byte {}: {cause}", self.number, self.offset), help);
        match self.decoder.decode_ref() {
            Ok(None) => Ok(None),
            Ok(Some(record)) => {
                let taken = take(record).map_err(place)?;
                self.offset += record.header().record_size() as u64;
                Ok(Some(taken))
            }
            Err(error) => {
                let trouble = self.decoder.get_mut().trouble();
                Err(place(trouble.unwrap_or_else(|| (format!("cannot be read ({error})"), "fetch the file again".into()))))
            }
        }
    }
}

/// The decoder of a file's records, and its metadata if it has any.
fn decoder(path: &Path, version: Option<u8>, framed: Framed) -> Result<(DbnRecordDecoder<Framed>, Option<Metadata>), DataError> {
    let fault = |cause: String, help: &str| DataError::new(path, None, cause, help);
    let version_fault = |version| fault(format!("is of version {version} of the format, of which 1 to 3 can be read"), "convert the file");
    let plain = |framed, version| DbnRecordDecoder::with_version(framed, version, VersionUpgradePolicy::AsIs, false);
    match framed.start() {
        Start::Metadata(version) if !VERSIONS.contains(&version) => Err(version_fault(version)),
        Start::Metadata(_) => {
            let mut decoder = MetadataDecoder::with_upgrade_policy(framed, VersionUpgradePolicy::AsIs);
            match decoder.decode() {
                Ok(metadata) => Ok((DbnRecordDecoder::from(decoder), Some(metadata))),
                Err(error) => Err(match decoder.get_mut().trouble() {
                    Some((cause, help)) => fault(format!("its metadata cannot be read: {cause}"), &help),
                    None => unread(path, &error),
                }),
            }
        }
        Start::Dbz => {
            let metadata = dbz::metadata(path)?;
            Ok((plain(framed, 1).map_err(|error| unread(path, &error))?, Some(metadata)))
        }
        Start::Records => match version {
            Some(version) if VERSIONS.contains(&version) => Ok((plain(framed, version).map_err(|error| unread(path, &error))?, None)),
            Some(version) => Err(version_fault(version)),
            None => Err(fault(
                "does not begin with the metadata of a DBN file".into(),
                "fetch it again; for a fragment, which has none, give its `version`",
            )),
        },
    }
}

impl<M: FromDbn> Teller<M> {
    fn take(&mut self, record: RecordRef<'_>) -> Result<(), Fault> {
        let body = Body::of(&record, self.span)?;
        if !M::is_in(body) {
            return match body {
                Body::Notice => Ok(()),
                _ if !self.is_uniform => Ok(()),
                Body::Other(rtype) => Err((format!("is of the type {rtype:?}"), read_by::<M>())),
                _ => Err(("is of another schema".into(), read_by::<M>())),
            };
        }
        let header = record.header();
        let (number, publisher) = (header.instrument_id, header.publisher_id);
        let received = body.received().map(|(received, _)| received).filter(|received| *received != UNDEF_TIMESTAMP);
        let index = received.unwrap_or(header.ts_event);
        if !self.members.contain(number, index) || (self.is_chosen && self.publisher != Some(publisher)) {
            return Ok(());
        }
        let known = *self.publisher.get_or_insert(publisher);
        if M::ONE_PUBLISHER && known != publisher {
            let cause = format!("is of publisher {publisher}, and those before are of publisher {known}");
            return Err((cause, "choose one with `publisher`".into()));
        }
        let at = self.clock.time_of(body, header.ts_event)?;
        let waiting = &mut self.waiting;
        M::tell(body, &self.scale, &mut self.state, &mut |value| waiting.push_back(Timed { at, value }))
    }
}

impl Clock {
    fn new(time: TimeOf) -> Self {
        Self { time, last: Instant::from_nanos(i64::MIN) }
    }

    fn time_of(&mut self, body: Body<'_>, event: u64) -> Result<Instant, Fault> {
        let instant = |nanos: u64| i64::try_from(nanos).ok().map(Instant::from_nanos);
        let at = match (body, body.received()) {
            (Body::Ohlcv(_, span), _) => instant(event).and_then(|start| start.checked_add(span)),
            (Body::Bbo(_) | Body::Cbbo(_), _) if self.time == TimeOf::Exchange => {
                let cause = "tells the state at the end of an interval, which has no time of the exchange".to_owned();
                return Err((cause, "read it by receive time: `time: Received`".into()));
            }
            (_, Some((received, flags))) if self.time == TimeOf::Received => {
                instant(received).map(|at| if flags.is_bad_ts_recv() { at.max(self.last) } else { at })
            }
            _ => instant(event),
        };
        self.last = at.ok_or_else(|| ("has no time between 1970 and 2262".to_owned(), "leave the record out".to_owned()))?;
        Ok(self.last)
    }
}

impl<M: FromDbn> Source for DbnReader<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        Ok(self.next_item()?)
    }

    fn progress(&self) -> Option<(u64, u64)> {
        Some(self.records.decoder.get_ref().progress())
    }
}
