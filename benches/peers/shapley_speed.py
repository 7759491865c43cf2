"""Exact Shapley values of 100 trees x 31 leaves: ours against LightGBM's pred_contrib, on one model and the same rows.

    python3 shapley_speed.py FOLDER [--rows 20000] [--threads 1] [--runs 3] [--binary PATH] [--quick]

FOLDER gets the model, the rows and our contributions. The binary is the example `shapley_speed` of crates/score
(`cargo build --example shapley_speed`). LightGBM trains on 60 features of which 5 % of the values are missing; leaf values are
rounded to the grid on which f32 sums are exact and thresholds to f32, and put back into LightGBM's model, so that both explain the
same model. Printed: medians of wall-clock seconds and, on one thread, of processor seconds, their ratio, and the largest
difference of any contribution. --quick is a smoke test: a few trees and rows.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import time
from pathlib import Path

import lightgbm
import numpy as np

N_FEATURES = 60


def rows(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, N_FEATURES)).astype(np.float32)
    x[:, 30:45] = np.exp(x[:, 30:45])
    x[:, 45:] = rng.poisson(3, size=(n, 15))
    known = x.copy()
    x[rng.random(x.shape) < 0.05] = np.nan
    weights = np.random.default_rng(1).normal(size=15) * 0.15
    logit = (known[:, 0] - 0.7 * known[:, 1] + 0.5 * known[:, 2] * known[:, 3] + 0.3 * np.sin(3 * known[:, 4])
             + 0.2 * known[:, 30] - 0.1 * known[:, 45] + known[:, 5:20] @ weights - 1.5)
    return x, rng.random(n) < 1 / (1 + np.exp(-logit))


def f32_at_most(x):
    """The largest f32 that is not above x: decides every f32 as x does."""
    with np.errstate(over="ignore"):
        y = np.float32(x)
    return np.nextafter(y, np.float32(-np.inf)) if float(y) > x else y


def rounded(booster):
    """The booster with thresholds of f32 and leaf values on the grid of `Trees::new`."""
    text = booster.model_to_string()
    values = [list(map(float, line.split())) for line in re.findall(r"^leaf_value=(.*)$", text, re.M)]
    largest = sum(max(abs(value) for value in of_tree) for of_tree in values)
    step = 2.0 ** (23 - (int(np.floor(np.log2(largest))) + 1))

    def of_line(change):
        return lambda found: found.group(1) + " ".join(repr(float(change(float(word)))) for word in found.group(2).split())

    text = re.sub(r"^(leaf_value=)(.*)$", of_line(lambda value: np.float32(np.floor(value * step + 0.5) / step)), text, flags=re.M)
    text = re.sub(r"^(threshold=)(.*)$", of_line(f32_at_most), text, flags=re.M)
    # It tells where each tree begins in the text, which has moved; LightGBM finds them without.
    text = re.sub(r"^tree_sizes=.*\n", "", text, flags=re.M)
    return lightgbm.Booster(model_str=text)


def lines_of(booster):
    """The model as the example reads it; children stand after their parents."""
    for tree in booster.dump_model()["tree_info"]:
        yield "tree"
        nodes = []

        def add(node):
            place = len(nodes)
            nodes.append(None)
            if "leaf_value" in node:
                nodes[place] = f"leaf {np.float32(node['leaf_value'])!s} {node['leaf_count']}"
                return place
            left, right = add(node["left_child"]), add(node["right_child"])
            assert node["decision_type"] == "<=" and node["missing_type"] == "NaN", node
            nodes[place] = (f"split {node['split_feature']} {f32_at_most(node['threshold'])!s} {int(node['default_left'])}"
                            f" {left} {right} {node['internal_count']}")
            return place

        add(tree["tree_structure"])
        yield from nodes


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--rows", type=int, default=20_000)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--trees", type=int, default=100)
    arguments.add_argument("--leaves", type=int, default=31)
    arguments.add_argument("--binary", type=Path, default=Path("target/debug/examples/shapley_speed"))
    arguments.add_argument("--quick", action="store_true")
    arguments = arguments.parse_args()
    n_training = 100_000
    if arguments.quick:
        n_training, arguments.rows, arguments.trees, arguments.runs = 5_000, 500, 10, 1
    arguments.folder.mkdir(parents=True, exist_ok=True)
    x, y = rows(n_training, 0)
    settings = {"objective": "binary", "num_leaves": arguments.leaves, "learning_rate": 0.1, "num_threads": arguments.threads,
                "verbose": -1, "seed": 1, "deterministic": True}
    booster = rounded(lightgbm.train(settings, lightgbm.Dataset(x, y), arguments.trees))
    (arguments.folder / "model.txt").write_text("\n".join(lines_of(booster)) + "\n")
    x, _ = rows(arguments.rows, 2)
    (arguments.folder / "n_features.txt").write_text(f"{N_FEATURES}\n")
    np.ascontiguousarray(x.T).tofile(arguments.folder / "x.f32")
    command = [arguments.binary, arguments.folder, str(arguments.threads), str(arguments.runs)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    ours = [line.split() for line in told if line.startswith("seconds")]
    theirs = []
    for _ in range(arguments.runs):
        began, busy = time.perf_counter(), time.process_time()
        expected = booster.predict(x, pred_contrib=True, num_threads=arguments.threads)
        theirs.append((time.perf_counter() - began, time.process_time() - busy))
    found = np.fromfile(arguments.folder / "contributions.f64").reshape(len(x), N_FEATURES + 1)
    difference = np.abs(found - expected).max()
    wall = [statistics.median(float(of[1]) for of in ours), statistics.median(of[0] for of in theirs)]
    busy = [statistics.median(float(of[3]) for of in ours), statistics.median(of[1] for of in theirs)]
    figures = {
        "rows": len(x), "threads": arguments.threads, "trees": arguments.trees, "leaves": arguments.leaves,
        "ours_compile_seconds": float(told[0].split()[1]),
        "ours_rows_per_second": len(x) / wall[0], "lightgbm_rows_per_second": len(x) / wall[1], "ratio": wall[1] / wall[0],
        "largest_difference": difference, "load": os.getloadavg()[0],
    }
    # A quick run may take less than the processor's clock tells.
    if arguments.threads == 1 and min(busy) > 0:
        figures["ours_rows_per_processor_second"] = len(x) / busy[0]
        figures["lightgbm_rows_per_processor_second"] = len(x) / busy[1]
        figures["ratio_of_processor_seconds"] = busy[1] / busy[0]
    print(json.dumps(figures, indent=2))
    assert difference <= 1e-6, difference


if __name__ == "__main__":
    main()
