#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A command is run, recorded and compared; its output is its own, its trace is kept or deleted.
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

"$acre" compare --why -r1 --allocator=system -- sh -c 'echo hello' >"$work/out" 2>"$work/err" ||
    fail "code $?"
[ "$(head -n 1 "$work/out")" = hello ] || fail "the command said nothing"
grep -q '^sh -c echo hello$' "$work/out" || fail "the command is not named"
grep -q '^highest speed: system' "$work/out" || fail "no advice"
[ -z "$(ls "$TMPDIR")" ] || fail "something is left"

"$acre" compare --why -r1 -a system --trace="$work/kept.acre" -- sh -c 'exit 3' >"$work/out" \
    2>"$work/err" || fail "code $?"
grep -q "'sh' ended with code 3" "$work/err" || fail "the code is not told"
"$acre" convert --text "$work/kept.acre" | grep -q '^acre-trace 1' || fail "no trace"

# Every word of a command is passed on, and a trace may have a long name.
mapfile -t many < <(seq 3000)
deep=$work/$(printf 'x%.0s' {1..100})/$(printf 'y%.0s' {1..100})
mkdir -p "$deep"
"$acre" compare --why -r1 -a system --trace="$deep/kept" -- sh -c 'exit $(($# != 3000))' sh "${many[@]}" \
    >"$work/out" 2>"$work/err" || fail "code $?"
! grep -q 'ended with code' "$work/err" || fail "words are lost"
[ -s "$deep/kept" ] || fail "the trace is elsewhere"

code=0
"$acre" compare -- /no/such/command >"$work/out" 2>"$work/err" || code=$?
[ "$code" = 127 ] || fail "code $code"
grep -q "^acre compare: cannot run '/no/such/command'" "$work/err" || fail "no complaint"
[ -z "$(ls "$TMPDIR")" ] || fail "something is left"

! "$acre" compare -- false >"$work/out" 2>"$work/err" || fail "a success"
grep -q '^acre compare: false: nothing to compare' "$work/err" || fail "the command is not named"

for library in libjemalloc.so.2 libmimalloc.so.2 libtcmalloc_minimal.so.4; do
    name=${library#lib}
    name=${name%%[._]*}
    ldconfig -p 2>/dev/null | grep "$library" >/dev/null || { echo "no $name here: not compared"; continue; }
    "$acre" compare --why -r1 -a "$name" "$work/kept.acre" >"$work/out" 2>"$work/err" || fail "$name: $?"
    grep -q "^least memory: $name" "$work/out" || fail "$name is not measured"
done

# A shared object that serves malloc takes part when it is named with a slash.
"$acre" compare --why -r1 -a system --with="$ACRE_BUILD/libacre-malloc.so" "$work/kept.acre" \
    >"$work/out" 2>"$work/err" || fail "--with: code $?"
grep -q '^acre-malloc ' "$work/out" || fail "a malloc given by name is not measured"

# An interrupt is for the command; what it allocated is compared, and nothing is left.
set -m
"$acre" compare --why -r1 -a system -- sh -c 'echo begun >"$0/begun"; sleep 60' "$work" \
    >"$work/out" 2>"$work/err" &
group=$!
set +m
while [ ! -s "$work/begun" ]; do
    kill -0 "$group" 2>/dev/null || fail "it did not begin"
    sleep 0.05
done
kill -INT -- -"$group"
wait "$group" || fail "interrupted: code $?"
grep -q "'sh' ended with code 130" "$work/err" || fail "the interrupt did not reach the command"
grep -q '^highest speed: system' "$work/out" || fail "what it allocated is not compared"
[ -z "$(ls "$TMPDIR")" ] || fail "something is left"

# A recorder that is killed leaves what it had, and that is compared.
"$acre" compare -r1 -a system -- sh -c 'echo $$ >"$0/pid"; exec sleep 60' "$work" >"$work/out" 2>"$work/err" &
comparing=$!
until "$acre" info "$TMPDIR"/acre-compare-* 2>/dev/null | grep -q '^0 sh'; do
    kill -0 "$comparing" 2>/dev/null || fail "it did not begin"
    sleep 0.05
done
kill -9 "$(tr -d ' ' <"/proc/$comparing/task/$comparing/children")"
wait "$comparing" || fail "recorder killed: code $?"
kill "$(cat "$work/pid")"
grep -q 'the recording was killed by signal 9; comparing the calls recorded until then' "$work/err" ||
    fail "that the recorder was killed is not told"
grep -q 'truncated' "$work/out" || fail "a cut trace passes for a whole one"
rm -rf "$TMPDIR"/acre-record-*
[ -z "$(ls "$TMPDIR")" ] || fail "something is left"
