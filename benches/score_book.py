"""Score a whole book from its feature table, and hold the time against polars only reading and writing the same files.

    python score_book.py --features TABLE.parquet --model BUNDLE [--bellwether PROGRAM] [--replicate N] [--runs N]
                         [--threads N] [--reasons K] [--work FOLDER] [--json FILE] [--strict]
    python score_book.py --selftest

The table is that of `bellwether features --as-of`, sorted by account. --replicate writes each account N times, with ids of
its own and every number multiplied by a random 0.97 to 1.03 (0 and missing stay): a book of a million accounts from one of
a hundred thousand, said in the output. The file has zstd and row groups of 131,072 rows, as ours have.

Each run is a process of its own, in turn:
- bellwether: `score --features`, from the process's start to its end, bundle and parity replay included;
- polars: `read_parquet` of the table, and `write_parquet` of the scores that bellwether wrote, which are in memory by then:
  without the interpreter's start and without reading the scores, which favours it.
Seconds are medians; the ratio is that of the medians. CPU seconds are those of all threads; the peak is the process's
largest resident memory in any run (polars: with the scores that it writes). Needs polars beside Python 3.11, which
benches/peers/requirements.txt has; both sides get --threads.
Exit codes: 0 done; 1 --strict and the ratio or the memory is above its limit; 2 usage; 3 a command failed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

DEFAULT_BELLWETHER = Path(__file__).resolve().parents[1] / "target" / "debug" / "bellwether"
RATIO_LIMIT = 1.5
MIB_LIMIT = 2048.0
ROWS_A_GROUP = 131_072
SEED = 1
# What polars does, timed by itself: the seconds go to stdout.
BASELINE = """
import sys, time
import polars as pl
table, scores, out = sys.argv[1:]
written = pl.read_parquet(scores)
began = time.perf_counter()
read = pl.read_parquet(table)
written.write_parquet(out, compression="zstd", row_group_size=131_072)
print(time.perf_counter() - began)
"""


class FailedError(Exception):
    """A program didn't do its part."""


@dataclass(frozen=True)
class Run:
    """One process: seconds of its work, CPU seconds of all its threads, largest resident memory."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


@dataclass(frozen=True)
class Side:
    """Median seconds, median CPU seconds and largest peak of one side's runs."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def main() -> int:
    options = arguments()
    if options.selftest:
        return selftest()
    if not (options.features and options.model):
        print("error: --features and --model are needed", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        try:
            work = options.work or Path(folder)
            work.mkdir(parents=True, exist_ok=True)
            result = compare(options, work)
        except FailedError as error:
            print(f"error: {error}", file=sys.stderr)
            return 3
    print(text_of(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    is_ok = result["ratio"] <= RATIO_LIMIT and result["bellwether"]["peak_mib"] <= MIB_LIMIT
    return 1 if options.strict and not is_ok else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--features", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--bellwether", type=Path, default=DEFAULT_BELLWETHER)
    parser.add_argument("--replicate", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--reasons", type=int)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--selftest", action="store_true")
    return parser.parse_args()


def compare(options: argparse.Namespace, work: Path) -> dict:
    """Both sides' medians, their ratio, and what was compared."""
    table = replicated(options.features, options.replicate, work)
    scores, copy = work / "scores.parquet", work / "copy.parquet"
    score = [options.bellwether, "score", "--features", table, "--model", options.model, "--out", scores]
    if options.reasons is not None:
        score += ["--reasons", str(options.reasons)]
    ours, theirs = [], []
    for _ in range(options.runs):
        ours.append(timed(score, options.threads)[0])
        run, stdout = timed([sys.executable, "-c", BASELINE, table, scores, copy], options.threads)
        theirs.append(Run(float(stdout), run.cpu_seconds, run.peak_mib))
    ours, theirs = side(ours), side(theirs)
    n_rows, n_columns = shape(table)
    return {
        "rows": n_rows,
        "columns": n_columns,
        "score_columns": shape(scores)[1],
        "replicate": options.replicate,
        "runs": options.runs,
        "threads": options.threads,
        "load": os.getloadavg()[0],
        "table_mib": table.stat().st_size / 2**20,
        "scores_mib": scores.stat().st_size / 2**20,
        "bellwether": asdict(ours),
        "polars": asdict(theirs),
        "ratio": ours.seconds / theirs.seconds,
        "cpu_ratio": ours.cpu_seconds / theirs.cpu_seconds,
    }


def replicated(features: Path, n: int, work: Path) -> Path:
    """The table with each account n times; itself where n is 1."""
    import numpy
    import polars as pl

    if n == 1:
        return features
    path = work / f"features-x{n}.parquet"
    if path.exists():
        return path
    table = pl.read_parquet(features)
    random = numpy.random.default_rng(SEED)
    numbers = [name for name, kind in table.schema.items() if kind.is_float()]
    copies = []
    for copy in range(n):
        factors = random.uniform(0.97, 1.03, (len(numbers), table.height)) if copy else numpy.ones((len(numbers), 1))
        jitter = [
            (pl.col(name) * pl.Series(of_column)).cast(table.schema[name])
            for name, of_column in zip(numbers, factors, strict=True)
        ]
        ids = (pl.col("account_id") + f"-{copy:03}").alias("account_id")
        copies.append(table.with_columns(ids, *(jitter if copy else [])))
    pl.concat(copies).sort("account_id", "as_of").write_parquet(
        path, compression="zstd", row_group_size=ROWS_A_GROUP
    )
    return path


def timed(command: list, threads: int) -> tuple[Run, str]:
    """A process's figures and what it printed."""
    environment = os.environ | {"POLARS_MAX_THREADS": str(threads), "RAYON_NUM_THREADS": str(threads)}
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        began = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=stdout, stderr=stderr, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            stderr.seek(0)
            raise FailedError(f"{command[0]} ended with {process.returncode}: {stderr.read()}")
        stdout.seek(0)
        run = Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
        return run, stdout.read()


def side(runs: list[Run]) -> Side:
    return Side(
        median(run.seconds for run in runs),
        median(run.cpu_seconds for run in runs),
        max(run.peak_mib for run in runs),
    )


def shape(path: Path) -> tuple[int, int]:
    import polars as pl

    frame = pl.scan_parquet(path)
    return frame.select(pl.len()).collect().item(), len(frame.collect_schema())


def text_of(result: dict) -> str:
    of_table = f"{result['rows']:,} rows x {result['columns']} columns, {result['table_mib']:.0f} MiB"
    made = f" (each account {result['replicate']} times, jittered)" if result["replicate"] > 1 else ""
    lines = [
        f"{of_table}{made} -> {result['score_columns']} columns, {result['scores_mib']:.0f} MiB; "
        f"{result['threads']} threads, medians of {result['runs']}, load {result['load']:.1f}",
        "| | s | CPU s | peak MiB |",
        "|---|---|---|---|",
    ]
    for name, label in [("bellwether", "bellwether score"), ("polars", "polars reads and writes")]:
        run = result[name]
        lines.append(f"| {label} | {run['seconds']:.2f} | {run['cpu_seconds']:.2f} | {run['peak_mib']:,.0f} |")
    lines.append(f"ratio {result['ratio']:.2f} (CPU {result['cpu_ratio']:.2f}); limits {RATIO_LIMIT} and {MIB_LIMIT:,.0f} MiB")
    return "\n".join(lines)


def selftest() -> int:
    """Replicas differ, keep what is missing, and stand by account."""
    import polars as pl

    with tempfile.TemporaryDirectory() as folder:
        features = Path(folder) / "features.parquet"
        pl.DataFrame(
            {
                "account_id": ["a", "b"],
                "as_of": ["2024-06-30"] * 2,
                "seats": pl.Series([8.0, None], dtype=pl.Float32),
            }
        ).write_parquet(features)
        table = pl.read_parquet(replicated(features, 3, Path(folder)))
    assert table["account_id"].to_list() == ["a-000", "a-001", "a-002", "b-000", "b-001", "b-002"]
    assert table.schema["seats"] == pl.Float32
    assert table["seats"][0] == 8.0 and table["seats"][:3].n_unique() == 3
    assert table["seats"][:3].is_between(7.76, 8.24).all() and table["seats"][3:].null_count() == 3
    assert timed([sys.executable, "-c", "print(1)"], 2)[1] == "1\n"
    try:
        timed([sys.executable, "-c", "raise SystemExit(7)"], 2)
    except FailedError as error:
        assert "ended with 7" in str(error)
    else:
        raise AssertionError("a failed command is told")
    runs = [Run(1.0, 2.0, 30.0), Run(3.0, 1.0, 10.0), Run(2.0, 3.0, 20.0)]
    assert side(runs) == Side(2.0, 2.0, 30.0)
    print("selftest ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
