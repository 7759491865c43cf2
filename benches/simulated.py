"""How near the chosen learner comes to the best possible one, on simulated books whose true probabilities are known.

    python simulated.py --bellwether PROGRAM [--accounts 2000 20000 100000] [--reveal] [--work FOLDER] [--threads N]
                        [--seed N] [--json FILE] [--strict]
    python simulated.py --selftest

Runs `bellwether simulate`, `train` and `features --model` for each size, and holds our probabilities of the test rows
against those of truth.parquet, on the very same rows. --work keeps the books and models; a book that lies there already,
as FOLDER/N/book, is taken as it is. The virtual environment is that of peers/venv.sh.

- AUC: of the truth, of ours, and the gap, truth - ours, with its interval by account (peers/intervals.py).
- expected AUC: every pair of rows weighted by the true probability that the one has the outcome and the other has not, so
  that the luck of the outcomes drops out.
- features: the expected AUC of LightGBM fitted to the true log odds of training rows, with no luck of outcomes to learn
  from: about what the features can tell. What the truth has beyond it no learner on these features can reach.
- slope: of the outcome's log odds on ours, and the expected one, with the true probabilities in place of outcomes; 1 where
  calibrated.
- other learners: AUC and slope as `train --json` says of the same rows, as calibrated.

The truth knows the hidden state of each account, which no model can, so a part of the gap is nobody's to close: unless
--reveal simulates books that have it as a table. Then what is left is what was not learnt.
`ok`: the gap and the expected gap are below 0.01, and both slopes within 0.95 to 1.05. The README of a book tells how it
is made.
Exit codes: 0 done; 1 --strict and the largest book is not `ok`; 2 usage; 3 a command failed, or truth lacks a row.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))

# First: it sets how OpenMP waits, before any library starts it.
from peers import MatrixError, estimate, numbers, targets

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from lightgbm import LGBMRegressor
from sklearn.linear_model import LogisticRegression

import measures
from intervals import Estimate, auc, auc_difference

LARGEST_GAP = 0.01
LEAST_SLOPE, MOST_SLOPE = 0.95, 1.05
# Of LightGBM fitted to the truth: more rows would change little.
MOST_ROWS = 200_000
REGRESSOR = {"num_leaves": 31, "learning_rate": 0.05, "n_estimators": 500, "min_child_samples": 50}
REGRESSOR |= {"colsample_bytree": 0.3, "subsample": 0.7, "subsample_freq": 1, "verbose": -1}


class RunError(Exception):
    """A command failed."""


@dataclass(frozen=True)
class Learner:
    """One learner on the test rows, as `train --json` has it."""

    name: str
    auc: float
    slope: float | None


@dataclass(frozen=True)
class Result:
    """One target of one book."""

    n_accounts: int
    target: str
    n_test: int
    n_test_events: int
    chosen: str
    auc: Estimate
    auc_of_truth: Estimate
    gap: Estimate
    expected_auc: float
    expected_auc_of_truth: float
    expected_auc_of_features: float
    log_loss: float
    log_loss_of_truth: float
    slope: float
    expected_slope: float
    others: list[Learner]
    train_seconds: float

    @property
    def expected_gap(self) -> float:
        return self.expected_auc_of_truth - self.expected_auc

    @property
    def is_ok(self) -> bool:
        is_near = max(self.gap.value, self.expected_gap) < LARGEST_GAP
        return is_near and all(LEAST_SLOPE <= slope <= MOST_SLOPE for slope in (self.slope, self.expected_slope))


def main() -> int:
    arguments = parse_arguments()
    if arguments.selftest:
        return selftest()
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        print("\n".join(HEADER), flush=True)
        try:
            for n_accounts in arguments.accounts:
                for result in run(n_accounts, work / str(n_accounts), arguments):
                    print(line(result), flush=True)
                    results.append(result)
        except (RunError, MatrixError, OSError, pa.ArrowInvalid) as error:
            print(f"error: {error}", file=sys.stderr)
            return 3
    print("\n" + "\n".join(OTHERS_HEADER))
    print("\n".join(line for result in results for line in other_lines(result)))
    if arguments.json:
        facts = [asdict(of) | {"expected_gap": of.expected_gap, "is_ok": of.is_ok} for of in results]
        arguments.json.write_text(json.dumps(facts, indent=2) + "\n")
    largest = max(arguments.accounts)
    is_ok = all(result.is_ok for result in results if result.n_accounts == largest)
    return 1 if arguments.strict and not is_ok else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bellwether", type=Path, metavar="PROGRAM")
    parser.add_argument("--accounts", type=int, nargs="+", default=[2_000, 20_000, 100_000])
    parser.add_argument("--reveal", action="store_true", help="the hidden state is a table: the truth is within reach")
    parser.add_argument("--work", type=Path, metavar="FOLDER")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--selftest", action="store_true")
    arguments = parser.parse_args()
    if (arguments.bellwether is None) != arguments.selftest:
        parser.error("name --bellwether, or --selftest")
    return arguments


# One book


def run(n_accounts: int, folder: Path, arguments: argparse.Namespace) -> Iterator[Result]:
    book, models, matrix = folder / "book", folder / "models", folder / "matrix.parquet"
    program, seed = arguments.bellwether.resolve(), str(arguments.seed)
    folder.mkdir(parents=True, exist_ok=True)
    if not (book / "book.toml").is_file():
        reveal = ["--reveal"] if arguments.reveal else []
        command(program, "simulate", "--accounts", str(n_accounts), "--seed", seed, *reveal, "--out", book)
    config = ["--book", book / "book.toml"]
    threads = ["--threads", str(arguments.threads), "--seed", seed, "--actor", "simulated.py"]
    trained = json.loads(command(program, "train", *config, "--models", models, *threads, "--json"))
    command(program, "features", *config, "--model", trained["path"], "--out", matrix)
    rows = Rows(matrix, pq.read_table(book / "truth.parquet"))
    of_target = {target["target"]: target for target in trained["targets"]}
    for target in targets(rows.table):
        yield result(n_accounts, rows, target, of_target[target], trained["seconds"], arguments)


@dataclass(frozen=True)
class Part:
    """The labelled rows of one part of the split, as places in the matrix."""

    rows: np.ndarray
    event: np.ndarray
    account: np.ndarray
    truth: np.ndarray


class Rows:
    """A matrix and the truth."""

    def __init__(self, matrix: Path, truth: pa.Table) -> None:
        names = pq.read_schema(matrix).names
        self.matrix, self.truth = matrix, truth
        self.features = [name for name in names if name.startswith("feature:")]
        self.table = pq.read_table(matrix, columns=[name for name in names if name not in set(self.features)])
        self.name = np.array(self.table["account_id"].to_pylist(), dtype=object)
        self.day = days(self.table["as_of"])
        self.part = np.array(self.table["part"].to_pylist(), dtype=object)

    def of(self, part: str, target: str) -> Part:
        label = self.table[f"label:{target}"].combine_chunks()
        rows = np.flatnonzero((self.part == part) & label.is_valid().to_numpy(zero_copy_only=False))
        event = label.fill_null(False).to_numpy(zero_copy_only=False)[rows]
        account = np.unique(self.name[rows].astype(str), return_inverse=True)[1]
        return Part(rows, event, account, true_probabilities(self.name[rows], self.day[rows], self.truth, target))

    def x(self, rows: np.ndarray) -> np.ndarray:
        columns = (numbers(pq.read_table(self.matrix, columns=[name]), name)[rows] for name in self.features)
        return np.column_stack([column.astype(np.float32) for column in columns])


def command(program: Path, *arguments: object) -> str:
    began = time.perf_counter()
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise RunError(f"bellwether {' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stderr}")
    print(f"{arguments[0]}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return done.stdout


def result(
    n_accounts: int, rows: Rows, target: str, trained: dict, seconds: float, arguments: argparse.Namespace
) -> Result:
    test = rows.of("test", target)
    event, account, best = test.event, test.account, test.truth
    ours = numbers(rows.table, f"probability:{target}")[test.rows]
    learners = [learner(of) for of in trained["learners"] if of["learner"] != trained["chosen"]]
    return Result(
        n_accounts=n_accounts,
        target=target,
        n_test=len(event),
        n_test_events=int(event.sum()),
        chosen=trained["chosen"],
        auc=auc(ours, event, account),
        auc_of_truth=auc(best, event, account),
        gap=auc_difference(best, ours, event, account),
        expected_auc=expected_auc(ours, best),
        expected_auc_of_truth=expected_auc(best, best),
        expected_auc_of_features=expected_auc(told_by_features(rows, target, test, arguments), best),
        log_loss=measures.log_loss(ours, event),
        log_loss_of_truth=measures.log_loss(best, event),
        slope=measures.calibration_line(ours, event)[0],
        expected_slope=expected_slope(ours, best),
        others=learners,
        train_seconds=seconds,
    )


def told_by_features(rows: Rows, target: str, test: Part, arguments: argparse.Namespace) -> np.ndarray:
    """Log odds of the test rows by LightGBM fitted to the true ones of training rows."""
    training = rows.of("training", target)
    n = len(training.rows)
    some = np.sort(np.random.default_rng(arguments.seed).permutation(n)[:MOST_ROWS])
    model = LGBMRegressor(**REGRESSOR, random_state=arguments.seed, n_jobs=arguments.threads)
    model.fit(rows.x(training.rows[some]), measures.log_odds(training.truth[some]))
    return model.predict(rows.x(test.rows))


def learner(of: dict) -> Learner:
    return Learner(of["learner"], of["test"]["roc_auc"]["value"], of["test"]["calibration_slope"]["value"])


def true_probabilities(name: np.ndarray, day: np.ndarray, truth: pa.Table, target: str) -> np.ndarray:
    """Of the accounts of these names on these days."""
    day_of_truth = days(truth["date"])
    rows = np.flatnonzero(np.isin(day_of_truth, day))
    names = np.array(truth["account_id"].to_pylist(), dtype=object)[rows]
    probability_of = dict(zip(zip(names, day_of_truth[rows]), numbers(truth, target)[rows]))
    try:
        return np.array([probability_of[key] for key in zip(name, day)])
    except KeyError as error:
        raise MatrixError(f"truth.parquet has no row of account and day {error}") from error


def days(column: pa.ChunkedArray) -> np.ndarray:
    """Since 1970-01-01."""
    return column.combine_chunks().cast(pa.int32()).to_numpy()


def expected_auc(score: np.ndarray, probability: np.ndarray) -> float:
    """AUC over pairs of different rows, each weighted by the probability that the first has the outcome and the second has
    not; a tie counts half."""
    others = 1.0 - probability
    place = np.unique(score, return_inverse=True)[1]
    of_score = np.bincount(place, weights=others)
    below = np.cumsum(of_score) - of_score
    outranked = (below + 0.5 * of_score)[place]
    itself = 0.5 * probability @ others
    return float((probability @ outranked - itself) / (probability.sum() * others.sum() - 2.0 * itself))


def expected_slope(score: np.ndarray, probability: np.ndarray) -> float:
    """The calibration slope that outcomes of these true probabilities have on average: each row counts as an event and as
    none, weighted."""
    log_odds = measures.log_odds(score)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    event = np.repeat([True, False], len(score))
    model.fit(np.tile(log_odds, 2)[:, None], event, sample_weight=np.concatenate([probability, 1.0 - probability]))
    return float(model.coef_[0, 0])


# The words

COLUMNS = ["accounts", "target", "test rows", "events", "chosen", "AUC", "truth", "gap", "expected AUC", "features"]
COLUMNS += ["truth", "expected gap", "log loss", "truth", "slope", "expected slope", "verdict", "train s"]
HEADER = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
OTHERS_HEADER = ["| accounts | target | learner | AUC | truth - it | slope |", "|---" * 6 + "|"]


def line(of: Result) -> str:
    cells = [
        f"{of.n_accounts:,}",
        of.target,
        f"{of.n_test:,}",
        f"{of.n_test_events:,}",
        of.chosen,
        estimate(of.auc, ".4f"),
        f"{of.auc_of_truth.value:.4f}",
        estimate(of.gap, "+.4f"),
        f"{of.expected_auc:.4f}",
        f"{of.expected_auc_of_features:.4f}",
        f"{of.expected_auc_of_truth:.4f}",
        f"{of.expected_gap:+.4f}",
        f"{of.log_loss:.4f}",
        f"{of.log_loss_of_truth:.4f}",
        f"{of.slope:.3f}",
        f"{of.expected_slope:.3f}",
        "ok" if of.is_ok else "**NOT**",
        f"{of.train_seconds:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def other_lines(of: Result) -> Iterator[str]:
    for learner in of.others:
        slope = "-" if learner.slope is None else f"{learner.slope:.3f}"
        gap = of.auc_of_truth.value - learner.auc
        yield f"| {of.n_accounts:,} | {of.target} | {learner.name} | {learner.auc:.4f} | {gap:+.4f} | {slope} |"


# Facts


def selftest() -> int:
    random = np.random.default_rng(1)
    probability = np.round(1.0 / (1.0 + np.exp(-random.normal(-1.0, 1.0, size=300))), 2)
    score = np.round(probability + random.normal(0.0, 0.1, size=300), 1)
    won, pairs = 0.0, 0.0
    for i in range(300):
        for j in range(300):
            weight = probability[i] * (1.0 - probability[j]) * (i != j)
            won += weight * (float(score[i] > score[j]) + 0.5 * float(score[i] == score[j]))
            pairs += weight
    assert abs(expected_auc(score, probability) - won / pairs) < 1e-12
    print("ok: the expected AUC is that of all weighted pairs")
    many = [auc(score, random.random(300) < probability, np.arange(300)).value for _ in range(2000)]
    assert abs(np.mean(many) - expected_auc(score, probability)) < 4.0 * np.std(many) / len(many) ** 0.5 + 1e-3
    print("ok: it is what AUCs of drawn outcomes come to")
    clipped = np.clip(probability, 0.01, 0.99)
    assert abs(expected_slope(clipped, clipped) - 1.0) < 1e-6
    assert abs(expected_slope(measures.recalibrated(clipped, (2.0, 0.5)), clipped) - 0.5) < 1e-6
    print("ok: true probabilities have the expected slope 1, on twice the log odds a half")
    day = pa.array([0, 31], pa.int32()).cast(pa.date32())
    truth = pa.table({"account_id": ["x", "x"], "date": day, "churn_90d": [0.1, 0.2]})
    found = true_probabilities(np.array(["x", "x"], dtype=object), np.array([31, 0]), truth, "churn_90d")
    assert list(found) == [0.2, 0.1]
    print("ok: truth is found by account and day")
    return 0


if __name__ == "__main__":
    sys.exit(main())
