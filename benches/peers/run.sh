#!/usr/bin/env bash
# Takes the public data sets all the way: bellwether check, train, features, evaluate, score, then the peers on the same
# rows; ends with a table of all sets. Usage: run.sh [DATASET ...], the names of folders in datasets/ (default: all).
#
#   BELLWETHER               the binary; default target/debug/bellwether
#   BELLWETHER_SHARED_DATA   where the sets lie; a set that is not there is skipped (the books say ../shared/datasets)
#   BELLWETHER_PEERS_OUT     what each command wrote, kept; default a folder that is removed at the end
#   BELLWETHER_PEERS_VENV    see venv.sh
#   TUNED                    seconds for each peer to be tuned in, 60 for a fair one (tuned.py, tuned_summary.py); default 0,
#                            which is not at all
#   SEED, THREADS            default 1 and 2
#
# Exit codes: 0 every command succeeded and every verdict is ok, 1 not.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
datasets=$(cd "$here/../../datasets" && pwd)
bellwether=${BELLWETHER:-$here/../../target/debug/bellwether}
shared=${BELLWETHER_SHARED_DATA:-$here/../../../shared/datasets}
seed=${SEED:-1}
threads=${THREADS:-2}
tuned=${TUNED:-0}
failures=()

main() {
    [[ -x $bellwether ]] || stop "$bellwether is no program; build it (cargo build), or name it in BELLWETHER"
    venv=$("$here/venv.sh") || stop "the peers' virtual environment could not be made"
    prepare_out
    local names=("$@")
    [[ $# -gt 0 ]] || names=($(cd "$datasets" && printf '%s\n' */book.toml | xargs -n1 dirname))
    for name in "${names[@]}"; do run_dataset "$name"; done
    printf '\n== all sets ==\n'
    "$venv/bin/python" "$here/summary.py" "$out"
    [[ $tuned == 0 ]] || tuned_summary "${names[@]}"
    [[ ${#failures[@]} -eq 0 ]] && return 0
    printf '\nfailed:\n' && printf '  %s\n' "${failures[@]}"
    return 1
}

stop() {
    echo "error: $1" >&2
    exit 2
}

prepare_out() {
    if [[ -n ${BELLWETHER_PEERS_OUT:-} ]]; then
        out=$BELLWETHER_PEERS_OUT
        mkdir -p "$out"
    else
        out=$(mktemp -d)
        trap 'rm -rf "$out"' EXIT
    fi
}

run_dataset() {
    local name=$1
    local book=$datasets/$name/book.toml of=$out/$name limits=()
    printf '\n== %s ==\n' "$name"
    [[ -f $book ]] || { failed "$name: $book does not exist"; return; }
    if grep -q 'shared/datasets/' "$book" || [[ -x $datasets/$name/prepare.sh ]]; then
        if [[ ! -d $shared/$name ]]; then
            echo "skipped: $shared/$name is not there; datasets/$name/README.md says how to get it"
            return
        fi
    fi
    [[ ! -x $datasets/$name/prepare.sh ]] || "$datasets/$name/prepare.sh" "$shared/$name" || { failed "$name: prepare.sh"; return; }
    [[ $name != ravenstack ]] || limits=(--auc-within 0.45 0.60) # no signal was simulated
    rm -rf "$of" && mkdir -p "$of"

    step "$name" check json check --book "$book" --seed "$seed" --json || return
    warnings "$of/check.json"
    step "$name" train json train --book "$book" --models "$of/models" --seed "$seed" --threads "$threads" --actor peers --json || return
    local model day
    model=$(jq -r .path "$of/train.json")
    step "$name" features text features --book "$book" --model "$model" --out "$of/matrix.parquet" || return
    step "$name" evaluate json evaluate --book "$book" --model "$model" --json || return
    day=$(jq -r '.data_end // "2026-01-01"' "$of/check.json") # a labelled table takes any day
    step "$name" score text score --book "$book" --model "$model" --as-of "$day" --out "$of/scores.parquet" && cat "$of/score.text"
    "$venv/bin/python" "$here/peers.py" "$of/matrix.parquet" --evaluated "$of/evaluate.json" "${limits[@]}" \
        --threads "$threads" --json "$of/peers.json" --strict || failed "$name: peers.py"
    [[ $tuned == 0 ]] || run_tuned "$name" "$book"
}

run_tuned() {
    local name=$1 book=$2 of=$out/$1
    step "$name" raw text features --book "$book" --out "$of/raw.parquet" || return
    "$venv/bin/python" "$here/tuned.py" "$of/matrix.parquet" --raw "$of/raw.parquet" --trained "$of/train.json" \
        --budget "$tuned" --threads "$threads" --seed "$seed" --json "$of/tuned.json" --strict || failed "$name: tuned.py"
}

# All comparisons with tuned peers, corrected for how many they are.
tuned_summary() {
    local name files=()
    for name in "$@"; do [[ ! -f $out/$name/tuned.json ]] || files+=("$name=$out/$name/tuned.json"); done
    printf '\n' && "$venv/bin/python" "$here/tuned_summary.py" "${files[@]}"
}

# step DATASET COMMAND ENDING ARGUMENT...: runs bellwether, keeps what it prints, says how long it took.
step() {
    local name=$1 command=$2 file=$out/$1/$2.$3 began code=0
    shift 3
    began=$(date +%s%N)
    "$bellwether" "$@" > "$file" 2> "${file%.*}.stderr" || code=$?
    printf '%-9s exit code %d, %d.%d s\n' "$command" "$code" $((($(date +%s%N) - began) / 1000000000)) $((($(date +%s%N) - began) / 100000000 % 10))
    [[ $code -eq 0 ]] && return
    grep -vE '^(reading|fitting|building|scoring) ' "${file%.*}.stderr"
    failed "$name: bellwether $command: exit code $code"
    return 1
}

warnings() {
    jq -r '.warnings[] | "warning: \(.)"' "$1"
}

failed() {
    failures+=("$1")
    echo "failed: $1"
}

main "$@"
