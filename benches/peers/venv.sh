#!/usr/bin/env bash
# Makes the peers' virtual environment, or keeps it where requirements.txt is the one that it was made from, and prints
# its folder: BELLWETHER_PEERS_VENV, else .venv beside this file. `venv.sh score` makes that of score_speed.txt in
# BELLWETHER_SCORE_PEERS_VENV, else .venv-score. PYTHON (default python3) must be 3.11 or later.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [[ ${1:-} == score ]]; then
    requirements=$here/score_speed.txt
    venv=${BELLWETHER_SCORE_PEERS_VENV:-$here/.venv-score}
else
    requirements=$here/requirements.txt
    venv=${BELLWETHER_PEERS_VENV:-$here/.venv}
fi
digest=$(sha256sum < "$requirements")
made_from=$venv/requirements.sha256

if [[ ! -f $made_from || $(< "$made_from") != "$digest" ]]; then
    "${PYTHON:-python3}" -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$requirements" >&2
    echo "$digest" > "$made_from" # last, so that an interrupted installation is made again
fi
echo "$venv"
