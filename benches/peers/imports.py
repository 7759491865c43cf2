#!/usr/bin/env python3
"""Imports models of other software and compares them with their makers' own predictions.

    imports.py --check PROGRAM      PROGRAM is the built example import_check of crates/score

Trains small models with scikit-learn, LightGBM, XGBoost and CatBoost, with and without missing values, exports them with
skl2onnx, onnxmltools and CatBoost itself, writes layers as PyTorch exports them, and scores rows with what `bellwether models import` makes of each file. Rows are
random ones, ones with missing values, zeros of both signs, and each threshold in the file with the f32 below and above it.

Prints a table: model, converter, kernel, the largest difference of a probability from the maker's; or why the file is
refused. A row on which the file itself says another thing than its maker (ONNX Runtime beside us as witness) is counted
apart, as the converter's: a threshold that its maker compares in f64 and the converter rounds to the nearest f32 may lie on
the other side of that f32. Exit code 1 where a model that is taken differs from its maker without that, or a model that must
be taken is refused, or one that must be refused is taken.
"""

import argparse
import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable

warnings.filterwarnings("ignore")
# The models are small: threads would wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"

import catboost
import lightgbm
import numpy as np
import onnx
import onnxmltools
import onnxruntime
import sklearn
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as FloatRows
from skl2onnx import convert_sklearn
from skl2onnx.common import tree_ensemble
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, Normalizer, OneHotEncoder, RobustScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

N_FEATURES = 12
# Of a probability. Makers sum in f64 (scikit-learn, LightGBM, CatBoost) or f32 (XGBoost); ours are f64 sums of leaves on a
# grid, whose rounding the program states.
TOLERANCE = 1e-5
REFUSED = 4


@dataclasses.dataclass
class Case:
    """A model, how it is exported, and what must become of it."""

    name: str
    make: Callable[[], tuple[onnx.ModelProto, Callable[[np.ndarray], np.ndarray]]]
    takes_missing: bool = False
    # A part of the reason, where the file must be refused.
    refused: str | None = None
    # Rows with missing values must be refused, for the file does not say where they go.
    unruled: bool = False
    # The converter changes the model and the file does not show it: `models import --check` refuses it.
    changed: bool = False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", type=pathlib.Path, help="the example import_check")
    parser.add_argument("--only", help="models whose name contains this")
    parser.add_argument("--fixtures", type=pathlib.Path, help="write small files with their makers' predictions there")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder that gets the ONNX files")
    arguments = parser.parse_args()
    patch_skl2onnx()
    if arguments.fixtures:
        return write_fixtures(arguments.fixtures)
    data = Data(np.random.default_rng(1))
    failures = []
    print(f"scikit-learn {sklearn.__version__}, LightGBM {lightgbm.__version__}, XGBoost {xgboost.__version__}, "
          f"CatBoost {catboost.__version__}, ONNX Runtime {onnxruntime.__version__}\n")
    print("| model | written by | kernel | rows | largest difference | rows the converter changed | |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = arguments.keep or pathlib.Path(folder)
        folder.mkdir(exist_ok=True)
        for case in cases(data):
            if arguments.only and arguments.only not in case.name:
                continue
            line, failure = check(case, data, arguments.check, folder)
            print(line, flush=True)
            if failure:
                failures.append(f"{case.name}: {failure}")
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    return 1 if failures else 0


def patch_skl2onnx():
    """skl2onnx 1.20 gives onnx a NumPy boolean for HistGradientBoosting, which onnx 1.23 refuses; the number is the same."""
    add_node = tree_ensemble.add_node

    def with_numbers(*args, nodes_missing_value_tracks_true=False, **kwargs):
        return add_node(*args, nodes_missing_value_tracks_true=int(nodes_missing_value_tracks_true), **kwargs)

    tree_ensemble.add_node = with_numbers


class Data:
    """Rows with skewed, whole-numbered and plain columns, and a label that they tell something of."""

    def __init__(self, rng):
        self.rng = rng
        self.x = self.draw(4000)
        self.missing = self.with_missing(self.x)
        signal = self.x[:, 0] + self.x[:, 1] * self.x[:, 2] + 0.3 * self.x[:, 3] - 0.1 * self.x[:, 4]
        self.y = (signal + rng.normal(size=len(signal)) > 0.8).astype(int)

    def draw(self, n):
        x = self.rng.normal(size=(n, N_FEATURES))
        x[:, 4] = np.floor(np.exp(x[:, 4]) * 3)
        x[:, 5] = np.exp(2 * x[:, 5])
        x[:, 6] = x[:, 6] > 0
        return x.astype(np.float32)

    def with_missing(self, x):
        return np.where(self.rng.random(x.shape) < 0.05, np.float32(np.nan), x)

    def rows(self, file):
        """Rows to compare on, and where the rows at thresholds begin."""
        zeros = np.zeros((4, N_FEATURES), np.float32)
        zeros[1::2] = -0.0
        plain = np.concatenate([self.draw(2000), zeros])
        edges = thresholds(file)
        n = max((len(of) for of in edges.values()), default=0)
        at_edges = self.draw(n)
        for feature, values in edges.items():
            at_edges[: len(values), feature] = self.rng.permutation(values)
        return np.concatenate([plain, at_edges]).astype(np.float32), len(plain)


def thresholds(file):
    """For each feature every threshold in the file, with its neighbours."""
    edges = {}
    for node in file.graph.node:
        of = {a.name: a for a in node.attribute}
        if "nodes_values" not in of:
            continue
        for feature, value, mode in zip(of["nodes_featureids"].ints, of["nodes_values"].floats, of["nodes_modes"].strings):
            if mode != b"LEAF":
                value = np.float32(value)
                near = [np.nextafter(value, np.float32(-np.inf)), value, np.nextafter(value, np.float32(np.inf))]
                edges.setdefault(feature, set()).update(near)
    return {feature: np.array([v for v in sorted(values) if np.isfinite(v)], np.float32) for feature, values in edges.items()}


def check(case, data, program, folder):
    """A line of the table, and what is wrong."""
    try:
        file, predict = case.make()
    except Exception as error:  # a converter's own refusal
        reason = f"{type(error).__name__}: {str(error).splitlines()[0][:90]}"
        return f"| {case.name} | | | | | | its converter refuses: {reason} |", None
    path = folder / (case.name.replace(" ", "_").replace("/", "-") + ".onnx")
    if isinstance(file, bytes):
        path.write_bytes(file)
        rows, first_edge = data.draw(2), 2
    else:
        onnx.save(file, path)
        rows, first_edge = data.rows(file)
    missing = np.zeros(len(rows), bool)
    if case.takes_missing and not case.unruled:
        extra = data.with_missing(rows[:2000])
        rows, missing = np.concatenate([rows, extra]), np.concatenate([missing, np.ones(len(extra), bool)])
    said = run(program, path, rows, folder)
    if "refused" in said:
        right = case.refused is not None and case.refused in said["refused"]
        return f"| {case.name} | | | | | | refused: {said['refused']} |", None if right else f"refused: {said['refused']}"
    producer = said["producer"]
    expected = predict(rows)
    ours = said["probability"]
    apart = np.abs(ours - expected) > TOLERANCE
    of_file = apart & (np.abs(ours - runtime(file, rows)) <= TOLERANCE) if apart.any() else apart
    is_edge = np.arange(len(rows)) >= first_edge
    of_file &= (is_edge & ~missing) | case.changed
    worst = np.abs(ours - expected)[~of_file].max()
    note = "" if said["unruled"] == "0" else f"{said['unruled']} inputs have no rule for missing values"
    failure = None
    if case.refused is not None:
        failure = "taken, where it must be refused"
    elif (said["unruled"] != "0") != case.unruled:
        failure = f"{said['unruled']} inputs without a rule for missing values"
    elif case.changed and not of_file.any():
        failure = "the converter is right: no row differs"
    elif not worst <= TOLERANCE:
        place = int(np.argmax(np.where(of_file, 0, np.abs(ours - expected))))
        failure = f"row {place}: ours {ours[place]}, its maker's {expected[place]}, ONNX Runtime's {runtime(file, rows)[place]}"
    if case.changed:
        note = f"its converter is wrong, by up to {np.abs(ours - expected).max():.2f}: refused by --check alone"
    line = f"| {case.name} | {producer} | {said['kernel']} | {len(rows):,} | {worst:.1e} | {of_file.sum() or ''} | {note} |"
    return line, failure


def run(program, path, rows, folder):
    (folder / "rows").write_bytes(np.ascontiguousarray(rows, "<f4").tobytes())
    done = subprocess.run([program, path, str(N_FEATURES), folder / "rows", folder / "out"], capture_output=True, text=True)
    if done.returncode not in (0, REFUSED):
        raise SystemExit(f"{path.name}: {done.stderr}")
    said = dict(line.split("=", 1) for line in done.stdout.splitlines())
    if done.returncode == 0:
        said["probability"] = np.fromfile(folder / "out", "<f8")
    return said


def runtime(file, rows):
    """What ONNX Runtime makes of the file."""
    session = onnxruntime.InferenceSession(file.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: rows})[-1]
    return np.array([row[1] for row in found], float) if isinstance(found, list) else np.asarray(found, float)[:, -1]


def cases(data):
    """All models."""
    x, missing, y = data.x, data.missing, data.y

    def skl(model, rows, labels=y, **options):
        def make():
            model.fit(rows, labels)
            file = convert_sklearn(model, initial_types=[("input", FloatTensorType([None, N_FEATURES]))], **options)
            return file, lambda rows: model.predict_proba(rows)[:, 1]

        return make

    def lgb(rows, zipmap=True, **options):
        def make():
            model = lightgbm.LGBMClassifier(n_estimators=60, num_leaves=15, verbose=-1, num_threads=1, **options).fit(rows, y)
            file = onnxmltools.convert_lightgbm(model, initial_types=[("input", FloatRows([None, N_FEATURES]))], zipmap=zipmap)
            return file, lambda rows: model.predict_proba(rows)[:, 1]

        return make

    def xgb(rows, kind=xgboost.XGBClassifier, **options):
        def make():
            model = kind(n_estimators=60, max_depth=4, n_jobs=1, **options).fit(rows, y)
            file = onnxmltools.convert_xgboost(model, initial_types=[("input", FloatRows([None, N_FEATURES]))])
            return file, lambda rows: model.predict_proba(rows)[:, 1].astype(float)

        return make

    def cat(rows, **options):
        def make():
            model = catboost.CatBoostClassifier(iterations=60, depth=4, verbose=0, allow_writing_files=False, thread_count=1, **options)
            model.fit(rows, y)
            with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
                model.save_model(file.name, format="onnx")
                return onnx.load(file.name), lambda rows: model.predict_proba(rows)[:, 1]

        return make

    def logistic(**options):
        return LogisticRegression(max_iter=500, **options)

    def network(sizes=(8,), **options):
        return MLPClassifier(sizes, max_iter=30, random_state=1, **options)

    def vote(*models):
        return VotingClassifier([(str(place), model) for place, model in enumerate(models)], voting="soft", flatten_transform=False)

    small = dict(n_estimators=40, max_depth=7, random_state=1, n_jobs=1)
    no_zipmap = dict(options={"zipmap": False})
    three = np.digitize(x[:, 0], [-0.5, 0.5])
    return [
        Case("logistic", skl(logistic(), x), unruled=True),
        Case("logistic, no ZipMap", skl(logistic(), x, **no_zipmap), unruled=True),
        Case("logistic, scaled", skl(make_pipeline(StandardScaler(), logistic()), x), unruled=True),
        Case("logistic, imputed, scaled", skl(make_pipeline(SimpleImputer(), StandardScaler(), logistic()), missing), True),
        Case("logistic, imputed by median, robust scale", skl(make_pipeline(SimpleImputer(strategy="median"), RobustScaler(), logistic()), missing), True),
        Case("logistic, min-max scale", skl(make_pipeline(MinMaxScaler(), logistic()), x), unruled=True),
        Case("logistic, max-abs scale", skl(make_pipeline(MaxAbsScaler(), logistic()), x), unruled=True),
        Case("SGD, log loss, scaled", skl(make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=1)), x), unruled=True),
        Case("logistic, calibrated afterwards", skl(CalibratedClassifierCV(logistic(), ensemble=False), x), unruled=True),
        Case("tree", skl(DecisionTreeClassifier(max_depth=6, random_state=1), x), unruled=True),
        Case("tree, missing values", skl(DecisionTreeClassifier(max_depth=6, random_state=1), missing), unruled=True),
        Case("tree, imputed", skl(make_pipeline(SimpleImputer(), DecisionTreeClassifier(max_depth=6, random_state=1)), missing), True),
        Case("tree, scaled", skl(make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=6, random_state=1)), x), unruled=True),
        Case("random forest", skl(RandomForestClassifier(**small), x), unruled=True),
        Case("random forest, imputed", skl(make_pipeline(SimpleImputer(strategy="median"), RandomForestClassifier(**small)), missing), True),
        Case("extra trees", skl(ExtraTreesClassifier(**small), x), unruled=True),
        Case("gradient boosting", skl(GradientBoostingClassifier(n_estimators=60, random_state=1), x), unruled=True),
        Case("hist gradient boosting", skl(HistGradientBoostingClassifier(max_iter=60, random_state=1), x), True),
        Case("hist gradient boosting, missing values", skl(HistGradientBoostingClassifier(max_iter=60, random_state=1), missing), True),
        Case("LightGBM", lgb(x), True),
        Case("LightGBM, missing values", lgb(missing), True),
        Case("LightGBM, no ZipMap", lgb(missing, zipmap=False), True),
        Case("LightGBM, dart", lgb(missing, boosting_type="dart"), True),
        Case("LightGBM, goss", lgb(missing, data_sample_strategy="goss"), True),
        Case("LightGBM, random forest", lgb(missing, boosting_type="rf", subsample=0.7, subsample_freq=1), True, refused="`Div`"),
        Case("LightGBM, zeros are missing", lgb(missing, zero_as_missing=True), True, changed=True),
        Case("XGBoost", xgb(x), True),
        Case("XGBoost, missing values", xgb(missing), True),
        Case("XGBoost, base score", xgb(missing, base_score=0.2), True),
        Case("XGBoost, random forest", xgb(missing, xgboost.XGBRFClassifier), True),
        Case("XGBoost, dart", xgb(missing, booster="dart", rate_drop=0.3), True),
        Case("XGBoost, linear", xgb(x, booster="gblinear")),
        Case("CatBoost", cat(x)),
        Case("CatBoost, missing values", cat(missing), True),
        Case("CatBoost, missing is the largest", cat(missing, nan_mode="Max"), True),
        Case("CatBoost, depthwise", cat(missing, grow_policy="Depthwise"), True),
        # What no kernel of ours computes, and tract does.
        Case("neural network, ReLU", skl(network(), x), unruled=True),
        Case("neural network, no ZipMap", skl(network(), x, **no_zipmap), unruled=True),
        Case("neural network, tanh", skl(network((8, 4), activation="tanh"), x), unruled=True),
        Case("neural network, logistic", skl(network(activation="logistic"), x), unruled=True),
        Case("neural network, scaled", skl(make_pipeline(StandardScaler(), network()), x), unruled=True),
        Case("neural network, min-max scale", skl(make_pipeline(MinMaxScaler(clip=True), network()), x), unruled=True),
        Case("neural network, imputed, scaled", skl(make_pipeline(SimpleImputer(), StandardScaler(), network((16, 8))), missing), True),
        Case("neural network, normalised rows", skl(make_pipeline(Normalizer(), network()), x), unruled=True),
        Case("normalised rows", skl(make_pipeline(Normalizer(), logistic()), x), unruled=True),
        Case("calibrated in folds", skl(CalibratedClassifierCV(logistic()), x), unruled=True),
        Case("calibrated in folds, imputed", skl(make_pipeline(SimpleImputer(), CalibratedClassifierCV(logistic())), missing), True),
        Case("vote of logistic and network", skl(vote(logistic(), make_pipeline(StandardScaler(), network())), x), unruled=True),
        Case("Gemm, Relu, Sigmoid", layers(x, y, "Relu"), unruled=True),
        Case("Gemm, LeakyRelu, Sigmoid", layers(x, y, "LeakyRelu", alpha=0.2), unruled=True),
        Case("Gemm, Elu, Sigmoid", layers(x, y, "Elu"), unruled=True),
        Case("Gemm, Selu, Softmax", layers(x, y, "Selu", two=True), unruled=True),
        Case("batch norm, Gemm, Tanh, Softmax", layers(x, y, "Tanh", two=True, batch_norm=True), unruled=True),
        # What must be refused, or is refused for what the file does not say.
        Case("SVM", skl(SVC(probability=True), x), refused="`ai.onnx.ml.SVMClassifier`"),
        Case("three classes", skl(logistic(), x, labels=three), refused="3 classes"),
        Case("three classes, network", skl(network(), x, labels=three), refused="3 classes"),
        Case("bag of logistics", skl(BaggingClassifier(logistic(), 4, random_state=1), x), refused="`Reshape`"),
        Case("naive Bayes", skl(GaussianNB(), x), refused="`Reshape`"),
        Case("nearest neighbours", skl(KNeighborsClassifier(3), x[:200], labels=y[:200]), refused="`"),
        Case("vote of logistic and tree", skl(vote(logistic(), DecisionTreeClassifier(max_depth=3)), x), refused="`Mul`"),
        Case("network, labels are texts", skl(network(), x, labels=np.where(y == 1, "yes", "no")), refused="`no`, `yes`"),
        Case("a number from layers", broken(layers(x, y, "Relu"), without_sigmoid), refused="no probability"),
        Case("a branch", broken(layers(x, y, "Relu"), with_operator("If")), refused="`If`"),
        Case("a loop", broken(layers(x, y, "Relu"), with_operator("Loop")), refused="`Loop`"),
        Case("an operator of nobody", broken(layers(x, y, "Relu"), with_operator("Nobody", "nobody.example")), refused="`nobody.example.Nobody`"),
        Case("labels are texts", skl(logistic(), x, labels=np.where(y == 1, "yes", "no")), refused="`no`, `yes`"),
        Case("raw scores", skl(logistic(), x, options={LogisticRegression: {"raw_scores": True}}), refused="no probability"),
        Case("levels are texts", one_hot(x, y), refused="is a text"),
        Case("cut off", broken(skl(logistic(), x), lambda file: file[:-40]), refused="not an ONNX file"),
        Case("no file", broken(skl(logistic(), x), lambda file: b"PK\x03\x04" + file), refused="not an ONNX file"),
        Case("a later TreeEnsemble", broken(xgb(x), later_ensemble), refused="`ai.onnx.ml.TreeEnsemble`"),
    ]


def layers(x, y, activation, two=False, batch_norm=False, **attributes):
    """What torch.onnx.export writes of layers: Gemm with transB, an activation, and Sigmoid of one column or Softmax of two."""

    def make():
        rng = np.random.default_rng(5)
        n_out = 2 if two else 1
        fitted = LogisticRegression(max_iter=500).fit(x, y)
        first = np.concatenate([fitted.coef_, rng.normal(size=(9, N_FEATURES)) / 4]).astype(np.float32)
        second = np.concatenate([np.full((n_out, 1), 1.0), rng.normal(size=(n_out, 9)) / 4], axis=1).astype(np.float32)
        constants = {"w1": first, "b1": rng.normal(size=10).astype(np.float32), "w2": second, "b2": rng.normal(size=n_out).astype(np.float32)}
        nodes = []
        if batch_norm:
            constants |= {"scale": np.full(N_FEATURES, 1.5, np.float32), "shift": np.full(N_FEATURES, -0.25, np.float32),
                          "mean": x.mean(axis=0), "variance": x.var(axis=0)}
            nodes.append(onnx.helper.make_node("BatchNormalization", ["input", "scale", "shift", "mean", "variance"], ["x"]))
        nodes += [
            onnx.helper.make_node("Gemm", ["x" if batch_norm else "input", "w1", "b1"], ["h"], transB=1),
            onnx.helper.make_node(activation, ["h"], ["a"], **attributes),
            onnx.helper.make_node("Gemm", ["a", "w2", "b2"], ["z"], transB=1),
            onnx.helper.make_node("Softmax" if two else "Sigmoid", ["z"], ["probability"], **({"axis": 1} if two else {})),
        ]
        value = lambda name, columns: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", columns])
        graph = onnx.helper.make_graph(nodes, "main_graph", [value("input", N_FEATURES)], [value("probability", n_out)],
                                       [onnx.numpy_helper.from_array(of, name) for name, of in constants.items()])
        sets = [onnx.helper.make_opsetid("", 17)]
        file = onnx.helper.make_model(graph, producer_name="pytorch", producer_version="2.9.0", opset_imports=sets, ir_version=8)
        onnx.checker.check_model(file, full_check=True)

        def predict(rows):
            of = {name: value.astype(float) for name, value in constants.items()}
            h = rows.astype(float)
            if batch_norm:
                h = (h - of["mean"]) / np.sqrt(of["variance"] + 1e-5) * of["scale"] + of["shift"]
            h = h @ of["w1"].T + of["b1"]
            z = ACTIVATIONS[activation](h, **attributes) @ of["w2"].T + of["b2"]
            z = z[:, 1] - z[:, 0] if two else z[:, 0]
            return 1 / (1 + np.exp(-z))

        return file, predict

    return make


ACTIVATIONS = {
    "Relu": lambda x: np.maximum(x, 0),
    "Tanh": np.tanh,
    "LeakyRelu": lambda x, alpha: np.where(x < 0, alpha * x, x),
    "Elu": lambda x: np.where(x < 0, np.expm1(x), x),
    "Selu": lambda x: 1.0507009873554805 * np.where(x < 0, 1.6732632423543772 * np.expm1(x), x),
}


def without_sigmoid(file):
    file = onnx.load_from_string(file)
    last = file.graph.node.pop()
    file.graph.node[-1].output[0] = last.output[0]
    return file.SerializeToString()


def with_operator(name, domain=""):
    """The activation becomes another operator."""

    def alter(file):
        file = onnx.load_from_string(file)
        file.graph.node[1].op_type, file.graph.node[1].domain = name, domain
        return file.SerializeToString()

    return alter


def one_hot(x, y):
    """A text column beside a number."""

    def make():
        import pandas

        table = pandas.DataFrame({"plan": np.where(x[:, 6] > 0, "pro", "free"), "logins": x[:, 0]})
        columns = ColumnTransformer([("plan", OneHotEncoder(), ["plan"])], remainder="passthrough")
        model = make_pipeline(columns, LogisticRegression()).fit(table, y)
        types = [("plan", StringTensorType([None, 1])), ("logins", FloatTensorType([None, 1]))]
        return convert_sklearn(model, initial_types=types), None

    return make


def broken(make, alter):
    """The file of another case, altered."""

    def altered():
        file, predict = make()
        return alter(file.SerializeToString()), predict

    return altered


def later_ensemble(file):
    file = onnx.load_from_string(file)
    file.graph.node[0].op_type = "TreeEnsemble"
    return file.SerializeToString()


def write_fixtures(folder):
    """Small files, and beside each rows of three features with its maker's probability."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 3)).astype(np.float32)
    y = (x[:, 0] - x[:, 1] * x[:, 2] + rng.normal(size=400) > 0).astype(int)
    missing = np.where(rng.random(x.shape) < 0.1, np.float32(np.nan), x)
    skl_type, other_type = [("input", FloatTensorType([None, 3]))], [("input", FloatRows([None, 3]))]

    def skl(model, rows):
        return convert_sklearn(model.fit(rows, y), initial_types=skl_type), model, rows

    def lgb(model, rows):
        return onnxmltools.convert_lightgbm(model.fit(rows, y), initial_types=other_type, zipmap=False), model, rows

    def xgb(model, rows):
        return onnxmltools.convert_xgboost(model.fit(rows, y), initial_types=other_type), model, rows

    def cat(model, rows):
        model.fit(rows, y)
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            model.save_model(file.name, format="onnx")
            return onnx.load(file.name), model, rows

    fixtures = {
        "sklearn_logistic": skl(make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()), missing),
        "sklearn_forest": skl(RandomForestClassifier(5, max_depth=3, random_state=1), x),
        "sklearn_hist": skl(HistGradientBoostingClassifier(max_iter=5, max_leaf_nodes=4, random_state=1), missing),
        "lightgbm": lgb(lightgbm.LGBMClassifier(n_estimators=6, num_leaves=4, verbose=-1, num_threads=1), missing),
        "xgboost": xgb(xgboost.XGBClassifier(n_estimators=6, max_depth=2, n_jobs=1, base_score=0.3), missing),
        "catboost": cat(catboost.CatBoostClassifier(iterations=5, depth=2, verbose=0, allow_writing_files=False, thread_count=1), missing),
        "sklearn_network": skl(MLPClassifier((2,), max_iter=5, random_state=1), x),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, (file, model, rows) in fixtures.items():
        del file.metadata_props[:]  # CatBoost's has its parameters, several times the model
        onnx.save(file, folder / f"{name}.onnx")
        witnesses = np.concatenate([rows[:40], np.zeros((1, 3), np.float32)])
        p = model.predict_proba(witnesses)[:, 1].astype(float)
        lines = [" ".join([*(repr(float(v)) for v in row), repr(float(q))]) for row, q in zip(witnesses, p)]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
