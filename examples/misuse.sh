#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Runs examples/misuse.c on acre: a sound run ends as it would elsewhere, a double free with a line and SIGABRT.
set -euo pipefail
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
${CC:-cc} -std=c11 -w -o "$out/misuse" "$ACRE_SOURCE/examples/misuse.c"

"$ACRE_BUILD/acre" run -- "$out/misuse"
status=0
# [run]
"$ACRE_BUILD/acre" run --allocator=slab -- "$out/misuse" twice 2>"$out/line" || status=$?
# [run]
[ "$status" = 134 ]
grep -Eq '^acre: free\(0x[0-9a-f]+\): freed already: the start of the free block of [0-9]+ bytes at .* \(slab\)$' \
    "$out/line"
