#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# usage: dropped.sh SOURCE INCLUDE COMPILER...   one warning for each dropped result, and no other
set -u
source=$1 include=$2
shift 2
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
LC_ALL=C "$@" -Wall -Wextra -I "$include" -c -o /dev/null "$source" 2>"$out" || { cat "$out"; exit 1; }
wanted=$(grep -c '/\* dropped \*/' "$source")
unused=$(grep -c 'warning:.*-Wunused-result' "$out")
all=$(grep -c 'warning:' "$out")
if [ "$unused" -ne "$wanted" ] || [ "$all" -ne "$wanted" ]; then
    cat "$out"
    echo "dropped.sh: $wanted results dropped, $unused warnings about them, $all warnings in all"
    exit 1
fi
