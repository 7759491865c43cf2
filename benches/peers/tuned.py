"""Compare a bundle with tuned LightGBM, XGBoost, CatBoost and scikit-learn's HistGradientBoosting, on exactly its rows.

    bellwether features --book BOOK --model BUNDLE --out matrix.parquet
    bellwether features --book BOOK --out raw.parquet
    python tuned.py matrix.parquet [--raw raw.parquet] [--trained train.json] [--budget SECONDS | --found FILE]
                    [--threads N] [--seed N] [--json FILE] [--strict]
    python tuned.py --selftest

Each peer is tuned for --budget seconds (of processor, over the threads; default 60) on the training rows alone (tuning.py), with early stopping on held
out rows as our learners hold them out: the last fifth of the days, after a gap of the horizon that leaves at least half
of the earlier days; other accounts where there is one day only. It is then fitted on all training rows and, where that
is clearly better on the calibration rows (by account, 1.645 standard errors, as ours), given Platt's calibration.
--found takes what the searches of an earlier run found, as its --json wrote it, and only fits the peers again.
--raw gives the peers the texts behind our one-hot columns, for those that take levels natively.

Prints one table a target, as Markdown: AUC with its interval, log loss, Brier, ECE, calibration slope, trials, and the
paired differences of AUC (ours - peer, by account; more is better), of log loss and of ECE (ours - peer, a bootstrap over
accounts; less is better). `below`: a whole interval is on the wrong side of 0. The best peer is the best on these very
test rows, which favours the peers. --trained is what `bellwether train --json` printed, for the seconds that it took.
Exit codes: 0 done; 1 --strict and ours is below the best peer; 2 usage; 3 the matrix is invalid.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

# First: it sets how OpenMP waits, before any library starts it.
from peers import MatrixError, estimate, numbers, our_columns, parsed, targets

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import measures
from intervals import Estimate, auc, auc_difference
from tuning import LIBRARIES, Columns, Fitted, Fold, Tuned, refitted, tune

KEYS = ["account_id", "as_of"]
# Learners take at most 255 levels; the rarest ones share the last number.
MOST_LEVELS = 250
ONE_IN = 5
LEAST_ROWS_OF_A_CLASS = 10
CLEARLY = 1.645


@dataclass(frozen=True)
class Part:
    """The labelled rows of one part of the split."""

    encodings: dict[str, Columns]
    event: np.ndarray
    account: np.ndarray
    day: np.ndarray
    ours: np.ndarray


@dataclass(frozen=True)
class Result:
    """One model on the test rows; what is about tuning is None for ours."""

    model: str
    auc: Estimate
    log_loss: float
    brier: float
    ece: float
    calibration_slope: float
    auc_ours_minus_it: Estimate | None = None
    log_loss_ours_minus_it: Estimate | None = None
    ece_ours_minus_it: Estimate | None = None
    calibration: str | None = None
    encoding: str | None = None
    settings: dict | None = None
    n_rounds: int | None = None
    n_trials: int | None = None
    check_log_loss: float | None = None
    search_seconds: float | None = None
    fit_seconds: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Ours first, then the peers; the best peers are the best on the test rows."""

    target: str
    n_training: int
    n_training_events: int
    n_folds: int
    n_test: int
    n_test_events: int
    n_test_accounts: int
    results: list[Result]
    best_peer_by_auc: str
    best_peer_by_log_loss: str
    best_peer_by_ece: str
    is_auc_below: bool
    is_log_loss_below: bool
    is_ece_below: bool


def main() -> int:
    arguments = parse_arguments()
    if arguments.selftest:
        import tuned_selftest

        return tuned_selftest.run()
    try:
        matrix = pq.read_table(arguments.matrix)
        levels = level_columns(matrix, pq.read_table(arguments.raw)) if arguments.raw else {}
        comparisons = [compare(matrix, levels, target, arguments) for target in targets(matrix)]
    except (OSError, pa.ArrowInvalid, MatrixError) as error:
        print(f"error: {arguments.matrix}: {error}", file=sys.stderr)
        return 3
    train_seconds = json.loads(arguments.trained.read_text())["seconds"] if arguments.trained else None
    if train_seconds is not None:
        print(f"\nours: all of `bellwether train`, every learner and target, took {train_seconds:.1f} s")
    if arguments.json:
        facts = {"budget_seconds": arguments.budget, "threads": arguments.threads, "seed": arguments.seed}
        facts |= {"train_seconds": train_seconds, "versions": versions()}
        facts["targets"] = [asdict(comparison) for comparison in comparisons]
        arguments.json.write_text(json.dumps(facts, indent=2) + "\n")
    is_below = any(comparison.is_auc_below or comparison.is_log_loss_below or comparison.is_ece_below for comparison in comparisons)
    return 1 if arguments.strict and is_below else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("matrix", nargs="?", type=Path)
    parser.add_argument("--raw", type=Path)
    parser.add_argument("--trained", type=Path)
    parser.add_argument("--budget", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--found", type=Path)
    return parsed(parser)


# The rows


def level_columns(matrix: pa.Table, raw: pa.Table) -> dict[str, list[str | None]]:
    """The texts among the features of `raw`, in the order of the matrix' rows."""
    is_text = lambda name: pa.types.is_string_view(raw[name].type) or pa.types.is_string(raw[name].type)
    names = [name for name in raw.column_names if name not in KEYS and ":" not in name and is_text(name)]
    place = {key: row for row, key in enumerate(zip(*(raw[key].to_pylist() for key in KEYS)))}
    try:
        order = [place[key] for key in zip(*(matrix[key].to_pylist() for key in KEYS))]
    except KeyError as error:
        raise MatrixError(f"--raw has no row of {error}; write both from the same book") from error
    columns = {}
    for name in names:
        texts = raw[name].to_pylist()
        columns[name] = [texts[row] for row in order]
    return columns


def parts(matrix: pa.Table, levels: dict[str, list[str | None]], target: str) -> dict[str, Part]:
    label = matrix[f"label:{target}"].combine_chunks()
    is_labelled = label.is_valid().to_numpy(zero_copy_only=False)
    event = label.fill_null(False).to_numpy(zero_copy_only=False)
    part = np.array(matrix["part"].to_pylist(), dtype=object)
    account = np.unique(np.array(matrix["account_id"].to_pylist()), return_inverse=True)[1]
    day = matrix["as_of"].combine_chunks().cast(pa.int32()).to_numpy()
    ours = numbers(matrix, next(iter(our_columns(matrix, target).values()))).astype(np.float64)
    encodings = all_encodings(matrix, levels, is_labelled & (part == "training"))
    found = {}
    for name in ("training", "calibration", "test"):
        rows = np.flatnonzero(is_labelled & (part == name))
        if len(set(event[rows])) < 2:
            raise MatrixError(f"{target}: {len(rows)} labelled {name} rows do not hold both outcomes")
        if name == "test" and np.isnan(ours[rows]).any():
            raise MatrixError(f"{target}: a test row has no probability of ours")
        by_name = {encoding: columns.at(rows) for encoding, columns in encodings.items()}
        of_account = np.unique(account[rows], return_inverse=True)[1]
        found[name] = Part(by_name, event[rows], of_account, day[rows], ours[rows])
    return found


def all_encodings(matrix: pa.Table, levels: dict[str, list[str | None]], is_training: np.ndarray) -> dict[str, Columns]:
    """One-hot as the bundle's, and where there are texts, with their levels as numbers instead."""
    names = [name for name in matrix.column_names if name.startswith("feature:")]
    one_hot = np.column_stack([numbers(matrix, name) for name in names]).astype(np.float32)
    encodings = {"one-hot": Columns(one_hot)}
    if levels:
        is_number = [name.removeprefix("feature:").split("=")[0] not in levels for name in names]
        coded = [codes(texts, is_training) for texts in levels.values()]
        n_numbers = sum(is_number)
        x = np.column_stack([one_hot[:, is_number], *coded]).astype(np.float32)
        encodings["levels"] = Columns(x, tuple(range(n_numbers, n_numbers + len(coded))))
    return encodings


def codes(texts: list[str | None], is_training: np.ndarray) -> np.ndarray:
    """A number a level, the most frequent in training first; NaN where there is none, or training has no such level."""
    column = np.array(["" if text is None else text for text in texts], dtype=object)
    is_there = np.array([text is not None for text in texts])
    known, counts = np.unique(column[is_training & is_there], return_counts=True)
    order = known[np.argsort(-counts, kind="stable")]
    number = {text: float(min(place, MOST_LEVELS)) for place, text in enumerate(order)}
    return np.array([number.get(text, np.nan) if there else np.nan for text, there in zip(column, is_there)])


def folds(of: Part, horizon_days: int, seed: int) -> list[Fold]:
    """As `learn`'s holdout: the last fifth of the days after a gap, else five parts of the accounts."""
    later = later_days(of.day, horizon_days)
    if later is not None and all(has_both(of.event[rows]) for rows in (later.fit, later.check)):
        return [later]
    part = np.random.default_rng(seed).permutation(of.account.max() + 1)[of.account] % ONE_IN
    n_folds = ONE_IN if len(of.event) <= 12_000 else 2 if len(of.event) <= 30_000 else 1
    by_account = [Fold(np.flatnonzero(part != one), np.flatnonzero(part == one)) for one in range(n_folds)]
    if not all(has_both(of.event[rows]) for fold in by_account for rows in (fold.fit, fold.check)):
        raise MatrixError(f"{len(of.event)} training rows are too few to hold some out")
    return by_account


def has_both(event: np.ndarray) -> bool:
    return min(event.sum(), (~event).sum()) >= LEAST_ROWS_OF_A_CLASS


def later_days(day: np.ndarray, horizon_days: int) -> Fold | None:
    days = np.unique(day)
    n_early = len(days) - -(-len(days) // ONE_IN)
    if n_early == 0:
        return None
    first_checked = days[n_early]
    first_left_out = min(max(first_checked - horizon_days, days[-(-n_early // 2)]), first_checked)
    return Fold(np.flatnonzero(day < first_left_out), np.flatnonzero(day >= first_checked))


def horizon_days(target: str) -> int:
    """`churn_90d` looks 90 days ahead."""
    found = re.search(r"_(\d+)d$", target)
    if found is None:
        raise MatrixError(f"{target} names no horizon in days")
    return int(found[1])


# The comparison


def compare(
    matrix: pa.Table, levels: dict[str, list[str | None]], target: str, arguments: argparse.Namespace
) -> Comparison:
    of = parts(matrix, levels, target)
    training, calibration, test = of["training"], of["calibration"], of["test"]
    held_out = folds(training, horizon_days(target), arguments.seed)
    print(f"\n{target}: {len(training.event):,} training rows, {len(test.event):,} test rows\n")
    print("\n".join(HEADER), flush=True)
    results = [measured("bellwether", test.ours, test)]
    print(line(results[0]), flush=True)
    for name, library in LIBRARIES.items():
        encodings, event = training.encodings, training.event
        if arguments.found:
            found = found_before(arguments.found, target, name)
            fitted = refitted(library, found, encodings, event, arguments.threads, arguments.seed)
        else:
            fitted = tune(library, encodings, event, held_out, arguments.budget, arguments.threads, arguments.seed)
        results.append(peer_result(name, fitted, calibration, test, arguments.seed))
        print(line(results[-1]), flush=True)
    by_auc = max(results[1:], key=lambda result: result.auc.value)
    by_log_loss = min(results[1:], key=lambda result: result.log_loss)
    by_ece = min(results[1:], key=lambda result: result.ece)
    comparison = Comparison(
        target=target,
        n_training=len(training.event),
        n_training_events=int(training.event.sum()),
        n_folds=len(held_out),
        n_test=len(test.event),
        n_test_events=int(test.event.sum()),
        n_test_accounts=int(test.account.max()) + 1,
        results=results,
        best_peer_by_auc=by_auc.model,
        best_peer_by_log_loss=by_log_loss.model,
        best_peer_by_ece=by_ece.model,
        is_auc_below=is_auc_below(by_auc),
        is_log_loss_below=by_log_loss.log_loss_ours_minus_it.low > 0.0,
        is_ece_below=by_ece.ece_ours_minus_it.low > 0.0,
    )
    print("\n" + "\n".join(verdicts(comparison, by_auc, by_log_loss, by_ece)), flush=True)
    return comparison


def found_before(file: Path, target: str, model: str) -> Tuned:
    """The settings of one model in an earlier run's --json; without its fit."""
    targets = json.loads(file.read_text())["targets"]
    results = [one for of in targets if of["target"] == target for one in of["results"] if one["model"] == model]
    if not results:
        raise MatrixError(f"{file} has no {model} for {target}")
    one = results[0]
    fitted = Fitted(one["n_rounds"], lambda _: np.empty(0))
    facts = {name: one[name] for name in ("encoding", "settings", "n_trials", "check_log_loss", "search_seconds")}
    return Tuned(fitted=fitted, fit_seconds=0.0, **facts)


def peer_result(name: str, tuned: Tuned, calibration: Part, test: Part, seed: int) -> Result:
    probability = tuned.fitted.predict(test.encodings[tuned.encoding])
    platt = clearly_better_line(tuned.fitted.predict(calibration.encodings[tuned.encoding]), calibration, seed)
    if platt is not None:
        probability = measures.recalibrated(probability, platt)
    return measured(
        name,
        probability,
        test,
        auc_ours_minus_it=auc_difference(test.ours, probability, test.event, test.account),
        log_loss_ours_minus_it=measures.log_loss_difference(test.ours, probability, test.event, test.account, seed),
        ece_ours_minus_it=measures.calibration_error_difference(
            test.ours, probability, test.event, test.account, seed
        ),
        calibration="none" if platt is None else "platt",
        encoding=tuned.encoding,
        settings=tuned.settings,
        n_rounds=tuned.fitted.n_rounds,
        n_trials=tuned.n_trials,
        check_log_loss=tuned.check_log_loss,
        search_seconds=tuned.search_seconds,
        fit_seconds=tuned.fit_seconds,
    )


def measured(model: str, probability: np.ndarray, test: Part, **more: object) -> Result:
    return Result(
        model=model,
        auc=auc(probability, test.event, test.account),
        log_loss=measures.log_loss(probability, test.event),
        brier=measures.brier(probability, test.event),
        ece=measures.calibration_error(probability, test.event),
        calibration_slope=measures.calibration_line(probability, test.event)[0],
        **more,
    )


def clearly_better_line(probability: np.ndarray, calibration: Part, seed: int) -> tuple[float, float] | None:
    """Platt's, where it is clearly better than none on rows of accounts that it was not fitted on."""
    event, account = calibration.event, calibration.account
    part = np.random.default_rng(seed).permutation(account.max() + 1)[account] % ONE_IN
    better = np.zeros(len(event))
    for one in range(ONE_IN):
        rows, others = part == one, part != one
        if len(set(event[others])) < 2:
            return None
        held_out = measures.recalibrated(probability[rows], measures.calibration_line(probability[others], event[others]))
        better[rows] = measures.log_losses(probability[rows], event[rows]) - measures.log_losses(held_out, event[rows])
    by_account = np.bincount(account, weights=better)
    deviation = by_account.std(ddof=1) * len(by_account) ** 0.5
    line = measures.calibration_line(probability, event)
    return line if by_account.sum() > CLEARLY * deviation and line[0] > 0.0 else None


# A peer's verdicts


def is_auc_below(peer: Result) -> bool:
    high = peer.auc_ours_minus_it.high
    return high is not None and high < 0.0


# The words

COLUMNS = ["model", "AUC", "log loss", "Brier", "ECE", "slope", "AUC ours - it", "log loss ours - it"]
COLUMNS += ["ECE ours - it", "trials", "s"]
HEADER = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]


def line(result: Result) -> str:
    is_ours = result.n_trials is None
    cells = [
        result.model,
        estimate(result.auc, ".4f"),
        f"{result.log_loss:.4f}",
        f"{result.brier:.4f}",
        f"{result.ece:.4f}",
        f"{result.calibration_slope:.2f}",
        "" if is_ours else estimate(result.auc_ours_minus_it, "+.4f"),
        "" if is_ours else estimate(result.log_loss_ours_minus_it, "+.4f"),
        "" if is_ours else estimate(result.ece_ours_minus_it, "+.4f"),
        "" if is_ours else str(result.n_trials),
        "" if is_ours else f"{result.search_seconds + result.fit_seconds:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def verdicts(comparison: Comparison, by_auc: Result, by_log_loss: Result, by_ece: Result) -> Iterator[str]:
    said = {True: "**significantly below**", False: "not below"}
    difference = estimate(by_auc.auc_ours_minus_it, "+.4f")
    yield f"AUC: ours - best peer ({by_auc.model}) = {difference}: {said[comparison.is_auc_below]}"
    difference = estimate(by_log_loss.log_loss_ours_minus_it, "+.4f")
    yield f"log loss: ours - best peer ({by_log_loss.model}) = {difference}: {said[comparison.is_log_loss_below]}"
    difference = estimate(by_ece.ece_ours_minus_it, "+.4f")
    yield f"ECE: ours - best peer ({by_ece.model}) = {difference}: {said[comparison.is_ece_below]}"


def versions() -> dict[str, str]:
    return {name: version(name) for name in ("lightgbm", "xgboost", "catboost", "scikit-learn", "numpy")}


if __name__ == "__main__":
    sys.exit(main())
