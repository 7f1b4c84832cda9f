//! Rows out, to files of other programs. Invariant: a file has its name only when it is whole.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_csv::{Writer as CsvWriter, WriterBuilder};
use arrow_ipc::writer::{FileWriter as IpcWriter, StreamWriter};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::text::instants;
use super::{FileError, FileFormat};

type Out = BufWriter<File>;

enum Sink {
    Csv(Box<CsvWriter<Out>>),
    Parquet(Box<ArrowWriter<Out>>),
    Ipc(Box<IpcWriter<Out>>),
    Stream(Box<StreamWriter<Out>>),
}

/// Writes a file of rows. Until [`FileWriter::finish`] it has another name, and without it nothing stays.
pub struct FileWriter {
    path: PathBuf,
    part: PathBuf,
    /// Taken when the file is whole.
    sink: Option<Sink>,
}

impl std::fmt::Debug for FileWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileWriter({})", self.path.display())
    }
}

impl FileWriter {
    /// Begins a file in the format given, else that of its name. A file that is there is replaced by [`FileWriter::finish`].
    ///
    /// # Errors
    /// [`FileError::Unknown`] if the name tells no format; [`FileError::NoFolder`]; [`FileError::Write`]; [`FileError::Columns`] for columns that the format does not have.
    pub fn create(path: &Path, format: Option<FileFormat>, schema: &SchemaRef) -> Result<Self, FileError> {
        let format = format.or_else(|| FileFormat::of_name(path)).ok_or_else(|| FileError::Unknown { file: path.display().to_string() })?;
        if let (FileFormat::Csv, Some(field)) = (format, schema.fields().iter().find(|field| field.data_type().is_nested())) {
            let what = format!(
                "the column `{}` of type {} cannot be written as CSV: choose other columns, or Parquet",
                field.name(),
                field.data_type()
            );
            return Err(FileError::Columns { file: path.display().to_string(), what });
        }
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".part");
        let part = path.with_file_name(name);
        let folder = part.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            return Err(FileError::NoFolder { folder: folder.display().to_string() });
        }
        let file = File::create(&part).map_err(|error| failed(path, &error))?;
        let mut writer = Self { path: path.to_owned(), part, sink: None };
        let out = BufWriter::with_capacity(1 << 18, file);
        writer.sink = Some(match format {
            FileFormat::Csv => Sink::Csv(Box::new(csv_writer(out))),
            FileFormat::Parquet => {
                let level = ZstdLevel::try_new(1).map_err(|error| failed(path, &error))?;
                let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
                let made = ArrowWriter::try_new(out, schema.clone(), Some(properties));
                Sink::Parquet(Box::new(made.map_err(|error| failed(path, &error))?))
            }
            FileFormat::Ipc => {
                Sink::Ipc(Box::new(IpcWriter::try_new(out, &without_dictionaries(schema)).map_err(|error| failed(path, &error))?))
            }
            FileFormat::IpcStream => Sink::Stream(Box::new(StreamWriter::try_new(out, schema).map_err(|error| failed(path, &error))?)),
        });
        if let Some(Sink::Csv(csv)) = &mut writer.sink {
            // A header, also where no row follows.
            csv.write(&as_text(&RecordBatch::new_empty(schema.clone()))).map_err(|error| failed(path, &error))?;
        }
        Ok(writer)
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`FileError::Write`].
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), FileError> {
        let path = &self.path;
        match &mut self.sink {
            Some(Sink::Csv(writer)) => writer.write(&as_text(batch)).map_err(|error| failed(path, &error)),
            Some(Sink::Parquet(writer)) => writer.write(batch).map_err(|error| failed(path, &error)),
            Some(Sink::Ipc(writer)) => decoded(batch).and_then(|batch| writer.write(&batch)).map_err(|error| failed(path, &error)),
            Some(Sink::Stream(writer)) => writer.write(batch).map_err(|error| failed(path, &error)),
            None => Ok(()),
        }
    }

    /// Ends the file and gives it its name. Returns how many bytes it has.
    ///
    /// # Errors
    /// [`FileError::Write`].
    pub fn finish(mut self) -> Result<u64, FileError> {
        let path = self.path.clone();
        let out = match self.sink.take() {
            Some(Sink::Csv(writer)) => writer.into_inner(),
            Some(Sink::Parquet(writer)) => writer.into_inner().map_err(|error| failed(&path, &error))?,
            Some(Sink::Ipc(mut writer)) => {
                writer.finish().map_err(|error| failed(&path, &error))?;
                writer.into_inner().map_err(|error| failed(&path, &error))?
            }
            Some(Sink::Stream(mut writer)) => {
                writer.finish().map_err(|error| failed(&path, &error))?;
                writer.into_inner().map_err(|error| failed(&path, &error))?
            }
            None => return Ok(0),
        };
        let file = out.into_inner().map_err(|error| failed(&path, error.error()))?;
        let bytes = file.metadata().map_err(|error| failed(&path, &error))?.len();
        fs::rename(&self.part, &path).map_err(|error| failed(&path, &error))?;
        Ok(bytes)
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        // After `finish` there is no such file any more.
        let _ = fs::remove_file(&self.part);
    }
}

/// Writes batches as CSV, the first with a header.
///
/// # Errors
/// What `out` gives.
pub fn write_csv(out: &mut dyn Write, batch: &RecordBatch, header: bool) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    let mut writer = WriterBuilder::new().with_header(header).build(&mut buffer);
    writer.write(&as_text(batch)).map_err(|error| std::io::Error::other(error.to_string()))?;
    drop(writer);
    out.write_all(&buffer)
}

fn csv_writer(out: Out) -> CsvWriter<Out> {
    WriterBuilder::new().with_header(true).build(out)
}

/// The file format of Arrow has one dictionary a column, and the rows of a store have one a segment.
fn without_dictionaries(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Dictionary(_, values) => Arc::new(Field::new(field.name(), values.as_ref().clone(), field.is_nullable())),
        _ => field.clone(),
    });
    Schema::new(fields.collect::<Vec<FieldRef>>())
}

fn decoded(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    if !batch.columns().iter().any(|column| matches!(column.data_type(), DataType::Dictionary(..))) {
        return Ok(batch.clone());
    }
    let schema = Arc::new(without_dictionaries(&batch.schema()));
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| arrow_cast::cast(column, field.data_type()));
    RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)
}

/// Timestamps with a zone as text: instants of UTC.
fn as_text(batch: &RecordBatch) -> RecordBatch {
    let is_zoned = |kind: &DataType| matches!(kind, DataType::Timestamp(_, Some(_)));
    let schema = batch.schema();
    if !schema.fields().iter().any(|field| is_zoned(field.data_type())) {
        return batch.clone();
    }
    let fields = schema.fields().iter().map(|field| {
        if is_zoned(field.data_type()) { field.as_ref().clone().with_data_type(DataType::Utf8) } else { field.as_ref().clone() }
    });
    let columns: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .map(|column| match is_zoned(column.data_type()) {
            true => Arc::new(instants(column).into_iter().map(|at| at.map(|at| at.to_string())).collect::<StringArray>()),
            false => column.clone(),
        })
        .collect();
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, columns).unwrap_or_else(|_| batch.clone())
}

fn failed(path: &Path, error: &dyn std::error::Error) -> FileError {
    FileError::Write { file: path.display().to_string(), why: error.to_string() }
}
