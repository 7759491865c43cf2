"""Whether two Parquet tables of one row an account and day hold the same, cell by cell, in any order of rows.

Two numbers are equal where both are missing (null or NaN), or differ by at most 1e-6 of the larger one: both sides
compute in double precision and round to single, whose step is 6e-8 to 1.2e-7 of a number; sums in another order may
round to the next one. Where a slope or a difference is nothing but the rounding errors of its sums, no digit of it is
right; so numbers that differ by at most 1e-9 are equal too. Texts are equal, or both null.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

RELATIVE = 1e-6
ABSOLUTE = 1e-9
KEYS = ["account_id", "as_of"]
EXAMPLES = 3


class CellsError(Exception):
    """The tables don't have the same rows and columns, so that cells can't be compared."""


@dataclass(frozen=True)
class Comparison:
    """How many cells there are beside the keys, how many differ, and by column the first few of those."""

    cells: int
    differing: int
    missing: int
    """Cells that are missing on both sides."""
    examples: dict[str, list[str]] = field(default_factory=dict)


def compare_files(ours: Path, theirs: Path) -> Comparison:
    return compare(pq.read_table(ours), pq.read_table(theirs))


def compare(ours: pa.Table, theirs: pa.Table) -> Comparison:
    """Raises CellsError where keys or columns differ, or a key comes twice."""
    if sorted(ours.column_names) != sorted(theirs.column_names):
        only = set(ours.column_names) ^ set(theirs.column_names)
        raise CellsError(f"only one side has the columns {', '.join(sorted(only))}")
    ours, theirs = by_key(ours), by_key(theirs)
    check_keys(ours, theirs)
    differing, missing, examples = 0, 0, {}
    columns = [name for name in ours.column_names if name not in KEYS]
    for name in columns:
        left, right = values(ours[name]), values(theirs[name])
        if (left.dtype == object) != (right.dtype == object):
            raise CellsError(f"{name} is {ours[name].type} on our side and {theirs[name].type} on theirs")
        is_missing = is_missing_in(left) & is_missing_in(right)
        rows = np.flatnonzero(~(is_missing | is_equal(left, right)))
        missing += int(is_missing.sum())
        if rows.size:
            differing += rows.size
            examples[name] = [example(ours, left, right, int(row)) for row in rows[:EXAMPLES]]
    return Comparison(len(columns) * ours.num_rows, differing, missing, examples)


def by_key(table: pa.Table) -> pa.Table:
    # Sorting knows neither views nor dictionaries.
    fields = [pa.field(f.name, f.type if is_plain(f.type) else pa.string()) for f in table.schema]
    return table.cast(pa.schema(fields)).sort_by([(key, "ascending") for key in KEYS])


def is_plain(of: pa.DataType) -> bool:
    return pa.types.is_floating(of) or pa.types.is_integer(of) or pa.types.is_date(of)


def check_keys(ours: pa.Table, theirs: pa.Table) -> None:
    if ours.num_rows != theirs.num_rows:
        raise CellsError(f"{ours.num_rows} rows on our side and {theirs.num_rows} on theirs")
    left, right = ([table[key].to_numpy() for key in KEYS] for table in (ours, theirs))
    same = np.all([a == b for a, b in zip(left, right)], axis=0)
    if not same.all():
        row = int(np.argmin(same))
        raise CellsError(f"row {row + 1} by key is {place(ours, row)} on our side and {place(theirs, row)} on theirs")
    twice = np.all([a[1:] == a[:-1] for a in left], axis=0)
    if twice.any():
        raise CellsError(f"{place(ours, int(np.argmax(twice)))} comes twice")


def place(table: pa.Table, row: int) -> str:
    return " ".join(str(table[key][row].as_py()) for key in KEYS)


def values(column: pa.ChunkedArray) -> np.ndarray:
    """Numbers as f64 with NaN for null, texts as objects with None."""
    if pa.types.is_string(column.type):
        return column.to_numpy()
    return column.cast(pa.float64()).to_numpy()


def is_missing_in(column: np.ndarray) -> np.ndarray:
    return np.equal(column, None).astype(bool) if column.dtype == object else np.isnan(column)


def is_equal(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    if left.dtype == object:
        return (left == right).astype(bool)
    with np.errstate(invalid="ignore"):
        allowed = np.maximum(RELATIVE * np.maximum(np.abs(left), np.abs(right)), ABSOLUTE)
        return (left == right) | (np.isfinite(allowed) & (np.abs(left - right) <= allowed))


def example(table: pa.Table, left: np.ndarray, right: np.ndarray, row: int) -> str:
    return f"{place(table, row)}: {left[row]} and {right[row]}"


def selftest() -> list[str]:
    """What the comparison gets wrong: each change of a cell must be found, what is no change must not."""
    number, text = [1.0, None, 0.0, 3e-10], ["a", None, "b", "c"]
    base = made(number, text)
    facts = [
        ("itself", base, 0),
        ("rows in another order", base.take([2, 0, 3, 1]), 0),
        ("NaN for null", made([1.0, float("nan"), 0.0, 3e-10], text), 0),
        ("another rounding", made([1.0 + 9e-7, None, 1e-10, -3e-10], text), 0),
        ("a number", made([1.0 + 2e-6, None, 0.0, 3e-10], text), 1),
        ("0 for null", made([1.0, 0.0, 0.0, 3e-10], text), 1),
        ("null for 0", made([1.0, None, None, 3e-10], text), 1),
        ("infinity", made([float("inf"), None, 0.0, 3e-10], text), 1),
        ("a text", made(number, ["a", None, "B", "c"]), 1),
        ("null for a text", made(number, ["a", None, None, "c"]), 1),
        ("another account", base.set_column(0, "account_id", pa.array(["x", "y", "y", "z"])), None),
        ("a row fewer", base.slice(1), None),
        ("a column fewer", base.drop_columns(["text"]), None),
        ("a text as number", made(number, [1.0, None, 2.0, 3.0]), None),
    ]
    results = [(name, found(base, other), wanted) for name, other, wanted in facts]
    return [f"{name}: {n_found} differ, not {wanted}" for name, n_found, wanted in results if n_found != wanted]


def made(number: list, text: list) -> pa.Table:
    days = pa.array([0, 0, 31, 0], pa.int32()).cast(pa.date32())
    keys = {"account_id": ["x", "y", "x", "z"], "as_of": days}
    return pa.table(keys | {"number": pa.array(number, pa.float64()), "text": text})


def found(ours: pa.Table, theirs: pa.Table) -> int | None:
    try:
        return compare(ours, theirs).differing
    except CellsError:
        return None
