#!/usr/bin/env bash
# Makes the peers' virtual environment, or keeps it where requirements.txt is the one that it was made from, and prints
# its folder: BELLWETHER_PEERS_VENV, else .venv beside this file. PYTHON (default python3) must be 3.11 or later.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${BELLWETHER_PEERS_VENV:-$here/.venv}
digest=$(sha256sum < "$here/requirements.txt")
made_from=$venv/requirements.sha256

if [[ ! -f $made_from || $(< "$made_from") != "$digest" ]]; then
    "${PYTHON:-python3}" -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt" >&2
    echo "$digest" > "$made_from" # last, so that an interrupted installation is made again
fi
echo "$venv"
