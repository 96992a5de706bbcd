#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The page of `acre compare --report`: its figures are whole, nothing in a name gets out of them, and the heap
# map has each block where and as long as it lives.
import json
import os
import re
import subprocess
import sys
import tempfile

ACRE = os.path.join(os.environ["ACRE_BUILD"], "acre")
HOSTILE = "</script><script>alert(1)</script><!-- & \u00e9 \u2028"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def check(holds, what):
    if not holds:
        sys.exit("report: " + str(what))


def run(*words, code=0):
    done = subprocess.run([ACRE, "compare", "--repeat=1", *words], capture_output=True, text=True)
    check(done.returncode == code, f"code {done.returncode} of {words}: {done.stdout} {done.stderr}")
    return done


def read_page(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    figures = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    check(len(figures) == 1, "one set of figures")
    check("alert(1)</script>" not in text and "<script>alert" not in text, "a name got out")
    check(text.endswith("</html>\n"), "the page is cut")
    for outside in re.findall(r'(?:src|href)="([^"#]*)"', text):
        check(outside.startswith("data:"), "it loads " + outside)
    return json.loads(figures[0])


def numbers(text):
    number, weight = 0, 1
    for letter in text:
        value = LETTERS.index(letter)
        number += value % 32 * weight
        weight *= 32
        if value < 32:
            yield number
            number, weight = 0, 1


def blocks(heap, one):
    """Born, died (None: it outlasts the window), offset, bytes asked for, bytes beyond, thread."""
    found, born = [], 0
    column, places = list(numbers(heap["blocks"])), numbers(one["places"])
    for age, life, asked, thread in zip(*[iter(column)] * 4):
        born += age
        offset = next(places)
        if offset:
            found.append((born, born + life if life else None, offset - 1, asked, next(places), thread))
    check(next(places, None) is None, "places are left over")
    return found


def looks(heap, one):
    """Of each moment and cell: live, metadata, shade, thread, moment of birth."""
    column = numbers(one["cells"])
    cells, found = [(0, 0, 0, 0, 0)] * one["cell_count"], []
    for _ in heap["moments"]:
        at = 0
        for _ in range(next(column)):
            at += next(column)
            parts = next(column)
            live, metadata = divmod(parts, 16)
            thread, shade = divmod(next(column), 8) if live else (0, 0)
            cells[at] = (live, metadata, shade, thread, next(column) if live else 0)
            at += 1
        found.append(list(cells))
    check(next(column, None) is None, "cells are left over")
    return found


def disjoint(heap, one, op):
    live = sorted((o, a + m) for b, d, o, a, m, _ in blocks(heap, one) if b <= op and (d is None or op < d))
    check(all(o + s <= one["pool"] for o, s in live), "a block outside the pool")
    check(all(a[0] + a[1] <= b[0] for a, b in zip(live, live[1:])), "blocks that overlap")
    return len(live)


def short_run(folder):
    trace = os.path.join(folder, "short.acre")
    page = os.path.join(folder, "short.html")
    with open(trace, "w", encoding="utf-8") as file:
        file.write("acre-trace 1\nm 1 100\nm 2 200\nf 1\nr 2 5000\nm 1 300\nf 2\nf 1\n")
    plugin = os.path.join(os.environ["ACRE_BUILD"], "tests", "test_plugin.so")
    run("--allocator=tlsf", "--allocator=buddy", "--allocator=system", "--with=" + plugin, "--report=" + page, trace)
    heap = read_page(page)["heap"]
    names = [one["name"] for one in heap["maps"]]
    check("tlsf" in names and "buddy" in names and "system" not in names, names)
    check([one["name"] for one in heap["maps"] if not one["walked"]] == ["bump"], names)
    check(heap["moments"] == list(range(7)) and heap["peak"] == 4, heap["moments"])
    check(heap["live"] == [100, 300, 200, 5000, 5300, 300, 0], heap["live"])
    for one in heap["maps"]:
        found = blocks(heap, one)
        check([(b, d, a, t) for b, d, _, a, _, t in found] ==
              [(0, 2, 100, 0), (1, 3, 200, 0), (3, 5, 5000, 0), (4, 6, 300, 0)], found)
        check([disjoint(heap, one, op) for op in range(7)] == [1, 2, 1, 1, 2, 1, 0], "live blocks")
        seen = looks(heap, one)
        live = [sum(cell[0] for cell in cells) for cells in seen]
        check(live[-1] == 0 and live[4] == max(live) and min(live[:6]) > 0, live)
        check(all((sum(cell[1] for cell in cells) > 0) == one["walked"] for cells in seen), "metadata")
        check({(s, b) for v, _, s, _, b in seen[4] if v} == {(4, 3), (2, 4)}, "shades and births at the peak")


def long_run(folder):
    page = os.path.join(folder, "long.html")
    run("--allocator=tlsf", "--scenario=json", "--report=" + page)
    heap = read_page(page)["heap"]
    check(0 < heap["window_last"] - heap["window_first"] < 20000, "the window")
    check(not heap["too_many"] and len(heap["moments"]) == 120, "moments")
    for op in range(heap["window_first"], heap["window_last"], 500):
        check(disjoint(heap, heap["maps"][0], op) > 100, "live blocks of a long run")


# Short blocks in each frame, and a large one for one operation of every hundredth: none of them is lost.
def spikes(folder):
    trace = os.path.join(folder, "spikes.acre")
    page = os.path.join(folder, "spikes.html")
    with open(trace, "w", encoding="utf-8") as file:
        file.write("acre-trace 1\n")
        for frame in range(2000):
            file.write("".join(f"m {i} {64 + i}\n" for i in range(1, 21)))
            file.write("m 50 1048576\nf 50\n" if frame % 100 == 37 else "")
            file.write("".join(f"f {i}\n" for i in range(1, 21)))
    run("--allocator=tlsf", "--allocator=system", "--report=" + page, trace)
    data = read_page(page)
    profile, heap = data["profile"]["live_bytes"], data["heap"]["live"]
    check(max(profile) == max(heap) == data["peak_live_bytes"], "the highest peak")
    check(sum(live > 1048576 for live in profile) == 20, "the peaks of the run")
    check(sum(live > 1048576 for live in heap) == 20, "the peaks of the map")
    tlsf = next(one for one in data["allocators"] if one["name"] == "tlsf")
    check(sum(used > 1048576 for used in tlsf["over_time"]["used"]) == 20, "the peaks of an allocator")
    ops = data["profile"]["operation"]
    check(ops == sorted(set(ops)) and ops[-1] == data["operations"] - 1, "moments in order")


# Two threads, of which the second allocates half: the map says whose a block is.
def threads(folder):
    trace = os.path.join(folder, "threads.acre")
    page = os.path.join(folder, "threads.html")
    with open(trace, "w", encoding="utf-8") as file:
        file.write("acre-trace 1\n")
        for i in range(1, 41):
            file.write(f"t {i % 2}\nm {i} 100\n")
    run("--allocator=tlsf", "--report=" + page, trace)
    heap = read_page(page)["heap"]
    check(heap["knows_threads"], "threads are known")
    found = blocks(heap, heap["maps"][0])
    check([block[5] for block in found] == [i % 2 for i in range(1, 41)], found)
    check({cell[3] for cell in looks(heap, heap["maps"][0])[-1] if cell[0]} == {0, 1}, "threads of cells")


def names(folder):
    page = os.path.join(folder, "names.html")
    run("--allocator=tlsf", "--report=" + page, "--", "sh", "-c", "true", HOSTILE)
    check(HOSTILE in read_page(page)["source"], "the command line")
    done = run("--allocator=tlsf", "--report=/no/such/folder/page", "--scenario=kernel", code=1)
    check("cannot write '/no/such/folder/page'" in done.stderr, done.stderr)
    check("tlsf" in done.stdout, "the tables are printed all the same")


with tempfile.TemporaryDirectory() as work:
    if "preload" in sys.argv:
        names(work)
    else:
        short_run(work)
        long_run(work)
        spikes(work)
        threads(work)
