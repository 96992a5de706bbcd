#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# usage: tests/malloc/tsan.sh DROPIN COMPILER
# A program built with ThreadSanitizer runs under the drop-in malloc as it does without: nothing of ours lies where
# its runtime wants its shadow. Addresses differ from run to run, so it runs several times, on two backends.
set -euo pipefail

dropin=$1 compiler=$2 runs=10
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/program.c" <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static void *allocate(void *arg)
{
    for (size_t size = 1; size < 400000; size += size / 2 + 1)
        free(realloc(malloc(size), 2 * size));
    return arg;
}
int main(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, allocate, NULL) != 0)
        return 1;
    allocate(NULL);
    pthread_join(thread, NULL);
    return puts("ok") < 0;
}
END
"$compiler" -O1 -g -fsanitize=thread -pthread -o "$work/program" "$work/program.c" 2>"$work/errors" ||
    { echo "tsan: $compiler does not link ThreadSanitizer"; exit 77; }

# several VARIABLE=VALUE...: so many runs in this environment, each of which must end well.
several() {
    local i
    for ((i = 0; i < runs; i++)); do
        env "$@" "$work/program" >"$work/out" 2>&1 && [ "$(cat "$work/out")" = ok ] || return 1
    done
}

several ACRE_NONE= || { echo "tsan: the program does not run without the drop-in either"; exit 77; }
for allocator in threaded slab; do
    several "LD_PRELOAD=$dropin" "ACRE_ALLOCATOR=$allocator" ||
        { echo "tsan: a run with $allocator failed:"; head -n 5 "$work/out"; exit 1; }
done
