"""Print what run.sh left in a folder as one Markdown table: a line for each data set and target.

    python summary.py FOLDER
"""

import json
import sys
from pathlib import Path

HEADER = "| set | target | ours | AUC | best peer | its AUC | ours - it | verdict | train s |"


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    print(HEADER)
    print("|---" * HEADER.count(" | ") + "|---|")
    for path in sorted(Path(sys.argv[1]).glob("*/peers.json")):
        trained = json.loads((path.parent / "train.json").read_text())
        learner_of = {target["target"]: target["chosen"] for target in trained["targets"]}
        for comparison in json.loads(path.read_text())["targets"]:
            print(line(path.parent.name, comparison, learner_of[comparison["target"]], trained["seconds"]))
    return 0


def line(dataset: str, comparison: dict, learner: str, seconds: float) -> str:
    auc_of = {result["model"]: result["auc"] for result in comparison["results"]}
    best = comparison["best_peer"]
    cells = [
        dataset,
        comparison["target"],
        learner,
        estimate(comparison["results"][0]["auc"], ".3f"),
        best,
        f"{auc_of[best]['value']:.3f}",
        estimate(comparison["ours_minus_best_peer"], "+.4f"),
        "ok" if comparison["is_ok"] else "**BELOW**",
        f"{seconds:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def estimate(of: dict, form: str) -> str:
    ends = "no interval" if of["low"] is None else f"{of['low']:{form}}, {of['high']:{form}}"
    return f"{of['value']:{form}} [{ends}]"


if __name__ == "__main__":
    sys.exit(main())
