#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The completions are those of the tool's help; bash's complete what they should.
set -euo pipefail

"$ACRE_SOURCE/scripts/completions" --check "$ACRE_BUILD/acre"

# complete WORD...: what bash offers for the last word.
complete_words() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _acre 2>/dev/null
    echo "${COMPREPLY[*]}"
}
expect() {
    local expected=$1 found
    shift
    found=$(complete_words "$@")
    [ "$found" = "$expected" ] || { echo "$*: '$found', not '$expected'"; exit 1; }
}
# shellcheck source=/dev/null
. "$ACRE_SOURCE/completions/acre.bash"
expect "compare convert" acre co
expect "--verify" acre compare --ver
expect "--allocator=" acre run --al
expect "slab/512" acre replay --allocator = slab/5
expect "slab/512" acre run -a slab/5
expect "game-frame" acre compare --scenario = g
expect "worst" acre compare --goal w
expect "mtrace" acre convert --from = m
expect "size age thread" acre map --by = ""
expect "24bit" acre map --colours = 24
expect "little" acre map --order = l
expect "record replay" acre help re
cd "$ACRE_SOURCE"
expect "CONTRIBUTING.md" acre info CONTRIB
expect "CONTRIBUTING.md" acre replay --with CONTRIB

if command -v zsh >/dev/null; then
    zsh -n "$ACRE_SOURCE/completions/_acre"
fi
if command -v fish >/dev/null; then
    fish -n "$ACRE_SOURCE/completions/acre.fish"
fi
