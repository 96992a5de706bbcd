#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# acre convert --from: traces of other tools, what they come to, and what is refused with the line it is in.
set -euo pipefail

acre=$ACRE_BUILD/acre
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "$1"
    cat "$work/in" "$work/out" "$work/err"
    exit 1
}
# becomes FORMAT WANTED: what is on standard input, as text less its first two lines, is WANTED.
becomes() {
    cat >"$work/in"
    "$acre" convert --text --from="$1" "$work/in" >"$work/out" 2>"$work/err" || fail "$1: code $?"
    [ "$(tail -n +3 "$work/out" | paste -sd, -)" = "$2" ] || fail "$1: not $2"
    "$acre" convert --from="$1" --output="$work/binary.acre" - <"$work/in" || fail "$1: no binary"
    "$acre" convert --text "$work/binary.acre" | cmp -s - "$work/out" || fail "$1: binary differs"
}
# refused FORMAT MESSAGE: so is what is on standard input; no file is left.
refused() {
    local code=0
    cat >"$work/in"
    "$acre" convert --from="$1" --output="$work/left.acre" "$work/in" >"$work/out" 2>"$work/err" ||
        code=$?
    [ "$code" = 1 ] || fail "$1: code $code, not refused"
    grep -qF -- "$2" "$work/err" || fail "$1: not said: $2"
    [ ! -e "$work/left.acre" ] || fail "$1: a file is left"
}

becomes mtrace 'm 0 24,m 1 300,r 1 50000,f 0,x m 4096,x r 1 99,f 1,m 1 7,end 0 2' <<'END'
= Start
@ ./a.out:(main+0x1e)[0x5577 odd name] + 0x5602 0x18
@ ./a.out:[0x400] + 0x5700 0x12c
@ ./a.out:[0x400] < 0x5700
@ ./a.out:[0x400] > 0x9000 0xc350
@ ./a.out:[0x400] - 0x5602
- 0x777
@ ./a.out:[0x400] + (nil) 0x1000
@ ./a.out:[0x400] ! 0x9000 0x63
@ ./a.out:[0x400] ! 0x888 0x63
@ ./a.out:[0x400] - 0x9000
+ 0x5602 0x7
= End
END
becomes ltrace 'm 0 24,c 1 300,r 1 500,a 2 100 64,x m 9,m 3 8,f 1,f 0,m 0 5,f 2,end 1 1' <<'END'
strlen("malloc(1) = 0x1")                        = 15
[pid 7] prog->malloc(24)                         = 0x1000
calloc(3, 100)                                   = 0x2000 <0.000123>
realloc(0x2000, 500) = 0x3000
aligned_alloc(64, 0x64) = 0x4000
malloc(9) = nil
realloc(nil, 8) = 0x5000
my_malloc(9) = 0x6000
realloc(0x3000, 0) = nil
free(nil) = <void>
malloc(5) = 0x1000
free(0x4000) = <void>
free(0x7777)
END
becomes heaptrack 'm 0 24,m 1 4096,f 0,m 0 48,end 0 1' <<'END'
v 10400 3
X ./prog
+ 18 1 5581
t 4011 0
+ 1000 2 5599
c 10
- 5581
- 1234
- 0
+ 30 1 5581
END
# As heaptrack_interpret leaves it: a free names a size and a place in the program, and takes the latest such block.
becomes heaptrack 'm 0 100,m 1 24,m 2 100,m 3 100,f 3,f 2,m 2 5000,f 1,f 2,f 0,end 0 2' <<'END'
v 10400 3
s 5 ./prog
a 64 8
+ 0
a 18 9
+ 1
+ 0
+ 0
- 0
- 0
a 1388 9
+ 2
- 1
- 2
- 2
- 0
- 0
c 3
END
# Calls that another thread's cut. The old block of a resize is free for others before it returns; a free is
# done when it begins; a call that never returns has no block.
becomes ltrace 'm 0 10,m 1 20,m 2 10,r 0 100,f 2,c 2 6,r 1 0,x m 9,a 3 8 64,f 0,end 0 1' <<'END'
7 prog->malloc(10 <unfinished ...>
8 prog->malloc(20 <unfinished ...>
7 <... malloc resumed> )          = 0x1000
8 <... malloc resumed> )          = 0x2000
7 prog->realloc(0x1000, 100 <unfinished ...>
8 prog->malloc(10)                = 0x1000
7 <... strlen resumed> )          = 5
7 <... realloc resumed> )         = 0x3000
[pid 9] calloc(2, 3 <no return ...>
[pid 8] free(0x1000 <unfinished ...>
[pid 9] <... calloc resumed> ) = 0x4000
[pid 8] <... free resumed> ) = <void>
8 realloc(0x2000, 0 <unfinished ...>
7 malloc(9 <unfinished ...>
8 <... realloc resumed> ) = 0x2000
7 <... malloc resumed> ) = nil
memalign(64, 8 <unfinished ...>
<... memalign resumed> ) = 0x1000
9 realloc(0x7777, 5 <unfinished ...>
9 <... realloc resumed> ) = nil
9 free(0x3000)
9 malloc(1 <unfinished ...>
END

# ltrace -x names the library of a call.
printf '%s\n' 'malloc@libc.so.6(12) = 0x5581' 'free@libc.so.6(0x5581) = <void>' >"$work/in"
"$acre" convert --from=ltrace --text "$work/in" >"$work/out" || fail "ltrace -x is not read"
[ "$(grep -c '^[mf] ' "$work/out")" = 2 ] || fail "calls of ltrace -x are lost"

refused mtrace 'line 2: expected' <<<$'= Start\nhello world'
refused mtrace "line 1: '>' without '<'" <<<'@ x > 0x10 0x20'
refused mtrace "line 3: '<' without '>'" <<<$'+ 0x10 0x20\n< 0x10\n- 0x10'
refused mtrace "line 2: '<' without '>'" <<<$'+ 0x10 0x20\n< 0x10'
refused mtrace 'line 1: no address and size' <<<'+ 0x10 0x12345678123456789'
refused mtrace 'line 1: no address' <<<'- 0x'
refused mtrace 'line 1: the size exceeds' <<<'+ 0x10 0xffffffffffffffff'
refused mtrace 'line 1: not a text file' < <(printf '+ 0x10\0 0x20\n')
refused heaptrack 'line 1: the file is compressed' < <(printf 'v 1\n' | gzip -c)
refused heaptrack 'the compressed file is truncated' < <(printf '\x28\xb5\x2f\xfd\x04\x00')
refused heaptrack 'line 2: the line has no end: the file is truncated' < <(printf '+ 10 1 5581\n- 55')
refused mtrace 'line 1: the line is too long' < <(head -c 100000 /dev/zero | tr '\0' x)
refused mtrace 'no mtrace call found' </dev/null
refused ltrace 'line 1: an argument' <<<'malloc(many) = 0x10'
refused ltrace 'line 1: the call has too few' <<<'calloc(8) = 0x10'
refused ltrace 'line 1: the call does not end' <<<'malloc(8 = 0x10'
refused ltrace "line 1: the call has no '= ADDRESS'" <<<'malloc(8)'
refused ltrace 'line 2: a resumed call without' <<<$'7 malloc(8 <unfinished ...>\n8 <... malloc resumed> ) = 0x10'
refused ltrace 'line 1: a resumed call without' <<<'<... realloc resumed> ) = 0x10'
refused ltrace 'line 1: an argument' <<<'malloc( <unfinished ...>'
refused ltrace 'line 1: the call has too few' <<<'calloc(8 <unfinished ...>'
refused ltrace "line 2: the call has no '= ADDRESS'" <<<$'malloc(8 <unfinished ...>\n<... malloc resumed> )'
refused ltrace 'line 4097: too many unfinished calls' < <(printf 'malloc(%d <unfinished ...>\n' {1..4097})
refused ltrace 'line 1: count times size' <<<'calloc(0x8000000000000000, 4) = 0x10'
refused ltrace 'line 1: the alignment is not' <<<'memalign(24, 4) = 0x10'
refused ltrace 'no ltrace call found' <<<'strlen("x") = 1'
refused heaptrack "line 1: '+' is not followed" <<<'+ 10'
refused heaptrack "line 1: '+' is not followed" <<<'+ 10 1'
refused heaptrack "line 1: '+' has no number" <<<'+ x'
refused heaptrack "line 1: '-' has no number" <<<'- xyz'
refused heaptrack "line 1: 'a' is not followed" <<<'a x 1'
refused heaptrack "line 2: '+' names an allocation" <<<$'a 10 2\n+ 1'
refused heaptrack "line 2: '-' names an allocation" <<<$'a 10 2\n- 1'
refused heaptrack 'line 2: an allocation with an address' <<<$'a 10 2\n+ 10 1 5581'
refused heaptrack 'line 2: an allocation without an address' <<<$'+ 10 1 5581\na 10 2'
refused heaptrack 'line 1: the size exceeds' <<<'a ffffffffffffffff 2'

# What zstd has compressed is unpacked; cut, it is an error. The frame here has blocks that are not compressed.
python3 - "$work" <<'END'
import struct, sys
text = "".join(f"+ {i:x} 1 {i * 4096 + 16:x}\n" for i in range(1, 4000)).encode()
blocks = [text[i:i + 30000] for i in range(0, len(text), 30000)]
frame = b"\x28\xb5\x2f\xfd" + bytes([0x20 | 0x80]) + struct.pack("<I", len(text))
for i, block in enumerate(blocks):
    frame += struct.pack("<I", len(block) << 3 | (i == len(blocks) - 1))[:3] + block
open(sys.argv[1] + "/whole.zst", "wb").write(frame)
open(sys.argv[1] + "/cut.zst", "wb").write(frame[:40000])
END
"$acre" convert --from=heaptrack --text "$work/whole.zst" >"$work/out" 2>"$work/err" || fail "a .zst file: $?"
[ "$(grep -c '^m ' "$work/out")" = 3999 ] || fail "a .zst file lost calls"
! "$acre" convert --from=heaptrack --text "$work/cut.zst" >"$work/out" 2>"$work/err" || fail "a cut .zst file is read"
grep -q 'the compressed file is truncated' "$work/err" || fail "the cut is not told"

# What begins as mtrace's and heaptrack's files do is recognised wherever a trace is read.
printf 'v 10400 3\n+ 18 1 5581\n+ 1000 2 5599\n- 5581\n' >"$work/in"
"$acre" convert --text "$work/in" >"$work/out" 2>"$work/err" || fail "heaptrack's file is not recognised: code $?"
[ "$(tail -n +3 "$work/out" | paste -sd,)" = 'm 0 24,m 1 4096,f 0,end 0 0' ] || fail "heaptrack's file is read otherwise"
"$acre" info "$work/in" >"$work/out" 2>"$work/err" || fail "info does not read heaptrack's file: code $?"
grep -Eq '^0 heaptrack +1 +1 +3 ' "$work/out" || fail "info shows something else"
"$acre" replay -a system --repeat=1 --json "$work/in" >"$work/out" 2>"$work/err" || fail "replay does not: code $?"
grep -qF "\"$work/in\"" "$work/out" || fail "the file is not named"
readers="info replay compare convert"
if "$acre" map "$work/in" >"$work/out" 2>"$work/err"; then
    readers+=" map"
else # in a build without allocators there is nothing to draw
    grep -q 'no allocator is built in' "$work/err" || fail "map does not: code $?"
fi
"$acre" compare -r1 -a system "$work/in" >"$work/out" 2>"$work/err" || fail "compare does not: code $?"
grep -qFx "$work/in" "$work/out" || fail "compare does not name the file"
printf '= Start\n@ ./a.out:[0x400] + 0x5602 0x18\n' | "$acre" info - >"$work/out" 2>"$work/err" && fail "a pipe is recognised"
printf '= Start\n@ ./a.out:[0x400] + 0x5602 0x18\n= End\n' >"$work/in"
"$acre" info "$work/in" >"$work/out" 2>"$work/err" || fail "mtrace's file is not recognised: code $?"
printf 'v 10400 3\n+ 18 1 5581\n- 55' >"$work/in"
for each in $readers; do
    code=0
    "$acre" $each "$work/in" >"$work/out" 2>"$work/err" || code=$?
    [ "$code" = 1 ] || fail "$each reads a cut file: code $code"
    grep -qF "acre $each: $work/in: line 3: the line has no end: the file is truncated" "$work/err" || fail "$each: the cut is not told"
done

code=0
"$acre" convert --from=mtrce --text "$work/in" >"$work/out" 2>"$work/err" || code=$?
[ "$code" = 2 ] || fail "code $code for an unknown format"
grep -qF "invalid format 'mtrce', did you mean 'mtrace'? (choose from mtrace, ltrace, heaptrack)" "$work/err" || fail "formats are not listed"
code=0
"$acre" convert --from=mtrace --text /no/such/file >"$work/out" 2>"$work/err" || code=$?
[ "$code" = 1 ] && grep -qF '/no/such/file' "$work/err" || fail "a file that is not there"
