"""Replay the parity certificate of a bundle in ONNX Runtime, from docs/MODEL_FORMAT.md alone.

    python certificate.py BUNDLE...

Reads a bundle as a program in another language would: checks every digest, reads `parity.bin`, encodes its rows before
encoding, runs each graph on every row (every split of every tree with the f32 below, at and above its threshold, and with
a missing value), and compares encoded features, logits, leaves and probabilities, the sums of reasons, and the health
score of scorecards without rules. Prints one line a graph; exits with 1 if anything differs by more than its limit.
"""

import hashlib
import json
import pathlib
import struct
import sys

import numpy as np
import onnx
import onnxruntime

from parity import LIMITS, leaf_graph

MISSING = 0x7FC00000


class Reader:
    """Little-endian numbers, one after the other."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def take(self, n: int) -> bytes:
        if self.at + n > len(self.data):
            raise ValueError(f"parity.bin ends at byte {len(self.data)}")
        self.at += n
        return self.data[self.at - n : self.at]

    def u32(self) -> int:
        return struct.unpack("<I", self.take(4))[0]

    def text(self) -> str:
        return self.take(struct.unpack("<H", self.take(2))[0]).decode()

    def codes(self, n_values: int, n_rows: int) -> np.ndarray:
        width = 1 if n_values <= 1 << 8 else 2 if n_values <= 1 << 16 else 4
        return np.frombuffer(self.take(n_rows * width), f"<u{width}").astype(np.int64)

    def numbers(self, n_rows: int) -> np.ndarray:
        """Bits of f32."""
        n_values = self.u32()
        table = np.frombuffer(self.take(4 * n_values), "<u4")
        return table[self.codes(n_values, n_rows)]

    def texts(self, n_rows: int) -> list:
        levels = [self.text() for _ in range(self.u32())]
        return [(levels + [None])[code] for code in self.codes(len(levels) + 1, n_rows)]

    def wide(self, n_rows: int) -> np.ndarray:
        return np.frombuffer(self.take(8 * n_rows), "<u8")


def read_certificate(data: bytes) -> dict:
    reader = Reader(data)
    if reader.take(8) != b"BWPARITY" or reader.u32() != 2:
        raise ValueError("not a certificate of layout 2")
    n_rows, n_features, n_raw, n_inputs, n_targets = (reader.u32() for _ in range(5))
    inputs = []
    for _ in range(n_inputs):
        role, kind = reader.take(2)
        name = reader.text()
        inputs.append((role, name, reader.numbers(n_raw) if kind == 0 else reader.texts(n_raw)))
    columns = [reader.numbers(n_rows) for _ in range(n_features)]
    targets = {}
    for _ in range(n_targets):
        name, graph, n_trees = reader.text(), reader.take(32).hex(), reader.u32()
        logits, probabilities = reader.wide(n_rows).view("<f8"), reader.wide(n_rows).view("<f8")
        leaves, n_explained = [reader.take(32).hex() for _ in range(n_trees)], reader.u32()
        reasons = None
        if n_explained:
            expected = reader.wide(1).view("<f8")[0]
            explained = np.frombuffer(reader.take(4 * n_explained), "<u4")
            reasons = (expected, explained, reader.wide(n_explained * n_features).view("<f8").reshape(n_explained, -1))
        targets[name] = (graph, logits, probabilities, leaves, reasons)
    health = reader.wide(n_rows).view("<f8")
    band, status, background = reader.take(n_rows), reader.take(n_rows), reader.take(32).hex()
    if reader.at != len(data):
        raise ValueError("bytes follow the certificate")
    return {"n_raw": n_raw, "inputs": inputs, "rows": np.stack(columns, axis=1), "targets": targets,
            "health": health, "band": band, "status": status, "background": background}


def read_files(bundle: pathlib.Path) -> tuple[dict, dict]:
    """The manifest, and every file after its length and digest were checked."""
    text = (bundle / "manifest.json").read_bytes()
    if (bundle / "manifest.sha256").read_text() != f"{hashlib.sha256(text).hexdigest()}  manifest.json\n":
        raise ValueError("manifest.json is not what manifest.sha256 says")
    manifest = json.loads(text)
    files = {name: (bundle / name).read_bytes() for name in manifest["files"]}
    for name, data in files.items():
        if len(data) != manifest["files"][name]["bytes"] or hashlib.sha256(data).hexdigest() != manifest["files"][name]["sha256"]:
            raise ValueError(f"{name} is not what the manifest says")
    return manifest, files


def encoded_inputs(certificate: dict, encoding: dict) -> list:
    """Bits of f32 of each column, `None` for percentiles, whose tables this reader does not read."""
    given = iter([values for role, _, values in certificate["inputs"] if role == 0])
    columns = []
    for item in encoding["inputs"]:
        kind = item["kind"]
        if kind == "number":
            columns.append(next(given))
        elif "levels" in kind:
            levels, texts = kind["levels"]["levels"], next(given)
            is_level = [lambda text, level=level: text == level for level in levels]
            if kind["levels"]["other"]:
                is_level.append(lambda text: text not in levels)
            for holds in is_level:
                values = np.array([np.nan if text is None else float(holds(text)) for text in texts], "<f4")
                columns.append(np.where(np.isnan(values), np.uint32(MISSING), values.view("<u4")))
        else:
            columns.append(None)
    return columns


def probability(calibration: dict, logits: np.ndarray) -> np.ndarray:
    if calibration["kind"] == "isotonic":
        return np.interp(logits, calibration["logits"], calibration["probabilities"])
    if calibration["kind"] == "platt":
        logits = calibration["intercept"] + calibration["slope"] * logits
    positive = 1.0 / (1.0 + np.exp(-np.abs(logits)))
    return np.where(logits >= 0, positive, np.exp(-np.abs(logits)) * positive)


def health_score(card: dict, rows: np.ndarray) -> np.ndarray:
    points, weights = np.zeros(len(rows)), np.zeros(len(rows))
    for of in card["model"]["indicators"]:
        x = rows[:, of["feature"]].astype("<f8")
        at_zero, at_full, weight = (float(np.float32(of[name])) for name in ("at_zero", "at_full", "weight"))
        known = ~np.isnan(x)
        share = np.clip((x - at_zero) / (at_full - at_zero), 0.0, 1.0)
        points += np.where(known, weight * share, 0.0)
        weights += np.where(known, weight, 0.0)
    return np.where(weights > 0, 100.0 * points / np.where(weights > 0, weights, 1.0), 50.0)


def leaves_differ(model: onnx.ModelProto, rows: np.ndarray, digests: list) -> list:
    """The trees in which some row ends in another leaf."""
    if not digests:
        return []
    graph, n_trees = leaf_graph(model)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    leaves = session.run(["scores"], {"features": rows})[0][:, :n_trees].astype("<u4")
    found = [hashlib.sha256(np.ascontiguousarray(leaves[:, tree]).tobytes()).hexdigest() for tree in range(n_trees)]
    return [tree for tree in range(max(n_trees, len(digests))) if found[tree : tree + 1] != digests[tree : tree + 1]]


def reasons_differ(reasons: tuple | None, logits: np.ndarray, kind: str) -> tuple[int, float]:
    """How many rows have reasons, and by how much what is expected and a row's reasons miss its logit, at most."""
    if reasons is None:
        return 0, 0.0
    expected, explained, contributions = reasons
    sums = expected + contributions.sum(axis=1)
    if kind == "probability_trees":
        # Reasons are of the mean probability; the graph's logit is of this share.
        share = float(np.float32(0.0005)) + sums * float(np.float32(0.999))
        sums = np.log(share / (1.0 - share))
    return len(explained), largest(sums, logits[explained])


def largest(found: np.ndarray, expected: np.ndarray) -> float:
    difference = np.abs(found - expected) / np.maximum(1.0, np.abs(expected))
    # A NaN must not hide behind max().
    return float(np.where(np.isnan(difference), np.inf, difference).max())


def check(bundle: pathlib.Path) -> bool:
    manifest, files = read_files(bundle)
    certificate = read_certificate(files["parity.bin"])
    rows = np.ascontiguousarray(certificate["rows"]).view("<f4")
    good = True
    for column, values in enumerate(encoded_inputs(certificate, json.loads(files["features.json"]))):
        if values is not None and (values != certificate["rows"][: certificate["n_raw"], column]).any():
            print(f"{bundle}: column {column} is encoded in another way", file=sys.stderr)
            good = False
    card = json.loads(files["scorecard.json"])
    if "rules" not in card:
        difference = largest(health_score(card, rows), certificate["health"])
        good &= difference <= 1e-12
        print(f"{bundle} health: {len(rows)} rows, largest difference {difference:.3g}")
    if certificate["background"] != hashlib.sha256(files.get("background.json", b"")).hexdigest():
        print(f"{bundle}: the certificate is of another background.json", file=sys.stderr)
        good = False
    n_horizons = {name.split("_")[0]: 0 for name in certificate["targets"]}
    for name in certificate["targets"]:
        n_horizons[name.split("_")[0]] += 1
    for entry in manifest["targets"]:
        graph, logits, probabilities, digests, reasons = certificate["targets"][entry["target"]]
        data = files[entry["graph"]]
        model = onnx.load_from_string(data)
        onnx.checker.check_model(model, full_check=True)
        kind = next(of.value for of in model.metadata_props if of.key == "bellwether.model")
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        difference = largest(session.run(["logit"], {"features": rows})[0][:, 0].astype("<f8"), logits)
        trees = leaves_differ(model, rows, digests)
        n_explained, of_reasons = reasons_differ(reasons, logits, kind)
        # Several horizons of an outcome are put in order after calibration; that step is not repeated here.
        of_probability = 0.0
        if n_horizons[entry["target"].split("_")[0]] == 1:
            of_probability = largest(probability(entry["calibration"], logits), probabilities)
        print(
            f"{bundle} {entry['target']} ({kind}): {len(rows)} rows, largest relative logit difference {difference:.3g} "
            f"(limit {LIMITS[kind]:g}), of probabilities {of_probability:.3g}; leaves of {len(trees)} of {len(digests)} trees differ; "
            f"reasons of {n_explained} rows miss the logit by {of_reasons:.3g}"
        )
        good &= hashlib.sha256(data).hexdigest() == graph and difference <= LIMITS[kind]
        good &= of_probability <= 1e-12 and not trees and of_reasons <= 1e-9
    return bool(good)


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")
    results = [check(pathlib.Path(bundle)) for bundle in sys.argv[1:]]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
