#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# acre verify: a naive plugin and acre's own allocators keep to every rule; each fault that is seeded into the
# plugin, and each broken allocator of tests/support/broken.c, breaks the rule that is meant to find it.
# usage: verify.sh [ALLOCATOR...]: acre's own to put through.
set -euo pipefail

acre=$ACRE_BUILD/acre
plugins=$ACRE_BUILD/tests
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "$1"
    cat "$work/out" "$work/err"
    exit 1
}
verify() {
    "$acre" verify "$@" >"$work/out" 2>"$work/err"
}
# passes NAME [OPTION...]: nothing is broken, and something was run.
passes() {
    local name=$1
    shift
    verify --with="$plugins/$name.so" "$@" || fail "$name breaks a rule"
    ! grep -qE '^(BROKEN|NOT RUN)' "$work/out" || fail "$name breaks a rule and exit code 0"
    grep -qE '^[1-9][0-9]+ passed, 0 broken, [0-9]+ not claimed$' "$work/out" || fail "$name: no count"
}
# breaks FAULT RULE TEXT [OPTION...]: with that fault this rule is broken, and the card says so.
breaks() {
    local fault=$1 rule=$2 text=$3 code=0
    shift 3
    ACRE_TEST_FAULT=$fault verify --with="$plugins/naive_plugin.so" --only="$rule" "$@" || code=$?
    [ "$code" = 1 ] || fail "$fault: exit code $code"
    grep -qE "^BROKEN .*  $rule\$" "$work/out" || fail "$fault does not break '$rule'"
    grep -qF -- "$text" "$work/out" || fail "$fault: not said: $text"
}
refuses() {
    local want=$1 text=$2 code=0
    shift 2
    verify "$@" || code=$?
    [ "$code" = "$want" ] || fail "code $code for $*"
    grep -qF -- "$text" "$work/err" || fail "not said of $*: $text"
}

passes naive_plugin
grep -qE '^not claimed  conformance  null is no block: ' "$work/out" || fail "a plugin claims exact errors"
grep -q '^naive 1: plugin of ' "$work/out" || fail "no head"
faults=$(grep -E '^passed +fault ' "$work/out" || true) # none in a build without wrappers
passes subject_broken
for allocator in "$@"; do
    [ ! -e "$plugins/subject_$allocator.so" ] || passes "subject_$allocator"
done

breaks overlap "blocks do not touch each other" "alloc s"
breaks misaligned "an alignment is honoured or refused" "check: a block lacks its alignment"
breaks misaligned "random operations beside a model" "is not aligned to "
breaks outside "no room is null" "lies outside the "
breaks before "it works in a pool" "ended by signal"
breaks wrap "1: sizes SIZE_MAX - k" "alloc s1 "
breaks wrap "5: realloc to SIZE_MAX - k" "realloc s0 "
breaks dirty "a pool may hold any bytes" "acre_init"
breaks instances "instances are independent" "init a "
breaks boast "no room is null" "alloc s0 "
breaks leak "memory given back is served again" "# after "
breaks forget "realloc keeps contents" "realloc s"
breaks forget "random operations beside a model" "contents: lost on the way"
[ -z "$faults" ] || breaks free-first "34: each request fails once" "stats.live_blocks"
breaks scribble "every size is served" "      ended "
breaks crash "every size is served" "ended by signal 6"
breaks leave "every size is served" "ended the process with code 3"
breaks loop "every size is served" "it did not come to an end" --seconds=1
# A fault of one rule leaves the others alone.
! ACRE_TEST_FAULT=forget verify --with="$plugins/naive_plugin.so" || fail "forget passes"
[ "$(grep -c ^BROKEN "$work/out")" -lt 6 ] || fail "forget breaks what it cannot break"
grep -qE '^[0-9]+ passed, [1-5] broken, [0-9]+ not claimed$' "$work/out" || fail "no count of broken rules"
# As short as it gets: one block, moved.
ACRE_TEST_FAULT=forget verify --with="$plugins/naive_plugin.so" --only=model || true
[ "$(grep -cE '^        (alloc|realloc|free)' "$work/out")" = 2 ] || fail "not the shortest operations"

# notices BROKEN RULE: the allocator of tests/support/broken.c breaks that rule.
notices() {
    local code=0
    ACRE_TEST_FAULT=broken-$1 verify --with="$plugins/subject_broken.so" --only="$2" || code=$?
    grep '^BROKEN' "$work/out" | grep -qF "  $2" || fail "broken-$1 is not noticed: $code"
}
notices overlap "blocks do not touch each other"
notices twice "15: double free at once"
notices inside "22: pointers near the start"
notices mark "null is no block"
notices sized "25: wrong layouts at a sized free"
notices add "overlaps are refused exactly"
notices boast "largest_free can be had, and no more"
notices believe "23: addresses that cannot be mapped"
notices walk "walk goes by address within a region"
notices past_end "find knows every byte"

verify --json --with="$plugins/naive_plugin.so" --only=plugin || fail "no JSON"
grep -q '"outcome":.*"passed"' "$work/out" || fail "no outcome in JSON"
refuses 2 "no allocator given"
refuses 2 "unexpected argument 'x'" --with=x x
refuses 1 "cannot load /no/such.so" --with=/no/such.so
refuses 1 "is not an acre plugin" --with="$plugins/no_plugin.so"
refuses 1 "no rule or suite has 'no such rule' in its name" --with="$plugins/naive_plugin.so" --only="no such rule"
verify --with="$plugins/own_plugin.so" || fail "an allocator without a pool"
grep -q '^not claimed  plugin       it works in a pool: ' "$work/out" || fail "an allocator without a pool claims one"

# The library can be linked with any program: its names begin with acre_, and it needs no test framework.
if command -v nm >/dev/null; then
    nm -g --defined-only "$ACRE_BUILD/libacre-conformance.a" 2>/dev/null | awk 'NF == 3 { print $3 }' |
        grep -vE '^(acre_|_)' >"$work/out" && fail "names of the kit; add them to verify/kit_names.h"
    ! nm -u "$ACRE_BUILD/libacre-conformance.a" 2>/dev/null | grep -q cmocka || fail "the kit needs cmocka"
fi
