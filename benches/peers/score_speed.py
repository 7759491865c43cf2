"""Scoring speed beside the peers, on the same models and rows.

LightGBM makes the models of `MODELS`, XGBoost and CatBoost one of their own each; 1 in 20 values of the rows is missing.
Each peer that can take a model scores all rows, in turn with the others, `--rounds` times; the median counts. Ours is the
example `score_speed` of bellwether-score, with the rows as the peers have them (row after row) and as columns. Every
runner's logits are compared with those of the model's maker.

The environment: `benches/peers/venv.sh score`. Ours, first: cargo build -p bellwether-score --example score_speed
Compiled models are kept in `--work`, with the time that they took. `--clock cpu` counts processor seconds, for a machine
that does other things (1 thread only). `--quick` is a smoke test: small, and a peer that is not installed is left out.
Prints Markdown; --json FILE writes all numbers. Exit codes: 0 done, 1 our results differ from the maker's.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
# Beside what `Trees.rounding` allows; a peer's difference is shown and fails nothing: some round thresholds to f32.
LARGEST_DIFFERENCE = 1e-5


@dataclass(frozen=True)
class Shape:
    maker: str
    n_trees: int
    leaves: int
    depth: int
    n_features: int

    @property
    def name(self) -> str:
        size = f"depth {self.depth}" if self.depth > 0 else f"{self.leaves} leaves"
        return f"{self.maker} {self.n_trees} x {size}, {self.n_features} features"


MODELS = [
    Shape("LightGBM", 100, 31, -1, 60),
    Shape("LightGBM", 500, 31, -1, 60),
    Shape("LightGBM", 50, 4095, 12, 60),
    Shape("LightGBM", 100, 255, -1, 60),
    Shape("LightGBM", 100, 31, -1, 10),
    Shape("LightGBM", 100, 31, -1, 500),
    Shape("XGBoost", 100, 64, 6, 60),
    Shape("CatBoost", 100, 64, 6, 60),
]
QUICK = [Shape("LightGBM", 10, 31, -1, 20), Shape("XGBoost", 10, 64, 6, 20), Shape("CatBoost", 10, 64, 6, 20)]


def made(n_rows: int, n_features: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`(n_rows, n_features)` f32, row after row, NaN = missing, and labels 0 or 1."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((n_rows, n_features), dtype=np.float32)
    weight = np.random.default_rng(7).normal(size=n_features).astype(np.float32) / np.sqrt(n_features / 4)
    logit = x @ weight + 0.5 * x[:, 0] * x[:, 1] + 0.8 * (x[:, 2] > 0.5)
    x[:, 1::5] = np.exp(x[:, 1::5])
    x[:, 2::5] = np.floor(4 * np.abs(x[:, 2::5]))
    x[:, 3::5] *= np.float32(1e-5)
    x[random.random(x.shape, dtype=np.float32) < 0.05] = np.nan
    label = random.random(n_rows) < 1 / (1 + np.exp(1 - logit))
    return x, label.astype(np.uint8)


def not_above(threshold: float) -> float:
    """The largest f32 that is not above: `x <= threshold` says the same of every f32."""
    with np.errstate(over="ignore"):
        nearest = np.float32(threshold)
    return float(nearest if float(nearest) <= threshold else np.nextafter(nearest, np.float32(-np.inf)))


def leaf(value: float) -> dict:
    return {"leaf": {"value": float(np.float32(value))}}


class Trees:
    """Nodes as `bellwether_core::Model` has them."""

    def __init__(self, n_features: int, base: float):
        self.n_features, self.base, self.trees = n_features, base, []

    def grow(self, root, node_of) -> None:
        """Adds the tree below `root`; `node_of(node)` is a leaf's value or (feature, threshold, missing_left, left, right)."""
        nodes, waiting = [None], [(root, 0)]
        while waiting:
            node, place = waiting.pop()
            found = node_of(node)
            if not isinstance(found, tuple):
                nodes[place] = leaf(found)
                continue
            feature, threshold, missing_left, left, right = found
            at = len(nodes)
            nodes += [None, None]
            nodes[place] = {"split": {
                "feature": feature, "threshold": threshold, "missing_left": missing_left, "left": at, "right": at + 1,
            }}
            waiting += [(right, at + 1), (left, at)]
        self.trees.append(nodes)

    def rounding(self) -> float:
        """The most that a logit moves when leaves are rounded to the grid on which f32 sums are exact, as
        `bellwether_core::Trees::new` does: half a step a tree, and half a step of the base."""
        leaves = ([abs(node["leaf"]["value"]) for node in tree if "leaf" in node] for tree in self.trees)
        largest_sum = abs(self.base) + sum(max(of) for of in leaves)
        step = 2.0 ** (np.floor(np.log2(largest_sum)) + 1 - 23)
        return (len(self.trees) + 1) * step / 2

    def json(self) -> str:
        of = {"n_features": self.n_features, "base": float(np.float32(self.base)), "link": "logit", "trees": self.trees}
        return json.dumps({"trees": of})


class LightGbmModel:
    def __init__(self, shape: Shape, x, y):
        import lightgbm

        parameters = {
            "objective": "binary", "num_leaves": shape.leaves, "max_depth": shape.depth, "max_bin": 255, "seed": 1,
            "learning_rate": 0.1, "num_threads": 2, "verbosity": -1, "min_data_in_leaf": 5 if shape.depth > 0 else 20,
            "deterministic": True, "force_row_wise": True,
        }
        self.booster = lightgbm.train(parameters, lightgbm.Dataset(x, y), shape.n_trees)
        self.text = self.booster.model_to_string()

    def logits(self, x, n_threads):
        return self.booster.predict(x, raw_score=True, num_threads=n_threads)

    def trees(self, n_features: int) -> Trees:
        trees = Trees(n_features, 0.0)

        def node_of(node):
            if "leaf_value" in node:
                return node["leaf_value"]
            threshold = float(node["threshold"])
            # Where a feature had no missing value in training, LightGBM reads one as 0.
            none = node["missing_type"] == "None"
            left = 0.0 <= threshold if none else node["default_left"]
            return node["split_feature"], not_above(threshold), bool(left), node["left_child"], node["right_child"]

        for tree in self.booster.dump_model()["tree_info"]:
            trees.grow(tree["tree_structure"], node_of)
        return trees


class XgboostModel:
    def __init__(self, shape: Shape, x, y):
        import xgboost

        parameters = {"objective": "binary:logistic", "max_depth": shape.depth, "eta": 0.1, "nthread": 2, "seed": 1}
        self.booster = xgboost.train(parameters, xgboost.DMatrix(x, y), shape.n_trees)
        self.text = self.booster.save_raw("json").decode()

    def logits(self, x, n_threads):
        self.booster.set_param({"nthread": n_threads})
        return self.booster.inplace_predict(x, predict_type="margin")

    def trees(self, n_features: int) -> Trees:
        config = json.loads(self.booster.save_config())["learner"]["learner_model_param"]
        p = float(config["base_score"].strip("[]"))
        trees = Trees(n_features, float(np.log(p / (1 - p))))
        for tree in self.booster.get_dump(dump_format="json"):

            def node_of(node):
                if "leaf" in node:
                    return node["leaf"]
                child = {of["nodeid"]: of for of in node["children"]}
                # XGBoost goes left on `x < t`.
                threshold = float(np.nextafter(np.float32(node["split_condition"]), np.float32(-np.inf)))
                left, right = child[node["yes"]], child[node["no"]]
                return int(node["split"][1:]), threshold, node["missing"] == node["yes"], left, right

            trees.grow(json.loads(tree), node_of)
        return trees


class CatboostModel:
    def __init__(self, shape: Shape, x, y):
        import catboost

        self.pools = {}
        self.pool = lambda x: self.pools.setdefault(id(x), catboost.Pool(x))
        self.model = catboost.CatBoostClassifier(
            iterations=shape.n_trees, depth=shape.depth, thread_count=2, random_seed=1, verbose=False,
            allow_writing_files=False,
        ).fit(x, y)
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            self.model.save_model(file.name, format="json")
            self.text = Path(file.name).read_text()

    def logits(self, x, n_threads):
        return self.model.predict(self.pool(x), prediction_type="RawFormulaVal", thread_count=n_threads)

    def trees(self, n_features: int) -> Trees:
        model = json.loads(self.text)
        treatment = {of["feature_index"]: of["nan_value_treatment"] for of in model["features_info"]["float_features"]}
        place = {of["feature_index"]: of["flat_feature_index"] for of in model["features_info"]["float_features"]}
        scale, bias = model["scale_and_bias"]
        trees = Trees(n_features, bias[0] if isinstance(bias, list) else bias)
        for tree in model["oblivious_trees"]:
            splits = tree["splits"]

            def node_of(node):
                level, index = node
                if level == len(splits):
                    return scale * tree["leaf_values"][index]
                split = splits[level]
                feature = split["float_feature_index"]
                # CatBoost goes right on `x > border`, and missing values as the least or the greatest value.
                left, right = (level + 1, index), (level + 1, index | 1 << level)
                return place[feature], not_above(split["border"]), treatment[feature] != "AsTrue", left, right

            trees.grow((0, 0), node_of)
        return trees


MAKERS = {"LightGBM": LightGbmModel, "XGBoost": XgboostModel, "CatBoost": CatboostModel}


class Lleaves:
    """LightGBM's trees compiled by LLVM."""

    def __init__(self, model_file: Path, work: Path, _n_features: int):
        import lleaves

        compiled = work.with_suffix(".lleaves")
        self.model = lleaves.Model(model_file=str(model_file))
        self.load_seconds = timed_once(
            work.with_suffix(".lleaves.seconds"), lambda: self.model.compile(cache=compiled, raw_score=True)
        )
        if not compiled.exists():
            raise RuntimeError("lleaves kept no compiled model")

    def logits(self, x, n_threads):
        return self.model.predict(x, n_jobs=n_threads)


class Tl2cgen:
    """Trees as C, compiled by gcc."""

    def __init__(self, model_file: Path, work: Path, _n_features: int):
        import tl2cgen
        import treelite

        library = work.with_suffix(".so")

        def compile_library():
            model = treelite.frontend.load_lightgbm_model(str(model_file))
            if not library.exists():
                tl2cgen.export_lib(
                    model, toolchain="gcc", libpath=str(library), params={"parallel_comp": 8, "quantize": 0}
                )

        self.load_seconds = timed_once(work.with_suffix(".so.seconds"), compile_library)
        self.library, self.predictors, self.matrices, self.tl2cgen = library, {}, {}, tl2cgen

    def logits(self, x, n_threads):
        if n_threads not in self.predictors:
            self.predictors[n_threads] = self.tl2cgen.Predictor(str(self.library), nthread=n_threads)
        if id(x) not in self.matrices:
            self.matrices[id(x)] = self.tl2cgen.DMatrix(x)
        return self.predictors[n_threads].predict(self.matrices[id(x)], pred_margin=True).ravel()


class OnnxRuntime:
    def __init__(self, model_file: Path, _work: Path, n_features: int):
        import lightgbm
        import onnxruntime
        from onnxmltools import convert_lightgbm
        from onnxmltools.convert.common.data_types import FloatTensorType

        booster = lightgbm.Booster(model_file=str(model_file))
        graph = convert_lightgbm(booster, initial_types=[("x", FloatTensorType([None, n_features]))], zipmap=False)
        self.graph, self.sessions, self.onnxruntime = graph.SerializeToString(), {}, onnxruntime
        began = time.perf_counter()
        self.session(1)
        self.load_seconds = time.perf_counter() - began

    def session(self, n_threads):
        if n_threads not in self.sessions:
            options = self.onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.log_severity_level = n_threads, 3
            self.sessions[n_threads] = self.onnxruntime.InferenceSession(
                self.graph, options, providers=["CPUExecutionProvider"]
            )
        return self.sessions[n_threads]

    def logits(self, x, n_threads):
        p = self.session(n_threads).run(["probabilities"], {"x": x})[0][:, 1].astype(np.float64)
        with np.errstate(divide="ignore"):
            return np.log(p / (1 - p))


class Gtil:
    """treelite's interpreter."""

    def __init__(self, model_file: Path, _work: Path, _n_features: int):
        import treelite

        began = time.perf_counter()
        self.model, self.treelite = treelite.frontend.load_lightgbm_model(str(model_file)), treelite
        self.load_seconds = time.perf_counter() - began

    def logits(self, x, n_threads):
        return self.treelite.gtil.predict(self.model, x, nthread=n_threads, pred_margin=True).ravel()


OF_LIGHTGBM = {"lleaves": Lleaves, "tl2cgen": Tl2cgen, "ONNX Runtime": OnnxRuntime, "treelite GTIL": Gtil}


def timed_once(record: Path, work) -> float:
    """The seconds that `work` took when it was done first: what it compiles is kept, and so is its time."""
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    if not record.exists():
        record.write_text(str(seconds))
    return float(record.read_text())


class Ours:
    def __init__(self, example: Path, model: Path, rows: Path, layout: str, seconds: float):
        self.command = [str(example), str(model), str(rows), "--layout", layout, "--seconds", str(seconds)]
        self.logits_file = model.with_suffix(".f64")
        self.found = {}

    def run(self, n_threads: int, clock: str) -> float:
        command = [*self.command, "--threads", str(n_threads), "--out", str(self.logits_file)]
        self.found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        self.load_seconds = self.found["load_processor_ms" if clock == "cpu" else "load_ms"] / 1e3
        return self.found["processor_seconds" if clock == "cpu" else "seconds"]

    def result(self) -> np.ndarray:
        return np.fromfile(self.logits_file, dtype="<f8")

    def open_seconds(self) -> float:
        """Opens a bundle of the model, every digest checked, rows of the certificate replayed: wall clock, median of 25."""
        command = [*self.command[:3], "--open", str(ROOT / "models/simulated/1/evaluation.json")]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["load_ms"] / 1e3


class Peer:
    def __init__(self, logits, x, seconds: float, load_seconds: float):
        self.logits, self.x, self.seconds, self.load_seconds = logits, x, seconds, load_seconds

    def run(self, n_threads: int, clock: str) -> float:
        self.found = self.logits(self.x, n_threads)  # to warm up
        tick = time.process_time if clock == "cpu" else time.perf_counter
        began, n_runs = tick(), 0
        while n_runs == 0 or tick() - began < self.seconds:
            self.logits(self.x, n_threads)
            n_runs += 1
        return (tick() - began) / n_runs

    def result(self) -> np.ndarray:
        return np.asarray(self.found, dtype=np.float64)


def peers(shape: Shape, model, x, work: Path, options) -> dict:
    runners = {shape.maker: Peer(model.logits, x, options.seconds, 0.0)}
    if shape.maker != "LightGBM":
        return runners
    model_file = work.with_suffix(".txt")
    model_file.write_text(model.text)
    for name in options.peers:
        peer = OF_LIGHTGBM[name]
        if options.quick and not all(importlib.util.find_spec(of) for of in NEEDS[name]):
            print(f"{name} is left out: it is not installed", file=sys.stderr)
            continue
        print(f"  {name} ...", file=sys.stderr)
        of = peer(model_file, work, shape.n_features)
        runners[name] = Peer(of.logits, x, options.seconds, of.load_seconds)
    return runners


NEEDS = {
    "lleaves": ["lleaves"], "tl2cgen": ["tl2cgen", "treelite"], "ONNX Runtime": ["onnxruntime", "onnxmltools"],
    "treelite GTIL": ["treelite"],
}


def difference(name: str, logits: np.ndarray, expected: np.ndarray) -> float:
    """The largest, relative to logits beyond 1; of ONNX Runtime, which gives f32 probabilities, of those."""
    if name == "ONNX Runtime":
        return float(np.max(np.abs(1 / (1 + np.exp(-logits)) - 1 / (1 + np.exp(-expected)))))
    return float(np.max(np.abs(logits - expected) / np.maximum(1, np.abs(expected))))


def measure(shape: Shape, options, folder: Path) -> dict:
    """Seconds a run by runner and threads, load seconds, differences."""
    print(shape.name, file=sys.stderr)
    x_train, y_train = made(options.train_rows, shape.n_features, 1)
    x, _ = made(options.rows, shape.n_features, 2)
    model = MAKERS[shape.maker](shape, x_train, y_train)
    work = folder / hashlib.sha256(model.text.encode()).hexdigest()[:16]
    rows, ours = work.with_suffix(".f32"), work.with_suffix(".json")
    x.astype("<f4").tofile(rows)
    trees = model.trees(shape.n_features)
    ours.write_text(trees.json())
    runners = peers(shape, model, x, work, options)
    runners["ours"] = Ours(options.example, ours, rows, "rows", options.seconds)
    runners["ours, columns"] = Ours(options.example, ours, rows, "columns", options.seconds)
    seconds = {name: {threads: [] for threads in options.threads} for name in runners}
    expected = np.asarray(model.logits(x, 1), dtype=np.float64)
    differences = {}
    for _ in range(options.rounds):
        for threads in options.threads:
            for name, runner in runners.items():
                seconds[name][threads].append(runner.run(threads, options.clock))
                differences[name] = difference(name, runner.result(), expected)
    open_seconds = runners["ours"].open_seconds()
    one_row = {key: runners["ours"].found[key] for key in ["one_row_us", "one_row_p99_us", "path"]}
    rows.unlink()
    return {
        "model": shape.name, "rows": options.rows, "rounds": options.rounds, "clock": options.clock, **one_row,
        "seconds": {name: {str(n): statistics.median(of) for n, of in by.items()} for name, by in seconds.items()},
        "load_seconds": {name: runner.load_seconds for name, runner in runners.items()},
        "open_seconds": open_seconds, "differences": differences, "rounding": trees.rounding(), "load_average": os.getloadavg()[0],
    }


def table(found: dict, threads: list[int]) -> list[str]:
    fastest = {n: min(of[str(n)] for name, of in found["seconds"].items() if "ours" not in name) for n in threads}
    lines = [f"\n### {found['model']}\n", "| runner | load | " + " | ".join(
        f"rows/s, {n} thread{'s' * (n > 1)} | ratio to the fastest peer" for n in threads) + " | largest difference |"]
    lines.append("|---" * (3 + 2 * len(threads)) + "|")
    for name, of in sorted(found["seconds"].items(), key=lambda item: item[1][str(threads[0])]):
        load = found["load_seconds"][name]
        cells = [name, "" if load == 0.0 else f"{load:.1f} s" if load >= 1 else f"{load * 1e3:.1f} ms"]
        for n in threads:
            cells += [f"{found['rows'] / of[str(n)]:,.0f}", f"{fastest[n] / of[str(n)]:.2f}"]
        lines.append("| " + " | ".join([*cells, f"{found['differences'][name]:.1e}"]) + " |")
    lines.append(f"\nA bundle of it is opened, verified and replayed, in {found['open_seconds'] * 1e3:.1f} ms")
    lines.append(f"\nOne row alone: median {found['one_row_us']:.2f} us, 99th percentile {found['one_row_p99_us']:.2f} us "
                 f"({found['path']}; load average {found['load_average']:.1f}, {found['clock']} seconds)")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--example", type=Path, default=target / "debug/examples/score_speed")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--train-rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="how long a runner runs in each round")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--models", nargs="*", help="words that a model's name must have one of")
    parser.add_argument("--peers", nargs="*", choices=list(OF_LIGHTGBM), default=list(OF_LIGHTGBM),
                        help="which others take LightGBM's models; lleaves and tl2cgen compile for minutes")
    parser.add_argument("--work", type=Path, help="where compiled models are kept")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.clock == "cpu" and options.threads != [1]:
        parser.error("--clock cpu is for --threads 1")
    if options.quick:
        options.rows, options.train_rows, options.rounds, options.seconds = 2_000, 2_000, 1, 0.01
    shapes = [of for of in (QUICK if options.quick else MODELS) if not options.models or any(
        word in of.name for word in options.models)]
    if options.quick:
        shapes = [of for of in shapes if importlib.util.find_spec(of.maker.lower())]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        all_found = []
        for shape in shapes:
            found = measure(shape, options, folder)
            all_found.append(found)
            print("\n".join(table(found, options.threads)), flush=True)
    if options.json:
        options.json.write_text(json.dumps(all_found, indent=1))
    wrong = [(of["model"], name, d) for of in all_found for name, d in of["differences"].items()
             if name.startswith("ours") and not d <= LARGEST_DIFFERENCE + of["rounding"]]
    for model, name, difference in wrong:
        print(f"error: {model}: the logits of {name} differ from the maker's by {difference:.1e}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
