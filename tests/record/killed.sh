#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A recorder that is killed, or that can write no more, leaves a trace that is read as far as it goes, of
# every process, and the commands that read it say so. What the command prints is never in it.
set -euo pipefail

acre=$ACRE_BUILD/acre
subject=$ACRE_BUILD/tests/record-subject
work=$(mktemp -d)
export TMPDIR=$work
group=
stop_group() {
    [ -z "$group" ] || kill -9 -- "-$group" 2>/dev/null || true
    group=
}
trap 'stop_group; rm -rf "$work"' EXIT
fail() {
    echo "$1"
    cat "$work/out" "$work/err" 2>/dev/null || true
    exit 1
}

# Starts a recorder in a process group of its own. $1 is where the trace goes.
start() {
    setsid "$acre" record -o "$@" 2>"$work/err" &
    group=$!
}
events() { # of process $2 in trace $1; 0: there is none
    "$acre" info --json "$1" 2>/dev/null |
        python3 -c 'import json,sys; p=json.load(sys.stdin)["processes"]; i=int(sys.argv[1]); print(p[i]["events"] if i<len(p) else 0)' "$2" 2>/dev/null ||
        echo 0
}
# Waits until the trace $1 has all calls of the three processes: the sequence is 20,000.
await_all() {
    for process in 0 1 2; do
        until [ "$(events "$1" "$process")" -ge 20000 ]; do
            kill -0 "$group" 2>/dev/null || fail "the recorder has ended"
            sleep 0.02
        done
    done
}
expect_cut() {
    "$acre" info "$1" >"$work/out" 2>"$work/err" || fail "info ends with $?"
    grep -q '^truncated: ' "$work/out" || fail "info does not tell"
    [ "$(grep -c 'its end is missing' "$work/out")" = 3 ] || fail "a process is missing"
    "$acre" replay -a tlsf "$1" >"$work/out" 2>"$work/err" || fail "replay ends with $?"
    grep -q 'truncated' "$work/out" || fail "replay does not tell"
    "$acre" compare -r1 -a system "$1" >"$work/out" 2>"$work/err" || fail "compare ends with $?"
    grep -q 'truncated' "$work/out" || fail "compare does not tell"
    "$acre" convert -o "$work/whole.acre" "$1" 2>"$work/err" || fail "convert ends with $?"
    grep -q 'truncated.*; converted as far as it goes' "$work/err" || fail "convert does not tell"
    for process in 0 1 2; do
        [ "$(events "$1" "$process")" = "$(events "$work/whole.acre" "$process")" ] || fail "convert lost calls"
    done
}

# Killed alone, the command goes on; killed with it.
for victims in recorder all; do
    rm -f "$work/x.acre"
    start "$work/x.acre" -- "$subject" family
    await_all "$work/x.acre"
    if [ "$victims" = all ]; then kill -9 -- "-$group"; else kill -9 "$group"; fi
    wait "$group" 2>/dev/null || true
    expect_cut "$work/x.acre"
    [ "$victims" = all ] || kill -0 -- "-$group" || fail "the command has ended with its recorder"
    stop_group
    rm -rf "$work"/acre-record-*
done

# Into a pipe. Its reader sees the end as soon as the recorder is gone.
mkfifo "$work/pipe"
cat "$work/pipe" >"$work/x.acre" &
reader=$!
start - -- "$subject" family >"$work/pipe"
await_all "$work/x.acre"
kill -9 "$group"
wait "$reader"
expect_cut "$work/x.acre"
cat "$work/x.acre" | "$acre" info - >"$work/out" || fail "info cannot read a pipe"
[ "$(grep -c 'its end is missing' "$work/out")" = 3 ] || fail "from a pipe a process is missing"
stop_group
rm -rf "$work"/acre-record-*

# What the command prints is not mixed with the trace.
"$acre" record -q -o - -- sh -c 'echo text; ls / >/dev/null' >"$work/x.acre" 2>"$work/err" || fail "code $?"
grep -q '^text$' "$work/err" || fail "what the command prints is gone"
"$acre" info "$work/x.acre" >"$work/out" || fail "there is something else in the trace"
! grep -q 'truncated' "$work/out" || fail "a complete trace is said to be cut"
[ "$(grep -Ec '^[0-9]+ (sh|dash|bash|ls)' "$work/out")" -ge 2 ] || fail "a process is missing"
# A reader that goes away is an error, and the command is not harmed.
"$acre" record -o - -- sh -c 'for i in 1 2 3; do ls / >/dev/null; done; : >"$0"' "$work/done" 2>"$work/err" |
    true || true
[ -e "$work/done" ] || fail "the command was harmed by a reader that went away"

# A limit on the size of files, and a full disk: the cause, the exit code, and what was recorded before.
expect_stopped() {
    [ "$2" = 125 ] || fail "code $2"
    grep -q "cannot write '$1': $3; it has the calls recorded before" "$work/err" || fail "another cause"
    "$acre" info "$1" >"$work/out" || fail "it cannot be read"
    grep -q '^truncated: ' "$work/out" || fail "info does not tell"
    [ "$(events "$1" 0)" -gt 1000 ] || fail "$(events "$1" 0) events"
}
rm -f "$work/x.acre"
code=0
(
    ulimit -f 160
    exec "$acre" record -b 8K -o "$work/x.acre" -- "$subject" sequence
) 2>"$work/err" || code=$?
expect_stopped "$work/x.acre" "$code" 'File too large'
# So it is where a trace is read: the script of the replays is a file.
"$acre" record -q -o "$work/whole.acre" -- "$subject" sequence
for command in "replay -a tlsf" "compare -r1 -a system"; do
    code=0
    (
        ulimit -f 16
        # shellcheck disable=SC2086 # words
        exec "$acre" $command "$work/whole.acre"
    ) >"$work/out" 2>"$work/err" || code=$?
    [ "$code" = 1 ] && grep -q 'File too large' "$work/err" || fail "$command: code $code"
done
# In a file system of its own, where that is allowed.
code=0
unshare -m bash -c '
    mount -t tmpfs -o size=160k none "$1/full" 2>/dev/null || exit 77
    code=0
    "$2" record -b 8K -o "$1/full/x.acre" -- "$3" sequence 2>"$1/err" || code=$?
    cp "$1/full/x.acre" "$1/x.acre" && exit "$code"' - "$(mkdir "$work/full" && echo "$work")" "$acre" "$subject" 2>/dev/null || code=$?
if [ "$code" = 125 ]; then
    sed -i "s|$work/full/x.acre|$work/x.acre|" "$work/err"
    expect_stopped "$work/x.acre" "$code" 'No space left on device'
else
    echo "no file system can be mounted (code $code): the full disk is not tried"
fi
