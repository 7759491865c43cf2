"""Build the same thirty features of simulated books with bellwether and with DuckDB; compare seconds, memory and cells.

    python features.py [--bellwether FILE] [--accounts N ...] [--runs N] [--work DIR] [--json FILE] [--strict]
    python features.py --quick
    python features.py --selftest

features.toml declares the features for `bellwether features`, features.sql is the same by hand. Both read the Parquet
files that `bellwether simulate --months 24 --seed 1` wrote and write one Parquet file of a row a customer and month's
end, in a process of its own, with as many threads. They run in turn, and every other time in the other order.

Ours is the time from the process's start to its end; DuckDB's is from its connection to the finished file, without
the interpreter's start, which favours it. Seconds are the median of the runs, CPU seconds those of all threads; on a
busy machine these say more. The peak is the process's largest resident memory in any run. Growth is how often the
seconds double where the accounts double: 1 is linear.

--quick is one run of 1,000 accounts. --strict asks for the time and the memory of LIMITS too. --work keeps the books
and both tables, and takes what is there already; a temporary folder is used otherwise.
Exit codes: 0 every cell is equal; 1 a cell differs, or a limit is passed; 2 usage; 3 a program failed.
"""

import argparse
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
DEFAULT_BELLWETHER = HERE.parents[1] / "target" / "debug" / "bellwether"
MONTHS = 24
SEED = 1
LIMITS = {"time ratio": 1.0, "MiB": 4096.0}
MIB = 1024 * 1024


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
    runs: list[Run]


@dataclass(frozen=True)
class Measured:
    """One book, built by both."""

    accounts: int
    usage_mib: float
    """Of the largest file."""
    ours: Side
    duckdb: Side

    @property
    def ratio(self) -> float:
        """Our seconds to DuckDB's."""
        return self.ours.seconds / self.duckdb.seconds

    @property
    def cpu_ratio(self) -> float:
        """Our CPU seconds to DuckDB's."""
        return self.ours.cpu_seconds / self.duckdb.cpu_seconds


def main() -> int:
    arguments = parse_arguments()
    if arguments.selftest:
        return selftest()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        try:
            return compare_sides(arguments, work)
        except (FailedError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 3


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bellwether", type=Path, default=os.environ.get("BELLWETHER", DEFAULT_BELLWETHER))
    parser.add_argument("--accounts", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--selftest", action="store_true")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.accounts, arguments.runs = [1_000], 1
    if min(*arguments.accounts, arguments.runs, arguments.threads) < 1:
        parser.error("--accounts, --runs and --threads are at least 1")
    return arguments


def compare_sides(arguments: argparse.Namespace, work: Path) -> int:
    program, threads = Path(arguments.bellwether), arguments.threads
    sizes = sorted(set(arguments.accounts))
    measured = [measure(program, book(program, work, size), size, arguments.runs, threads) for size in sizes]
    # Not before: a process that starts another lends it its own peak of memory, and this one must stay small.
    import cells

    compared = []
    for size in sizes:
        try:
            compared.append(cells.compare_files(*tables(work / str(size))))
        except cells.CellsError as error:
            raise FailedError(f"{size} accounts: {error}") from error
    print(text(measured, compared))
    is_right = not any(comparison.differing for comparison in compared)
    passed = list(passed_limits(measured)) if arguments.strict else []
    for words in passed:
        print(f"over the limit: {words}")
    if arguments.json:
        arguments.json.write_text(json.dumps(facts(arguments, measured, compared), indent=2) + "\n")
    return 0 if is_right and not passed else 1


# The runs


def book(program: Path, work: Path, accounts: int) -> Path:
    """The folder of the book with so many accounts, which is simulated where it is not there."""
    folder = work / str(accounts)
    if not folder.exists():
        unfinished = work / f"{accounts}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        work.mkdir(parents=True, exist_ok=True)
        sizes = ["--accounts", str(accounts), "--months", str(MONTHS), "--seed", str(SEED)]
        run([program, "simulate", *sizes, "--out", unfinished])
        unfinished.rename(folder)
    shutil.copy(HERE / "features.toml", folder)
    return folder


def tables(folder: Path) -> tuple[Path, Path]:
    return folder / "ours.parquet", folder / "duckdb.parquet"


def measure(program: Path, folder: Path, accounts: int, n_runs: int, threads: int) -> Measured:
    our_table, their_table = tables(folder)
    ours, theirs = [], []
    for turn in range(n_runs):
        sides = [lambda: ours.append(run_ours(program, folder, our_table, threads))]
        sides.append(lambda: theirs.append(run_duckdb(folder, their_table, threads)))
        for side in sides if turn % 2 == 0 else reversed(sides):
            side()
    usage_mib = (folder / "usage.parquet").stat().st_size / MIB
    return Measured(accounts, usage_mib, side_of(ours), side_of(theirs))


def side_of(runs: list[Run]) -> Side:
    return Side(
        seconds=median(run.seconds for run in runs),
        cpu_seconds=median(run.cpu_seconds for run in runs),
        peak_mib=max(run.peak_mib for run in runs),
        runs=runs,
    )


def run_ours(program: Path, folder: Path, out: Path, threads: int) -> Run:
    limits = {"RAYON_NUM_THREADS": str(threads), "POLARS_MAX_THREADS": str(threads)}
    return run([program, "features", "--book", folder / "features.toml", "--out", out], limits)[0]


def run_duckdb(folder: Path, out: Path, threads: int) -> Run:
    query = HERE / "features.sql"
    process, printed = run([sys.executable, HERE / "duckdb_features.py", query, folder, out, threads])
    told = json.loads(printed)
    return Run(told["seconds"], told["cpu_seconds"], process.peak_mib)


def run(command: list[object], environment: dict[str, str] | None = None) -> tuple[Run, str]:
    """Runs a program to its end: what it took, and what it printed."""
    words = [str(word) for word in command]
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        began = time.perf_counter()
        process = subprocess.Popen(words, stdout=stdout, stderr=stderr, env=os.environ | (environment or {}))
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        stderr.seek(0)
        if process.returncode != 0:
            raise FailedError(f"{' '.join(words)}: exit code {process.returncode}\n{stderr.read()}")
        return Run(seconds, used.ru_utime + used.ru_stime, peak_mib(used)), stdout.read()


def peak_mib(used: resource.struct_rusage) -> float:
    """Linux counts kibibytes, macOS bytes."""
    return used.ru_maxrss / (MIB if sys.platform == "darwin" else 1024)


# The words


def passed_limits(measured: list[Measured]) -> Iterator[str]:
    for of in measured:
        if of.ratio > LIMITS["time ratio"]:
            yield f"{of.accounts:,} accounts: {of.ratio:.2f} times DuckDB's seconds, at most {LIMITS['time ratio']:g}"
        if of.ours.peak_mib > LIMITS["MiB"]:
            yield f"{of.accounts:,} accounts: {of.ours.peak_mib:,.0f} MiB, at most {LIMITS['MiB']:g}"


def text(measured: list[Measured], compared: list) -> str:
    return "\n".join([*lines(measured, compared), *differences(measured, compared), *growth_lines(measured)])


def lines(measured: list[Measured], compared: list) -> Iterator[str]:
    yield (
        f"{'accounts':>8} {'usage MiB':>9} {'ours s':>8} {'DuckDB s':>8} {'ratio':>6} "
        f"{'ours CPU':>8} {'its CPU':>8} {'ratio':>6} "
        f"{'ours MiB':>8} {'its MiB':>8} {'cells':>12} {'missing':>10} {'differ':>7}"
    )
    for of, comparison in zip(measured, compared):
        yield (
            f"{of.accounts:>8,} {of.usage_mib:>9.1f} "
            f"{of.ours.seconds:>8.2f} {of.duckdb.seconds:>8.2f} {of.ratio:>6.2f} "
            f"{of.ours.cpu_seconds:>8.2f} {of.duckdb.cpu_seconds:>8.2f} {of.cpu_ratio:>6.2f} "
            f"{of.ours.peak_mib:>8,.0f} {of.duckdb.peak_mib:>8,.0f} "
            f"{comparison.cells:>12,} {comparison.missing:>10,} {comparison.differing:>7,}"
        )


def differences(measured: list[Measured], compared: list) -> Iterator[str]:
    for of, comparison in zip(measured, compared):
        for column, examples in comparison.examples.items():
            yield from (f"differs: {of.accounts:,} accounts: {column}: {words} (ours, theirs)" for words in examples)


def growth_lines(measured: list[Measured]) -> Iterator[str]:
    for step in growth(measured):
        yield (
            f"from {step['from']:,} to {step['to']:,} accounts: growth {step['ours']:.2f} ours, "
            f"{step['duckdb']:.2f} DuckDB; of CPU seconds {step['ours_cpu']:.2f} and {step['duckdb_cpu']:.2f}"
        )


def growth(measured: list[Measured]) -> list[dict[str, float]]:
    """By step from one size to the next: log of the ratio of costs to the base of the ratio of sizes."""
    steps = []
    for small, large in zip(measured, measured[1:]):
        power = lambda before, after: math.log(after / before) / math.log(large.accounts / small.accounts)
        step = {
            "from": small.accounts,
            "to": large.accounts,
            "ours": power(small.ours.seconds, large.ours.seconds),
            "duckdb": power(small.duckdb.seconds, large.duckdb.seconds),
            "ours_cpu": power(small.ours.cpu_seconds, large.ours.cpu_seconds),
            "duckdb_cpu": power(small.duckdb.cpu_seconds, large.duckdb.cpu_seconds),
        }
        steps.append(step)
    return steps


def facts(arguments: argparse.Namespace, measured: list[Measured], compared: list) -> dict[str, object]:
    import duckdb

    books = [
        asdict(of) | {"ratio": of.ratio, "cpu_ratio": of.cpu_ratio, "compared": asdict(comparison)}
        for of, comparison in zip(measured, compared)
    ]
    return {
        "duckdb": duckdb.__version__,
        "threads": arguments.threads,
        "months": MONTHS,
        "seed": SEED,
        "limits": LIMITS,
        "books": books,
        "growth": growth(measured),
    }


def selftest() -> int:
    import cells

    wrong = cells.selftest()
    print("\n".join(wrong) or "the comparison finds every changed cell, and no other")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
