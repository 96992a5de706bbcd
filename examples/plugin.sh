#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Builds the plugin, and compares it with TLSF and slab on a recorded program.
set -euo pipefail
cd "$ACRE_SOURCE"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# [build]
${CC:-cc} -std=c11 -O2 -shared -fPIC -Iinclude -o "$out/lists.so" examples/plugin.c
# [build]
# [compare]
"$ACRE_BUILD/acre" record -o "$out/ls.acre" -- ls -lR examples
"$ACRE_BUILD/acre" compare -a tlsf -a slab --with="$out/lists.so" "$out/ls.acre" >"$out/table"
# [compare]
grep -q lists "$out/table"
