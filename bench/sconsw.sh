#!/usr/bin/env bash
# What ./sconsw adds when nothing is to be done: its time with scons replaced by nothing, per run.
#
#   bench/sconsw.sh [RUNS]      on a checkout that sconsw has set up; the bound is 50 ms
set -euo pipefail

runs=${1:-200}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

cp -r "$root/sconsw" "$root/requirements" "$copy"
mkdir -p "$copy/.venv/bin" "$copy/.venv/lib/python3/site-packages/SCons"
: >"$copy/.venv/lib/python3/site-packages/SCons/__main__.py"
for list in build test; do cp "$root/requirements/$list.txt" "$copy/.venv/sconsw-$list.txt"; done
ln -s "$(type -P true)" "$copy/.venv/bin/python"

# measure NAME COMMAND...: prints the mean of the runs, in milliseconds.
measure() {
    local name=$1 start end
    shift
    start=${EPOCHREALTIME/[.,]/}
    for ((i = 0; i < runs; i++)); do "$@"; done
    end=${EPOCHREALTIME/[.,]/}
    printf '%-24s %5d.%02d ms\n' "$name" $(((end - start) / runs / 1000)) \
        $(((end - start) / runs % 1000 / 10))
}

measure 'sh alone' sh -c 'exec true'
measure './sconsw' "$copy/sconsw"
measure './sconsw test' "$copy/sconsw" test
