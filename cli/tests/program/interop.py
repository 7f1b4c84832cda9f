"""Other programs read our segments, and make files for us. Usage: interop.py read FILE.. | write FOLDER"""

import json
import sys

import duckdb
import pandas
import pyarrow
import pyarrow.parquet


def figures(frame):
    """The count of rows, the first and last instant in nanoseconds, and sums that tell values and nulls."""
    times = frame["time"].astype("int64") if frame["time"].dt.unit == "ns" else frame["time"].dt.as_unit("ns").astype("int64")
    return [len(frame), int(times.iloc[0]), int(times.iloc[-1]), float(frame["price"].sum()), int(frame["size"].isna().sum())]


def read(files):
    pandas_frame = pandas.concat([pandas.read_parquet(file) for file in files], ignore_index=True)
    relation = duckdb.sql(
        "select count(*), min(epoch_ns(time)), max(epoch_ns(time)), sum(price), count(*) filter (size is null) from read_parquet(?)",
        params=[files],
    )
    rows = duckdb.sql("select note from read_parquet(?) order by time", params=[files]).fetchall()
    notes = ["" if note is None else note for (note,) in rows]
    print(json.dumps({"pandas": figures(pandas_frame), "duckdb": list(relation.fetchall()[0]), "notes": notes}))


def write(folder):
    """The same thousand rows, in each of the ways in which these programs write."""
    frame = pandas.DataFrame(
        {
            "time": pandas.date_range("2024-01-01", periods=1000, freq="s", tz="UTC"),
            "price": [row / 4 for row in range(1000)],
            "size": pandas.array([None if row % 10 == 0 else row for row in range(1000)], dtype="Int64"),
            "note": [f"row {row}" for row in range(1000)],
        }
    )
    for compression in ["snappy", "gzip", "zstd", "lz4", "none"]:
        frame.to_parquet(f"{folder}/pandas-{compression}.parquet", compression=None if compression == "none" else compression, index=False)
    frame.assign(time=frame["time"].dt.tz_localize(None).dt.as_unit("ms")).to_parquet(f"{folder}/naive.parquet", index=False)
    frame.to_feather(f"{folder}/lz4.feather")
    frame.to_feather(f"{folder}/zstd.feather", compression="zstd")
    frame.to_csv(f"{folder}/pandas.csv", index=False)
    table = pyarrow.Table.from_pandas(frame.assign(note=frame["note"].astype("category")), preserve_index=False)
    with pyarrow.ipc.new_stream(f"{folder}/stream.arrows", table.schema) as stream:
        stream.write_table(table)
    duckdb.register("frame", frame)
    for compression in ["snappy", "gzip", "zstd"]:
        duckdb.sql(f"copy (from frame order by time) to '{folder}/duckdb-{compression}.parquet' (format parquet, compression {compression})")
    # A folder whose files' names are in another order than their times.
    import os

    os.mkdir(f"{folder}/many")
    for part in range(4):
        piece = frame.iloc[part * 250 : (part + 1) * 250]
        if part % 2:
            piece.to_parquet(f"{folder}/many/{9 - part}.parquet", index=False)
        else:
            duckdb.register("piece", piece)
            duckdb.sql(f"copy (from piece order by time) to '{folder}/many/{9 - part}.parquet' (format parquet)")


if sys.argv[1] == "read":
    read(sys.argv[2:])
else:
    write(sys.argv[2])
