#!/usr/bin/env bash
# CDNOW_master.txt is columns of blanks with carriage returns, which no CSV reader takes: writes orders.csv beside this file.
# Usage: prepare.sh [FOLDER of CDNOW_master.txt]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
from=${1:-$here/../../../shared/datasets/cdnow}
awk 'BEGIN { OFS = "," } { sub(/\r$/, ""); $1 = $1; print }' "$from/CDNOW_master.txt" > "$here/.orders.csv"
mv "$here/.orders.csv" "$here/orders.csv"
