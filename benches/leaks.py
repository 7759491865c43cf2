"""Plants every kind of leak that `bellwether simulate --leak` knows and says what `bellwether check` finds; then checks
clean books, in which it must find none. Prints both as Markdown tables; exits with 1 where a leak is missed or a clean
book has a finding.

    python3 benches/leaks.py --bellwether target/release/bellwether --clean 100
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

# The kind, and the finding that names it; both are ids of their programs.
FOUND_AS = {
    "updated_in_place": "knows-outcome/status/churn_90d",
    "final_value": "knows-outcome/seats_now/churn_90d",
    "missing_after_churn": "missing-knows-outcome/onboarding_score/churn_90d",
    "constant_column": "constant/currency_rate",
    "duplicate_column": "duplicate/staff_per_seat",
    "looks_ahead": "too-good/renewal_risk/churn_90d",
    "from_outcomes": "from-outcomes/outcome_rows/churn_90d",
    "lead_labels": "outcome-repeats/churn_90d",
    "backfilled": "backfilled/usage",
    "unit_change": "unit-change/usage.sessions_minutes",
    "rows_after_churn": "rows-after-end/usage",
    "rows_before_start": "rows-before-start/usage",
    "gap": "gap/usage",
    "feed_stops": "feed-stops/usage",
    "future_rows": "rows-after-data-end/usage",
    "duplicate_rows": "duplicate-rows/usage",
    "shared_customer": "shared-rows/usage",
    "orphan_rows": "orphan-rows/usage",
}
# Small books have few events; that is no leak.
NO_LEAK = "few-events/"
CLEAN_SIZES = [300, 500, 800, 1200, 2000]


def check(bellwether, folder, accounts, seed, leak=None):
    """The findings, warnings and errors, of one simulated book."""
    book = pathlib.Path(folder) / f"{leak or 'clean'}-{accounts}-{seed}"
    plant = ["--leak", leak] if leak else []
    simulate = ["simulate", "--accounts", str(accounts), "--months", "24", "--seed", str(seed), *plant]
    subprocess.run([bellwether, *simulate, "--out", book], check=True, capture_output=True)
    toml = book / "book.toml"
    text = toml.read_text()
    least = "min_event_accounts = 5\nmin_other_accounts = 5\n"
    text = re.sub(r"(?m)^\[train\].*\n", lambda train: train[0] + least, text, count=1)
    toml.write_text(text if "[train]" in text else f"{text}\n[train]\n{least}")
    run = subprocess.run([bellwether, "check", "--book", toml, "--json"], capture_output=True, text=True)
    if run.returncode not in (0, 4) or not run.stdout:
        raise SystemExit(f"{book}: {run.stderr}")
    subprocess.run(["rm", "-r", book], check=True)
    findings = json.loads(run.stdout)["findings"]
    return [found for found in findings if found["severity"] != "note" and not found["id"].startswith(NO_LEAK)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--bellwether", default="target/release/bellwether")
    arguments.add_argument("--clean", type=int, default=100, help="how many clean books")
    arguments.add_argument("--accounts", type=int, default=600, help="accounts of a book with a leak")
    arguments.add_argument("--seeds", type=int, default=3, help="books a kind of leak")
    arguments.add_argument("--first-seed", type=int, default=1000, help="of the clean books")
    arguments = arguments.parse_args()
    bellwether = str(pathlib.Path(arguments.bellwether).resolve())
    missed, false_alarms = 0, collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        print("| leak | found as | severity | books | found in | other findings |\n|---|---|---|---:|---:|---|")
        for leak, wanted in FOUND_AS.items():
            n_found, severity, others = 0, "-", collections.Counter()
            for seed in range(1, arguments.seeds + 1):
                findings = {found["id"]: found["severity"] for found in check(bellwether, folder, arguments.accounts, seed, leak)}
                n_found += wanted in findings
                severity = findings.pop(wanted, severity)
                others.update(findings.keys())
            missed += arguments.seeds - n_found
            listed = ", ".join(f"{name} ({n})" for name, n in sorted(others.items()))
            print(f"| {leak} | {wanted} | {severity} | {arguments.seeds} | {n_found} | {listed} |", flush=True)
        n_with = 0
        for place in range(arguments.clean):
            accounts = CLEAN_SIZES[place % len(CLEAN_SIZES)]
            findings = check(bellwether, folder, accounts, arguments.first_seed + place)
            n_with += bool(findings)
            for found in findings:
                false_alarms[found["id"]] += 1
                print(f"clean book of {accounts} accounts, seed {arguments.first_seed + place}: {found['id']}: {found['summary']}", file=sys.stderr)
    print(f"\n{arguments.clean} clean books of {CLEAN_SIZES} accounts: {n_with} with an error or warning, {sum(false_alarms.values())} findings")
    for name, n in sorted(false_alarms.items()):
        print(f"- {name}: {n}")
    return 1 if missed or false_alarms else 0


sys.exit(main())
