"""Training time and quality of the learners beside their peers', on the same made-up table.

500,000 x 60 by default: half the features bear on the label, some by steps, bends and pairs; scales differ by orders of
magnitude, some are counts or flags, 1 in 20 values is missing.

- boosted: LightGBM, as many trees, leaves and bins, the same rate.
- tree: scikit-learn's DecisionTreeClassifier, as deep, as many rows a leaf. Ours also chooses its depth on held-out
  rows.
- forest: scikit-learn's RandomForestClassifier, as many trees, as deep, as many rows a leaf.
- logistic: scikit-learn's LogisticRegression at equal loss, on the rows of logistic_speed.py, by the example of that
  name.

Build the other side first: cargo build -p bellwether-learn --examples. Prints a table a learner; --json FILE writes all
numbers.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lightgbm
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.tree import DecisionTreeClassifier

ROOT = Path(__file__).resolve().parents[2]


def made(n_rows: int, n_features: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`(n_rows, n_features)` f32 with NaN = missing, column-major, and labels (n_rows,) 0 or 1."""
    random = np.random.default_rng(seed)
    z = random.standard_normal((n_features, n_rows), dtype=np.float32).T
    weight = np.random.default_rng(7).normal(size=n_features) * (np.arange(n_features) % 2 == 0)
    logit = 0.12 * z @ weight.astype(np.float32)
    for k in range(0, n_features - 3, 6):
        logit += 0.25 * z[:, k] * z[:, k + 1] + 0.3 * (z[:, k + 2] > 0.5) + 0.15 * np.abs(z[:, k + 3])
    x = z
    x[:, 1::5] = np.exp(x[:, 1::5])
    x[:, 2::5] = np.floor(4 * np.abs(x[:, 2::5]))
    x[:, 3::5] *= np.float32(1e-5)
    x[:, 4::10] = x[:, 4::10] > 1
    missing = random.random((n_features, n_rows), dtype=np.float32).T < 0.05
    x[missing] = np.nan
    logit += 0.3 * missing[:, 0]
    logit -= 1.5 + logit.mean()
    label = random.random(n_rows) < 1 / (1 + np.exp(-logit))
    return x, label.astype(np.uint8)


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def fit_lightgbm(x, y, x_test, options) -> dict:
    parameters = {
        "objective": "binary", "num_leaves": options.leaves, "learning_rate": options.rate, "max_bin": 255,
        "num_threads": options.threads, "verbosity": -1, "seed": 1,
    }
    began, cpu = time.perf_counter(), cpu_seconds()
    dataset = lightgbm.Dataset(x, y, params=parameters).construct()
    binned = time.perf_counter()
    model = lightgbm.train(parameters, dataset, options.trees)
    done = time.perf_counter()
    measured = {"seconds": done - began, "cpu_seconds": cpu_seconds() - cpu, "last_step_seconds": done - binned}
    return measured | {"p": model.predict(x_test, num_threads=options.threads)}


def fit_sklearn(model, x, y, x_test) -> dict:
    began, cpu = time.perf_counter(), cpu_seconds()
    model.fit(x, y)
    seconds = time.perf_counter() - began
    measured = {"seconds": seconds, "cpu_seconds": cpu_seconds() - cpu, "last_step_seconds": seconds}
    return measured | {"p": model.predict_proba(x_test)[:, 1]}


def fit_tree(x, y, x_test, options) -> dict:
    least_rows = min(round(options.rows**0.5 / 4), 50)
    model = DecisionTreeClassifier(max_depth=options.depth, min_samples_leaf=least_rows, random_state=1)
    return fit_sklearn(model, x, y, x_test)


def fit_forest(x, y, x_test, options) -> dict:
    least_rows = round(options.rows**0.5 / 4)
    model = RandomForestClassifier(
        options.forest_trees, max_depth=13, min_samples_leaf=least_rows, n_jobs=options.threads, random_state=1
    )
    return fit_sklearn(model, x, y, x_test)


def settings(options) -> dict:
    recipe = {
        "leaves": options.leaves, "depth": 1_000_000, "learning_rate": options.rate, "least_rows": 20.0, "l2": 0.0,
        "share_of_rows": 1.0, "share_of_features": 1.0,
    }
    return {
        "seed": 1, "outcome": "churn", "recipe": recipe, "boosted_trees": options.trees, "tree_depth": options.depth,
        "forest_trees": options.forest_trees,
    }


def fit_ours(learner: str, folder: Path, n_test: int, options) -> dict:
    shape = [options.features, options.rows, n_test, options.threads]
    command = [str(options.binary), str(folder), *map(str, shape), learner, json.dumps(settings(options))]
    measured = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return measured | {"p": 1 / (1 + np.exp(-np.fromfile(folder / "logits.f64", dtype="<f8")))}


PEERS = {
    "boosted": ("lightgbm", fit_lightgbm),
    "tree": ("scikit-learn", fit_tree),
    "forest": ("scikit-learn", fit_forest),
}
TIMES = ("seconds", "cpu_seconds", "last_step_seconds")


def compared(learner: str, runs: dict, y_test) -> dict:
    """Medians and quality of both sides; prints them with their ratio."""
    peer, _ = PEERS[learner]
    table = {}
    for name, of_name in runs.items():
        p = of_name[-1]["p"]
        row = {key: float(np.median([run[key] for run in of_name])) for key in TIMES}
        table[name] = row | {"auc": float(roc_auc_score(y_test, p)), "log_loss": float(log_loss(y_test, p))}
    ours, theirs = table[learner], table[peer]
    ratio = {key: ours[key] / theirs[key] for key in TIMES}
    print(f"\n{'':18}{'seconds':>9}{'CPU s':>9}{'last step s':>13}{'AUC':>9}{'log loss':>10}")
    for name, row in table.items():
        print(f"{name:18}{row['seconds']:9.2f}{row['cpu_seconds']:9.2f}{row['last_step_seconds']:13.2f}"
              f"{row['auc']:9.5f}{row['log_loss']:10.5f}")
    print(f"{'ratio':18}{ratio['seconds']:9.2f}{ratio['cpu_seconds']:9.2f}{ratio['last_step_seconds']:13.2f}"
          f"{ours['auc'] - theirs['auc']:+9.5f}{ours['log_loss'] - theirs['log_loss']:+10.5f}", flush=True)
    return {"fits": table, "ratio": ratio}


def logistic(options) -> dict:
    """The example `logistic_speed`, which prints its own table."""
    command = [str(options.binary.with_name("logistic_speed")), sys.executable]
    command += [str(options.rows), str(options.features), str(options.repeats)]
    print(f"\nlogistic, on its own rows: {command[0]}", flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    return json.loads(done.stdout.splitlines()[-1])


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", default="boosted,tree,forest,logistic", help="with commas between them")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--features", type=int, default=60)
    parser.add_argument("--trees", type=int, default=100, help="of boosted")
    parser.add_argument("--leaves", type=int, default=31, help="of a boosted tree")
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--depth", type=int, default=5, help="of the one tree")
    parser.add_argument("--forest-trees", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3, help="fits of each side; scikit-learn's trees fit once")
    parser.add_argument("--seed", type=int, default=1)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--binary", type=Path, default=target / "debug/examples/train_speed")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> None:
    options = parsed()
    learners = options.learners.split(",")
    n_test = 100_000
    x, y = made(options.rows + n_test, options.features, options.seed)
    x_test, y_test, x, y = x[options.rows :], y[options.rows :], x[: options.rows], y[: options.rows]
    load = os.getloadavg()[0]
    print(f"{options.rows:,} x {options.features}, {options.threads} threads, label rate {y.mean():.3f}, "
          f"load {load:.1f}; boosted {options.trees} trees x {options.leaves} leaves, tree {options.depth} deep, forest of "
          f"{options.forest_trees} trees; medians of {options.repeats}")
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.asfortranarray(x).T.astype("<f4").tofile(folder / "x_train.f32")
        np.asfortranarray(x_test).T.astype("<f4").tofile(folder / "x_test.f32")
        y.tofile(folder / "y_train.u8")
        x, x_test = np.ascontiguousarray(x), np.ascontiguousarray(x_test)
        for learner in [name for name in learners if name in PEERS]:
            peer, fit_peer = PEERS[learner]
            runs = {learner: [], peer: []}
            for turn in range(options.repeats):
                runs[learner].append(fit_ours(learner, folder, n_test, options))
                # Its trees take minutes and hardly vary.
                if turn == 0 or peer == "lightgbm":
                    runs[peer].append(fit_peer(x, y, x_test, options))
            measured[learner] = compared(learner, runs, y_test)
    if "logistic" in learners:
        measured["logistic"] = logistic(options)
    if options.json:
        shape = {key: value for key, value in vars(options).items() if key not in ("binary", "json")}
        options.json.write_text(json.dumps({"options": shape, "load": load, "learners": measured}, indent=2))


if __name__ == "__main__":
    main()
