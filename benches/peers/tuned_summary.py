"""All comparisons with tuned peers in one table: what tuned.py --json wrote, corrected for how many they are.

    python tuned_summary.py NAME=tuned.json ... [--strict]
    python tuned_summary.py --selftest

One row a target and metric (AUC, log loss, ECE): ours less the best peer of that metric on the very test rows, which
favours the peers, with its 95 % interval; the two-sided p of a normal with that interval's width; and Holm's p over all
rows of the table (Holm 1979): of so many intervals at 95 % some leave 0 out by chance alone. `below`: ours is worse and
Holm's p is at most 0.05; `interval`: the interval alone says so.
Exit codes: 0 done; 1 --strict and ours is below somewhere; 2 usage; 3 a file is not what tuned.py writes.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import norm

METRICS = {"AUC": ("auc", -1.0), "log loss": ("log_loss", 1.0), "ECE": ("ece", 1.0)}
LEVEL = 0.05


@dataclass(frozen=True)
class Row:
    """`worse` is the difference with its sign such that more is worse."""

    name: str
    metric: str
    peer: str
    difference: dict
    worse: float
    p: float


def main() -> int:
    if sys.argv[1:] == ["--selftest"]:
        return selftest()
    arguments = [argument for argument in sys.argv[1:] if argument != "--strict"]
    if not arguments or any("=" not in argument for argument in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        rows = [row for argument in arguments for row in rows_of(*argument.split("=", 1))]
    except (OSError, ValueError, KeyError) as error:
        print(f"error: {error!r}", file=sys.stderr)
        return 3
    adjusted = holm([row.p for row in rows])
    print("| target | metric | best peer | ours - it | p | Holm's p | |\n|---|---|---|---|---|---|---|")
    verdicts = [verdict(row, p) for row, p in zip(rows, adjusted)]
    for row, p, said in zip(rows, adjusted, verdicts):
        between = "[{low:+.4f}, {high:+.4f}]".format(**row.difference)
        value = f"{row.difference['value']:+.4f} {between}"
        print(f"| {row.name} | {row.metric} | {row.peer} | {value} | {row.p:.3f} | {p:.3f} | {said} |")
    n_below, n_raw = (sum(said in kinds for said in verdicts) for kinds in (("below",), ("below", "interval")))
    print(f"\n{len(rows)} comparisons: {n_raw} worse by the interval alone, {n_below} worse after Holm's correction")
    return 1 if "--strict" in sys.argv and n_below else 0


def rows_of(name: str, file: str) -> list[Row]:
    return [
        row_of(f"{name} {of['target']}", of, metric)
        for of in json.loads(Path(file).read_text())["targets"]
        for metric in METRICS
    ]


def row_of(name: str, of: dict, metric: str) -> Row:
    key, sign = METRICS[metric]
    peer = of[f"best_peer_by_{key}"]
    result = next(one for one in of["results"] if one["model"] == peer)
    difference = result[f"{key}_ours_minus_it"]
    deviation = (difference["high"] - difference["low"]) / (2.0 * norm.ppf(0.975))
    worse = sign * difference["value"]
    return Row(name, metric, peer, difference, worse, float(2.0 * norm.sf(abs(worse) / deviation)))


def holm(ps: list[float]) -> list[float]:
    """Adjusted p, in the given order."""
    order = sorted(range(len(ps)), key=lambda at: ps[at])
    adjusted, most = [0.0] * len(ps), 0.0
    for rank, at in enumerate(order):
        most = max(most, min(1.0, (len(ps) - rank) * ps[at]))
        adjusted[at] = most
    return adjusted


def verdict(row: Row, p: float) -> str:
    is_outside = row.difference["low"] > 0.0 or row.difference["high"] < 0.0
    if row.worse <= 0.0 or not is_outside:
        return ""
    return "below" if p <= LEVEL else "interval"


def selftest() -> int:
    """`p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")` of R; of three equal tests that are off by 2.3 deviations none is left."""
    adjusted = holm([0.01, 0.04, 0.03, 0.005])
    assert all(abs(a - b) < 1e-12 for a, b in zip(adjusted, [0.03, 0.06, 0.06, 0.02], strict=True)), adjusted
    difference = {"value": 0.023, "low": 0.023 - 0.01 * norm.ppf(0.975), "high": 0.023 + 0.01 * norm.ppf(0.975)}
    of = {"best_peer_by_ece": "peer", "results": [{"model": "peer", "ece_ours_minus_it": difference}]}
    row = row_of("made up", of, "ECE")
    assert abs(row.p - 2.0 * norm.sf(2.3)) < 1e-12, row.p
    said = [verdict(row, p) for p in (row.p, *holm([row.p] * 3))]
    assert said == ["below", "interval", "interval", "interval"], said
    print("ok: Holm's p as R gives it, and an interval that it explains")
    return 0


if __name__ == "__main__":
    sys.exit(main())
