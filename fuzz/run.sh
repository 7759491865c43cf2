#!/usr/bin/env bash
# Fuzzes each target for SECONDS, from the committed corpus: fuzz/run.sh SECONDS [TARGET...]
# What is found stands in $BELLWETHER_FUZZ/corpus; a crash, a hang of 10 seconds, or an allocation above the limit ends with
# another exit code than 0, and the input in $BELLWETHER_FUZZ/artifacts. The compiler is the stable one: RUSTC_BOOTSTRAP
# unlocks the sanitizers. Skips with a message where there is no C++ compiler, which libFuzzer needs.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?"fuzz/run.sh SECONDS [TARGET...]"}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(manifest bundle onnx model book)
cache="${BELLWETHER_FUZZ:-${XDG_CACHE_HOME:-$HOME/.cache}/bellwether-ci/fuzz}"
if ! command -v c++ >/dev/null; then
    echo "fuzz: skipped, there is no C++ compiler"
    exit 0
fi
host=$(rustc -vV | sed -n 's/^host: //p')
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-trace-compares"
RUSTC_BOOTSTRAP=1 RUSTFLAGS="--cfg fuzzing $coverage -Zsanitizer=address" CARGO_TARGET_DIR="$cache/target" \
    cargo build --locked --release --quiet --target "$host" --bins
# No allocation above 64 MiB, no more than 1 GiB in all: the inputs have at most 64 KiB.
limits=(-max_len=65536 -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=64)
for target in "${targets[@]}"; do
    mkdir -p "$cache/corpus/$target" "$cache/artifacts"
    dictionary=()
    [ ! -f "dictionaries/$target.dict" ] || dictionary=("-dict=dictionaries/$target.dict")
    # It stops at the first input that fails; its statistics come last.
    ASAN_OPTIONS=detect_leaks=0 RUST_LIB_BACKTRACE=0 "$cache/target/$host/release/$target" \
        "$cache/corpus/$target" "corpus/$target" "${dictionary[@]}" "${limits[@]}" "-max_total_time=$seconds" \
        "-artifact_prefix=$cache/artifacts/$target-" -print_final_stats=1 -verbosity=0 2>"$cache/$target.log" ||
        { tail -40 "$cache/$target.log"; echo "fuzz: $target failed; the input is in $cache/artifacts"; exit 1; }
    echo "fuzz: $target, $(sed -n 's/^stat::number_of_executed_units: *//p' "$cache/$target.log") inputs in $seconds s, no failure"
done
