#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# acre info lists a trace's processes; which of them is compared; traces that are truncated are read as far
# as they go.
set -euo pipefail

acre=$ACRE_BUILD/acre
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "$1"
    cat "$work/out" "$work/err"
    exit 1
}
run() {
    "$acre" "$@" >"$work/out" 2>"$work/err"
}

# Three processes: many operations on little memory, few on much, and one that made no call.
{
    echo 'acre-trace 1'
    echo 'process 10 1 started many'
    for i in $(seq 0 99); do
        echo "m $i 100"
        echo "f $i"
    done
    echo 'process 11 10 started large'
    echo 'm 0 500000'
    echo 'm 1 8'
    echo 'f 1'
    echo 'process 12 10 started silent'
} >"$work/text"
"$acre" convert -o "$work/x.acre" "$work/text" 2>"$work/err" || { : >"$work/out"; fail "the text is no trace"; }

run info "$work/x.acre" || fail "code $?"
grep -Eq '^0 many +10 +1 +200 +100 B +0 B +0 +100 B' "$work/out" || fail "the first process"
grep -Eq '^1 large +11 +1 +3 +488 KiB +488 KiB +1 +488 KiB' "$work/out" || fail "the second process"
grep -q '^2 silent: no call recorded' "$work/out" || fail "nothing odd about the third"
grep -q '^seconds: known of a trace that was recorded with --times$' "$work/out" || fail "why there are no seconds"
run info --json "$work/x.acre" || fail "code $?"
grep -Eq '"peak_live_bytes":[[:space:]]*500008' "$work/out" || fail "no peak in the JSON"

# The highest peak is what counts; a process may be named.
run compare -r1 -a system "$work/x.acre" || fail "code $?"
grep -q '^process 1 of 3: large' "$work/out" || grep -q '^process 1.*large' "$work/out" || fail "another process"

# Cut anywhere behind the first block of events, it is read as far as it goes, and that is said.
for i in $(seq 1 40); do seq -f "m %.0f $((i * 16))" $(((i - 1) * 5000)) $((i * 5000 - 1)); done >"$work/blocks"
{ echo 'acre-trace 1'; echo 'process 1 0 started long'; cat "$work/blocks"; } >"$work/text"
"$acre" convert -o "$work/long.acre" "$work/text" 2>"$work/err" || fail "the long text is no trace"
size=$(stat -c %s "$work/long.acre")
head -c $((size * 2 / 3)) "$work/long.acre" >"$work/cut.acre"
run info "$work/cut.acre" || fail "code $?"
grep -q '^truncated: ' "$work/out" || fail "the cut is not told"
events=$(awk '$2 == "long" { gsub(",", "", $5); print $5 }' "$work/out")
[ "$events" -gt 1000 ] && [ "$events" -lt 200000 ] || fail "$events events"
run compare -r1 -a system "$work/cut.acre" || fail "code $?"
grep -q 'truncated' "$work/out" || fail "compare does not tell"
head -c 5 "$work/long.acre" >"$work/cut.acre"
code=0
run info "$work/cut.acre" || code=$?
[ "$code" = 1 ] && [ -s "$work/err" ] || fail "5 bytes are a trace: code $code"
code=0
run info || code=$?
[ "$code" = 2 ] || fail "no file: code $code"
