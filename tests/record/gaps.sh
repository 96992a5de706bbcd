#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What acre record cannot record is said with its true cause; what it can is recorded under other users too.
set -euo pipefail

acre=$ACRE_BUILD/acre
work=$(mktemp -d)
export TMPDIR=$work
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$1"
    cat "$work/err"
    exit 1
}

# record CODE TEXT ARGUMENT...: ends with the code and says the text.
record() {
    local code=0 want=$1 text=$2
    shift 2
    "$acre" record -o "$work/x.acre" "$@" 2>"$work/err" || code=$?
    [ "$code" = "$want" ] || fail "code $code for $*"
    grep -qF -- "$text" "$work/err" || fail "not said of $*: $text"
}

record 0 "it defines malloc itself" -- "$ACRE_BUILD/tests/record-own-malloc"
"$acre" run -- "$ACRE_BUILD/tests/record-own-malloc" 2>"$work/err"
grep -qF "will use its own malloc: it defines malloc itself" "$work/err" || fail "run does not warn"

(ulimit -f 10; record 125 "recorded nothing of 'true': File too large" -- true)

record 0 "still running; use --wait to record" -- sh -c 'sleep 2 >/dev/null & sleep 0.5'

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    chmod 711 "$work"
    # Root's command becomes another user, and executes another program.
    record 0 " 3 processes" -w -- setpriv --reuid=65534 --regid=65534 --clear-groups sh -c 'ls / >/dev/null; :'
    "$acre" convert --text "$work/x.acre" >"$work/x.txt" # not into a pipe, which grep -q closes early
    for name in setpriv sh ls; do
        grep -q "^process .* $name\$" "$work/x.txt" || fail "no $name in the trace"
    done
    [ "$(find "$work" -mindepth 1 -type d | wc -l)" = 0 ] || fail "a folder is left"
fi
