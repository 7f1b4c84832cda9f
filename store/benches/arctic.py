"""Our store beside ArcticDB, in one run, on the same table: prints both figures and their ratio, above 1 where ours is better.

    python3 -m venv target/arctic && target/arctic/bin/pip install arcticdb==6.28.2 pandas==2.3.3 pyarrow==21.0.0
    target/arctic/bin/python store/benches/arctic.py

Our figures come from `cargo bench -p stillpoint-store`, which also writes the table to a file; ArcticDB, on LMDB, then gets that table. Rates are
by processor time of all threads, latencies by the clock, but for ArcticDB's appends: LMDB waits for the disk, and ours do not in this bench, so
its processor time is held against our whole time. Ten million rows take some minutes and 3 GiB of memory.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import arcticdb
import pyarrow.ipc

REPOSITORY = Path(__file__).resolve().parents[2]
APPENDS = 300
SYMBOLS = 10_000


def ours(table):
    """The figures of our bench by name; the table is left in a file."""
    command = ["cargo", "bench", "--quiet", "--profile", "release", "-p", "stillpoint-store", "--bench", "store", "--", "--json", "--export", table]
    printed = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {line["name"]: line["figure"] for line in json.loads(printed[printed.index("[") :])}


def cpu(times, work):
    """The least processor time of some calls, in seconds."""
    taken = []
    for _ in range(times):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)


def each(times, work, clock=time.perf_counter):
    """How long each call takes, in microseconds."""
    taken = []
    for number in range(times):
        begun = clock()
        work(number)
        taken.append((clock() - begun) * 1e6)
    return taken


def theirs(frame, folder):
    """The figures of ArcticDB under the names of ours."""
    rows = len(frame)
    library = arcticdb.Arctic(f"lmdb://{folder}/large?map_size=8GB").create_library("bench")
    library.write("ticks", frame)
    size = sum(file.stat().st_blocks * 512 for file in Path(folder).rglob("*") if file.is_file())
    figures = {"size": size / rows}
    figures["write"] = rows / 1e6 / cpu(3, lambda: library.write("ticks", frame, prune_previous_versions=True))
    figures["read"] = rows / 1e6 / cpu(3, lambda: library.read("ticks").data)
    some = (frame.index[rows // 2], frame.index[rows // 2 + rows // 100 - 1])
    figures["1 % range, median"] = median(each(21, lambda _: library.read("ticks", date_range=some).data)) / 1e3

    pieces = [frame.iloc[number * 1_000 : (number + 1) * 1_000] for number in range(APPENDS)]
    appended = each(APPENDS, lambda number: library.append("a", pieces[number]), time.process_time)
    figures["append of 1,000 rows, p50, not synced"] = median(appended)
    figures["the same, last tenth of them"] = median(appended[-APPENDS // 10 :])

    small = arcticdb.Arctic(f"lmdb://{folder}/small?map_size=4GB").create_library("bench")
    ten = frame.iloc[:10]
    small.write_batch([arcticdb.WritePayload(f"symbol-{number:05}", ten) for number in range(SYMBOLS)])
    small.write("large", frame.iloc[:10_000])
    cold = each(1, lambda _: small.list_symbols())[0] / 1e3
    figures["list of 10,000 symbols"] = median(each(21, lambda _: small.list_symbols())) / 1e3
    figures["latest read of 10,000 rows, decoded anew"] = median(each(101, lambda _: small.read("large").data))
    return figures, cold


def main():
    with tempfile.TemporaryDirectory() as folder:
        table = f"{folder}/ticks.arrow"
        our_figures = ours(table)
        frame = pyarrow.ipc.open_file(table).read_all().to_pandas()
        frame = frame.set_index(frame.pop("time").dt.tz_localize(None))
        their_figures, cold = theirs(frame, folder)
    missing = [name for name in their_figures if name not in our_figures]
    if missing:
        sys.exit(f"the bench of the store does not say {missing}; it says {sorted(our_figures)}")
    print(f"{len(frame):,} rows, arcticdb {arcticdb.__version__}")
    print(f"{'':<42} {'ours':>10} {'ArcticDB':>10} {'ratio':>7}")
    for name, their in their_figures.items():
        our = our_figures[name]
        # More rows a second are better, and less of everything else.
        ratio = our / their if name in ("write", "read") else their / our
        print(f"{name:<42} {our:>10.2f} {their:>10.2f} {ratio:>7.2f}")
    print(f"{'list of 10,000 symbols, the first time':<42} {'':>10} {cold:>10.2f}")


if __name__ == "__main__":
    main()
