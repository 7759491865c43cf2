"""Print what run.sh left in a folder as Markdown tables: a line for each data set and target, against the peers at their
defaults, and where they were tuned, against those.

    python summary.py FOLDER
"""

import json
import sys
from pathlib import Path

HEADER = "| set | target | ours | AUC | best peer | its AUC | ours - it | verdict | train s |"
TUNED_HEADER = (
    "| set | target | AUC | best tuned peer | its AUC | ours - it | verdict "
    "| log loss | best tuned peer | its log loss | ours - it | verdict | slope | ECE |"
)


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    print_header(HEADER)
    for path in sorted(Path(sys.argv[1]).glob("*/peers.json")):
        trained = json.loads((path.parent / "train.json").read_text())
        learner_of = {target["target"]: target["chosen"] for target in trained["targets"]}
        for comparison in json.loads(path.read_text())["targets"]:
            print(line(path.parent.name, comparison, learner_of[comparison["target"]], trained["seconds"]))
    tuned = sorted(Path(sys.argv[1]).glob("*/tuned.json"))
    if tuned:
        facts = [json.loads(path.read_text()) for path in tuned]
        print(f"\nEach peer tuned for {facts[0]['budget_seconds']:g} s on {facts[0]['threads']} threads:\n")
        print_header(TUNED_HEADER)
        for path, fact in zip(tuned, facts):
            for comparison in fact["targets"]:
                print(tuned_line(path.parent.name, comparison))
    return 0


def print_header(header: str) -> None:
    print(header)
    print("|---" * header.count(" | ") + "|---|")


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


def tuned_line(dataset: str, comparison: dict) -> str:
    of = {result["model"]: result for result in comparison["results"]}
    ours, by_auc, by_loss = of["bellwether"], of[comparison["best_peer_by_auc"]], of[comparison["best_peer_by_log_loss"]]
    said = {True: "**BELOW**", False: "not below"}
    cells = [
        dataset,
        comparison["target"],
        estimate(ours["auc"], ".3f"),
        by_auc["model"],
        f"{by_auc['auc']['value']:.3f}",
        estimate(by_auc["auc_ours_minus_it"], "+.4f"),
        said[comparison["is_auc_below"]],
        f"{ours['log_loss']:.4f}",
        by_loss["model"],
        f"{by_loss['log_loss']:.4f}",
        estimate(by_loss["log_loss_ours_minus_it"], "+.4f"),
        said[comparison["is_log_loss_below"]],
        f"{ours['calibration_slope']:.2f}",
        f"{ours['ece']:.3f}",
    ]
    return f"| {' | '.join(cells)} |"


def estimate(of: dict, form: str) -> str:
    ends = "no interval" if of["low"] is None else f"{of['low']:{form}}, {of['high']:{form}}"
    return f"{of['value']:{form}} [{ends}]"


if __name__ == "__main__":
    sys.exit(main())
