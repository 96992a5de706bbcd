#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# usage: tests/tool/image.sh [TRIPLE...]
# acre map --image checks and draws heaps of other machines from a dump and the program's ELF file: of this
# one, of a 32-bit one, and of those whose compilers and emulators are here (s390x and powerpc are big-endian, of 64
# and 32 bits). The machines named must be among them.
set -euo pipefail

acre=$ACRE_BUILD/acre
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$ACRE_SOURCE"
fail() {
    echo "$1"
    cat "$work/out" "$work/err"
    exit 1
}
map() {
    "$acre" map --image="$work/dump" "$@" >"$work/out" 2>"$work/err"
}
refuses() {
    local code=0 want=$1 text=$2
    shift 2
    map "$@" || code=$?
    [ "$code" = "$want" ] || fail "code $code for $*"
    grep -qF -- "$text" "$work/out" "$work/err" || fail "not said of $*: $text"
}
export LC_ALL=C COLUMNS=64

# machine NAME EMULATOR COMPILER...: dumps a machine; fails when it cannot be built or run.
machine() {
    emulator=$2
    shift 2
    printf '#include "%s"\n' src/base/*.c src/bitmap/*.c src/buddy/*.c src/slab/*.c src/tlsf/*.c >"$work/core.c"
    "$@" -std=c11 -O0 -w -static -no-pie -I. -Iinclude -Isrc tests/tool/image_maker.c "$work/core.c" \
        -o "$work/program" 2>"$work/build.log" || return 1
    base=$($emulator "$work/program" "$work/dump") || return 1
}
# shows NAME WORDS: the heap of the machine dumped last is sound, and damage is noticed.
shows() {
    map --base="$base" --elf="$work/program" --heap=firmware+64 || fail "$1: no map"
    grep -qE "^tlsf at 0x[0-9a-f]+, granule [0-9]+: 1 region, 30 live blocks of [0-9,]+ bytes$" "$work/out" ||
        fail "$1: the head"
    grep -qx 'sound: TLSF-1 to TLSF-9 hold' "$work/out" || fail "$1: not sound"
    [ "$(grep -cxE '[-+#m.]{1,64}' "$work/out")" -ge 19 ] || fail "$1: no rows"
    echo "image: $1: $(head -n 1 "$work/out")"
    others "$1"
}
# damage: a stray write of 256 bytes into what the allocator keeps at the start of its pool.
damage() {
    local offset=$(($(stat -c %s "$work/dump") - 16384))
    printf '\377%.0s' {1..256} | dd of="$work/dump" bs=1 seek="$offset" conv=notrunc 2>/dev/null
}
# others NAME: the same of the other allocators, each dumped by itself.
others() {
    local kind
    for kind in buddy slab bitmap; do
        base=$($emulator "$work/program" "$work/dump" "$kind") || fail "$1: $kind is not made"
        map --base="$base" --elf="$work/program" --heap=firmware+64 --allocator="$kind" || fail "$1: $kind: no map"
        grep -qE "^$kind at 0x[0-9a-f]+, [a-z ]+ [0-9]+: 1 region, [1-9][0-9]* live (blocks|runs) of [0-9,]+ bytes$" \
            "$work/out" || fail "$1: $kind: the head"
        grep -qE '^sound: [A-Z]+-1 to [A-Z]+-[0-9]+ hold$' "$work/out" || fail "$1: $kind: not sound"
        [ "$(grep -cxE '[-+#m.]{1,64}' "$work/out")" -ge 4 ] || fail "$1: $kind: no rows"
        echo "image: $1: $(head -n 1 "$work/out")"
        damage
        refuses 1 'DAMAGED at 0x' --base="$base" --elf="$work/program" --heap=firmware+64 --allocator="$kind"
    done
    base=$($emulator "$work/program" "$work/dump")
}

machine native "" "$CC" || { cat "$work/build.log"; echo "$CC cannot link a static program"; exit 77; }
shows native
heap=$(awk '{ sub(/,$/, "", $3); print $3; exit }' "$work/out")
map --base="$base" --heap="$heap" || fail "by address"
map --base="$base" --heap="$heap" --svg="$work/map.svg" || fail "no picture"
[ "$(head -c 4 "$work/map.svg")" = '<svg' ] || fail "no SVG"
refuses 1 "invalid --heap 'nothing': no address, and no symbol of the ELF file" --base="$base" --elf="$work/program" --heap=nothing
refuses 1 "no --elf to look symbols up in" --base="$base" --heap=firmware
refuses 1 "is no ELF file" --base="$base" --elf="$work/dump" --heap=firmware
refuses 1 "the control structure does not lie in the image" --base="$base" --heap=0x10
refuses 1 "the control structure does not lie in the image" --base="$base" --heap=0xfffffffffffffff8
refuses 1 "DAMAGED" --base="$base" --heap="$heap" --order=big
refuses 1 "DAMAGED" --base="$base" --heap="$heap" --word=32
refuses 2 "invalid --word '16'" --base="$base" --heap="$heap" --word=16
refuses 2 "invalid --order 'middle'" --base="$base" --heap="$heap" --order=middle
refuses 2 "no images of 'arena' can be read" --base="$base" --heap="$heap" --allocator=arena
refuses 2 "invalid --granule '4'" --base="$base" --heap="$heap" --granule=4
refuses 2 "invalid --base 'here'" --base=here --heap="$heap"
refuses 2 "--image needs --base" --heap="$heap"
refuses 2 "more than one trace given" --base="$base" --heap="$heap" x
# A write past the end of a block: the next header is overwritten.
"$work/program" "$work/dump" overflow >"$work/base"
refuses 1 "DAMAGED at 0x" --base="$base" --elf="$work/program" --heap=firmware+64
grep -qE '^DAMAGED at 0x[0-9a-f]+: TLSF-[2-4]: ' "$work/out" || fail "the damage has no name"
grep -q '^  before it: 0x' "$work/out" || fail "no neighbour of the damage"
refuses 1 "DAMAGED at 0x" --base="$base" --elf="$work/program" --heap=firmware+64 --allocator=buddy
refuses 1 "DAMAGED at 0x" --base="$base" --elf="$work/program" --heap=firmware+64 --allocator=slab
refuses 1 "DAMAGED at 0x" --base="$base" --elf="$work/program" --heap=firmware+64 --allocator=bitmap

[ "$(uname -m)" != x86_64 ] || { machine i386 "" "$CC" -m32 && shows i386; } ||
    echo "image: no 32-bit machine: $(head -n 1 "$work/build.log")"

# cross TRIPLE EMULATOR: a machine whose compiler is installed or was fetched by scripts/fetch-compiler.
cross() {
    local path=$PATH:$PWD/build/compilers/$1/bin compiler
    compiler=$(PATH=$path command -v "$1-gcc") && command -v "$2" >"$work/emulator" || {
        [[ " $required " != *" $1 "* ]] || fail "$1: its compiler or $2 is not here"
        echo "image: $1: left out, its compiler or $2 is not here"
        return 0
    }
    machine "$1" "$2" "$compiler" || { cat "$work/build.log"; fail "$1: not built or not run"; }
    shows "$1"
}
required=$*
cross s390x-linux-gnu qemu-s390x
cross powerpc-linux-gnu qemu-ppc
cross arm-linux-gnueabihf qemu-arm
