#!/usr/bin/env bash
# Makes the sample book, its bundle and its report again. Run from anywhere, after `cargo build --workspace`.
set -euo pipefail
cd "$(dirname "$0")/.."
bellwether=${BELLWETHER:-target/debug/bellwether}
rm -rf datasets/sample models reports/sample
"$bellwether" simulate --accounts 400 --months 24 --seed 7 --interventions --out datasets/sample
# A fifth of the accounts that a model for real decisions needs: enough to try every command.
printf '\n[train] # a sample to try commands on, too small to decide by\nmin_event_accounts = 40\nmin_other_accounts = 200\n' \
    >> datasets/sample/book.toml
"$bellwether" train --book datasets/sample/book.toml --models models --seed 7 --actor sample > reports/sample.txt
mkdir -p reports/sample
cp -r models/simulated/1/report.md models/simulated/1/figures models/simulated/1/report.html reports/sample/
mv reports/sample.txt reports/sample/train.txt
"$bellwether" check --book datasets/sample/book.toml --seed 7 --html reports/sample/check.html > reports/sample/check.txt
