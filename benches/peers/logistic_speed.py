"""scikit-learn's logistic regression on the rows that `crates/learn/examples/logistic_speed.rs` generates too.

Writes nothing. Prints one line a fit, as JSON: seconds (wall and of all threads), the penalised loss in f64, coefficients.

    logistic_speed.py [--rows 500000] [--columns 60] [--c 1.0] [--threads 2] [--runs 1] [--tol 1e-4] [--dtype f64]

The rows: `SplitMix64` of the place, so that both programs make the same bits without a file.
"""

import argparse
import json
import time

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=500_000)
    options.add_argument("--columns", type=int, default=60)
    options.add_argument("--c", type=float, default=1.0, help="scikit-learn's C")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--runs", type=int, default=1)
    options.add_argument("--tol", type=float, default=1e-4, help="scikit-learn's default is 1e-4")
    options.add_argument("--dtype", choices=["f32", "f64"], default="f64")
    options.add_argument("--wait", action="store_true", help="fit once for each line on standard input")
    given = options.parse_args()
    x, y = rows(given.rows, given.columns)
    fitted_on = np.asarray(x, dtype=np.float32 if given.dtype == "f32" else np.float64)
    turns = iter(input, "") if given.wait else range(given.runs)
    if given.wait:
        print(json.dumps({"ready": True}), flush=True)
    for _ in turns:
        print(json.dumps(fit(x, y, fitted_on, given)), flush=True)


def fit(x, y, fitted_on, given):
    model = LogisticRegression(C=given.c, tol=given.tol, max_iter=1000)
    with threadpool_limits(given.threads):
        began, cpu_began = time.perf_counter(), time.process_time()
        model.fit(fitted_on, y)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    coefficients, intercept = model.coef_[0].astype(np.float64), float(model.intercept_[0])
    eta = x @ coefficients + intercept
    loss = np.logaddexp(0.0, np.where(y, -eta, eta)).sum() + coefficients @ coefficients / (2.0 * given.c)
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "iterations": int(model.n_iter_[0]),
        "loss": float(loss),
        "intercept": intercept,
        "coefficients": coefficients.tolist(),
    }


def rows(n_rows, n_columns):
    """Columns nearly normal in pairs that go together, labels of a logit with 20 weights; multiples of 1/4096, so f32 is exact."""
    x = np.empty((n_rows, n_columns))
    for column in range(n_columns):
        x[:, column] = np.round(normal(column + 1, n_rows) * 4096.0) / 4096.0
        if column % 3 == 2:
            x[:, column] = np.round((x[:, column] + x[:, column - 1]) * 2048.0) / 4096.0
    logit = np.full(n_rows, -1.5)
    for column in range(0, n_columns, 3):
        logit += (0.4 if column % 2 == 0 else -0.3) * x[:, column]
    y = unit(n_columns + 1, n_rows, 0) < 1.0 / (1.0 + np.exp(-logit))
    return x, y


def normal(stream, n_rows):
    """The sum of 4 uniforms, standardised."""
    return (sum(unit(stream, n_rows, draw) for draw in range(4)) - 2.0) * np.sqrt(3.0)


def unit(stream, n_rows, draw):
    """In `[0, 1)`: the upper 53 bits of SplitMix64 (Steele et al. 2014) of stream, draw and row."""
    place = np.uint64((stream << 40) | (draw << 36)) + np.arange(n_rows, dtype=np.uint64)
    z = place * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) / float(1 << 53)


if __name__ == "__main__":
    main()
