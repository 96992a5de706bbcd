#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# acre compare --verify runs the program on the candidates, and sets what it did beside the prediction.
set -euo pipefail

acre=$ACRE_BUILD/acre
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
fail() {
    echo "$1"
    cat "$work/out" "$work/err"
    exit 1
}
# compare OPTION... -- PROGRAM...: its output goes to $work/out, what it complains of to $work/err.
compare() {
    "$acre" compare --repeat=1 --allocator=system --allocator=tlsf "$@" >"$work/out" 2>"$work/err"
}

# Recorded once, then run twice on each of two candidates, each time on the allocator named.
compare --verify --runs=2 -- sh -c 'echo "${ACRE_ALLOCATOR-none}" >>"$0/runs"' "$work" || fail "code $?"
[ "$(sort "$work/runs" | tr '\n' ' ')" = "none none none tlsf tlsf " ] || fail "ran: $(cat "$work/runs")"
grep -Eq '^(verified|not confirmed|undecided): ' "$work/out" || fail "no verdict"
grep -Eq '^system +[0-9.]+ +- +[0-9.]+ +- +- +- +- +[0-9.]+ [KM]iB +-$' "$work/out" || fail "no line of today's malloc"
grep -Eq '^tlsf +[0-9.]+ +[0-9.]+ +[0-9.]+ +[-+][0-9.]+ +[-+][0-9.]+ to [-+][0-9.]+ +[-+][0-9.]+ +[-+][0-9.]+ to [-+][0-9.]+ +[0-9.]+ [KM]iB +[0-9.]+ [KM]iB$' "$work/out" ||
    fail "no line of the candidate"
! grep -q 'acre compare --verify' "$work/out" || fail "a hint to what was done"

# Without it, the text points there.
compare -- true || [ $? = 1 ]
compare -- sh -c true || fail "code $?"
grep -q 'acre compare --verify -- COMMAND' "$work/out" || fail "no hint"

# A trace that is there is not recorded anew.
"$acre" record -q -t -o "$work/kept.acre" sh -c true
: >"$work/runs"
compare --verify --runs=1 "$work/kept.acre" -- sh -c 'echo run >>"$0/runs"' "$work" || fail "code $?"
[ "$(wc -l <"$work/runs")" = 2 ] || fail "$(wc -l <"$work/runs") runs"

# A program that ends otherwise on a candidate is told, and is a failure.
code=0
compare --verify --runs=3 -- sh -c '[ "${ACRE_ALLOCATOR-}" != tlsf ] || exit 7' || code=$?
[ "$code" = 1 ] || fail "code $code"
grep -q '^tlsf: the program ended with code 7$' "$work/out" || fail "the code is not told"
# One that always fails alike is compared.
compare --verify --runs=1 -- sh -c 'exit 5' || fail "code $?"

# A file at its standard input is read from the start each time; its output is its own once.
printf '%s\n' one two three >"$work/input"
compare --verify --runs=1 -- sh -c 'wc -l >>"$0/lines"; echo said' "$work" <"$work/input" || fail "code $?"
[ "$(sort -u "$work/lines")" = 3 ] && [ "$(wc -l <"$work/lines")" = 3 ] || fail "the input is not read again"
[ "$(grep -c '^said$' "$work/out")" = 1 ] || fail "the output is repeated"

compare --verify --runs=1 --json -- sh -c true || fail "code $?"
for part in '"verification"' '"clock":.*"processor"' '"trials"' '"predicted_seconds_low"' '"predicted_seconds_high"' '"predicted_resident_bytes"' '"holds"' '"undecided"' '"elapsed_seconds"'; do
    grep -q "$part" "$work/out" || fail "no $part"
done

# What is advised can be run in the pool that is printed.
program=$ACRE_BUILD/bench/programs/leak
"$acre" compare --repeat=1 -a tlsf -a slab/2048 -a heap/buddy -- "$program" 20000 >"$work/out" 2>"$work/err" ||
    fail "code $?"
name=$(sed -n 's/^to run the program on it: acre run --allocator=\([^ ]*\) .*/\1/p' "$work/out")
pool=$(sed -n "s/^it completes with at most .*--pool='\(.*\)')$/\1/p" "$work/out")
[ -n "$name" ] && [ -n "$pool" ] || fail "no allocator or no pool to run with"
"$acre" run --allocator="$name" --pool="$pool" -- "$program" 20000 >"$work/out" 2>"$work/err" ||
    fail "it does not complete on $name in $pool"
for malloc in system system-keep threaded; do
    "$acre" replay --allocator="$malloc" --repeat=1 "$work/kept.acre" >"$work/out" 2>"$work/err" ||
        fail "replay on $malloc: $?"
    grep -q "^$malloc " "$work/out" || fail "$malloc is not replayed"
done

for wrong in "--verify $work/kept.acre" "--runs=2 $work/kept.acre" "--verify --scenario=json"; do
    code=0
    # shellcheck disable=SC2086 # words
    compare $wrong || code=$?
    [ "$code" = 2 ] || fail "$wrong: code $code"
done
[ -z "$(ls "$TMPDIR")" ] || fail "something is left"
