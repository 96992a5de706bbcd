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

# Programs that nothing of acre's can be loaded into: one line of acre's own.
musl=$ACRE_BUILD/tests/musl_program
if [ -x "$musl" ]; then
    record 125 "cannot be recorded: it is linked to musl" -- "$musl"
    [ "$(wc -l <"$work/err")" = 1 ] || fail "more is said of a program linked to musl"
fi
if printf 'int main(void) { return 0; }\n' | ${CC:-cc} -m32 -x c -o "$work/narrow" - 2>/dev/null && "$work/narrow"; then
    record 125 "'$work/narrow' cannot be recorded: it is built for another architecture" -- "$work/narrow"
    [ "$(wc -l <"$work/err")" = 1 ] || fail "more is said of a program for another architecture"
fi
cp "$ACRE_BUILD/tests/record-subject" "$work/foreign"
printf '\362\362' | dd of="$work/foreign" bs=1 seek=18 conv=notrunc 2>/dev/null # no machine's number
! "$acre" run -- "$work/foreign" 2>"$work/err" || fail "a program of another architecture is run"
grep -qF "cannot be served: it is built for another architecture" "$work/err" || fail "its architecture is not named"

(ulimit -f 10; record 125 "recorded nothing of 'true': File too large" -- true)

record 0 "still running; use --wait to record" -- sh -c 'sleep 2 >/dev/null & sleep 0.5'

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    # Copies, because other users may not be let into the folder of the build.
    chmod 711 "$work"
    cp "$acre" "$ACRE_BUILD"/libacre-{record,malloc}.so "$work"
    acre=$work/acre
    # What gives a user other rights ignores LD_PRELOAD; as root it does not.
    cp "$(command -v cat)" "$work/raised"
    for raise in "setcap cap_net_raw+ep" "chmod u+s"; do
        $raise "$work/raised" 2>/dev/null || continue
        as_user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
        as_user "$acre" run -- "$work/raised" </dev/null 2>"$work/err" || fail "$raise: it does not run"
        grep -q "will use its own malloc: it.* such programs ignore LD_PRELOAD" "$work/err" || fail "$raise: no warning"
        "$acre" run -- "$work/raised" </dev/null 2>"$work/err" || fail "$raise: it does not run as root"
        ! grep -q LD_PRELOAD "$work/err" || fail "$raise: a warning that is not true"
        setcap -r "$work/raised" 2>/dev/null || true
    done
    # A program that becomes another user is recorded on, and its child; one that moves to where the recorder's
    # files are not is recorded as far as its ring goes, and that is said.
    record 0 " 2 processes" -- "$ACRE_BUILD/tests/record-subject" drop
    ! grep -Eq 'lost|early|could not' "$work/err" || fail "a program that changed its user is not recorded on"
    record 0 "a process stopped recording early: No such file or directory" -- "$ACRE_BUILD/tests/record-subject" jail
    grep -q 'could not record 1 process' "$work/err" || fail "a child without a ring is not told"
    # Root's command becomes another user, and executes another program.
    record 0 " 3 processes" -w -- setpriv --reuid=65534 --regid=65534 --clear-groups sh -c 'ls / >/dev/null; :'
    "$acre" convert --text "$work/x.acre" >"$work/x.txt" # not into a pipe, which grep -q closes early
    for name in setpriv sh ls; do
        grep -q "^process .* $name\$" "$work/x.txt" || fail "no $name in the trace"
    done
    [ "$(find "$work" -mindepth 1 -type d | wc -l)" = 0 ] || fail "a folder is left"
fi
