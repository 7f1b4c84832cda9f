//! CSV in. Invariant: types are those that are given, else those that the first rows have; a value that does not fit its type is an error.

use std::io::{Cursor, Read};
use std::str::FromStr;
use std::sync::Arc;

use arrow_csv::ReaderBuilder;
use arrow_csv::reader::Format;
use arrow_schema::{DataType, Field, Schema, TimeUnit};

use super::read::{FileOptions, Opened, unreadable};
use super::time::TIME_FORMATS;
use super::{BATCH_ROWS, FileError, FileFormat};
use crate::table::TIME;

/// So many bytes of a file are looked at to guess the types of its columns.
const LOOK_BYTES: u64 = 4 << 20;

/// The type of a column, by the name that people give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnType(pub(super) DataType);

/// The names of types.
pub const TYPES: &str = "bool, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, text, date, timestamp";

impl FromStr for ColumnType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(match text {
            "bool" => DataType::Boolean,
            "i8" => DataType::Int8,
            "i16" => DataType::Int16,
            "i32" => DataType::Int32,
            "i64" => DataType::Int64,
            "u8" => DataType::UInt8,
            "u16" => DataType::UInt16,
            "u32" => DataType::UInt32,
            "u64" => DataType::UInt64,
            "f32" => DataType::Float32,
            "f64" => DataType::Float64,
            "text" => DataType::Utf8,
            "date" => DataType::Date32,
            "timestamp" => DataType::Timestamp(TimeUnit::Nanosecond, None),
            _ => return Err(format!("there is no type `{text}`: it is one of {TYPES}")),
        }))
    }
}

/// Opens a CSV file, which may be a pipe: it is read once.
pub(super) fn open<R: Read + Send + 'static>(mut input: R, shown: &str, options: &FileOptions) -> Result<Opened, FileError> {
    let mut head = Vec::new();
    let took = input.by_ref().take(LOOK_BYTES).read_to_end(&mut head);
    took.map_err(|error| FileError::Open { file: shown.to_owned(), why: error.to_string() })?;
    if head.iter().all(u8::is_ascii_whitespace) {
        return Err(FileError::Empty { file: shown.to_owned(), what: "it has not even a header" });
    }
    // A line that was cut in two would make numbers shorter.
    let whole = if (head.len() as u64) < LOOK_BYTES {
        head.len()
    } else {
        head.iter().rposition(|byte| *byte == b'\n').map_or(head.len(), |at| at + 1)
    };
    let format = Format::default().with_header(true).with_delimiter(options.delimiter);
    let wrong = |error: arrow_schema::ArrowError| unreadable(shown, FileFormat::Csv, &error);
    let (guessed, rows) = format.infer_schema(Cursor::new(&head[..whole]), None).map_err(wrong)?;
    if rows == 0 {
        return Err(FileError::Empty {
            file: shown.to_owned(),
            what: "it has a header and no rows, so nothing tells the types of its columns",
        });
    }
    let schema = Arc::new(chosen(&guessed, shown, options)?);
    let reader = ReaderBuilder::new(schema.clone()).with_format(format).with_batch_size(BATCH_ROWS);
    let reader = reader.build(Cursor::new(head).chain(input)).map_err(wrong)?;
    let (file, kinds) = (shown.to_owned(), schema.clone());
    let batches = reader.map(move |batch| batch.map_err(|error| bad_value(&file, &kinds, &error)));
    Ok(Opened { schema, batches: Box::new(batches) })
}

/// The types that were given, else guessed. The time index stays text or a whole number until its zone and unit are known.
fn chosen(guessed: &Schema, shown: &str, options: &FileOptions) -> Result<Schema, FileError> {
    if let Some((name, _)) = options.types.iter().find(|(name, _)| guessed.index_of(name).is_err()) {
        let has: Vec<&str> = guessed.fields().iter().map(|field| field.name().as_str()).collect();
        let what = format!("a type is given for the column `{name}`, which is not there; there are {}", has.join(", "));
        return Err(FileError::Columns { file: shown.to_owned(), what });
    }
    let time = options.time.as_deref().unwrap_or(TIME);
    let fields = guessed.fields().iter().map(|field| {
        let kind = match (options.types.get(field.name()), field.data_type()) {
            (Some(given), _) => given.0.clone(),
            (None, DataType::Int64) => DataType::Int64,
            (None, _) if field.name() == time => DataType::Utf8,
            (None, DataType::Null) => DataType::Utf8,
            (None, other) => other.clone(),
        };
        Field::new(field.name(), kind, true)
    });
    Ok(Schema::new(fields.collect::<Vec<_>>()))
}

fn bad_value(file: &str, schema: &Schema, error: &arrow_schema::ArrowError) -> FileError {
    let columns: Vec<String> = schema.fields().iter().map(|field| format!("{}={}", field.name(), field.data_type())).collect();
    let why = format!(
        "{error}; its columns were taken for {}. Where this is wrong about a column, give the option `type` with its name and one of {TYPES}. Times may be {TIME_FORMATS}",
        columns.join(", ")
    );
    FileError::Unreadable { file: file.to_owned(), format: FileFormat::Csv, why }
}
