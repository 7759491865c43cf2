"""Run our DeLong on the aSAH rows of the R package pROC and hold the result against the values that pROC publishes.

    python asah.py --delong PROGRAM
    python asah.py --delong PROGRAM --csv FILE

PROGRAM is crates/evaluate's example `delong`. The rows (Turck et al. 2010; pROC is under the GPL) are not in this tree:
they are taken from the Debian package r-cran-proc, which apt-get fetches into a folder that is removed at the end, and
which is not installed. Where they can't be had, this says so and succeeds. --csv keeps what PROGRAM read.

Ours and pROC's interval of a difference is the same plain normal one; `bellwether`'s comparison of two versions takes
Student's with the same variance, which with few accounts is wider.
Exit codes: 0 the same, or skipped; 1 something differs; 2 usage.
"""

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import rdata

PACKAGE = "r-cran-proc"
FETCH_SECONDS = 120
SCORES = ["wfns", "s100b", "ndka"]
# As printed by pROC's own documentation, ?roc.test and ?auc: so many digits are right.
PRINTED = {"wfns auc": (0.8236789, 5e-8), "s100b auc": (0.7313686, 5e-8)}
PRINTED |= {"s100b - wfns low": (-0.17421442, 5e-9), "s100b - wfns high": (-0.01040618, 5e-9)}
# tests/testthat/test-var.R and test-cov.R of pROC, in percent.
TESTED = {
    "wfns variance": 14.6991470882363,
    "s100b variance": 26.6868245717244,
    "ndka variance": 31.908105493913,
    "wfns s100b covariance": 11.9615567376754,
    "wfns ndka covariance": -5.32967856762438,
    "s100b ndka covariance": -7.56164938056579,
}
PERCENT = 100.0**2
TESTED_TOLERANCE = 1e-9


class FetchError(Exception):
    """The rows can't be had on this machine."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delong", required=True, type=Path, metavar="PROGRAM")
    parser.add_argument("--csv", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        csv = arguments.csv or Path(folder) / "asah.csv"
        try:
            csv.write_text(rows(fetched(Path(folder))))
        except FetchError as error:
            print(f"skipped: {error}")
            return 0
        run = subprocess.run([arguments.delong, csv], check=True, capture_output=True, text=True)
    return report(found(json.loads(run.stdout)))


def fetched(folder: Path) -> Path:
    """The package's folder of data."""
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise FetchError(f"no {program} here, which would fetch {PACKAGE}")
    try:
        run = subprocess.run(
            ["apt-get", "download", PACKAGE], cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"apt-get download {PACKAGE} took more than {FETCH_SECONDS} s") from error
    packages = sorted(folder.glob(f"{PACKAGE}_*.deb"))
    if run.returncode != 0 or not packages:
        raise FetchError(f"apt-get download {PACKAGE}: {(run.stderr.strip().splitlines() or ['no package'])[-1]}")
    subprocess.run(["dpkg-deb", "-x", packages[0], folder / "package"], check=True)
    return folder / "package/usr/lib/R/site-library/pROC/data"


def rows(data: Path) -> str:
    """aSAH as the CSV that PROGRAM reads. `data` is an R lazy-load database: an index of offsets and lengths (.rdx, gzip) and the
    objects (.rdb, each its own length in 4 bytes, then zlib), all in R's serialisation."""
    index = deserialised(gzip.decompress((data / "Rdata.rdx").read_bytes()))
    offset, length = (int(number) for number in index["variables"]["aSAH"])
    stored = (data / "Rdata.rdb").read_bytes()[offset : offset + length]
    table = deserialised(zlib.decompress(stored[4:]))
    lines = [",".join(["outcome", *SCORES])]
    for outcome, *scores in zip(table["outcome"], *(table[name].astype(float).tolist() for name in SCORES)):
        lines.append(",".join([str(int(outcome == "Poor")), *map(repr, scores)]))
    return "\n".join(lines) + "\n"


def deserialised(stored: bytes) -> object:
    return rdata.conversion.convert(rdata.parser.parse_data(stored, extension=".rds"))


def found(printed: dict) -> dict[str, float]:
    """What PROGRAM says, by the names of PRINTED and TESTED."""
    of = {}
    for score in printed["scores"]:
        of[f"{score['name']} auc"] = score["auc"]
        of[f"{score['name']} variance"] = score["variance"] * PERCENT
    for pair in printed["pairs"]:
        a, b = pair["a"], pair["b"]
        of[f"{a} {b} covariance"] = pair["covariance"] * PERCENT
        of[f"{b} - {a} low"], of[f"{b} - {a} high"] = -pair["high"], -pair["low"]
    return of


def report(found: dict[str, float]) -> int:
    wanted = PRINTED | {name: (value, TESTED_TOLERANCE) for name, value in TESTED.items()}
    differing = 0
    for name, (value, tolerance) in wanted.items():
        is_same = abs(found[name] - value) <= tolerance
        differing += not is_same
        print(f"{name:<22} {found[name]:>21.16g}  pROC {value:>17.15g}  {'ok' if is_same else 'DIFFERS'}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
