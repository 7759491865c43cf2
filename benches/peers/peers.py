"""Compare a bundle with scikit-learn, LightGBM and XGBoost, at their defaults, on exactly its rows.

    bellwether features --book BOOK --model BUNDLE --out matrix.parquet
    python peers.py matrix.parquet [--evaluated FILE] [--auc-within LOW HIGH] [--threads N] [--seed N] [--json FILE] [--strict]
    python peers.py --selftest

A peer is fitted on the training rows whose label is known (`part` is `training`) and evaluated on the test rows whose
label is known. `probability:TARGET` is the chosen learner's, `probability:TARGET:LEARNER` may hold the others'. A row
is never weighted, resampled or left out, and a peer's probabilities are taken as they come.

Prints one table a target: AUC with its interval, log loss, Brier, seconds to fit, and the paired difference of AUC,
chosen learner less the row's model, with an interval that respects accounts with several rows (intervals.py). The
verdict is `ok` where the chosen learner is not below the best peer by more than 0.005 or the interval holds 0. The
best peer is the best on these very test rows, which favours the peers.

--evaluated checks what `bellwether evaluate --json` says of the same rows against the figures computed here.
--auc-within is for a set without signal: more than HIGH would be a leak.
Exit codes: 0 done; 1 --strict and a verdict is not `ok`, or a check failed; 2 usage; 3 the matrix is invalid.
"""

import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

# Read when OpenMP starts: threads that wait by spinning take the cores from each other on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import threadpoolctl
from lightgbm import LGBMClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

import measures
from intervals import Estimate, auc, auc_difference

MARGIN = 0.005
# Equal formulas, other order of sums.
EVALUATED_TOLERANCE = 1e-9


class MatrixError(Exception):
    """The matrix is not what `bellwether features --model` writes."""


@dataclass(frozen=True)
class TargetRows:
    """One target's rows: x (n, features) f32 with NaN for missing, event (n,) bool, account (n,) from 0."""

    x_training: np.ndarray
    event_training: np.ndarray
    x_test: np.ndarray
    event_test: np.ndarray
    account_test: np.ndarray
    ours: dict[str, np.ndarray]
    """Our probabilities of the test rows by learner; the first one is the chosen learner's."""


@dataclass(frozen=True)
class Result:
    """One model on the test rows."""

    model: str
    is_peer: bool
    auc: Estimate
    log_loss: float
    brier: float
    fit_seconds: float | None
    ours_minus_it: Estimate | None
    notes: list[str]


@dataclass(frozen=True)
class Comparison:
    """All models of one target, the chosen learner first."""

    target: str
    n_features: int
    n_training: int
    n_training_events: int
    n_test: int
    n_test_events: int
    n_test_accounts: int
    results: list[Result]
    best_peer: str
    ours_minus_best_peer: Estimate
    is_ok: bool


def main() -> int:
    arguments = parse_arguments()
    if arguments.selftest:
        import selftest

        return selftest.run()
    try:
        if not arguments.matrix.is_file():
            raise MatrixError("there is no such file")
        table = pq.read_table(arguments.matrix)
        comparisons = [
            compare(target, target_rows(table, target), arguments.threads, arguments.seed) for target in targets(table)
        ]
    except (OSError, pa.ArrowInvalid, MatrixError) as error:
        print(f"error: {arguments.matrix}: {error}", file=sys.stderr)
        return 3
    print("\n\n".join(text(comparison) for comparison in comparisons))
    is_right = check_auc_within(comparisons, arguments.auc_within)
    is_right &= check_evaluated(comparisons, arguments.evaluated)
    if arguments.json:
        facts = {"threads": arguments.threads, "seed": arguments.seed, "versions": versions()}
        facts["targets"] = [asdict(comparison) for comparison in comparisons]
        arguments.json.write_text(json.dumps(facts, indent=2) + "\n")
    is_ok = all(comparison.is_ok for comparison in comparisons) or not arguments.strict
    return 0 if is_right and is_ok else 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("matrix", nargs="?", type=Path)
    parser.add_argument("--evaluated", type=Path)
    parser.add_argument("--auc-within", nargs=2, type=float, metavar=("LOW", "HIGH"))
    return parsed(parser)


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """With what every comparison of a matrix takes."""
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--selftest", action="store_true")
    arguments = parser.parse_args()
    if (arguments.matrix is None) != arguments.selftest:
        parser.error("name one matrix, or --selftest")
    if arguments.threads < 1:
        parser.error(f"--threads is {arguments.threads}; at least 1 is needed")
    return arguments


# The matrix


def targets(table: pa.Table) -> list[str]:
    """The targets that have a label and our probability."""
    labelled = [name.removeprefix("label:") for name in table.column_names if name.startswith("label:")]
    found = [target for target in labelled if our_columns(table, target)]
    if not found:
        raise MatrixError("no target has both a `label:` and a `probability:` column; write it with `features --model`")
    return found


def our_columns(table: pa.Table, target: str) -> dict[str, str]:
    """Name to show -> column; the chosen learner's first."""
    chosen, others = f"probability:{target}", f"probability:{target}:"
    named = {f"bellwether {name.removeprefix(others)}": name for name in table.column_names if name.startswith(others)}
    return ({"bellwether": chosen} if chosen in table.column_names else {}) | named


def target_rows(table: pa.Table, target: str) -> TargetRows:
    features = [name for name in table.column_names if name.startswith("feature:")]
    if not features or "part" not in table.column_names:
        raise MatrixError("no `feature:` columns or no `part` column; write it with `features --model`")
    x = np.column_stack([numbers(table, name) for name in features])
    label = table[f"label:{target}"].combine_chunks()
    is_labelled = label.is_valid().to_numpy(zero_copy_only=False)
    event = label.fill_null(False).to_numpy(zero_copy_only=False)
    part = np.array(table["part"].to_pylist(), dtype=object)
    training, test = (is_labelled & (part == name) for name in ("training", "test"))
    for name, rows in (("training", training), ("test", test)):
        if len(set(event[rows])) < 2:
            raise MatrixError(f"{target}: {int(rows.sum())} labelled {name} rows do not hold both outcomes")
    account = np.unique(np.array(table["account_id"].to_pylist())[test], return_inverse=True)[1]
    ours = {model: numbers(table, column)[test].astype(np.float64) for model, column in our_columns(table, target).items()}
    for model, probability in ours.items():
        if np.isnan(probability).any():
            raise MatrixError(f"{target}: {model} has no probability for {int(np.isnan(probability).sum())} test rows")
    return TargetRows(x[training], event[training], x[test], event[test], account, ours)


def numbers(table: pa.Table, name: str) -> np.ndarray:
    """Nulls as NaN."""
    return table[name].combine_chunks().to_numpy(zero_copy_only=False)


# The comparison


def peers(threads: int, seed: int) -> dict[str, object]:
    """Each at its defaults. LogisticRegression takes neither missing values nor scales well, so it is given medians and
    standardised columns, both learnt on the training rows."""
    return {
        "scikit-learn LogisticRegression": make_pipeline(
            SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(random_state=seed)
        ),
        "scikit-learn HistGradientBoosting": HistGradientBoostingClassifier(random_state=seed),
        "LightGBM": LGBMClassifier(random_state=seed, n_jobs=threads, verbose=-1),
        "XGBoost": XGBClassifier(random_state=seed, n_jobs=threads),
    }


def compare(target: str, rows: TargetRows, threads: int, seed: int) -> Comparison:
    probabilities = dict(rows.ours)
    fitted: dict[str, tuple[float, list[str]]] = {}
    for name, peer in peers(threads, seed).items():
        probabilities[name], *fitted[name] = fit(peer, rows, threads)
    chosen = next(iter(rows.ours))
    results = []
    for name, probability in probabilities.items():
        seconds, notes = fitted.get(name, (None, []))
        difference = None if name == chosen else less(rows, rows.ours[chosen], probability)
        results.append(evaluate(name, probability, rows, name in fitted, seconds, notes, difference))
    best = max((result for result in results if result.is_peer), key=lambda result: result.auc.value)
    difference = best.ours_minus_it
    assert difference is not None, "a peer is not the chosen learner"
    return Comparison(
        target=target,
        n_features=rows.x_test.shape[1],
        n_training=len(rows.event_training),
        n_training_events=int(rows.event_training.sum()),
        n_test=len(rows.event_test),
        n_test_events=int(rows.event_test.sum()),
        n_test_accounts=int(rows.account_test.max()) + 1,
        results=results,
        best_peer=best.model,
        ours_minus_best_peer=difference,
        is_ok=difference.value >= -MARGIN or (difference.high is not None and difference.high >= 0.0),
    )


def fit(peer: object, rows: TargetRows, threads: int) -> tuple[np.ndarray, float, list[str]]:
    """Probabilities of the test rows, seconds to fit, and what the library warned of."""
    with threadpoolctl.threadpool_limits(threads), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        began = time.perf_counter()
        peer.fit(rows.x_training, rows.event_training)
        seconds = time.perf_counter() - began
        probability = peer.predict_proba(rows.x_test)[:, 1].astype(np.float64)
    return probability, seconds, sorted({str(warning.message).splitlines()[0] for warning in caught})


def less(rows: TargetRows, ours: np.ndarray, theirs: np.ndarray) -> Estimate:
    return auc_difference(ours, theirs, rows.event_test, rows.account_test)


def evaluate(
    model: str,
    probability: np.ndarray,
    rows: TargetRows,
    is_peer: bool,
    fit_seconds: float | None,
    notes: list[str],
    ours_minus_it: Estimate | None,
) -> Result:
    event = rows.event_test
    return Result(
        model=model,
        is_peer=is_peer,
        auc=auc(probability, event, rows.account_test),
        log_loss=measures.log_loss(probability, event),
        brier=measures.brier(probability, event),
        fit_seconds=fit_seconds,
        ours_minus_it=ours_minus_it,
        notes=notes,
    )


# The checks


def check_auc_within(comparisons: list[Comparison], limits: tuple[float, float] | None) -> bool:
    is_right = True
    for comparison in comparisons if limits else []:
        low, high = limits
        value = comparison.results[0].auc.value
        is_within = low <= value <= high
        is_right &= is_within
        verdict = "ok" if is_within else "ABOVE: a leak?" if value > high else "BELOW"
        print(f"\n{comparison.target}: AUC {value:.4f} within {low:g} to {high:g}: {verdict}")
    return is_right


def check_evaluated(comparisons: list[Comparison], path: Path | None) -> bool:
    """Whether `bellwether evaluate --json` says the same of the chosen learner."""
    if path is None:
        return True
    evaluated = json.loads(path.read_text())["targets"]
    is_right = True
    for comparison in comparisons:
        theirs, ours = evaluated[comparison.target]["overall"], comparison.results[0]
        pairs = [
            ("n", theirs["n"], comparison.n_test),
            ("n_events", theirs["n_events"], comparison.n_test_events),
            ("n_accounts", theirs["n_accounts"], comparison.n_test_accounts),
            ("roc_auc", theirs["roc_auc"]["value"], ours.auc.value),
            ("roc_auc low", theirs["roc_auc"]["low"], ours.auc.low),
            ("roc_auc high", theirs["roc_auc"]["high"], ours.auc.high),
            ("log_loss", theirs["log_loss"]["value"], ours.log_loss),
            ("brier", theirs["brier"]["value"], ours.brier),
        ]
        differing = [f"{name} {left} here {right}" for name, left, right in pairs if not is_close(left, right)]
        is_right &= not differing
        print(f"\n{comparison.target}: `bellwether evaluate` says the same: {'; '.join(differing) or 'ok'}")
    return is_right


def is_close(left: float | None, right: float | None) -> bool:
    if left is None or right is None:
        return left is right
    return abs(left - right) <= EVALUATED_TOLERANCE * max(1.0, abs(right))


# The words


def text(comparison: Comparison) -> str:
    return "\n".join(lines(comparison))


def lines(comparison: Comparison) -> Iterator[str]:
    yield (
        f"{comparison.target}: {comparison.n_training:,} training rows ({comparison.n_training_events:,} events), "
        f"{comparison.n_test:,} test rows ({comparison.n_test_events:,} events, {comparison.n_test_accounts:,} accounts), "
        f"{comparison.n_features} features"
    )
    yield f"{'model':<36} {'AUC':<24} {'log loss':>8} {'Brier':>7} {'fit s':>7}  ours - it"
    for result in comparison.results:
        mark = " *" if result.model == comparison.best_peer else ""
        seconds = "-" if result.fit_seconds is None else f"{result.fit_seconds:.2f}"
        difference = "" if result.ours_minus_it is None else estimate(result.ours_minus_it, "+.4f")
        row = (
            f"{result.model + mark:<36} {estimate(result.auc, '.4f'):<24} {result.log_loss:>8.4f} {result.brier:>7.4f} "
            f"{seconds:>7}  {difference}"
        )
        yield row.rstrip()
    for result in comparison.results:
        yield from (f"note: {result.model}: {note}" for note in result.notes)
    verdict = "ok" if comparison.is_ok else "BELOW"
    yield f"ours - best peer (*) = {estimate(comparison.ours_minus_best_peer, '+.4f')}: {verdict}"


def estimate(of: Estimate, form: str) -> str:
    ends = "no interval" if of.low is None else f"{of.low:{form}}, {of.high:{form}}"
    return f"{of.value:{form}} [{ends}]"


def versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("scikit-learn", "lightgbm", "xgboost", "numpy")}


if __name__ == "__main__":
    sys.exit(main())
