"""Training time and quality of the boosted learner beside LightGBM's, on the same made-up table.

500,000 x 60 by default: half the features bear on the label, some by steps, bends and pairs; scales differ by orders of
magnitude, some are counts or flags, 1 in 20 values is missing. Build the other side first:
cargo build -p bellwether-learn --example train_speed. Prints a table; --json FILE writes all numbers.
"""

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import lightgbm
import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

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
    measured = {"seconds": done - began, "cpu_seconds": cpu_seconds() - cpu, "boosting_seconds": done - binned}
    return measured | {"p": model.predict(x_test, num_threads=options.threads)}


def fit_ours(folder: Path, n_test: int, options) -> dict:
    shape = [options.features, options.rows, n_test, options.trees, options.leaves, options.rate, options.threads]
    command = [str(options.binary), str(folder), *map(str, shape)]
    measured = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return measured | {"p": 1 / (1 + np.exp(-np.fromfile(folder / "logits.f64", dtype="<f8")))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--features", type=int, default=60)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--leaves", type=int, default=31)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--binary", type=Path, default=target / "debug/examples/train_speed")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    n_test = 100_000
    x, y = made(options.rows + n_test, options.features, options.seed)
    x_test, y_test, x, y = x[options.rows :], y[options.rows :], x[: options.rows], y[: options.rows]
    runs = {"bellwether": [], "lightgbm": []}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.asfortranarray(x).T.astype("<f4").tofile(folder / "x_train.f32")
        np.asfortranarray(x_test).T.astype("<f4").tofile(folder / "x_test.f32")
        y.tofile(folder / "y_train.u8")
        x, x_test = np.ascontiguousarray(x), np.ascontiguousarray(x_test)
        for _ in range(options.repeats):
            runs["bellwether"].append(fit_ours(folder, n_test, options))
            runs["lightgbm"].append(fit_lightgbm(x, y, x_test, options))

    table = {}
    for name, of_name in runs.items():
        row = {key: float(np.median([run[key] for run in of_name])) for key in of_name[0] if key != "p"}
        p = of_name[-1]["p"]
        table[name] = row | {"auc": float(roc_auc_score(y_test, p)), "log_loss": float(log_loss(y_test, p))}
    load = os.getloadavg()
    print(f"{options.rows:,} x {options.features}, {options.trees} trees x {options.leaves} leaves, {options.threads} "
          f"threads, median of {options.repeats}, load {load[0]:.1f}, label rate {y.mean():.3f}")
    print(f"{'':12}{'seconds':>9}{'CPU s':>9}{'boosting s':>12}{'AUC':>9}{'log loss':>10}")
    for name, row in table.items():
        print(f"{name:12}{row['seconds']:9.2f}{row['cpu_seconds']:9.2f}{row['boosting_seconds']:12.2f}"
              f"{row['auc']:9.5f}{row['log_loss']:10.5f}")
    ours, theirs = table["bellwether"], table["lightgbm"]
    ratio = {key: ours[key] / theirs[key] for key in ("seconds", "cpu_seconds", "boosting_seconds")}
    print(f"{'ratio':12}{ratio['seconds']:9.2f}{ratio['cpu_seconds']:9.2f}{ratio['boosting_seconds']:12.2f}"
          f"{ours['auc'] - theirs['auc']:+9.5f}{ours['log_loss'] - theirs['log_loss']:+10.5f}")
    if options.json:
        keys = ("rows", "features", "trees", "leaves", "rate", "threads", "repeats", "seed")
        shape = {key: getattr(options, key) for key in keys}
        measured = {"shape": shape, "load": load[0], "learners": table, "ratio": ratio}
        options.json.write_text(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main()
