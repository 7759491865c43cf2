"""Compare our kernels with ONNX Runtime, row by row and leaf by leaf.

    cargo run --example parity_dump -p bellwether-score -- SOURCE --out DIR
    python parity.py DIR

For each `NAME.onnx` in DIR it reads `NAME.rows.f32` (row after row), `NAME.logits.f64` and, where it is there,
`NAME.leaves.u32` (a row's leaf in each tree), all little endian. It runs the ONNX checker and ONNX Runtime on the
file as it is, and for the leaves on a copy whose leaves give their own index. Prints one line a model; exits with 1
if a graph is refused, a logit differs by more than the limit of its kind, or any leaf differs.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

BATCH_ROWS = 100_000
# Relative to max(1, |logit|). The sums of trees are exact in f32, in any order.
LIMITS = {"trees": 0.0, "probability_trees": 1e-6, "linear": 1e-5, "scorecard": 1e-5, "graph": 1e-3}


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    graphs = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
    if not graphs:
        print(f"no .onnx file in {sys.argv[1]}", file=sys.stderr)
        return 1
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")
    results = [compare(graph) for graph in graphs]
    return 0 if all(results) else 1


def compare(path: pathlib.Path) -> bool:
    """Print one model's line; whether it is within its limits."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    kind = next(entry.value for entry in model.metadata_props if entry.key == "bellwether.model")
    n_features = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    rows = np.memmap(path.with_suffix(".rows.f32"), dtype="<f4", mode="r").reshape(-1, n_features)
    logits = np.fromfile(path.with_suffix(".logits.f64"), dtype="<f8")
    if len(logits) != len(rows):
        print(f"{path.stem}: {len(rows)} rows and {len(logits)} logits", file=sys.stderr)
        return False
    difference, n_unequal = compare_logits(path, rows, logits)
    n_leaves, n_leaves_unequal = compare_leaves(model, path.with_suffix(".leaves.u32"), rows)
    print(
        f"{path.stem} ({kind}): {len(rows)} rows; largest relative logit difference {difference:.3g} "
        f"(limit {LIMITS[kind]:g}), {n_unequal} logits not equal; {n_leaves_unequal} of {n_leaves} leaves differ"
    )
    return bool(difference <= LIMITS[kind] and n_leaves_unequal == 0)


def compare_logits(path: pathlib.Path, rows: np.ndarray, logits: np.ndarray) -> tuple[float, int]:
    """Largest difference relative to max(1, |logit|), and how many are not equal after rounding ours to f32."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    largest, n_unequal = 0.0, 0
    for first, batch in batches(rows):
        theirs = session.run(["logit"], {"features": batch})[0][:, 0]
        ours = logits[first : first + len(batch)]
        difference = np.abs(ours - theirs) / np.maximum(1.0, np.abs(ours))
        # A NaN must not hide behind max().
        largest = max(largest, float(np.where(np.isnan(difference), np.inf, difference).max()))
        n_unequal += int((ours.astype(np.float32) != theirs).sum())
    return largest, n_unequal


def compare_leaves(model: onnx.ModelProto, path: pathlib.Path, rows: np.ndarray) -> tuple[int, int]:
    """How many leaves there are, and how many ONNX Runtime finds elsewhere."""
    if not path.exists():
        return 0, 0
    graph, n_trees = leaf_graph(model)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    leaves = np.memmap(path, dtype="<u4", mode="r").reshape(len(rows), n_trees)
    n_unequal = 0
    for first, batch in batches(rows):
        theirs = session.run(["scores"], {"features": batch})[0][:, :n_trees]
        n_unequal += int((leaves[first : first + len(batch)] != theirs.astype(np.uint32)).sum())
    return leaves.size, n_unequal


def leaf_graph(model: onnx.ModelProto) -> tuple[onnx.ModelProto, int]:
    """A copy in which tree `t` gives class `t` the index of its leaf; f32 holds an index below 2**24 exactly."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    ensemble = copy.graph.node[0]
    attributes = {attribute.name: attribute for attribute in ensemble.attribute}
    # The first weight is the one of class 0, which only tells runtimes that there are two classes.
    trees = list(attributes["class_treeids"].ints)[1:]
    nodes = list(attributes["class_nodeids"].ints)[1:]
    n_trees = max(trees) + 1
    # Fewer than three classes would be read as a binary model.
    n_classes = max(3, n_trees)
    for name, value in [
        ("class_treeids", trees),
        ("class_nodeids", nodes),
        ("class_ids", trees),
        ("class_weights", [float(node) for node in nodes]),
        ("classlabels_int64s", list(range(n_classes))),
    ]:
        attributes[name].CopyFrom(onnx.helper.make_attribute(name, value))
    del copy.graph.node[1:]
    del copy.graph.initializer[:]
    scores = onnx.helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, ["N", n_classes])
    del copy.graph.output[:]
    copy.graph.output.append(scores)
    return copy, n_trees


def batches(rows: np.ndarray):
    for first in range(0, len(rows), BATCH_ROWS):
        yield first, np.ascontiguousarray(rows[first : first + BATCH_ROWS])


if __name__ == "__main__":
    sys.exit(main())
