#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# acre map draws what is live after an operation, as text and as a picture, and refuses what it cannot draw.
set -euo pipefail

acre=$ACRE_BUILD/acre
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "$1"
    cat "$work/out" "$work/err"
    exit 1
}
map() {
    "$acre" map "$@" >"$work/out" 2>"$work/err"
}
# refuses CODE TEXT ARGUMENT...
refuses() {
    local code=0 want=$1 text=$2
    shift 2
    map "$@" || code=$?
    [ "$code" = "$want" ] || fail "code $code for $*"
    grep -qF -- "$text" "$work/err" || fail "not said of $*: $text"
}
trace=$work/five.acre
printf '%s\n' 'acre-trace 1' 'm 1 3000' 'm 2 30000' 'f 1' 'm 3 100' 'f 2' >"$trace"
export LC_ALL=C COLUMNS=64

map --allocator=tlsf --pool=64K --at=2 "$trace" || fail "no map"
grep -qF 'tlsf in a pool of 65,536 bytes, after operation 2 of 5: 2 live blocks,' "$work/out" ||
    fail "the head"
grep -qx '33,000 bytes requested' "$work/out" || fail "the bytes"
rows=$(grep -cxE '[-+#m.]{1,64}' "$work/out") || fail "no rows"
[ "$rows" = 20 ] || fail "$rows rows"
most=$(grep -xE '[-+#m.]{1,64}' "$work/out" | tr -cd '#' | wc -c)
[ "$most" -gt 500 ] && [ "$most" -lt 800 ] || fail "$most characters live: half of the pool is"

map --allocator=tlsf --pool=64K --at=5 "$trace" || fail "no map"
grep -qF '1 live blocks' "$work/out" || fail "the head in the end"
[ "$(grep -xE '[-+#m.]{1,64}' "$work/out" | tr -cd '#+-' | wc -c)" -le 4 ] || fail "more than one block"

map "$trace" || fail "no map of the peak"
grep -qF 'after operation 2 of 5' "$work/out" || fail "not the peak"
LC_ALL=C.UTF-8 map "$trace" || fail "no map in UTF-8"
grep -q '█' "$work/out" || fail "no block in UTF-8"

map --allocator=buddy/16 --svg="$work/map.svg" "$trace" || fail "no picture"
[ ! -s "$work/out" ] || fail "a picture in a file prints nothing"
map --allocator=buddy/16 --svg=- "$trace" || fail "no picture on standard output"
cmp -s "$work/out" "$work/map.svg" || fail "two pictures"
[ "$(head -c 4 "$work/out")" = '<svg' ] && [ "$(tail -n 1 "$work/out")" = '</svg>' ] || fail "no SVG"
grep -q 'Heap map of buddy/16' "$work/out" || fail "no title"
# 3,000 bytes are of the class to 8 KiB, 30,000 of the one to 32 KiB.
[ "$(grep -c '<rect class="s4" .*height="12.0"/>$' "$work/out")" -ge 1 ] || fail "no small block in the picture"
[ "$(grep -c '<rect class="s5" .*height="12.0"/>$' "$work/out")" -ge 10 ] || fail "no large block in the picture"
for text in 'A pool of 64.0 KiB after operation 2: 2 live blocks, 33,000 bytes requested' 'Bytes requested' \
    'to 8 KiB' metadata; do
    grep -qF ">$text<" "$work/out" || fail "not in the picture: $text"
done

map --colours=24bit --pool=64K --at=2 "$trace" || fail "no map in colours"
grep -qF "$(printf '\033[38;2;224;176;32m')#" "$work/out" || fail "no 24-bit colour of the large block"
grep -qF "$(printf '\033[38;2;124;184;58m')#" "$work/out" || fail "no 24-bit colour of the small block"
grep -q 'Bytes requested: .*to 8 KiB' "$work/out" || fail "no legend"
NO_COLOR=1 map --colours=256 --pool=64K --at=2 "$trace" || fail "no map in 256 colours"
grep -qF "$(printf '\033[38;5;178m')#" "$work/out" || fail "no indexed colour"
COLORTERM=truecolor TERM=xterm-256color map --pool=64K --at=2 "$trace" || fail "no map"
! grep -q "$(printf '\033')" "$work/out" || fail "colours in a file"
if command -v script >/dev/null; then
    TERM=xterm-256color script -qec "\"$acre\" map --pool=64K --at=2 \"$trace\"" /dev/null >"$work/out" </dev/null
    grep -qF "$(printf '\033[38;5;178m')" "$work/out" || fail "no colours on a terminal"
    NO_COLOR=1 script -qec "\"$acre\" map --pool=64K --at=2 \"$trace\"" /dev/null >"$work/out" </dev/null
    ! grep -q "$(printf '\033')" "$work/out" || fail "colours in spite of NO_COLOR"
fi
printf '%s\n' 'acre-trace 1' 't 1' 'm 1 20000' 't 0' 'm 2 20000' >"$work/threads.acre"
map --colours=256 --by=thread --pool=64K "$work/threads.acre" || fail "no map by thread"
grep -qF "$(printf '\033[38;5;208m')#" "$work/out" || fail "no colour of thread 1"
map --colours=256 --by=age --pool=64K "$trace" || fail "no map by age"
grep -q 'Age, share of the run: ' "$work/out" || fail "no legend of ages"
refuses 2 "invalid --by 'colour' (choose from size, age, thread)" --by=colour "$trace"
refuses 2 "invalid --colours '16' (choose from none, 256, 24bit)" --colours=16 "$trace"

map --with="$ACRE_BUILD/tests/test_plugin.so" --pool=64K --at=2 "$trace" || fail "no map of a plugin"
grep -qF 'bump in a pool of 65,536 bytes, after operation 2 of 5: 2 live blocks,' "$work/out" ||
    fail "the head of a plugin"
# 33,000 bytes behind 64 of its own, 52 a character.
[ "$(grep -xE '[-+#m.]{1,64}' "$work/out" | tr -cd '#' | wc -c)" = 635 ] || fail "a plugin's live characters"
grep -qF "free or metadata: plugins do not report metadata" "$work/out" || fail "a plugin is not walked"
map --with="$ACRE_BUILD/tests/test_plugin.so" --svg=- "$trace" || fail "no picture of a plugin"
grep -qF "free or metadata" "$work/out" || fail "the picture of a plugin"
refuses 1 "cannot draw own: it manages its own memory" --with="$ACRE_BUILD/tests/own_plugin.so" "$trace"
refuses 1 "/no/such.so" --with=/no/such.so "$trace"
refuses 2 "exclude each other" --with=/no/such.so --allocator=tlsf "$trace"
refuses 1 "the trace has 5 operations" --at=6 "$trace"
refuses 1 "cannot work in a pool of 16 bytes" --pool=16 "$trace"
refuses 1 "cannot write '/no/such/folder/map.svg'" --svg=/no/such/folder/map.svg "$trace"
echo 'acre-trace 1' >"$work/empty.acre"
refuses 1 "the trace has no allocations" "$work/empty.acre"
refuses 2 "choose one built in" --allocator=system "$trace"
refuses 2 "unknown allocator 'tlfs', did you mean 'tlsf'?" --allocator=tlfs "$trace"
refuses 2 "no trace given"
