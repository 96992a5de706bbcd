#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# usage: compare_config.sh CFLAGS...
# The code that --emit-config prints compiles without a warning, and the allocator it sets up serves the
# whole of the trace it was made for: for every allocator built in, at every setting.
set -euo pipefail

acre=$ACRE_BUILD/acre
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk 'BEGIN {
    srand(7)
    print "acre-trace 1"
    for (i = 0; i < 4000; i++) {
        slot = int(rand() * 300)
        size = int(exp(rand() * 8)) + 1
        if (!(slot in live)) { print "m " slot " " size; live[slot] = 1 }
        else if (rand() < 0.2) print "r " slot " " size
        else { print "f " slot; delete live[slot] }
    }
}' >"$work/trace.txt"

cat >"$work/main.c" <<'END'
#include "config.c"
#include <stdio.h>

int main(void)
{
    static void *blocks[300];
    struct acre_bytes heap;
    char line[64], verb;
    unsigned slot, size;
    unsigned long served = 0;
    if (allocator_open(&heap) != ACRE_OK)
        return 2;
    while (fgets(line, sizeof line, stdin)) {
        size = 0;
        if (sscanf(line, "%c %u %u", &verb, &slot, &size) < 2)
            continue;
        struct acre_layout layout = acre_layout(size, ACRE_NATURAL_ALIGN);
        if (verb == 'f') {
            if (acre_dealloc(heap, blocks[slot]) != ACRE_OK)
                return 3;
        } else {
            blocks[slot] = verb == 'm' ? acre_alloc(heap, layout).ptr
                                       : acre_realloc(heap, blocks[slot], layout).ptr;
            if (!blocks[slot])
                return 4;
        }
        served++;
    }
    return served == 4000 ? 0 : 5;
}
END

"$acre" compare -r1 --json "$work/trace.txt" >"$work/all.json"
mapfile -t names < <(awk -F'"' '/"name":/ { name = $4 } /"origin":.*"built-in"/ { print name }' \
    "$work/all.json")
[ ${#names[@]} -gt 0 ] || { echo "no allocator is built in"; exit 77; }
printed=0
for name in "${names[@]}"; do
    if ! "$acre" compare -r1 --emit-config --allocator="$name" "$work/trace.txt" \
        >"$work/config.c" 2>"$work/complaint"; then
        grep -q -e "--emit-config has no C code for $name" "$work/complaint" ||
            { cat "$work/complaint"; exit 1; }
        continue
    fi
    "$CC" -std=c11 -Wall -Wextra -Werror "$@" -I "$ACRE_SOURCE/include" -o "$work/config" \
        "$work/main.c" "$ACRE_BUILD/libacre.a"
    "$work/config" <"$work/trace.txt" || { echo "$name: code $?"; cat "$work/config.c"; exit 1; }
    printed=$((printed + 1))
done
# Whatever the trace is called, its name stays inside the comment.
mkdir "$work/**"
cp "$work/trace.txt" "$work/**/x.txt"
"$acre" compare -r1 --emit-config --allocator="${names[0]}" "$work/**///x.txt" >"$work/config.c"
"$CC" -std=c11 -Wall -Wextra -Werror "$@" -I "$ACRE_SOURCE/include" -o "$work/config" \
    "$work/main.c" "$ACRE_BUILD/libacre.a" || { cat "$work/config.c"; exit 1; }
echo "code for $printed of ${#names[@]} works"
[ "$printed" -gt 0 ]
