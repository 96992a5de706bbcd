#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A trace with threads is replayed and compared on threads, also one that is truncated.
set -euo pipefail

acre=$ACRE_BUILD/acre
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "$1"
    cat "$work/out"
    exit 1
}
# member NAME: its values in the JSON of $work/out, in a row.
member() {
    grep -o "\"$1\":[^,]*" "$work/out" | sed 's/.*:[[:space:]]*//' | tr '\n' ' '
}

# Two threads at work; each frees and resizes blocks of the other, and the last blocks are never freed.
crossing() {
    echo "acre-trace 1"
    echo "process 7 1 started crossing"
    awk -v count="$1" 'BEGIN { srand(1)
        for (i = 0; i < count; i++) {
            print "@ " i * 2000
            print "t 0"; print "m " 2 * i, 100 + int(rand() * 999); if (i) print "f " 2 * i - 1
            print "t 1"; print "m " 2 * i + 1, int(rand() * 999); print "r " 2 * i, 300 + int(rand() * 999); if (i % 9) print "f " 2 * i
        }
    }'
}
crossing 3000 >"$work/text"
"$acre" convert -o "$work/trace" "$work/text"

"$acre" replay --json --repeat=1 -a system -a tlsf -a threaded "$work/trace" >"$work/out" || fail "code $?"
[ "$(member threads)" = "2 " ] || fail "threads: $(member threads)"
[ "$(member threads_at_once)" = "2 " ] || fail "at once: $(member threads_at_once)"
[ "$(member verified_on_threads)" = "true true true " ] || fail "verified: $(member verified_on_threads)"
! member ns_per_operation_threads | grep -q null || fail "not timed: $(member ns_per_operation_threads)"
[ "$(member crossing_operations)" = "5999 " ] || fail "crossing: $(member crossing_operations)"
"$acre" replay --repeat=1 -a system -a tlsf "$work/trace" >"$work/out" || fail "code $?"
grep -q '^threads: elapsed time' "$work/out" || fail "no note"

# An allocator for one thread is predicted and may be advised: it was measured behind its lock.
"$acre" compare --json --repeat=1 -a system -a tlsf -a threaded "$work/trace" >"$work/out" || fail "code $?"
[ "$(member on_threads)" = "true " ] || fail "not on threads"
[ "$(member waits_for_lock)" = "false false false " ] || fail "waits: $(member waits_for_lock)"
! member ns_per_operation_threads | grep -q null || fail "not timed: $(member ns_per_operation_threads)"
"$acre" compare --repeat=1 -a system -a tlsf "$work/trace" >"$work/out" || fail "code $?"
grep -q '^on threads: ns/op is elapsed time; 2 threads, at most 2 at once' "$work/out" || fail "no word of threads"
! grep -q 'for one thread' "$work/out" || fail "for one thread"

# A truncated trace is replayed on threads as far as it goes.
crossing 30000 >"$work/text"
"$acre" convert -o "$work/long" "$work/text"
head -c $(($(stat -c %s "$work/long") * 3 / 4)) "$work/long" >"$work/cut"
"$acre" replay --json --repeat=1 -a system "$work/cut" >"$work/out" || fail "cut: code $?"
[ "$(member operations)" != "$(($(member allocated) + 0)) " ] || fail "cut: nothing is freed"
[ "$(member verified_on_threads)" = "true " ] || fail "cut: $(member verified_on_threads)"

# On disk, or with one thread, it is replayed on one, and that is said.
"$acre" compare --repeat=1 --hold=4K -a system -a tlsf -a threaded "$work/trace" >"$work/out" || fail "code $?"
grep -q '^for one thread: ' "$work/out" || fail "not said to be for one thread"
sed -n '/^t /!p;9000q' "$work/text" >"$work/one"
"$acre" compare --json --repeat=1 -a system -a tlsf "$work/one" >"$work/out" || fail "code $?"
[ "$(member on_threads) $(member threads_at_once)" = "false  0 " ] || fail "one thread"
