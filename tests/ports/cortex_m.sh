#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# usage: tests/ports/cortex_m.sh
# Compiles each port to copy for Cortex-M4, freestanding and with its stand-in headers, without a warning. A
# port has at most 149 lines, and as many as docs/ports.md says. Exit code 77: the compiler is not there.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
shopt -s nullglob
count=0
lwip=/usr/include/lwip # lwIP's own headers, with options and machine of tests/ports/lwip
for folder in ports/*/; do
    name=$(basename "$folder")
    [ -d "tests/ports/$name" ] || continue
    for file in "$folder"*.c; do
        lines=$(wc -l <"$file")
        [ "$lines" -lt 150 ] || { echo "$file has $lines lines; 149 are the limit"; exit 1; }
        grep -qF "| \`$file\` | $lines |" docs/ports.md || { echo "docs/ports.md does not say that $file has $lines lines"; exit 1; }
        count=$((count + 1))
        ! command -v arm-none-eabi-gcc >/dev/null || { [ "$name" = lwip ] && [ ! -d "$lwip" ]; } ||
            arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -std=c11 -ffreestanding -Os -Wall -Wextra -Wconversion \
                -Werror -Iinclude -I"tests/ports/$name" -Isrc -isystem tests/metal/include -isystem "$lwip" \
                -c "$file" -o "$out/port.o"
    done
done
[ "$count" -gt 0 ] || { echo "no port found"; exit 1; }
command -v arm-none-eabi-gcc >/dev/null || { echo "arm-none-eabi-gcc is not there; scripts/setup metal installs it"; exit 77; }
echo "$count ports compiled"
